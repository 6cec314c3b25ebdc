"""Ages of Secrets at the moment that the evidence holds for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, assembled, first_set, series, text_is
from kaudit.parameters import parameters
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class SecretAgeRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always Secret")]
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    type: Annotated[str | None, doc("type; null where only metadata was read")]
    age_days: Annotated[int | None, doc("whole days since it was made or last changed")]
    rotated: Annotated[bool, doc("holds a credential that should be rotated")]
    old: Annotated[bool | None, doc("older than the time for rotation; null: cannot be told")]


SECRET_AGES = Table(
    "secret_ages",
    SecretAgeRow,
    grain="one Secret and its age",
    key=("namespace", "name"),
    resource=Resource("kind"),
)
_DAY = 86_400_000_000


@view(SECRET_AGES)
def secret_ages(secrets: pd.DataFrame, cluster: pd.DataFrame) -> pd.DataFrame:
    """Measure from the last change where it is known, else from the creation."""
    import pyarrow as pa
    import pyarrow.compute as pc

    since = arrow(first_set(secrets["changed_at"], secrets["created_at"]))
    now = cluster["as_of"].dropna()
    if len(now):
        moment = pa.scalar(now.iloc[0].to_pydatetime(), pa.timestamp("us", tz="UTC"))
        passed = pc.cast(pc.subtract(moment, since), pa.int64())
        days = pc.divide(passed, _DAY)
    else:
        days = pa.nulls(len(secrets), pa.int64())
    old = pc.greater(days, parameters().secret_max_age_days)
    if not cluster["as_of_told"].any():  # the true moment is later: none is known to be young
        old = pc.if_else(old, True, pa.scalar(None, pa.bool_()))
    kept = ("helm.sh/release.v1", "kubernetes.io/service-account-token")
    copied = ["raw", "raw_line", "kind", "namespace", "name", "type"]
    found: dict[str, Any] = {name: secrets[name] for name in copied}
    found |= {
        "age_days": series(days, secrets),
        "rotated": ~text_is(secrets["type"], *kept),
        "old": series(old, secrets),
    }
    return assembled(secrets, found, [column.name for column in SECRET_AGES.columns])
