"""What an intruder in a container has: a token, a node, the containers beside it.

One row for all pods of a workload that are alike: it counts workloads, not pods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, gathered, looked_up, pairs, positions, series
from kaudit.model.escapes import Confines, marked, texts, ways
from kaudit.registry import view
from kaudit.table import Row, Table, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class FootholdRow(Row, kw_only=True):
    namespace: Annotated[str, doc("namespace of the pods")]
    owner_kind: Annotated[str, doc("kind of the topmost known owner")]
    owner_name: Annotated[str, doc("name of the topmost known owner")]
    container: Annotated[str, doc("name of the container")]
    node: Annotated[str, doc("node that the pods run on; empty: not told")]
    service_account: Annotated[str, doc("effective account; '' of static pods")]
    token: Annotated[bool, doc("a token of the account for the API server is mounted")]
    shares: Annotated[bool, doc("shares its processes with the other containers of the pod")]
    control_plane: Annotated[bool, doc("a static pod of the control plane")]
    escapes: Annotated[list[str], doc("ways to the node, each with its condition, sorted")]


FOOTHOLDS = Table(
    "footholds",
    FootholdRow,
    grain="one container of pods of one workload that are alike",
    key=("namespace", "owner_kind", "owner_name", "container", "node", "service_account"),
    pods=True,
    summed=True,
)
_OWN = ("namespace", "owner_kind", "owner_name", "container")
_HELD = ("privileged", "host_pid", "capabilities_add", "apparmor", "run_as_user")


@view(FOOTHOLDS)
def footholds(
    security_context: pd.DataFrame,
    pod_tokens: pd.DataFrame,
    host_mounts: pd.DataFrame,
    pod_context: pd.DataFrame,
) -> pd.DataFrame:
    """Put the containers of alike pods together."""
    c = security_context
    at = positions(c["pod_uid"], pod_tokens["pod_uid"])
    pod = positions(c["pod_uid"], pod_context["pod_uid"])
    token = pod_tokens["token_mounted"] | pod_tokens["token_projected"]
    columns: list[Any] = [c[name] for name in _OWN]
    columns += [
        looked_up(pod_context, pod, "node", c),
        looked_up(pod_tokens, at, "service_account", c),
        looked_up(pod_tokens.assign(token=token), at, "token", c),
        looked_up(pod_context, pod, "share_process_namespace", c),
        looked_up(pod_context, pod, "expected_static", c),
        c["own_user_namespace"] | ~c["linux"],
        *(c[name] for name in _HELD),
        _mounts(c, host_mounts),
    ]
    seen: dict[tuple[Any, ...], list[str]] = {}
    found: dict[tuple[Any, ...], None] = {}
    for cells in zip(*(arrow(column).to_pylist() for column in columns), strict=True):
        own, apart, held = cells[:9], cells[9], cells[10:]
        privileged, host_pid, added, apparmor, user, mounts = held
        key = (privileged, host_pid, tuple(added or ()), apparmor, user, tuple(mounts))
        if apart:  # root of a user namespace, or of Windows, is none of the node
            key = (False, False, (), "", user or 1, tuple(mounts))
        if key not in seen:
            seen[key] = texts(ways(Confines(*key)))
        found.setdefault((*own, tuple(seen[key])), None)
    names = [*_OWN, "node", "service_account", "token", "shares", "control_plane"]
    rows = [
        FootholdRow(
            **{
                name: value if value is not None else _NONE.get(name, "")
                for name, value in zip(names, key[:-1], strict=True)
            },
            escapes=list(key[-1]),
        )
        for key in found
    ]
    return frame(FOOTHOLDS.sorted(FOOTHOLDS.arrow(rows)))


#: What stands where nothing is told, but for texts.
_NONE: dict[str, Any] = {"token": False, "shares": False, "control_plane": False}


def _mounts(c: pd.DataFrame, host_mounts: pd.DataFrame) -> pd.Series[Any]:
    """Paths of the node that each container sees, marked."""
    import pyarrow as pa

    m = host_mounts[host_mounts["mounted"].to_numpy(bool)].reset_index(drop=True)
    names = ("path", "writable", "sensitive", "harmless", "socket")
    marks = [
        marked(path, writable=writable, sensitive=sensitive and not harmless, socket=socket)
        for path, writable, sensitive, harmless, socket in zip(
            *(arrow(m[name]).to_pylist() for name in names), strict=True
        )
    ]
    of = series(pairs(m["pod_uid"], m["container_type"], m["container"]), m)
    own = series(pairs(c["pod_uid"], c["container_type"], c["container"]), c)
    return gathered(of, pa.array(marks, pa.string()), own)
