"""Policies of other engines than Kubernetes' own NetworkPolicy, as they arrive on the wire."""

from __future__ import annotations

from msgspec import field

from kaudit.model.meta import LabelSelector, Opaque, Part, Resource


class DefaultDeny(Part):
    """enableDefaultDeny of a Cilium rule."""

    ingress: bool | None = None
    egress: bool | None = None


class CiliumRule(Part):
    """spec, or one of specs, of Cilium's policies."""

    endpoint_selector: LabelSelector | None = None
    ingress: list[Opaque | None] | None = None
    ingress_deny: list[Opaque | None] | None = None
    egress: list[Opaque | None] | None = None
    egress_deny: list[Opaque | None] | None = None
    enable_default_deny: DefaultDeny | None = None


class CiliumPolicy(Resource):
    """cilium.io CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy."""

    spec: CiliumRule | None = None
    specs: list[CiliumRule] | None = None

    @property
    def rules(self) -> list[CiliumRule]:
        """All rules."""
        return [*([self.spec] if self.spec else ()), *(self.specs or ())]


class TieredSpec(Part):
    """spec of a policy whose selectors and tiers are not evaluated."""

    ingress: list[Opaque | None] | None = None
    egress: list[Opaque | None] | None = None
    types: list[str] | None = None


class TieredPolicy(Resource):
    """Calico's policies, and those of the network policy API."""

    spec: TieredSpec = field(default_factory=TieredSpec)
