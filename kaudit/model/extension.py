"""What extends the API on the wire: custom resources and aggregated services."""

from __future__ import annotations

from msgspec import Raw, field

from kaudit.model.certificate_text import last_end
from kaudit.model.meta import ABSENT, Condition, Int, Part, Resource, Time, presence


class CrdNames(Part):
    """spec.names of a CRD."""

    kind: str = ""
    plural: str = ""


class CrdVersion(Part):
    """spec.versions[] of a CRD."""

    name: str = ""
    served: bool | None = None
    storage: bool | None = None


class Conversion(Part):
    """spec.conversion of a CRD."""

    strategy: str | None = None


class CrdSpec(Part):
    """spec of a CRD."""

    group: str = ""
    names: CrdNames = field(default_factory=CrdNames)
    scope: str | None = None
    versions: list[CrdVersion] | None = None
    conversion: Conversion | None = None


class CrdStatus(Part):
    """status of a CRD."""

    conditions: list[Condition] | None = None


class CustomResourceDefinition(Resource):
    """apiextensions.k8s.io CustomResourceDefinition."""

    spec: CrdSpec = field(default_factory=CrdSpec)
    status: CrdStatus = field(default_factory=CrdStatus)


class ServiceOf(Part):
    """spec.service of an APIService."""

    namespace: str | None = None
    name: str | None = None
    port: Int | None = None


class ApiServiceSpec(Part):
    """spec of an APIService; of the bundle only that it is there."""

    group: str | None = None
    version: str | None = None
    service: ServiceOf | None = None
    insecure_skip_tls_verify: bool | None = field(default=None, name="insecureSkipTLSVerify")
    ca_bundle: Raw = ABSENT
    ca_expires_at: Time | None = None

    def __post_init__(self) -> None:
        self.ca_expires_at = last_end(self.ca_bundle) or self.ca_expires_at
        self.ca_bundle = presence(self.ca_bundle)


class ApiServiceStatus(Part):
    """status of an APIService."""

    conditions: list[Condition] | None = None


class ApiService(Resource):
    """apiregistration.k8s.io APIService."""

    spec: ApiServiceSpec = field(default_factory=ApiServiceSpec)
    status: ApiServiceStatus = field(default_factory=ApiServiceStatus)
