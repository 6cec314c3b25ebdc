"""What a taken workload leads to: others by the network, on its node, or by its rights.

A pair of workloads is near where the one may connect to the other, where pods of both run on
one node, or where the rights of the one let it enter the pods of the other. Where the evidence
does not tell, the pair is in doubt, never apart. Both are kept by groups (classes of the
network, nodes, namespaces), so that no pair of workloads is ever listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from kaudit.columns import arrow, pairs, positions

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from kaudit.evidence.frames import Frames

#: Rights by which pods are entered.
_ENTERS = frozenset(["pod_exec", "pod_patch", "node_proxy"])


class Near(NamedTuple):
    """Groups of workloads, and which of them lead to which.

    Attributes
    ----------
    groups
        Groups of each workload, by its place.
    leads, doubtful
        Groups that each leads to, surely and perhaps.
    unplaced
        Workloads of which the group is not told.
    """

    groups: dict[int, set[Any]]
    leads: dict[Any, set[Any]]
    doubtful: dict[Any, set[Any]]
    unplaced: frozenset[int] = frozenset()


def _places(table: pd.DataFrame, key: pa.Array) -> list[int]:
    columns = (table[name] for name in ("owner_kind", "namespace", "owner_name"))
    found: list[int] = positions(pairs(*columns), key).tolist()
    return found


def by_network(frames: Frames, key: pa.Array) -> Near:
    """Classes of pods that policies see alike; what they deny counts where it is enforced."""
    own = frames.get("network_workloads")
    groups: dict[int, set[Any]] = {}
    unsure: set[Any] = set()
    classes = arrow(own["network_class"]).to_pylist()
    for place, number, enforced in zip(
        _places(own, key), classes, arrow(own["enforced"]).to_pylist(), strict=True
    ):
        groups.setdefault(place, set()).add(number)
        if enforced != "yes":
            unsure.add(number)
    leads: dict[Any, set[Any]] = {}
    doubtful: dict[Any, set[Any]] = {}
    known = {*classes}
    table = frames.get("network_reachability")
    names = ("source", "target", "ports")
    for source, target, ports in zip(*(arrow(table[n]).to_pylist() for n in names), strict=True):
        if source in known and target in known:
            (doubtful if ports == "none" else leads).setdefault(source, set()).add(target)
    for source in known if unsure else ():
        doubtful[source] = doubtful.get(source, set()) | (known if source in unsure else unsure)
    return Near(groups, leads, doubtful)


def by_node(frames: Frames, key: pa.Array) -> Near:
    """Nodes that pods of workloads run on."""
    table = frames.get("footholds")
    groups: dict[int, set[Any]] = {}
    unplaced = set()
    for place, node in zip(_places(table, key), arrow(table["node"]).to_pylist(), strict=True):
        if node:
            groups.setdefault(place, set()).add(node)
        else:
            unplaced.add(place)
    nodes = {node for some in groups.values() for node in some}
    return Near(groups, {node: {node} for node in nodes}, {}, frozenset(unplaced))


def by_rights(frames: Frames, key: pa.Array) -> Near:
    """Workloads by themselves and by their namespaces, which rights to enter pods lead to."""
    edges = frames.get("escalation_edges")
    names = (
        *("source_kind", "source_namespace", "source", "kind"),
        *("target_kind", "target_namespace", "target", "condition"),
    )
    identities: dict[Any, set[Any]] = {}
    enters: dict[Any, set[tuple[str, bool]]] = {}
    for *cells, condition in zip(*(arrow(edges[n]).to_pylist() for n in names), strict=True):
        source, kind, target = tuple(cells[:3]), cells[3], tuple(cells[4:])
        if kind in ("identity_assume", "member") and not condition:
            identities.setdefault(source, set()).add(target)
        elif kind in _ENTERS and target[0] == "Pods":
            enters.setdefault(source, set()).add((target[1], bool(condition)))
    table = frames.get("footholds")
    columns = ("owner_kind", "namespace", "owner_name")
    groups: dict[int, set[Any]] = {}
    leads: dict[Any, set[Any]] = {}
    doubtful: dict[Any, set[Any]] = {}
    owners = zip(*(arrow(table[name]).to_pylist() for name in columns), strict=True)
    for place, owner in zip(_places(table, key), owners, strict=True):
        if place in groups:
            continue
        groups[place] = {owner, owner[1], ""}
        for namespace, condition in _entered(owner, identities, enters):
            (doubtful if condition else leads).setdefault(owner, set()).add(namespace)
    return Near(groups, leads, doubtful)


def _entered(
    owner: Any, identities: dict[Any, set[Any]], enters: dict[Any, set[tuple[str, bool]]]
) -> Iterable[tuple[str, bool]]:
    """Namespaces whose pods an owner may enter, by its account and the groups of that."""
    seen, todo = {owner}, [owner]
    while todo:
        for one in identities.get(todo.pop(), ()):
            if one not in seen:
                seen.add(one)
                todo.append(one)
    return {found for one in seen for found in enters.get(one, ())}


#: Relation to how it is worked out, the tables that it rests on, and those that can end it.
RELATIONS: dict[str, tuple[Callable[[Frames, pa.Array], Near], tuple[str, ...], tuple[str, ...]]]
RELATIONS = {
    "network": (
        by_network,
        ("network_workloads", "network_reachability"),
        ("network_policies", "network_policy_rules", "other_policies", "other_policy_rules"),
    ),
    "node": (by_node, ("footholds",), ()),
    "rights": (by_rights, ("escalation_edges", "footholds"), ()),
}


def beyond(near: Near, targets: Iterable[int], size: int) -> tuple[dict[int, int], set[int]]:
    """Say what each workload leads to.

    Returns
    -------
    found
        Place of a workload to that of the first target that it leads to, itself left out.
    doubtful
        Places of those that may lead to one.
    """
    held: dict[Any, list[int]] = {}
    unplaced = False
    some = sorted({*targets})
    for place in some:
        for group in near.groups.get(place, ()):
            first = held.setdefault(group, [])
            if len(first) < 2:  # the first, and one beside it for the first itself
                first.append(place)
        unplaced = unplaced or place in near.unplaced
    found: dict[int, int] = {}
    doubtful: set[int] = set()
    for place in range(size):
        own = near.groups.get(place, set())
        sure = _first(place, own, near.leads, held)
        if sure is not None:
            found[place] = sure
        elif (
            _first(place, own, near.doubtful, held) is not None
            or (place in near.unplaced and some not in ([], [place]))
            or (unplaced and some != [place])
        ):
            doubtful.add(place)
    return found, doubtful


def _first(
    place: int, own: set[Any], leads: dict[Any, set[Any]], held: dict[Any, list[int]]
) -> int | None:
    reached = [
        target
        for group in own
        for other in leads.get(group, set()) & held.keys()
        for target in held[other]
        if target != place
    ]
    return min(reached, default=None)
