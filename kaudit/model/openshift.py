"""OpenShift's Route as it arrives on the wire."""

from __future__ import annotations

from msgspec import field

from kaudit.model.meta import IntOrText, Part, Resource


class RouteTarget(Part):
    """to, or one of alternateBackends."""

    kind: str | None = None
    name: str | None = None


class RoutePort(Part):
    """port."""

    target_port: IntOrText | None = None


class RouteTls(Part):
    """tls, without its keys and certificates."""

    termination: str | None = None
    insecure_edge_termination_policy: str | None = None


class OpenShiftRouteSpec(Part):
    """spec."""

    host: str | None = None
    path: str | None = None
    to: RouteTarget | None = None
    alternate_backends: list[RouteTarget] | None = None
    port: RoutePort | None = None
    tls: RouteTls | None = None


class OpenShiftRoute(Resource):
    """route.openshift.io Route."""

    spec: OpenShiftRouteSpec = field(default_factory=OpenShiftRouteSpec)
