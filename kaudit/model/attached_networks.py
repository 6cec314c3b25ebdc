"""Networks that pods have beside their primary one, as they arrive on the wire.

Sources: "Kubernetes Network Custom Resource Definition De-facto Standard", v1.3 (Network Plumbing
Working Group), section 3; KubeVirt's "Interfaces and Networks"; cloud-init's "Networking config
Version 2".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from msgspec import field

from kaudit.model.meta import Part, Resource
from kaudit.model.network_selection import address


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


_KEY = re.compile(r"([\w.-]{1,64}):$")
_LINE = re.compile(r"(?:-\s*)?(?:address(?:es)?:\s*)?[\[\"'\s]*[0-9a-fA-F.:]+/\d")
_CIDR = re.compile(r"[0-9a-fA-F.:]{2,45}/\d{1,3}")
#: Keys of network data of cloud-init that are no interface.
_NO_INTERFACE = {"network", "ethernets", "addresses", "match", "subnets", "nameservers", "config"}
_PRIMARY = "eth0"


def guest_addresses(network_data: str) -> list[str]:
    r"""Addresses in network data of cloud-init, but for those of eth0, the primary one.

    >>> guest_addresses("ethernets:\n  eth1:\n    addresses:\n    - 10.2.0.1/24")
    ['10.2.0.1/24']
    """
    return list(_guest(network_data))


def _guest(network_data: str) -> Iterator[str]:
    interface = ""
    for line in map(str.strip, network_data.splitlines()):
        if key := _KEY.match(line):
            interface = interface if key[1] in _NO_INTERFACE else key[1]
        elif interface != _PRIMARY and _LINE.match(line):
            yield from (text for text in _CIDR.findall(line) if address(text))
