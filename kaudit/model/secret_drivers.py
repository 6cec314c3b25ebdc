"""Secrets Store CSI and Sealed Secrets as they arrive on the wire.

Sources: kubernetes-sigs/secrets-store-csi-driver, ``apis/v1``; bitnami-labs/sealed-secrets,
``pkg/apis/sealedsecrets/v1alpha1``. Of parameters and of what is sealed only names are kept.
"""

from __future__ import annotations

from msgspec import Raw, field

from kaudit.model.meta import REDACTED, Condition, Part, Resource


class SecretObject(Part):
    """spec.secretObjects[]: a Secret that is made of what is mounted."""

    secret_name: str | None = None
    type: str | None = None


class ProviderClassSpec(Part):
    """spec of a SecretProviderClass."""

    provider: str | None = None
    parameters: dict[str, Raw] | None = None
    secret_objects: list[SecretObject] | None = None

    def __post_init__(self) -> None:
        for key in self.parameters or ():
            self.parameters[key] = REDACTED  # type: ignore[index]  # not None: it has keys


class ProviderClass(Resource):
    """secrets-store.csi.x-k8s.io SecretProviderClass."""

    spec: ProviderClassSpec = field(default_factory=ProviderClassSpec)


class MountedObject(Part):
    """status.objects[]."""

    id: str | None = None
    version: str | None = None


class MountStatus(Part):
    """status of a SecretProviderClassPodStatus."""

    pod_name: str | None = None
    secret_provider_class_name: str | None = None
    mounted: bool | None = None
    objects: list[MountedObject] | None = None


class PodMount(Resource):
    """secrets-store.csi.x-k8s.io SecretProviderClassPodStatus."""

    status: MountStatus = field(default_factory=MountStatus)


class SealedTemplate(Part):
    """spec.template: of the Secret that is made."""

    type: str | None = None
    immutable: bool | None = None


class SealedSpec(Part):
    """spec of a SealedSecret."""

    encrypted_data: dict[str, Raw] | None = None
    template: SealedTemplate = field(default_factory=SealedTemplate)

    def __post_init__(self) -> None:
        for key in self.encrypted_data or ():
            self.encrypted_data[key] = REDACTED  # type: ignore[index]  # not None: it has keys


class SealedStatus(Part):
    """status of a SealedSecret."""

    conditions: list[Condition] | None = None


class SealedSecret(Resource):
    """bitnami.com SealedSecret."""

    spec: SealedSpec = field(default_factory=SealedSpec)
    status: SealedStatus = field(default_factory=SealedStatus)
