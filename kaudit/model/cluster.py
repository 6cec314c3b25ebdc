"""Namespaces, service accounts, nodes, quotas and other cluster objects on the wire."""

from __future__ import annotations

import msgspec
from msgspec import Raw, field

from kaudit.model.credential import verdict
from kaudit.model.meta import (
    IntOrText,
    LabelSelector,
    ManagedFields,
    Metadata,
    Part,
    Quantity,
    Resource,
)
from kaudit.model.pod import NamedRef

_REDACTED = Raw(b'"[redacted]"')


class Phase(Part):
    """status.phase."""

    phase: str | None = None


class Namespace(Resource):
    """core v1 Namespace."""

    status: Phase = field(default_factory=Phase)


class ServiceAccount(Resource):
    """core v1 ServiceAccount."""

    automount_service_account_token: bool | None = None
    secrets: list[NamedRef] | None = None
    image_pull_secrets: list[NamedRef] | None = None


class NodeInfo(Part):
    """status.nodeInfo."""

    kubelet_version: str | None = None
    container_runtime_version: str | None = None
    kernel_version: str | None = None
    os_image: str | None = None
    operating_system: str | None = None
    architecture: str | None = None


class Condition(Part):
    """status.conditions[]."""

    type: str = ""
    status: str = ""
    reason: str | None = None


class Taint(Part):
    """spec.taints[]."""

    key: str = ""
    value: str | None = None
    effect: str | None = None


class NodeSpec(Part):
    """spec of a node."""

    unschedulable: bool | None = None
    taints: list[Taint] | None = None
    provider_id: str | None = field(default=None, name="providerID")


class Address(Part):
    """status.addresses[]."""

    type: str = ""
    address: str = ""


class NodeStatus(Part):
    """status of a node."""

    node_info: NodeInfo = field(default_factory=NodeInfo)
    conditions: list[Condition] | None = None
    addresses: list[Address] | None = None


class Node(Resource):
    """core v1 Node."""

    spec: NodeSpec = field(default_factory=NodeSpec)
    status: NodeStatus = field(default_factory=NodeStatus)


class QuotaSpec(Part):
    """spec of a ResourceQuota."""

    hard: dict[str, Quantity | None] | None = None


class ResourceQuota(Resource):
    """core v1 ResourceQuota."""

    spec: QuotaSpec = field(default_factory=QuotaSpec)


class LimitItem(Part):
    """spec.limits[] of a LimitRange."""

    type: str = ""
    default: dict[str, Quantity | None] | None = None
    default_request: dict[str, Quantity | None] | None = None
    max: dict[str, Quantity | None] | None = None
    min: dict[str, Quantity | None] | None = None


class LimitSpec(Part):
    """spec of a LimitRange."""

    limits: list[LimitItem] | None = None


class LimitRange(Resource):
    """core v1 LimitRange."""

    spec: LimitSpec = field(default_factory=LimitSpec)


class ConfigMap(Resource):
    """core v1 ConfigMap: keys and verdicts, never values."""

    data: dict[str, Raw] | None = None
    binary_data: dict[str, Raw] | None = None
    immutable: bool | None = None
    verdicts: dict[str, str] | None = None

    def __post_init__(self) -> None:
        if self.verdicts is None:
            self.verdicts = {}
            for key, raw in (self.data or {}).items():
                if found := verdict(key, _text(raw)):
                    self.verdicts[key] = found
        for values in (self.data, self.binary_data):
            for key in values or ():
                values[key] = _REDACTED  # type: ignore[index]  # not None: it has keys


def _text(raw: Raw) -> str:
    found = msgspec.json.decode(raw)
    return found if isinstance(found, str) else ""


class SecretMetadata(Metadata):
    """metadata of a Secret: as of every object, and when it was last changed."""

    managed_fields: list[ManagedFields] | None = None


