"""Ages of Secrets at the moment that the evidence holds for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.ages import days_since, older
from kaudit.columns import arrow, assembled, first_set, records, series, text_is
from kaudit.model.secret_class import CREDENTIALS, REGISTRY, TLS, secret_class
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
    purpose: Annotated[str, doc("what it is for, as of secret_management")]
    limit_days: Annotated[int, doc("days after which it should have been changed")]
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
    """Measure from the last change where it is known, else from the creation.

    Certificates are judged by their end, not by their age.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    days = days_since(first_set(secrets["changed_at"], secrets["created_at"]), cluster)
    decided = parameters()
    purposes = [_purpose(row) for row in records(secrets[[*_TELLING]])]
    purpose = series(pa.array(purposes, pa.string()), secrets)
    registry = text_is(purpose, REGISTRY)
    limit = pc.if_else(
        arrow(registry), decided.registry_secret_max_age_days, decided.secret_max_age_days
    )
    beyond = series(pc.subtract(arrow(days), limit), secrets)
    copied = ["raw", "raw_line", "kind", "namespace", "name", "type"]
    found: dict[str, Any] = {name: secrets[name] for name in copied}
    found |= {
        "purpose": purpose,
        "limit_days": series(pc.cast(limit, pa.int64()), secrets),
        "age_days": days,
        "rotated": text_is(purpose, *(name for name in CREDENTIALS if name != TLS)),
        "old": older(beyond, 0, cluster),
    }
    return assembled(secrets, found, SECRET_AGES.names)


_TELLING = ("type", "namespace", "name", "labels", "service_account")


def _purpose(row: dict[str, Any]) -> str:
    labels = dict(text.partition("=")[::2] for text in row["labels"])
    return secret_class(row["type"], row["namespace"], row["name"], labels, row["service_account"])
