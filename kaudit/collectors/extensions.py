"""What extends the API: custom resources and aggregated API services."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from kaudit.model.extension import ApiService, CustomResourceDefinition
from kaudit.model.meta import ABSENT, Condition
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class CrdRow(Trace, kw_only=True):
    name: Annotated[str, doc("name of the CRD")]
    kind: Annotated[str, doc("always CustomResourceDefinition")] = "CustomResourceDefinition"
    group: Annotated[str, doc("API group of the kind it defines")]
    defines: Annotated[str, doc("kind it defines")]
    plural: Annotated[str, doc("plural of that kind")]
    scope: Annotated[str | None, doc("Namespaced or Cluster")] = None
    served: Annotated[list[str], doc("versions served")]
    stored: Annotated[str | None, doc("version stored")] = None
    versions: Annotated[list[str], doc("all versions, served or not")]
    conversion: Annotated[str | None, doc("None or Webhook")] = None
    established: Annotated[bool | None, doc("condition Established is True")] = None


class ApiServiceRow(Trace, kw_only=True):
    name: Annotated[str, doc("name of the APIService")]
    kind: Annotated[str, doc("always APIService")] = "APIService"
    group: Annotated[str, doc("API group, empty for the core")]
    version: Annotated[str | None, doc("API version")] = None
    service: Annotated[str | None, doc("namespace/name behind; null: the API server")] = None
    port: Annotated[int | None, doc("port of that Service; null: 443")] = None
    insecure_skip_tls_verify: Annotated[bool | None, doc("insecureSkipTLSVerify as written")] = None
    ca_bundle: Annotated[bool, doc("has a caBundle, which is not kept")] = False
    ca_expires_at: Annotated[
        datetime | None, doc("end of the certificate of that bundle which lasts longest")
    ] = None
    available: Annotated[bool | None, doc("condition Available is True; null: not told")] = None


_NAMELESS = Resource("kind", namespace="")
CRDS = Table("crds", CrdRow, grain="one CRD", key=("name",), resource=_NAMELESS)
API_SERVICES = Table(
    "api_services",
    ApiServiceRow,
    grain="one APIService",
    key=("name",),
    resource=_NAMELESS,
)


@collector(
    Read(
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        CustomResourceDefinition,
        namespaced=False,
    ),
    tables=(CRDS,),
)
def crds(found: CustomResourceDefinition, at: Place) -> Iterator[Row]:
    """Yield one row a CRD."""
    spec = found.spec
    yield CrdRow(
        raw=at.raw,
        raw_line=at.line,
        name=at.name,
        group=spec.group,
        defines=spec.names.kind,
        plural=spec.names.plural,
        scope=spec.scope,
        served=[v.name for v in spec.versions or () if v.served],
        stored=next((v.name for v in spec.versions or () if v.storage), None),
        versions=[v.name for v in spec.versions or ()],
        conversion=spec.conversion.strategy if spec.conversion else None,
        established=Condition.truth(found.status.conditions, "Established"),
    )


@collector(
    Read("apiregistration.k8s.io", "APIService", "apiservices", ApiService, namespaced=False),
    tables=(API_SERVICES,),
)
def api_services(found: ApiService, at: Place) -> Iterator[Row]:
    """Yield one row an APIService."""
    spec, service = found.spec, found.spec.service
    yield ApiServiceRow(
        raw=at.raw,
        raw_line=at.line,
        name=at.name,
        group=spec.group or "",
        version=spec.version,
        service=f"{service.namespace}/{service.name}" if service else None,
        port=service.port if service else None,
        insecure_skip_tls_verify=spec.insecure_skip_tls_verify,
        ca_bundle=spec.ca_bundle != ABSENT,
        ca_expires_at=spec.ca_expires_at,
        available=Condition.truth(found.status.conditions, "Available"),
    )
