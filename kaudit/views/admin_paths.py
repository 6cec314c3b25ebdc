"""The shortest way from each workload to all rights, and what would cut it.

Ways without a condition come first, however long. A cut is what gives one step of the way, a
binding or a setting of the workload; that one is named whose removal leaves the workload no
way, and of several the one that does so for most workloads.
"""

from __future__ import annotations

import heapq
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import msgspec

from kaudit.columns import plain_rows
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class AdminPathRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace of the workload")]
    owner_kind: Annotated[str, doc("kind of the workload")]
    owner_name: Annotated[str, doc("name of the workload")]
    length: Annotated[int, doc("steps to all rights; from all of a kind to each is none")]
    steps: Annotated[list[str], doc("the steps: how, what it leads to, by what")]
    conditions: Annotated[list[str], doc("what it takes beside, and is not known")]
    cut: Annotated[str, doc("binding or setting without which no way is left; empty: no single")]
    cuts: Annotated[int, doc("workloads that this cut leaves without a way")]


ADMIN_PATHS = Table(
    "admin_paths",
    AdminPathRow,
    grain="one workload from which a way leads to all rights",
    key=("namespace", "owner_kind", "owner_name"),
    resource=Resource("owner_kind", name="owner_name"),
)
#: Kind, namespace and name.
Place = tuple[str, str, str]
_ADMIN: Place = ("cluster-admin", "", "")
#: Ways that lead from all of a kind to each, or say the same once more.
_FREE = frozenset(["one_of", "holds", "member"])
#: Sources that nobody can take away.
_OF_THE_CLUSTER = frozenset(["Namespace", "Node", "Nodes", "Tokens"])
#: A condition weighs more than any number of steps that a way can have.
_UNKNOWN = 1_000
#: Things of which the removal is tried, those on most ways first.
_TRIED = 100


class _Step(msgspec.Struct, frozen=True):
    source: Place
    container: str
    kind: str
    target: Place
    by: tuple[str, ...]
    condition: str

    @property
    def cost(self) -> int:
        return (0 if self.kind in _FREE else 1) + (_UNKNOWN if self.condition else 0)

    @property
    def causes(self) -> tuple[str, ...]:
        """What gives the step: bindings, or a setting of the workload."""
        if self.by or self.kind in _FREE or self.source[0] in _OF_THE_CLUSTER:
            return self.by
        return (f"{self.kind} of {_called(self.source)}",)

    @property
    def text(self) -> str:
        by = f" ({'; '.join(self.by)})" if self.by else ""
        return f"{self.kind} → {_called(self.target)}{by}"


#: What leads to a place: cost, source, causes and the step itself.
_Graph = dict[Place, list[tuple[int, Place, tuple[str, ...], _Step]]]


@view(ADMIN_PATHS)
def admin_paths(
    footholds: pd.DataFrame, escalation_edges: pd.DataFrame, pod_context: pd.DataFrame
) -> pd.DataFrame:
    """Search backwards from all rights, then without each thing that gives a step."""
    names = ("owner_kind", "namespace", "owner_name")
    workloads = sorted({*plain_rows(footholds, *names)})
    records = {
        cells[:3]: cells[3:] for cells in plain_rows(pod_context[::-1], *names, "raw", "raw_line")
    }
    into = _backwards(escalation_edges)
    onward = _search(into)
    paths = {place: _path(place, onward) for place in workloads if place in onward}
    used = Counter(
        cause for path in paths.values() for cause in {c for step in path for c in step.causes}
    )
    lost: dict[str, set[Place]] = {}
    for cause, _ in sorted(used.items(), key=lambda item: (-item[1], item[0]))[:_TRIED]:
        left = _search(into, without=cause)
        lost[cause] = {place for place in paths if place not in left}
    rows = []
    for (kind, namespace, name), path in paths.items():
        causes = {cause for step in path for cause in step.causes}
        cutting = [c for c in causes if (kind, namespace, name) in lost.get(c, ())]
        cut = min(cutting, key=lambda c: (-len(lost[c]), c), default="")
        rows.append(
            AdminPathRow(
                raw=records[kind, namespace, name][0],
                raw_line=records[kind, namespace, name][1],
                namespace=namespace,
                owner_kind=kind,
                owner_name=name,
                length=sum(step.kind not in _FREE for step in path),
                steps=[step.text for step in path if step.kind not in _FREE],
                conditions=list(dict.fromkeys(s.condition for s in path if s.condition)),
                cut=cut,
                cuts=len(lost[cut]) if cut else 0,
            )
        )
    return frame(ADMIN_PATHS.sorted(ADMIN_PATHS.arrow(rows)))


def _backwards(edges: pd.DataFrame) -> _Graph:
    """Edges by what they lead to."""
    found: _Graph = {}
    names = (
        "source_kind",
        "source_namespace",
        "source",
        "container",
        "kind",
        "target_kind",
        "target_namespace",
        "target",
        "by",
        "condition",
    )
    for a, b, c, container, kind, x, y, z, by, condition in plain_rows(edges, *names):
        step = _Step((a, b, c), container, kind, (x, y, z), tuple(by), condition)
        found.setdefault(step.target, []).append((step.cost, step.source, step.causes, step))
    return found


def _search(into: _Graph, without: str = "") -> dict[Place, _Step]:
    """First step from each place from which a way leads to all rights."""
    best: dict[Place, int] = {_ADMIN: 0}
    first: dict[Place, _Step] = {}
    todo: list[tuple[int, Place]] = [(0, _ADMIN)]
    while todo:
        cost, place = heapq.heappop(todo)
        if cost > best[place]:
            continue
        for cost_of, source, causes, step in into.get(place, ()):
            more = cost + cost_of
            if more < best.get(source, more + 1) and not (without and without in causes):
                best[source], first[source] = more, step
                heapq.heappush(todo, (more, source))
    return first


def _path(place: Place, onward: dict[Place, _Step]) -> list[_Step]:
    path = []
    while place in onward:
        path.append(onward[place])
        place = onward[place].target
    return path


def _called(place: Place) -> str:
    kind, namespace, name = place
    if kind == "Node" and not name:
        return "its node"
    where = f"{namespace}/" if namespace and kind != "Namespace" else ""
    return (
        f"{kind} {where}{name}".rstrip(" /")
        if name
        else (f"{kind} of {namespace}" if namespace else kind)
    )
