"""Istio's policies as they arrive on the wire.

Sources: "PeerAuthentication" and "Authorization Policy", references of Istio 1.28.
"""

from __future__ import annotations

from msgspec import field

from kaudit.model.meta import LabelSelector, Opaque, Part, Resource


class MutualTls(Part):
    """mtls, and an entry of portLevelMtls."""

    mode: str | None = None


class PeerAuthenticationSpec(Part):
    """spec."""

    selector: LabelSelector | None = None
    mtls: MutualTls | None = None
    port_level_mtls: dict[str, MutualTls | None] | None = None


class PeerAuthentication(Resource):
    """security.istio.io PeerAuthentication."""

    spec: PeerAuthenticationSpec = field(default_factory=PeerAuthenticationSpec)

    @property
    def port_modes(self) -> list[str]:
        """``8080=DISABLE`` of each port with a mode of its own, sorted by port."""
        found = [(port, one.mode) for port, one in (self.spec.port_level_mtls or {}).items() if one]
        return [f"{port}={mode}" for port, mode in sorted(found) if mode]


class TargetRef(Part):
    """targetRef, targetRefs[]."""

    group: str | None = None
    kind: str = ""
    name: str = ""


class AuthorizationRule(Part):
    """rules[]: of what it asks only that it asks."""

    from_: list[Opaque | None] | None = field(default=None, name="from")
    to: list[Opaque | None] | None = None
    when: list[Opaque | None] | None = None

    @property
    def everybody(self) -> bool:
        """It asks for nothing."""
        return not (self.from_ or self.to or self.when)


class AuthorizationSpec(Part):
    """spec."""

    selector: LabelSelector | None = None
    target_ref: TargetRef | None = None
    target_refs: list[TargetRef] | None = None
    action: str | None = None
    rules: list[AuthorizationRule | None] | None = None


class IstioAuthorization(Resource):
    """security.istio.io AuthorizationPolicy."""

    spec: AuthorizationSpec = field(default_factory=AuthorizationSpec)

    @property
    def targets(self) -> list[str]:
        """``Kind/name`` of what it is attached to beside workloads, sorted."""
        spec = self.spec
        refs = [*(spec.target_refs or ()), *([spec.target_ref] if spec.target_ref else ())]
        return sorted(f"{ref.kind}/{ref.name}" for ref in refs)

    @property
    def open(self) -> bool:
        """It allows everything: a rule asks for nothing. No rule at all allows nothing."""
        allows = (self.spec.action or "ALLOW") == "ALLOW"
        return allows and any(rule is None or rule.everybody for rule in self.spec.rules or ())
