"""Network policies of any engine, in the one form that they are evaluated in.

Stages are passed one after the other. In each the rules that apply to a pod are tried in
order; the first that matches decides, and ``pass`` leaves the matter to the next stage. What
no rule of a stage matches is denied where the stage closes, and goes on where it does not.
What no stage decides is allowed.

========================  =====================================================================
stage                     source
========================  =====================================================================
networks                  primary networks of users, which cut their pods off from all others
admin                     AdminNetworkPolicy, ClusterNetworkPolicy of tier Admin; by priority
tiers                     NetworkPolicy, Cilium, and Calico's tiers; closes once a policy selects
baseline                  BaselineAdminNetworkPolicy, ClusterNetworkPolicy of tier Baseline
========================  =====================================================================

Sources: NetworkPolicy API networking.k8s.io/v1 (Kubernetes 1.34), Network Policy API
policy.networking.k8s.io v1alpha1 and v1alpha2, Cilium "Policy Enforcement Modes" and "Deny
Policies" (1.18), Calico "Tiers" and "Network policy" (3.30).
"""

from __future__ import annotations

import msgspec

from kaudit.model.address_space import Block
from kaudit.model.port_space import LAST

NETWORKS, ADMIN, TIERS, BASELINE = -1, 0, 1, 2
#: Where NetworkPolicy stands among Calico's tiers and the orders in them.
DEFAULT_TIER, DEFAULT_ORDER = 1_000_000.0, 1000.0

ALLOW, DENY, PASS = "allow", "deny", "pass"


class PortRef(msgspec.Struct, frozen=True):
    """Ports that a rule names: a range of a protocol, or a name that the destination resolves.

    A name without protocol is resolved whatever the protocol.
    """

    protocol: str
    first: int = 1
    last: int = LAST
    name: str = ""


class PeerRef(msgspec.Struct, frozen=True):
    """One alternative of a rule's peers, or the subject of a policy.

    Attributes
    ----------
    kind
        ``pods``; ``block``; ``outside``: all addresses that are no pod's; ``any``: all of
        them; ``nodes``: pods on the network of their node.
    namespaces
        Selector of namespaces; None means those of ``namespace``.
    namespace
        The one namespace meant; empty means all.
    pods
        Selector of pods; None means all of them.
    block
        Of kind ``block``.
    unclear
        It may mean fewer than it says: a part of it is not understood.
    """

    kind: str
    namespaces: str | None = None
    namespace: str = ""
    pods: str | None = None
    block: Block | None = None
    unclear: bool = False


class Rule(msgspec.Struct, frozen=True):
    """One rule of a policy in one direction; no port means all."""

    direction: str
    place: int
    action: str
    peers: tuple[PeerRef, ...]
    ports: tuple[PortRef, ...] = ()
    unclear: bool = False
    first: bool = False


class Policy(msgspec.Struct, frozen=True):
    """One policy.

    Attributes
    ----------
    stage, tier, tier_name, order
        Where it stands; lower comes first, ties by name.
    subject
        Pods that it is about.
    ingress, egress
        Whether what its stage does not match is denied to its pods.
    unclear
        Its subject is not understood: it may be about any of the pods that it names.
    """

    kind: str
    namespace: str
    name: str
    stage: int
    subject: PeerRef
    ingress: bool
    egress: bool
    rules: tuple[Rule, ...]
    tier: float = DEFAULT_TIER
    tier_name: str = "default"
    order: float = DEFAULT_ORDER
    unclear: bool = False

    @property
    def label(self) -> str:
        """``NetworkPolicy web/deny``."""
        return (
            f"{self.kind} {self.namespace}/{self.name}"
            if self.namespace
            else (f"{self.kind} {self.name}")
        )
