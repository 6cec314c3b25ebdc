"""Whether workloads still hold what a Secret was before it was last changed.

The API tells when values of a Secret were changed in managedFields only; an update of its
metadata by the same manager moves that time too. A Secret that was made after the container
started was made anew.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, assembled, looked_up, matched, series, text_is
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class SecretHolderRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace of the workload, and of the Secret")]
    owner_kind: Annotated[str, doc("kind of the topmost known owner")]
    owner_name: Annotated[str, doc("name of the topmost known owner")]
    origin: Annotated[str, doc("object: Pod objects; template: what a controller would make")]
    secret: Annotated[str, doc("name of the Secret")]
    way: Annotated[str, doc("env, envFrom, file, subPath, pull or login")]
    holds: Annotated[bool, doc("running pods keep what they read at their start")]
    started_at: Annotated[datetime | None, doc("oldest start of a container that holds it so")]
    changed_at: Annotated[datetime | None, doc("last change of its values, of managedFields")]
    made_at: Annotated[datetime | None, doc("when the Secret was made")]
    outdated: Annotated[
        bool | None, doc("the Secret was changed since; null: one of the two moments is not told")
    ]


SECRET_HOLDERS = Table(
    "secret_holders",
    SecretHolderRow,
    grain="one Secret as one workload uses it in one way, against its last change",
    key=("namespace", "owner_kind", "owner_name", "origin", "secret", "way"),
    resource=Resource("owner_kind", name="owner_name"),
    pods=True,
)


@view(SECRET_HOLDERS, decided={"holds": ()})
def secret_holders(secret_uses: pd.DataFrame, secrets: pd.DataFrame) -> pd.DataFrame:
    """Compare the start of containers with the last change of what they hold."""
    import pyarrow as pa
    import pyarrow.compute as pc

    u = secret_uses
    at = matched((u["namespace"], u["secret"]), (secrets["namespace"], secrets["name"]))
    changed, made = (looked_up(secrets, at, name, u) for name in ("changed_at", "created_at"))
    started = arrow(u["started_at"])
    anew = pc.greater(arrow(made), started)
    since = pc.greater(arrow(changed), started)
    told = pc.if_else(pc.fill_null(anew, False), pa.scalar(True), since)
    columns = SECRET_HOLDERS.names
    found: dict[str, Any] = {name: u[name] for name in columns if name in u.columns}
    found |= {
        "holds": u["fixed"] & text_is(u["origin"], "object"),
        "changed_at": changed,
        "made_at": made,
        "outdated": series(told, u),
    }
    return assembled(u, found, columns)
