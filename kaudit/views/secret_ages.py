"""Ages of Secrets at the moment that the evidence holds for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.ages import days_since, older
from kaudit.columns import assembled, first_set, text_is
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


@view(SECRET_AGES)
def secret_ages(secrets: pd.DataFrame, cluster: pd.DataFrame) -> pd.DataFrame:
    """Measure from the last change where it is known, else from the creation."""
    days = days_since(first_set(secrets["changed_at"], secrets["created_at"]), cluster)
    kept = ("helm.sh/release.v1", "kubernetes.io/service-account-token")
    copied = ["raw", "raw_line", "kind", "namespace", "name", "type"]
    found: dict[str, Any] = {name: secrets[name] for name in copied}
    found |= {
        "age_days": days,
        "rotated": ~text_is(secrets["type"], *kept),
        "old": older(days, parameters().secret_max_age_days, cluster),
    }
    return assembled(secrets, found, [column.name for column in SECRET_AGES.columns])
