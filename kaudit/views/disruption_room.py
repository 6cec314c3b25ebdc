"""Which disruption budgets leave room to evict a pod.

The arithmetic is that of the disruption controller (Kubernetes, "Specifying a Disruption
Budget", v1.34): shares of the pods are rounded up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import assembled, series
from kaudit.model.homonyms import KNATIVE
from kaudit.model.meta import pairs_of
from kaudit.model.whole import whole
from kaudit.registry import view
from kaudit.selectors import selector
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class DisruptionRoomRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always PodDisruptionBudget")] = "PodDisruptionBudget"
    min_available: Annotated[str | None, doc("minAvailable, number or share")] = None
    max_unavailable: Annotated[str | None, doc("maxUnavailable, number or share")] = None
    pods: Annotated[
        int, doc("pods that it covers: of its status, else of the workloads that it selects")
    ]
    blocked: Annotated[
        bool | None, doc("no pod may be evicted, whatever their health; null: no pod is known")
    ]


DISRUPTION_ROOM = Table(
    "disruption_room",
    DisruptionRoomRow,
    grain="one PodDisruptionBudget, and the pods that it covers",
    key=("namespace", "name"),
    resource=Resource("kind"),
)


@view(DISRUPTION_ROOM)
def disruption_room(disruption_budgets: pd.DataFrame, workloads: pd.DataFrame) -> pd.DataFrame:
    """Compare what each budget asks for with the pods that it covers."""
    import pyarrow as pa

    b = disruption_budgets
    if not len(b):
        return DISRUPTION_ROOM.empty()
    made = _made(workloads)
    pods, blocked = [], []
    for budget in b.to_dict("records"):
        count = _covered(budget, made)
        pods.append(count)
        blocked.append(_blocked(budget["min_available"], budget["max_unavailable"], count))
    copied = ("raw", "raw_line", "namespace", "name", "kind", "min_available", "max_unavailable")
    found: dict[str, Any] = {name: b[name] for name in copied}
    found |= {
        "pods": series(pa.array(pods, pa.int64()), b),
        "blocked": series(pa.array(blocked, pa.bool_()), b),
    }
    return assembled(b, found, DISRUPTION_ROOM.names)


_Made = dict[str, list[tuple[dict[str, str], int]]]


def _made(workloads: pd.DataFrame) -> _Made:
    """Labels and number of the pods that workloads of a namespace keep."""
    kept = workloads[~workloads["owned"].to_numpy(dtype=bool)]
    scaled = kept[~kept["kind"].isin(["DaemonSet", "Job", "CronJob", "PodTemplate", *KNATIVE])]
    found: _Made = {}
    columns = ("namespace", "template_labels", "replicas", "template_kind", "template_name")
    named = (kept[c] for c in ("namespace", "kind", "name"))
    known = dict(zip(zip(*named, strict=True), kept["template_labels"], strict=True))
    for namespace, labels, replicas, *taken in zip(*(scaled[c] for c in columns), strict=True):
        count = replicas if isinstance(replicas, int) else 1
        of_pods = pairs_of(known.get((namespace, *taken), labels))
        found.setdefault(namespace, []).append((of_pods, count))
    return found


def _covered(budget: dict[Any, Any], made: _Made) -> int:
    expected = budget["expected_pods"]
    if isinstance(expected, int):
        return expected
    text = budget["pod_selector"]
    if not isinstance(text, str):
        return 0
    selects = selector(text)
    return sum(count for labels, count in made.get(budget["namespace"], ()) if selects(labels))


def _blocked(least: Any, most: Any, pods: int) -> bool | None:
    if isinstance(most, str):
        return most in ("0", "0%")
    if not isinstance(least, str):
        return False
    share = least.endswith("%")
    number = whole(least.removesuffix("%"))
    if not number:
        return False
    if share and number >= 100:
        return True
    needed = -(-number * pods // 100) if share else number
    return pods <= needed if pods else None
