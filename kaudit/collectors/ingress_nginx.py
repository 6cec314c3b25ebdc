"""Settings of ingress-nginx, in the ConfigMap of its controller."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from kaudit.model import ingress_nginx as nginx
from kaudit.model.configuration import ConfigMap
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class IngressNginxRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name of the ConfigMap")]
    kind: Annotated[str, doc("always ConfigMap")] = "ConfigMap"
    allow_snippet_annotations: Annotated[str, doc("allow-snippet-annotations as written")]
    annotations_risk_level: Annotated[str, doc("annotations-risk-level as written; empty: unset")]
    snippets: Annotated[bool, doc("snippets of Ingresses are taken")]


INGRESS_NGINX = Table(
    "ingress_nginx",
    IngressNginxRow,
    grain="one ConfigMap of ingress-nginx that speaks of snippets",
    key=("namespace", "name"),
    resource=Resource("kind"),
)


@collector(Read("", "ConfigMap", "configmaps", ConfigMap), tables=(INGRESS_NGINX,))
def ingress_nginx(found: ConfigMap, at: Place) -> Iterator[Row]:
    """Yield what a ConfigMap says of snippets; one that says nothing may be of anything."""
    told = {key: value.ingress_nginx for key, _, value in found.judged if value.ingress_nginx}
    allowed, risk = told.get(nginx.ALLOWED, ""), told.get(nginx.RISK, "")
    if allowed:
        yield IngressNginxRow(
            raw=at.raw,
            raw_line=at.line,
            namespace=at.namespace,
            name=at.name,
            allow_snippet_annotations=allowed,
            annotations_risk_level=risk,
            snippets=nginx.allowed(allowed, risk),
        )
