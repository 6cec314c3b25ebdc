"""Which pods are in a service mesh, and what their clients must prove there.

See kaudit.model.mesh_membership and kaudit.model.mesh for the rules and their sources. Pods on
the network of their node, those of Kubernetes itself and those of the mesh are not meant.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from kaudit.columns import (
    alike,
    arrow,
    assembled,
    gathered,
    kept_labels,
    looked_up,
    positions,
    records,
    series,
    text_is,
)
from kaudit.model.label_index import keys_of
from kaudit.model.mesh import ROOT, Asked, MeshPolicy, of_istio, of_linkerd
from kaudit.model.mesh_agents import CONTROL
from kaudit.model.mesh_membership import (
    AMBIENT,
    DEFAULT_POLICY,
    ISTIO,
    LABELS,
    LINKERD,
    PROXIES,
    UNKNOWN,
    Facts,
    Member,
    Place,
    asks_for,
    member,
    passed_by,
)
from kaudit.model.meta import pairs_of
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class MeshWorkloadRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of the pod; for a template a stable stand-in")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
    owner_kind: Annotated[str, doc("kind of the topmost known owner")]
    owner_name: Annotated[str, doc("name of the topmost known owner")]
    judged: Annotated[bool, doc("there is a mesh, and it is a pod that could be in it")]
    mesh: Annotated[str, doc("mesh that it is in: Istio or Linkerd; empty: none, or not known")]
    membership: Annotated[str, doc("sidecar, ambient, outside or unknown")]
    because: Annotated[str, doc("why that is so")]
    mode: Annotated[
        str, doc("mutual TLS that it asks for (Istio), or its default policy (Linkerd)")
    ]
    weak_ports: Annotated[
        list[str], doc("ports that ask for less, as port=mode, or that go past the proxy")
    ]
    strict: Annotated[
        bool | None, doc("every client must prove who it is; null: that cannot be told")
    ]
    in_mesh: Annotated[bool, doc("it is in a mesh")]
    authorized: Annotated[
        bool | None, doc("policies let in some clients only; null: that cannot be told")
    ]
    policies: Annotated[list[str], doc("policies of the mesh that decide")]


MESH_WORKLOADS = Table(
    "mesh_workloads",
    MeshWorkloadRow,
    grain="one pod or pod template and its place in a service mesh",
    key=("namespace", "pod", "pod_uid"),
    resource=Resource("owner_kind", name="owner_name"),
    pods=True,
)


class _Seen(msgspec.Struct, frozen=True):
    """What pods that the mesh treats alike have in common."""

    namespace: str
    labels: tuple[str, ...]
    annotations: tuple[str, ...]
    proxies: tuple[str, ...]
    ports: tuple[str, ...]
    started: bool


_NOBODY = _Seen("", (), (), (), (), started=True)


class _Found(msgspec.Struct, frozen=True):
    member: Member
    asked: Asked
    weak_ports: list[str]


#: Tables of what shows that there is a mesh, wherever it is.
_SHOWN_BY = ("pods", "namespaces", "mesh_policies")
_NOTHING = Asked("", (), False, False, ())
_UNTOLD = Asked("", (), None, None, ())


@view(MESH_WORKLOADS, decided={"judged": _SHOWN_BY, "in_mesh": _SHOWN_BY})
def mesh_workloads(
    pod_context: pd.DataFrame,
    pods: pd.DataFrame,
    containers: pd.DataFrame,
    ports: pd.DataFrame,
    namespaces: pd.DataFrame,
    mesh_policies: pd.DataFrame,
    mesh_agents: pd.DataFrame,
) -> pd.DataFrame:
    """Judge each kind of pods once."""
    import pyarrow as pa

    c = pod_context
    policies = [MeshPolicy(**_fields(row)) for row in records(mesh_policies)]
    places = {
        row["name"]: Place(pairs_of(row["labels"]), pairs_of(row["mesh_annotations"]))
        for row in records(namespaces[["name", "labels", "mesh_annotations"]])
    }
    agents = records(mesh_agents[["namespace", "mesh", "part"]])
    there = bool(policies or agents or any(asks_for(place) for place in places.values()))
    judge = _Judge(policies, places, [a for a in agents if a["part"] == CONTROL])
    kinds, numbers = (
        _seen(c, pods, containers, ports, policies)
        if there
        else ([_NOBODY], pa.array([0] * len(c), pa.int64()))
    )
    found = [judge.of(one) for one in kinds]

    def spread(values: list[Any], kind: pa.DataType) -> pd.Series[Any]:
        return series(pa.array(values, kind).take(numbers), c)

    text, flag, texts = pa.string(), pa.bool_(), pa.list_(pa.string())
    own = {a["namespace"] for a in agents if a["part"] == CONTROL}
    columns: dict[str, Any] = {name: c[name] for name in c.columns}
    judged = ~(c["platform"] | c["host_network"] | text_is(c["namespace"], *sorted(own)))
    columns |= {
        "judged": judged & there,
        "mesh": spread([f.member.mesh for f in found], text),
        "membership": spread([f.member.state for f in found], text),
        "because": spread([f.member.because for f in found], text),
        "mode": spread([f.asked.mode for f in found], text),
        "weak_ports": spread([f.weak_ports for f in found], texts),
        "strict": spread([f.asked.strict for f in found], flag),
        "in_mesh": spread([bool(f.member.mesh) for f in found], flag),
        "authorized": spread([f.asked.authorized for f in found], flag),
        "policies": spread([list(f.asked.policies) for f in found], texts),
    }
    return assembled(c, columns, MESH_WORKLOADS.names)


def _fields(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in MeshPolicy.__struct_fields__}


def _seen(
    context: pd.DataFrame,
    pods: pd.DataFrame,
    containers: pd.DataFrame,
    ports: pd.DataFrame,
    policies: Iterable[MeshPolicy],
) -> tuple[list[_Seen], pa.Array]:
    """What of pods counts, where that differs, and the number of each pod among it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    c = context
    keys = {*LABELS, *(key for p in policies if p.selector for key in keys_of(p.selector))}
    proxies = containers[text_is(containers["container"], *PROXIES).to_numpy(bool)]
    served = ports[(~text_is(ports["container"], *PROXIES)).to_numpy(bool)]
    numbers = pc.cast(pc.fill_null(arrow(served["port"]), 0), "string")
    texts = pc.binary_join_element_wise(numbers, pc.fill_null(arrow(served["port_name"]), ""), "=")
    annotations = looked_up(pods, positions(c["pod_uid"], pods["pod_uid"]), "mesh_annotations", c)
    started = ~(c["phase"].isna() & c["node"].isna())
    columns = (
        arrow(c["namespace"]),
        kept_labels(c["labels"], keys.__contains__),
        arrow(annotations),
        arrow(gathered(proxies["pod_uid"], proxies["container"], c["pod_uid"])),
        arrow(gathered(served["pod_uid"], texts, c["pod_uid"])),
        arrow(started),
    )
    numbers, first = alike(*columns)
    cells = zip(*(column.take(pa.array(first)).to_pylist() for column in columns), strict=True)
    seen = [
        _Seen(namespace, tuple(labels), tuple(notes or ()), tuple(names), tuple(some), run)
        for namespace, labels, notes, names, some, run in cells
    ]
    return seen, pa.array(numbers)


