"""Secrets that reach pods by other ways: Secrets Store CSI, Sealed Secrets.

Sources: secrets-store-csi-driver.sigs.k8s.io; github.com/bitnami-labs/sealed-secrets.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from kaudit.model.meta import Condition
from kaudit.model.place import Place
from kaudit.model.secret_drivers import PodMount, ProviderClass, SealedSecret
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc

_CSI = "secrets-store.csi.x-k8s.io"
_SCOPE = "sealedsecrets.bitnami.com/"


class ProviderClassRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always SecretProviderClass")] = "SecretProviderClass"
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    provider: Annotated[str, doc("vault, azure, gcp, aws, …; empty: it names none")]
    parameters: Annotated[list[str], doc("names of its parameters, sorted")]
    secrets: Annotated[list[str], doc("Secrets that it keeps in step with what is mounted")]
    created_at: Annotated[datetime | None, doc("creation time")] = None


class PodMountRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always SecretProviderClassPodStatus")] = (
        "SecretProviderClassPodStatus"
    )
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    pod: Annotated[str, doc("name of the pod")]
    provider_class: Annotated[str, doc("SecretProviderClass that it mounts")]
    mounted: Annotated[bool, doc("was mounted")]
    objects: Annotated[list[str], doc("id@version of what is mounted, sorted")]


class SealedSecretRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always SealedSecret")] = "SealedSecret"
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    type: Annotated[str, doc("type of the Secret that it makes")]
    keys: Annotated[list[str], doc("names of its keys, sorted")]
    scope: Annotated[str, doc("strict, namespace-wide or cluster-wide: where it can be unsealed")]
    immutable: Annotated[bool, doc("what it makes cannot be changed")]
    synced: Annotated[bool | None, doc("condition Synced; null: none is told")] = None
    created_at: Annotated[datetime | None, doc("creation time")] = None


PROVIDER_CLASSES = Table(
    "secret_provider_classes",
    ProviderClassRow,
    grain="one SecretProviderClass of the Secrets Store CSI driver",
    key=("namespace", "name"),
    resource=Resource("kind"),
)
POD_MOUNTS = Table(
    "secret_provider_mounts",
    PodMountRow,
    grain="one pod that mounts a SecretProviderClass",
    key=("namespace", "name"),
    resource=Resource("kind"),
)
SEALED_SECRETS = Table(
    "sealed_secrets",
    SealedSecretRow,
    grain="one SealedSecret; names of its keys",
    key=("namespace", "name"),
    resource=Resource("kind"),
)


@collector(
    Read(_CSI, "SecretProviderClass", "secretproviderclasses", ProviderClass, ("v1", "v1alpha1")),
    tables=(PROVIDER_CLASSES,),
)
def secret_provider_classes(found: ProviderClass, at: Place) -> Iterator[Row]:
    """Yield one row a SecretProviderClass."""
    yield ProviderClassRow(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        provider=found.spec.provider or "",
        parameters=sorted(found.spec.parameters or ()),
        secrets=sorted({s.secret_name or "" for s in found.spec.secret_objects or ()}),
        created_at=found.metadata.creation_timestamp,
    )


@collector(
    Read(
        _CSI,
        "SecretProviderClassPodStatus",
        "secretproviderclasspodstatuses",
        PodMount,
        ("v1", "v1alpha1"),
    ),
    tables=(POD_MOUNTS,),
)
def secret_provider_mounts(found: PodMount, at: Place) -> Iterator[Row]:
    """Yield one row a pod and class."""
    status = found.status
    yield PodMountRow(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        pod=status.pod_name or "",
        provider_class=status.secret_provider_class_name or "",
        mounted=bool(status.mounted),
        objects=sorted({f"{o.id or ''}@{o.version or ''}" for o in status.objects or ()}),
    )


@collector(
    Read("bitnami.com", "SealedSecret", "sealedsecrets", SealedSecret, ("v1alpha1",)),
    tables=(SEALED_SECRETS,),
)
def sealed_secrets(found: SealedSecret, at: Place) -> Iterator[Row]:
    """Yield one row a SealedSecret."""
    spec = found.spec
    scopes = ("cluster-wide", "namespace-wide")
    wide = (s for s in scopes if found.metadata.annotation(_SCOPE + s) == "true")
    yield SealedSecretRow(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        type=spec.template.type or "Opaque",
        keys=sorted(spec.encrypted_data or ()),
        scope=next(wide, "strict"),
        immutable=bool(spec.template.immutable),
        synced=Condition.truth(found.status.conditions, "Synced"),
        created_at=found.metadata.creation_timestamp,
    )
