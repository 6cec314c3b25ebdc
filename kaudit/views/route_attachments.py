"""Gateway API routes, and the listeners that take them.

A route hangs on a Gateway that it names as parent where a listener takes its kind, its
namespace and one of its host names; a backend in another namespace needs a ReferenceGrant
there (Gateway API v1, "Attaching to Gateways", "Cross-Namespace References").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.model.meta import pairs_of
from kaudit.model.outside import names_meet
from kaudit.registry import view
from kaudit.selectors import selector
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class RouteAttachmentRow(Trace, kw_only=True):
    kind: Annotated[str, doc("kind of the route")]
    namespace: Annotated[str, doc("namespace of the route")]
    name: Annotated[str, doc("name of the route")]
    gateway: Annotated[str, doc("Gateway that it names, as namespace/name")]
    section: Annotated[str, doc("listener that it names; empty: any")]
    known: Annotated[bool, doc("the Gateway is in the evidence")]
    attached: Annotated[bool, doc("a listener takes it")]
    ports: Annotated[list[str], doc("ports of those listeners as port/protocol, sorted")]
    hosts: Annotated[list[str], doc("host names that lead here, sorted; empty: any")]
    encrypted: Annotated[bool, doc("all those listeners speak TLS")]
    addresses: Annotated[list[str], doc("addresses of the Gateway, of its status")]
    backend_namespace: Annotated[str, doc("namespace of the Service behind")]
    backend: Annotated[str, doc("name of the Service behind")]
    backend_port: Annotated[str, doc("port of the Service; empty: none named")]
    granted: Annotated[bool, doc("the Service is in its namespace, or a ReferenceGrant lets it")]


ROUTE_ATTACHMENTS = Table(
    "route_attachments",
    RouteAttachmentRow,
    grain="one Service behind one route at one Gateway",
    key=(
        *("kind", "namespace", "name", "gateway", "section"),
        *("backend_namespace", "backend", "backend_port"),
    ),
    resource=Resource("kind"),
)
#: Kinds of route that a listener of a protocol takes.
_KINDS = {
    "HTTP": {"HTTPRoute", "GRPCRoute"},
    "HTTPS": {"HTTPRoute", "GRPCRoute"},
    "TLS": {"TLSRoute", "TCPRoute"},
    "TCP": {"TCPRoute"},
    "UDP": {"UDPRoute"},
}


@view(ROUTE_ATTACHMENTS)
def route_attachments(
    gateway_routes: pd.DataFrame,
    gateway_listeners: pd.DataFrame,
    reference_grants: pd.DataFrame,
    namespaces: pd.DataFrame,
) -> pd.DataFrame:
    """Hang each route on the listeners that take it."""
    labels = {
        name: pairs_of(texts)
        for name, texts in zip(namespaces["name"], namespaces["labels"], strict=True)
    }
    gateways: dict[str, list[dict[Any, Any]]] = defaultdict(list)
    for at in gateway_listeners.to_dict("records"):
        gateways[f"{at['namespace']}/{at['name']}"].append(at)
    granted = {
        (namespace, one, to)
        for namespace, given, refers in zip(
            reference_grants["namespace"],
            reference_grants["granted_from"],
            reference_grants["granted_to"],
            strict=True,
        )
        for one in given
        for to in refers
    }
    rows = [
        row
        for route in gateway_routes.to_dict("records")
        for row in _rows(route, gateways, granted, labels)
    ]
    return frame(ROUTE_ATTACHMENTS.sorted(ROUTE_ATTACHMENTS.arrow(rows)))


def _rows(
    route: dict[Any, Any],
    gateways: dict[str, list[dict[Any, Any]]],
    granted: set[tuple[str, str, str]],
    labels: dict[str, dict[str, str]],
) -> Iterator[RouteAttachmentRow]:
    home = route["namespace"]
    own = labels.get(home, {}) | {"kubernetes.io/metadata.name": home}
    for at in sorted(set(route["sections"])):
        gateway, _, section = at.partition("#")
        taken = [one for one in gateways[gateway] if _takes(one, section, route, own)]
        of_listeners = {one["hostname"] for one in taken if isinstance(one["hostname"], str)}
        open_ = any(not isinstance(one["hostname"], str) for one in taken)
        for backend in sorted(set(route["backends"])):
            name, _, port = backend.rpartition(":")
            namespace, _, service = name.partition("/")
            given = (f"{home}/{route['kind']}", f"Service/{service}")
            yield RouteAttachmentRow(
                raw=route["raw"],
                raw_line=route["raw_line"],
                kind=route["kind"],
                namespace=home,
                name=route["name"],
                gateway=gateway,
                section=section,
                known=bool(gateways[gateway]),
                attached=bool(taken),
                ports=sorted({_port(one) for one in taken}),
                hosts=sorted(route["hostnames"]) or ([] if open_ else sorted(of_listeners)),
                encrypted=bool(taken) and all(o["protocol"] in ("HTTPS", "TLS") for o in taken),
                addresses=list(taken[0]["addresses"]) if taken else [],
                backend_namespace=namespace,
                backend=service,
                backend_port=port,
                granted=namespace == home
                or (namespace, *given) in granted
                or (namespace, given[0], "Service/*") in granted,
            )


def _port(listener: dict[Any, Any]) -> str:
    number = listener["port"]
    transport = "UDP" if listener["protocol"] == "UDP" else "TCP"
    return f"{int(number)}/{transport}" if isinstance(number, int | float) else transport


def _takes(at: dict[Any, Any], section: str, route: dict[Any, Any], own: dict[str, str]) -> bool:
    """Whether a listener takes a route: by name, kind, namespace and host."""
    if section and at["listener"] != section:
        return False
    kinds = _KINDS.get(at["protocol"])
    if kinds is not None and route["kind"] not in kinds:
        return False
    if at["routes_from"] == "Same" and at["namespace"] != route["namespace"]:
        return False
    if at["routes_from"] == "Selector":
        wanted = at["routes_selector"]
        if not isinstance(wanted, str) or not selector(wanted)(own):
            return False
    host = at["hostname"] if isinstance(at["hostname"], str) else ""
    taken = at["routes_from"] != "None"
    return taken and (
        not len(route["hostnames"]) or any(names_meet(host, name) for name in route["hostnames"])
    )