class _Judge:
    """Policies by the mesh that they are of, and what namespaces say."""

    def __init__(
        self,
        policies: Iterable[MeshPolicy],
        places: dict[str, Place],
        control: list[dict[str, Any]],
    ) -> None:
        self.places = places
        self.policies: dict[str, list[MeshPolicy]] = {ISTIO: [], LINKERD: []}
        for policy in policies:
            self.policies[policy.mesh].append(policy)
        self.root = next((a["namespace"] for a in control if a["mesh"] == ISTIO), ROOT)

    def of(self, seen: _Seen) -> _Found:
        """Judge pods that are alike."""
        place = self.places.get(seen.namespace)
        facts = Facts(pairs_of(seen.labels), pairs_of(seen.annotations), seen.proxies, seen.started)
        found = member(facts, place)
        if not found.mesh:
            return _Found(found, _UNTOLD if found.state == UNKNOWN else _NOTHING, [])
        past = passed_by(facts, found.mesh) if found.state != AMBIENT else []
        asked = self._asked(seen, facts, place, found)
        weak = [*asked.ports, *(f"{port}=past the proxy" for port in past)]
        if past:
            asked = msgspec.structs.replace(asked, strict=False)
        return _Found(found, asked, weak)

    def _asked(self, seen: _Seen, facts: Facts, place: Place | None, found: Member) -> Asked:
        policies = self.policies[found.mesh]
        if found.mesh == ISTIO:
            ambient = found.state == AMBIENT
            where = (seen.namespace, seen.labels)
            return of_istio(policies, *where, root=self.root, ambient=ambient)
        default = facts.annotations.get(DEFAULT_POLICY)
        if default is None and place is not None:
            default = place.annotations.get(DEFAULT_POLICY)
        return of_linkerd(policies, seen.namespace, seen.labels, pairs_of(seen.ports), default)
