"""Which Secrets workloads use, and how they reach them.

An environment variable and a file under subPath keep what was read when the container started;
other files follow the Secret (kubernetes.io, "Secrets: Mounted Secrets are updated
automatically").
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import OWNER, arrow, looked_up, pairs, positions, text_is, unlisted
from kaudit.groups import Groups
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class SecretUseRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace of the workload, and of the Secret")]
    owner_kind: Annotated[str, doc("kind of the topmost known owner")]
    owner_name: Annotated[str, doc("name of the topmost known owner")]
    origin: Annotated[str, doc("object: Pod objects; template: what a controller would make")]
    platform: Annotated[bool, doc("in a namespace of Kubernetes itself")]
    secret: Annotated[str, doc("name of the Secret")]
    way: Annotated[
        str,
        doc(
            "env: single keys; envFrom: all of them; file; subPath: a file that does not follow "
            "the Secret; pull: for images; login: of a volume's driver"
        ),
    ]
    fixed: Annotated[bool, doc("what was read at the start stays: env, envFrom and subPath")]
    pods: Annotated[int, doc("pods, or templates")]
    started_at: Annotated[
        datetime | None, doc("oldest start of a container that holds it so; null: none is told")
    ]


SECRET_USES = Table(
    "secret_uses",
    SecretUseRow,
    grain="one Secret as one workload uses it in one way",
    key=("namespace", "owner_kind", "owner_name", "origin", "secret", "way"),
    resource=Resource("owner_kind", name="owner_name"),
    pods=True,
    summed=True,
)
_KEYS = ("namespace", "owner_kind", "owner_name", "origin", "secret", "way", "raw")


@view(SECRET_USES)
def secret_uses(
    pod_context: pd.DataFrame,
    env: pd.DataFrame,
    volumes: pd.DataFrame,
    projections: pd.DataFrame,
    mounts: pd.DataFrame,
    containers: pd.DataFrame,
) -> pd.DataFrame:
    """Gather references of pods to Secrets by workload, Secret and way."""
    import pyarrow as pa
    import pyarrow.compute as pc

    c = pod_context
    chosen = env[(text_is(env["source"], "secret") & env["reference"].notna()).to_numpy(bool)]
    way = pc.if_else(arrow(chosen["whole"]), "envFrom", "env")
    parts = [_used(chosen, chosen["reference"], way, _started(chosen, containers))]
    shown = [f for f in _shown(volumes, projections) if len(f)]
    parts += [_used(found, found["reference"], "file") for found in shown]
    parts += _under_sub_path(shown, mounts, containers)
    logins = volumes[volumes["login_secret"].notna().to_numpy(bool)]
    parts.append(_used(logins, logins["login_secret"], "login"))
    pulls, names = unlisted(c, "image_pull_secrets")
    parts.append(_used(pulls, names, "pull"))
    used = pa.concat_tables(parts)
    used = used.filter(pc.not_equal(used["secret"], ""))
    at = positions(used["pod_uid"].combine_chunks(), c["pod_uid"])
    for name in ("namespace", *OWNER, "raw", "raw_line"):
        used = used.append_column(name, arrow(c[name]).take(pa.array(at)))
    whole = {name: used[name].combine_chunks() for name in used.column_names}
    groups = Groups(*(whole[name] for name in _KEYS))
    of: dict[str, Any] = {name: groups.one(whole[name]) for name in _KEYS}
    of |= {
        "platform": pa.array(groups.some(whole["platform"])),
        "fixed": pc.is_in(of["way"], value_set=pa.array(["env", "envFrom", "subPath"])),
        "pods": pa.array(groups.kinds(whole["pod_uid"])),
        "started_at": groups.least(whole["started_at"]),
        "raw_line": groups.least(whole["raw_line"]),
    }
    return frame(SECRET_USES.sorted(SECRET_USES.fitted(of)))


def _used(
    rows: pd.DataFrame,
    secrets: pd.Series[Any] | pa.Array,
    way: str | pa.Array,
    started: pa.Array | None = None,
) -> pa.Table:
    import pandas as pd
    import pyarrow as pa

    many = len(rows)
    return pa.table(
        {
            "pod_uid": arrow(rows["pod_uid"]),
            "secret": arrow(secrets) if isinstance(secrets, pd.Series) else secrets,
            "way": pa.array([way] * many, pa.string()) if isinstance(way, str) else way,
            "started_at": pa.nulls(many, _time()) if started is None else started,
        },
        schema=pa.schema(
            {
                "pod_uid": pa.string(),
                "secret": pa.string(),
                "way": pa.string(),
                "started_at": _time(),
            }
        ),
    )


def _time() -> pa.DataType:
    import pyarrow as pa

    return pa.timestamp("us", tz="UTC")


def _started(rows: pd.DataFrame, containers: pd.DataFrame) -> pa.Array:
    """When the container of each row started."""
    key = ("pod_uid", "container_type", "container")
    at = positions(pairs(*(rows[k] for k in key)), pairs(*(containers[k] for k in key)))
    return arrow(looked_up(containers, at, "started_at", rows))


def _shown(volumes: pd.DataFrame, projections: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Volumes that show a Secret, plain and projected."""
    for found in (volumes, projections):
        chosen = text_is(found["source"], "secret") & found["reference"].notna()
        yield found[chosen.to_numpy(bool)]


def _under_sub_path(
    shown: list[pd.DataFrame], mounts: pd.DataFrame, containers: pd.DataFrame
) -> Iterator[pa.Table]:
    fixed = mounts[mounts["sub_path"].notna().to_numpy(bool)]
    for found in shown:
        both = fixed[["pod_uid", "volume", "container_type", "container"]].merge(
            found[["pod_uid", "volume", "reference"]], on=["pod_uid", "volume"]
        )
        yield _used(both, both["reference"], "subPath", _started(both, containers))
