"""OpenShift's routes: what its router admits from outside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from kaudit.model.openshift import OpenShiftRoute
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class OpenShiftRouteRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always Route")] = "Route"
    host: Annotated[str | None, doc("host; null: one that the router makes")] = None
    path: Annotated[str | None, doc("path; null: all")] = None
    services: Annotated[list[str], doc("Services behind, the main one first")]
    port: Annotated[str | None, doc("port of the Services, number or name; null: all")] = None
    termination: Annotated[str | None, doc("where TLS ends; null: there is none")] = None
    insecure: Annotated[str | None, doc("what becomes of plain HTTP")] = None


OPENSHIFT_ROUTES = Table(
    "openshift_routes",
    OpenShiftRouteRow,
    grain="one Route of OpenShift",
    key=("namespace", "name"),
    resource=Resource("kind"),
)


@collector(
    Read("route.openshift.io", "Route", "routes", OpenShiftRoute),
    tables=(OPENSHIFT_ROUTES,),
)
def openshift_routes(found: OpenShiftRoute, at: Place) -> Iterator[Row]:
    """Yield one row a route; what is no Service behind it is left out."""
    spec = found.spec
    targets = [*([spec.to] if spec.to else ()), *(spec.alternate_backends or ())]
    chosen = spec.port.target_port if spec.port else None
    yield OpenShiftRouteRow(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        host=spec.host,
        path=spec.path,
        services=[t.name for t in targets if t.name and t.kind in (None, "", "Service")],
        port=None if chosen is None else str(chosen),
        termination=spec.tls.termination if spec.tls else None,
        insecure=spec.tls.insecure_edge_termination_policy if spec.tls else None,
    )
