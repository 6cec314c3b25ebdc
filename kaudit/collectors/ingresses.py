"""Ingresses and their paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from kaudit.model.network import Ingress, IngressBackend, IngressPath
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class IngressRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always Ingress")] = "Ingress"
    ingress_class: Annotated[str | None, doc("class, of the field or the annotation")] = None
    hosts: Annotated[list[str], doc("hosts of its rules, sorted; * for a rule without host")]
    tls_hosts: Annotated[list[str], doc("hosts of its TLS entries")]
    tls: Annotated[bool, doc("has a TLS entry")]
    default_backend: Annotated[bool, doc("has a default backend")] = False
    tls_secrets: Annotated[list[str], doc("Secrets of its TLS entries, sorted")]
    annotation_keys: Annotated[list[str], doc("keys of its annotations, sorted")]
    annotations: Annotated[list[str], doc("kept annotations as sorted key=value")]
    load_balancer_addresses: Annotated[list[str], doc("addresses of status.loadBalancer")]


class IngressRuleRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name of the Ingress")]
    kind: Annotated[str, doc("always Ingress")] = "Ingress"
    position: Annotated[int, doc("place among all paths, from 0")]
    host: Annotated[str | None, doc("host; null: all")] = None
    path: Annotated[str | None, doc("path; null for the default backend")] = None
    path_type: Annotated[str | None, doc("Exact, Prefix or ImplementationSpecific")] = None
    service: Annotated[str | None, doc("name of the Service behind")] = None
    port: Annotated[str | None, doc("port of the Service, number or name")] = None
    resource: Annotated[str | None, doc("kind/name of a backend that is no Service")] = None


INGRESSES = Table(
    "ingresses",
    IngressRow,
    grain="one Ingress",
    key=("namespace", "name"),
    resource=Resource("kind"),
)
INGRESS_RULES = Table(
    "ingress_rules",
    IngressRuleRow,
    grain="one host and path of an Ingress",
    key=("namespace", "name", "position"),
    resource=Resource("kind"),
)


@collector(
    Read("networking.k8s.io", "Ingress", "ingresses", Ingress, ("v1", "v1beta1")),
    tables=(INGRESSES, INGRESS_RULES),
)
def ingresses(found: Ingress, at: Place) -> Iterator[Row]:
    """Yield an Ingress and its paths."""
    spec, meta = found.spec, found.metadata
    default = spec.default_backend or spec.backend
    kept = ((k, meta.annotation(k)) for k in meta.annotation_keys)
    hosts = {rule.host or "*" for rule in spec.rules or ()}
    yield IngressRow(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        ingress_class=spec.ingress_class_name or meta.annotation("kubernetes.io/ingress.class"),
        hosts=sorted(hosts),
        tls_hosts=sorted(h for t in spec.tls or () for h in t.hosts or ()),
        tls=bool(spec.tls),
        default_backend=default is not None,
        tls_secrets=sorted({t.secret_name for t in spec.tls or () if t.secret_name}),
        annotation_keys=meta.annotation_keys,
        annotations=sorted(f"{k}={v}" for k, v in kept if v is not None),
        load_balancer_addresses=found.status.addresses,
    )
    paths: list[tuple[str | None, IngressPath | None, IngressBackend]] = [
        (rule.host, path, path.backend)
        for rule in spec.rules or ()
        for path in (rule.http.paths or () if rule.http else ())
    ]
    if default is not None:
        paths.append((None, None, default))
    for position, (host, path, backend) in enumerate(paths):
        service, port = _backend(backend)
        other = backend.resource
        yield IngressRuleRow(
            raw=at.raw,
            raw_line=at.line,
            namespace=at.namespace,
            name=at.name,
            position=position,
            host=host,
            path=(path.path or "/") if path else None,
            path_type=path.path_type if path else None,
            service=service,
            port=port,
            resource=f"{other.kind}/{other.name}" if other else None,
        )


def _backend(backend: IngressBackend) -> tuple[str | None, str | None]:
    if backend.service is not None:
        port = backend.service.port
        chosen = (port.number if port.number is not None else port.name) if port else None
        return backend.service.name, None if chosen is None else str(chosen)
    port_ = backend.service_port
    return backend.service_name, None if port_ is None else str(port_)
