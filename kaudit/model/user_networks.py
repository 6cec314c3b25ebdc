"""Networks of OpenShift's users, and KubeVirt's virtual machines, as they arrive on the wire.

A namespace whose primary network is a user's own is cut off from the pods of all others: "OVN
User-Defined Networks", OVN-Kubernetes and OpenShift 4.19.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import field

from kaudit.model.attached_networks import guest_addresses
from kaudit.model.meta import LabelSelector, Metadata, Part, Resource
from kaudit.model.network_selection import named, with_addresses
from kaudit.model.policy_faults import in_selector


class Layer(Part):
    """layer2, layer3 or localnet."""

    role: str | None = None


class NetworkShape(Part):
    """spec of a UserDefinedNetwork, spec.network of one of the cluster."""

    topology: str | None = None
    layer2: Layer | None = None
    layer3: Layer | None = None
    localnet: Layer | None = None

    @property
    def layer(self) -> Layer | None:
        """The layer that its topology names."""
        found: Layer | None = getattr(self, (self.topology or "").lower(), None)
        return found if self.topology in _TOPOLOGIES else None


class UserNetworkSpec(NetworkShape):
    """spec of either kind."""

    namespace_selector: LabelSelector | None = None
    network: NetworkShape | None = None


class UserNetwork(Resource):
    """k8s.ovn.org UserDefinedNetwork and ClusterUserDefinedNetwork."""

    spec: UserNetworkSpec = field(default_factory=UserNetworkSpec)

    @property
    def shape(self) -> NetworkShape:
        """What the network is."""
        return self.spec.network or self.spec


#: Topologies of networks of one namespace, and what those of the cluster know beside.
_TOPOLOGIES = ("Layer2", "Layer3", "Localnet")
_OF_NAMESPACES = _TOPOLOGIES[:2]
_ROLES = {"Layer2": ("Primary", "Secondary"), "Localnet": ("Secondary",)}


def faults_of(found: UserNetwork, namespace: str, name: str) -> Iterator[str]:
    """What an API server, or the network's controller, would refuse.

    Source: ovn-kubernetes, ``pkg/crd/userdefinednetwork/v1`` (rules of both kinds).
    """
    shape, topology = found.shape, found.shape.topology or ""
    if topology not in (_OF_NAMESPACES if namespace else _TOPOLOGIES):
        yield f"there is no topology {shape.topology!r}"
    elif shape.layer is None:
        yield f"topology {topology} wants {topology.lower()}"
    for other in _TOPOLOGIES:
        if topology in _TOPOLOGIES and other != topology and getattr(shape, other.lower()):
            yield f"topology {topology} takes no {other.lower()}"
    roles = _ROLES.get(topology, _ROLES["Layer2"])
    if shape.layer is not None and shape.layer.role not in roles:
        yield f"there is no role {shape.layer.role!r}"
    if name == "default":
        yield "its name must not be default"
    if namespace == "default" or namespace.startswith(("openshift-", "kube-")):
        yield f"namespace {namespace} cannot have a network of its own"
    if not namespace and found.spec.namespace_selector is None:
        yield "it wants namespaceSelector"
    if not namespace and found.spec.network is None:
        yield "it wants network"
    yield from in_selector("namespaceSelector", found.spec.namespace_selector)


class Multus(Part):
    """networks[].multus."""

    network_name: str = ""


class MachineNetwork(Part):
    """networks[]."""

    multus: Multus | None = None


class CloudInit(Part):
    """cloudInitNoCloud: of its network data only addresses are kept."""

    network_data: str | None = None

    def __post_init__(self) -> None:
        if self.network_data:
            self.network_data = "\n".join(f"- {a}" for a in guest_addresses(self.network_data))


class MachineVolume(Part):
    """volumes[]."""

    cloud_init_no_cloud: CloudInit | None = None


class MachineInstance(Part):
    """spec.template.spec."""

    networks: list[MachineNetwork] | None = None
    volumes: list[MachineVolume] | None = None


class MachineTemplate(Part):
    """spec.template."""

    metadata: Metadata = field(default_factory=Metadata)
    spec: MachineInstance = field(default_factory=MachineInstance)


class MachineSpec(Part):
    """spec."""

    template: MachineTemplate = field(default_factory=MachineTemplate)


class VirtualMachine(Resource):
    """kubevirt.io VirtualMachine."""

    spec: MachineSpec = field(default_factory=MachineSpec)

    def networks(self, namespace: str) -> list[str]:
        """Networks beside the primary one; which address is on which of them is not told."""
        inside = self.spec.template.spec
        data = [v.cloud_init_no_cloud for v in inside.volumes or ()]
        addresses = [a for one in data if one for a in guest_addresses(one.network_data or "")]
        names = [n.multus.network_name for n in inside.networks or () if n.multus]
        return [with_addresses(named(name, namespace), addresses) for name in names if name]
