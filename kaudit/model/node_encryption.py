"""What tells whether traffic between nodes is encrypted, as it arrives on the wire.

Sources: "WireGuard Transparent Encryption" and "IPsec Transparent Encryption" of Cilium 1.18,
whose agent writes the key of its node into the node's CiliumNode; "Encrypt in-cluster pod
traffic" of Calico 3.30, where FelixConfiguration switches WireGuard on, for all nodes or for one.
"""

from __future__ import annotations

from msgspec import field

from kaudit.model.meta import Int, Part, Resource

#: Annotation with the public key of a node, of this version and of older ones.
WIREGUARD_KEYS = ("network.cilium.io/wg-pub-key", "io.cilium.network.wg-pub-key")
WIREGUARD, IPSEC = "WireGuard", "IPsec"


class CiliumEncryption(Part):
    """encryption: which of the keys of IPsec is in use; 0: none."""

    key: Int | None = None


class CiliumNodeSpec(Part):
    """spec."""

    encryption: CiliumEncryption = field(default_factory=CiliumEncryption)


class CiliumNode(Resource):
    """cilium.io CiliumNode."""

    spec: CiliumNodeSpec = field(default_factory=CiliumNodeSpec)

    @property
    def by(self) -> list[str]:
        """What encrypts the traffic of the node."""
        wireguard = any(key in (self.metadata.annotations or {}) for key in WIREGUARD_KEYS)
        return [*([IPSEC] if self.spec.encryption.key else []), *([WIREGUARD] if wireguard else [])]


class FelixSpec(Part):
    """spec."""

    wireguard_enabled: bool | None = None
    wireguard_enabled_v6: bool | None = field(default=None, name="wireguardEnabledV6")


class FelixConfiguration(Resource):
    """projectcalico.org FelixConfiguration: ``default``, or ``node.NAME``."""

    spec: FelixSpec = field(default_factory=FelixSpec)