class Secret(Resource):
    """core v1 Secret: type and key names; values are dropped while decoding."""

    metadata: SecretMetadata = field(default_factory=SecretMetadata)
    type: str | None = None
    data: dict[str, Raw] | None = None
    string_data: dict[str, Raw] | None = None
    immutable: bool | None = None

    def __post_init__(self) -> None:
        for values in (self.data, self.string_data):
            for key in values or ():
                values[key] = _REDACTED  # type: ignore[index]  # not None: it has keys


class PriorityClass(Resource):
    """scheduling.k8s.io PriorityClass."""

    value: int | None = None
    global_default: bool | None = None
    preemption_policy: str | None = None


class RuntimeClass(Resource):
    """node.k8s.io RuntimeClass."""

    handler: str | None = None


class DisruptionSpec(Part):
    """spec of a PodDisruptionBudget."""

    min_available: IntOrText | None = None
    max_unavailable: IntOrText | None = None
    selector: LabelSelector | None = None


class DisruptionStatus(Part):
    """status of a PodDisruptionBudget."""

    disruptions_allowed: int | None = None
    expected_pods: int | None = None


class PodDisruptionBudget(Resource):
    """policy PodDisruptionBudget."""

    spec: DisruptionSpec = field(default_factory=DisruptionSpec)
    status: DisruptionStatus = field(default_factory=DisruptionStatus)


class CrdNames(Part):
    """spec.names of a CRD."""

    kind: str = ""
    plural: str = ""


class CrdVersion(Part):
    """spec.versions[] of a CRD."""

    name: str = ""
    served: bool | None = None
    storage: bool | None = None


class CrdSpec(Part):
    """spec of a CRD."""

    group: str = ""
    names: CrdNames = field(default_factory=CrdNames)
    scope: str | None = None
    versions: list[CrdVersion] | None = None


class CrdStatus(Part):
    """status of a CRD."""

    conditions: list[Condition] | None = None


class CustomResourceDefinition(Resource):
    """apiextensions.k8s.io CustomResourceDefinition."""

    spec: CrdSpec = field(default_factory=CrdSpec)
    status: CrdStatus = field(default_factory=CrdStatus)


class LocalPath(Part):
    """hostPath or local of a PersistentVolume."""

    path: str | None = None


class DriverRef(Part):
    """csi of a PersistentVolume."""

    driver: str | None = None


class ClaimRef(Part):
    """claimRef of a PersistentVolume."""

    namespace: str | None = None
    name: str | None = None


class VolumeSpec(Part):
    """spec of a PersistentVolume."""

    host_path: LocalPath | None = None
    local: LocalPath | None = None
    csi: DriverRef | None = None
    claim_ref: ClaimRef | None = None
    storage_class_name: str | None = None
    persistent_volume_reclaim_policy: str | None = None
    access_modes: list[str] | None = None


class PersistentVolume(Resource):
    """core v1 PersistentVolume."""

    spec: VolumeSpec = field(default_factory=VolumeSpec)


class ClaimSpec(Part):
    """spec of a PersistentVolumeClaim."""

    volume_name: str | None = None
    storage_class_name: str | None = None
    access_modes: list[str] | None = None


class PersistentVolumeClaim(Resource):
    """core v1 PersistentVolumeClaim."""

    spec: ClaimSpec = field(default_factory=ClaimSpec)


class StorageClass(Resource):
    """storage.k8s.io StorageClass; of the parameters only what tells encryption."""

    provisioner: str | None = None
    reclaim_policy: str | None = None
    parameters: dict[str, str | None] | None = None

    def __post_init__(self) -> None:
        if self.parameters:
            self.parameters = {
                k: (v if "encrypt" in k.lower() else None) for k, v in self.parameters.items()
            }


class CsrSpec(Part):
    """spec of a CertificateSigningRequest."""

    signer_name: str | None = None
    username: str | None = None
    groups: list[str] | None = None
    usages: list[str] | None = None


class CsrStatus(Part):
    """status of a CertificateSigningRequest."""

    conditions: list[Condition] | None = None


class CertificateSigningRequest(Resource):
    """certificates.k8s.io CertificateSigningRequest."""

    spec: CsrSpec = field(default_factory=CsrSpec)
    status: CsrStatus = field(default_factory=CsrStatus)
