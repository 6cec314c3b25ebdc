"""Nodes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from kaudit.model.meta import Condition
from kaudit.model.node import Node
from kaudit.model.place import Place
from kaudit.model.whole import minor_of
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class NodeRow(Trace, kw_only=True):
    uid: Annotated[str, doc("uid")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always Node")] = "Node"
    kubelet_version: Annotated[str | None, doc("version of the kubelet")] = None
    kubelet_minor: Annotated[int | None, doc("minor version of the kubelet")] = None
    container_runtime: Annotated[str | None, doc("container runtime and version")] = None
    kernel: Annotated[str | None, doc("kernel version")] = None
    os_image: Annotated[str | None, doc("operating system image")] = None
    os: Annotated[str | None, doc("linux or windows")] = None
    architecture: Annotated[str | None, doc("processor architecture")] = None
    ready: Annotated[bool | None, doc("condition Ready is True; null: no such condition")] = None
    unschedulable: Annotated[bool, doc("cordoned")] = False
    control_plane: Annotated[bool, doc("carries a control-plane role label")] = False
    labels: Annotated[list[str], doc("labels as sorted key=value")]
    taints: Annotated[list[str], doc("taints as key=value:effect")]
    addresses: Annotated[list[str], doc("addresses as type=address")]
    conditions: Annotated[list[str], doc("conditions as sorted type=status")]
    pod_cidrs: Annotated[list[str], doc("spec.podCIDRs")]
    provider_id: Annotated[str | None, doc("spec.providerID")] = None
    created_at: Annotated[datetime | None, doc("creation time")] = None


NODES = Table(
    "nodes", NodeRow, grain="one node", key=("name", "uid"), resource=Resource("kind", namespace="")
)
_ROLES = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


@collector(Read("", "Node", "nodes", Node, namespaced=False), tables=(NODES,))
def nodes(found: Node, at: Place) -> Iterator[Row]:
    """Yield one row a node."""
    spec, info, conditions = found.spec, found.status.node_info, found.status.conditions
    yield NodeRow(
        raw=at.raw,
        raw_line=at.line,
        uid=at.uid,
        name=at.name,
        kubelet_version=info.kubelet_version,
        kubelet_minor=minor_of(info.kubelet_version or ""),
        container_runtime=info.container_runtime_version,
        kernel=info.kernel_version,
        os_image=info.os_image,
        os=info.operating_system,
        architecture=info.architecture,
        ready=Condition.truth(conditions, "Ready"),
        unschedulable=bool(spec.unschedulable),
        control_plane=any(role in (found.metadata.labels or {}) for role in _ROLES),
        labels=found.metadata.label_texts,
        taints=[f"{t.key}={t.value or ''}:{t.effect or ''}" for t in spec.taints or ()],
        addresses=[f"{a.type}={a.address}" for a in found.status.addresses or ()],
        conditions=sorted(f"{c.type}={c.status}" for c in conditions or ()),
        pod_cidrs=spec.pod_cidrs or ([spec.pod_cidr] if spec.pod_cidr else []),
        provider_id=spec.provider_id,
        created_at=found.metadata.creation_timestamp,
    )
