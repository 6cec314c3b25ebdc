"""Nodes on the wire."""

from __future__ import annotations

from msgspec import field

from kaudit.model.meta import Condition, Part, Resource


class NodeInfo(Part):
    """status.nodeInfo."""

    kubelet_version: str | None = None
    container_runtime_version: str | None = None
    kernel_version: str | None = None
    os_image: str | None = None
    operating_system: str | None = None
    architecture: str | None = None


class Taint(Part):
    """spec.taints[]."""

    key: str = ""
    value: str | None = None
    effect: str | None = None


class NodeSpec(Part):
    """spec of a node."""

    unschedulable: bool | None = None
    taints: list[Taint] | None = None
    provider_id: str | None = field(default=None, name="providerID")
    pod_cidrs: list[str] | None = field(default=None, name="podCIDRs")
    pod_cidr: str | None = field(default=None, name="podCIDR")


class Address(Part):
    """status.addresses[]."""

    type: str = ""
    address: str = ""


class NodeStatus(Part):
    """status of a node."""

    node_info: NodeInfo = field(default_factory=NodeInfo)
    conditions: list[Condition] | None = None
    addresses: list[Address] | None = None


class Node(Resource):
    """core v1 Node."""

    spec: NodeSpec = field(default_factory=NodeSpec)
    status: NodeStatus = field(default_factory=NodeStatus)
