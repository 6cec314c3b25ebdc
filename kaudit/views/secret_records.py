"""Records of tools that hold the values of other Secrets, and who can read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import records
from kaudit.model.secret_class import STATE
from kaudit.model.secret_rights import Readers
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class SecretRecordRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always Secret")] = "Secret"
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    purpose: Annotated[str, doc("helm release, argo cd, terraform state, kubeadm certificates")]
    age_days: Annotated[int | None, doc("whole days since it was made or last changed")]
    readers: Annotated[
        list[str], doc("who can read it and is no administrator, as Kind/name, sorted")
    ]
    readable: Annotated[bool, doc("somebody who is no administrator can read it")]


SECRET_RECORDS = Table(
    "secret_records",
    SecretRecordRow,
    grain="one Secret that a tool keeps its records in",
    key=("namespace", "name", "raw", "raw_line"),
    resource=Resource("kind"),
)


@view(SECRET_RECORDS)
def secret_records(
    secret_management: pd.DataFrame, secret_ages: pd.DataFrame, secret_readers: pd.DataFrame
) -> pd.DataFrame:
    """Choose the records of tools, and count who else reads them."""
    granted = records(secret_readers)
    readers = Readers.of(granted)
    admins = {f"{r['subject_kind']}/{r['subject']}" for r in granted if r["admin"]}
    ages = {(r["raw"], r["raw_line"]): r["age_days"] for r in records(secret_ages)}
    rows = []
    for m in records(secret_management):
        if m["purpose"] in STATE:
            found = readers.nearby(m["namespace"], m["name"]) | readers.everywhere
            rows.append(
                SecretRecordRow(
                    raw=m["raw"],
                    raw_line=m["raw_line"],
                    namespace=m["namespace"],
                    name=m["name"],
                    purpose=m["purpose"],
                    age_days=ages[m["raw"], m["raw_line"]],
                    readers=sorted(found - admins),
                    readable=bool(found - admins),
                )
            )
    return frame(SECRET_RECORDS.arrow(rows))
