"""Networks that pods have beside their primary one, as they arrive on the wire.

Sources: "Kubernetes Network Custom Resource Definition De-facto Standard", v1.3 (Network Plumbing
Working Group), its MultiNetworkPolicy, and KubeVirt's "Interfaces and Networks".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_interface

import msgspec
from msgspec import field

from kaudit.model.meta import Part, Resource

#: Annotations: networks that a pod asks for, and those that a MultiNetworkPolicy is about.
NETWORKS = "k8s.v1.cni.cncf.io/networks"
POLICY_FOR = "k8s.v1.cni.cncf.io/policy-for"


class Selection(Part):
    """One element of the annotation where it is JSON."""

    name: str = ""
    namespace: str | None = None
    ips: list[str] | None = None


class PluginName(msgspec.Struct):
    """The one thing kept of a plugin's configuration."""

    name: str | None = None


class AttachmentSpec(Part):
    """spec of a NetworkAttachmentDefinition; of its configuration the name alone is kept."""

    config: str | None = None

    def __post_init__(self) -> None:
        if self.config:
            name = _name(self.config)
            self.config = msgspec.json.encode({"name": name}).decode() if name else None

    @property
    def network(self) -> str | None:
        """Name of the network, which definitions in several namespaces may share."""
        return _name(self.config) if self.config else None


class NetworkAttachment(Resource):
    """k8s.cni.cncf.io NetworkAttachmentDefinition."""

    spec: AttachmentSpec = field(default_factory=AttachmentSpec)


def _name(config: str) -> str | None:
    try:
        return msgspec.json.decode(config, type=PluginName).name or None
    except msgspec.DecodeError:
        return None


def selected(text: str | None, namespace: str) -> list[str] | None:
    """Definitions that an annotation names, as ``namespace/name``, each with ``=address`` after.

    None where the annotation cannot be read.

    >>> selected("blue, ops/red@net1", "web")
    ['web/blue', 'ops/red']
    >>> selected('[{"name": "blue", "ips": ["10.1.0.4/24"]}]', "web")
    ['web/blue=10.1.0.4']
    """
    if not text or not text.strip():
        return []
    if not any(mark in text for mark in '[{"'):
        names = [part.strip().partition("@")[0] for part in text.split(",")]
        return [named(name, namespace) for name in names if name]
    try:
        found = msgspec.json.decode(text, type=list[Selection])
    except msgspec.DecodeError:
        return None
    return [
        with_addresses(f"{one.namespace or namespace}/{one.name}", one.ips or ())
        for one in found
        if one.name
    ]


def named(text: str, namespace: str) -> str:
    """``namespace/name`` of a definition that may be named without its namespace."""
    return text if "/" in text else f"{namespace}/{text}"


def with_addresses(name: str, addresses: Iterable[str]) -> str:
    """A definition and the addresses on it; what is no address is left out."""
    return "=".join((name, *filter(None, map(_address, addresses))))


def _address(text: str) -> str:
    try:
        return str(ip_interface(text).ip)
    except ValueError:
        return ""


_KEY = re.compile(r"([\w.-]{1,64}):$")
_LINE = re.compile(r"(?:-\s*)?(?:address(?:es)?:\s*)?[\[\"'\s]*[0-9a-fA-F.:]+/\d")
_CIDR = re.compile(r"[0-9a-fA-F.:]{2,45}/\d{1,3}")
#: Keys of network data of cloud-init that are no interface.
_NO_INTERFACE = {"network", "ethernets", "addresses", "match", "subnets", "nameservers", "config"}
_PRIMARY = "eth0"


def guest_addresses(network_data: str) -> list[str]:
    """Addresses in network data of cloud-init, but for those of the first interface.

    >>> guest_addresses("ethernets:\\n  eth1:\\n    addresses:\\n    - 10.2.0.1/24")
    ['10.2.0.1/24']
    """
    return list(_guest(network_data))


def _guest(network_data: str) -> Iterator[str]:
    interface = ""
    for line in map(str.strip, network_data.splitlines()):
        if key := _KEY.match(line):
            interface = interface if key[1] in _NO_INTERFACE else key[1]
        elif interface != _PRIMARY and _LINE.match(line):
            yield from (text for text in _CIDR.findall(line) if _address(text))
