"""Volumes, claims, storage classes, and what governs scheduling and disruption."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from kaudit.model.cluster import (
    CertificateSigningRequest,
    PersistentVolume,
    PersistentVolumeClaim,
    PodDisruptionBudget,
    PriorityClass,
    RuntimeClass,
    StorageClass,
)
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class PersistentVolumeRow(Trace, kw_only=True):
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always PersistentVolume")] = "PersistentVolume"
    host_path: Annotated[str | None, doc("hostPath.path or local.path")] = None
    driver: Annotated[str | None, doc("csi.driver")] = None
    claim: Annotated[str | None, doc("namespace/name of the claim bound")] = None
    storage_class: Annotated[str | None, doc("storageClassName")] = None
    reclaim_policy: Annotated[str | None, doc("persistentVolumeReclaimPolicy")] = None
    access_modes: Annotated[list[str], doc("accessModes")]


class ClaimRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always PersistentVolumeClaim")] = "PersistentVolumeClaim"
    volume: Annotated[str | None, doc("name of the volume bound")] = None
    storage_class: Annotated[str | None, doc("storageClassName")] = None
    access_modes: Annotated[list[str], doc("accessModes")]


class StorageClassRow(Trace, kw_only=True):
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always StorageClass")] = "StorageClass"
    provisioner: Annotated[str | None, doc("provisioner")] = None
    parameters: Annotated[list[str], doc("keys of its parameters, sorted")]
    encryption: Annotated[str | None, doc("value of a parameter that speaks of encryption")] = None


class DisruptionRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always PodDisruptionBudget")] = "PodDisruptionBudget"
    min_available: Annotated[str | None, doc("minAvailable, number or share")] = None
    max_unavailable: Annotated[str | None, doc("maxUnavailable, number or share")] = None
    selector: Annotated[list[str], doc("terms of its selector, sorted")]
    disruptions_allowed: Annotated[int | None, doc("status.disruptionsAllowed")] = None


class ClassRow(Trace, kw_only=True):
    kind: Annotated[str, doc("PriorityClass or RuntimeClass")]
    name: Annotated[str, doc("name")]
    handler: Annotated[str | None, doc("handler of a RuntimeClass")] = None
    value: Annotated[int | None, doc("value of a PriorityClass")] = None
    global_default: Annotated[bool, doc("globalDefault of a PriorityClass")] = False


class CsrRow(Trace, kw_only=True):
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always CertificateSigningRequest")] = "CertificateSigningRequest"
    signer: Annotated[str | None, doc("signerName")] = None
    username: Annotated[str | None, doc("who asked")] = None
    groups: Annotated[list[str], doc("groups of who asked")]
    approved: Annotated[bool, doc("condition Approved is there")]


_NAMELESS = Resource("kind", namespace="")
PERSISTENT_VOLUMES = Table(
    "persistent_volumes",
    PersistentVolumeRow,
    grain="one PersistentVolume",
    key=("name",),
    resource=_NAMELESS,
)
CLAIMS = Table(
    "persistent_volume_claims",
    ClaimRow,
    grain="one PersistentVolumeClaim",
    key=("namespace", "name"),
    resource=Resource("kind"),
)
STORAGE_CLASSES = Table(
    "storage_classes",
    StorageClassRow,
    grain="one StorageClass",
    key=("name",),
    resource=_NAMELESS,
)
DISRUPTION_BUDGETS = Table(
    "disruption_budgets",
    DisruptionRow,
    grain="one PodDisruptionBudget",
    key=("namespace", "name"),
    resource=Resource("kind"),
)
CLASSES = Table(
    "classes",
    ClassRow,
    grain="one PriorityClass or RuntimeClass",
    key=("kind", "name"),
    resource=_NAMELESS,
)
CSRS = Table(
    "certificate_requests",
    CsrRow,
    grain="one CertificateSigningRequest",
    key=("name",),
    resource=_NAMELESS,
)


@collector(
    Read("", "PersistentVolume", "persistentvolumes", PersistentVolume, namespaced=False),
    tables=(PERSISTENT_VOLUMES,),
)
def persistent_volumes(found: PersistentVolume, at: Place) -> Iterator[Row]:
    """Yield one row a volume."""
    spec = found.spec
    on_host = spec.host_path or spec.local
    claim = spec.claim_ref
    yield PersistentVolumeRow(
        raw=at.raw,
        raw_line=at.line,
        name=at.name,
        host_path=on_host.path if on_host else None,
        driver=spec.csi.driver if spec.csi else None,
        claim=f"{claim.namespace}/{claim.name}" if claim else None,
        storage_class=spec.storage_class_name,
        reclaim_policy=spec.persistent_volume_reclaim_policy,
        access_modes=spec.access_modes or [],
    )


@collector(
    Read("", "PersistentVolumeClaim", "persistentvolumeclaims", PersistentVolumeClaim),
    tables=(CLAIMS,),
)
def persistent_volume_claims(found: PersistentVolumeClaim, at: Place) -> Iterator[Row]:
    """Yield one row a claim."""
    yield ClaimRow(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        volume=found.spec.volume_name,
        storage_class=found.spec.storage_class_name,
        access_modes=found.spec.access_modes or [],
    )


@collector(
    Read("storage.k8s.io", "StorageClass", "storageclasses", StorageClass, namespaced=False),
    tables=(STORAGE_CLASSES,),
)
def storage_classes(found: StorageClass, at: Place) -> Iterator[Row]:
    """Yield one row a class."""
    parameters = found.parameters or {}
    yield StorageClassRow(
        raw=at.raw,
        raw_line=at.line,
        name=at.name,
        provisioner=found.provisioner,
        parameters=sorted(parameters),
        encryption=next((v for _, v in sorted(parameters.items()) if v is not None), None),
    )


@collector(
    Read(
        "policy",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        PodDisruptionBudget,
        ("v1", "v1beta1"),
    ),
    tables=(DISRUPTION_BUDGETS,),
)
def disruption_budgets(found: PodDisruptionBudget, at: Place) -> Iterator[Row]:
    """Yield one row a budget."""
    least, most = found.spec.min_available, found.spec.max_unavailable
    yield DisruptionRow(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        min_available=None if least is None else str(least),
        max_unavailable=None if most is None else str(most),
        selector=found.spec.selector.texts if found.spec.selector else [],
        disruptions_allowed=found.status.disruptions_allowed,
    )


@collector(
    Read("scheduling.k8s.io", "PriorityClass", "priorityclasses", PriorityClass, namespaced=False),
    Read("node.k8s.io", "RuntimeClass", "runtimeclasses", RuntimeClass, namespaced=False),
    tables=(CLASSES,),
)
def classes(found: PriorityClass | RuntimeClass, at: Place) -> Iterator[Row]:
    """Yield one row a class."""
    priority = found if isinstance(found, PriorityClass) else None
    yield ClassRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        name=at.name,
        handler=found.handler if isinstance(found, RuntimeClass) else None,
        value=priority.value if priority else None,
        global_default=bool(priority and priority.global_default),
    )


@collector(
    Read(
        "certificates.k8s.io",
        "CertificateSigningRequest",
        "certificatesigningrequests",
        CertificateSigningRequest,
        namespaced=False,
    ),
    tables=(CSRS,),
)
def certificate_requests(found: CertificateSigningRequest, at: Place) -> Iterator[Row]:
    """Yield one row a request."""
    yield CsrRow(
        raw=at.raw,
        raw_line=at.line,
        name=at.name,
        signer=found.spec.signer_name,
        username=found.spec.username,
        groups=found.spec.groups or [],
        approved=any(c.type == "Approved" for c in found.status.conditions or ()),
    )
