"""Networks of OpenShift's users, and virtual machines, which are on a network like pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from kaudit.model.attached_networks import NetworkAttachment
from kaudit.model.meta import LabelSelector
from kaudit.model.place import Place
from kaudit.model.user_networks import UserNetwork, VirtualMachine, faults_of
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class UserNetworkRow(Trace, kw_only=True):
    kind: Annotated[str, doc("UserDefinedNetwork or ClusterUserDefinedNetwork")]
    namespace: Annotated[str, doc("namespace that it is for; empty: its selector says")]
    name: Annotated[str, doc("name")]
    namespace_selector: Annotated[str | None, doc("namespaces that it is for, as JSON")] = None
    topology: Annotated[str | None, doc("Layer2, Layer3 or Localnet")] = None
    role: Annotated[str | None, doc("Primary or Secondary")] = None
    faults: Annotated[list[str], doc("what would be refused")]


class AttachmentRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always NetworkAttachmentDefinition")] = "NetworkAttachmentDefinition"
    network: Annotated[str, doc("network that it leads to: of its configuration, else its name")]


class VirtualMachineRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always VirtualMachine")] = "VirtualMachine"
    labels: Annotated[list[str], doc("labels of its template as sorted key=value")]
    networks: Annotated[
        list[str], doc("networks beside its primary one, as namespace/name=address")
    ]


USER_NETWORKS = Table(
    "user_networks",
    UserNetworkRow,
    grain="one network of a user",
    key=("kind", "namespace", "name"),
    resource=Resource("kind"),
)
ATTACHMENTS = Table(
    "network_attachments",
    AttachmentRow,
    grain="one NetworkAttachmentDefinition",
    key=("namespace", "name"),
    resource=Resource("kind"),
)
VIRTUAL_MACHINES = Table(
    "virtual_machines",
    VirtualMachineRow,
    grain="one virtual machine",
    key=("namespace", "name"),
    resource=Resource("kind"),
)


@collector(
    Read("k8s.ovn.org", "UserDefinedNetwork", "userdefinednetworks", UserNetwork),
    Read(
        "k8s.ovn.org",
        "ClusterUserDefinedNetwork",
        "clusteruserdefinednetworks",
        UserNetwork,
        namespaced=False,
    ),
    tables=(USER_NETWORKS,),
)
def user_networks(found: UserNetwork, at: Place) -> Iterator[Row]:
    """Yield one row a network."""
    layer = found.shape.layer
    yield UserNetworkRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        namespace=at.namespace,
        name=at.name,
        namespace_selector=LabelSelector.text(found.spec.namespace_selector),
        topology=found.shape.topology,
        role=layer.role if layer else None,
        faults=list(faults_of(found, at.namespace, at.name)),
    )


@collector(
    Read(
        "k8s.cni.cncf.io",
        "NetworkAttachmentDefinition",
        "network-attachment-definitions",
        NetworkAttachment,
    ),
    tables=(ATTACHMENTS,),
)
def network_attachments(found: NetworkAttachment, at: Place) -> Iterator[Row]:
    """Yield one row a definition."""
    yield AttachmentRow(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        network=found.spec.network or at.name,
    )


@collector(
    Read("kubevirt.io", "VirtualMachine", "virtualmachines", VirtualMachine),
    tables=(VIRTUAL_MACHINES,),
)
def virtual_machines(found: VirtualMachine, at: Place) -> Iterator[Row]:
    """Yield one row a virtual machine."""
    yield VirtualMachineRow(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        labels=found.spec.template.metadata.label_texts,
        networks=found.networks(at.namespace),
    )
