"""Objects of the External Secrets Operator as they arrive on the wire.

Source: external-secrets/external-secrets, ``apis/externalsecrets`` and ``apis/generators``.
Templates are read by their presence alone, settings of providers by what they point at.
"""

from __future__ import annotations

from msgspec import Raw, field

from kaudit.model.credential import masked
from kaudit.model.meta import (
    ABSENT,
    Condition,
    Int,
    IntOrText,
    LabelSelector,
    Opaque,
    Part,
    Resource,
    Time,
)
from kaudit.model.store_references import Reference, reduced, references


class StoreRef(Part):
    """secretStoreRef, or one of secretStoreRefs."""

    kind: str | None = None
    name: str | None = None
    label_selector: LabelSelector | None = None

    @property
    def text(self) -> str:
        """``Kind/name``; of many, ``Kind/*``."""
        return f"{self.kind or 'SecretStore'}/{self.name or '*'}"


class GeneratorRef(Part):
    """generatorRef."""

    kind: str | None = None
    name: str | None = None


class SourceRef(Part):
    """sourceRef of an entry: another store than that of the object, or a generator."""

    store_ref: StoreRef | None = None
    generator_ref: GeneratorRef | None = None


class Remote(Part):
    """remoteRef, or extract."""

    key: str | None = None
    property: str | None = None

    def __post_init__(self) -> None:
        self.key, self.property = _plain(self.key), _plain(self.property)


def _plain(text: str | None) -> str | None:
    return masked(text) if text else text


class Pattern(Part):
    """find.name."""

    regexp: str | None = None

    def __post_init__(self) -> None:
        self.regexp = _plain(self.regexp)


class Find(Part):
    """find."""

    path: str | None = None
    name: Pattern | None = None

    def __post_init__(self) -> None:
        self.path = _plain(self.path)

    @property
    def text(self) -> str:
        """What it looks for."""
        return f"{self.path or ''}*{self.name.regexp or '' if self.name else ''}"


class Entry(Part):
    """One of data or dataFrom; in v1alpha1 dataFrom had the key itself."""

    remote_ref: Remote | None = None
    extract: Remote | None = None
    find: Find | None = None
    key: str | None = None
    source_ref: SourceRef | None = None

    def __post_init__(self) -> None:
        self.key = _plain(self.key)

    @property
    def remote(self) -> str | None:
        """Key in the store, and the property of what it holds: ``key#property``."""
        for found in (self.remote_ref, self.extract):
            if found and found.key:
                return f"{found.key}#{found.property}" if found.property else found.key
        return self.find.text if self.find else self.key


class Manifest(Part):
    """target.manifest: an object of another kind than Secret is made."""

    kind: str | None = None


class Target(Part):
    """target."""

    name: str | None = None
    creation_policy: str | None = None
    deletion_policy: str | None = None
    immutable: bool | None = None
    template: Opaque | None = None
    manifest: Manifest | None = None


class ExternalSecretSpec(Part):
    """spec of an ExternalSecret."""

    secret_store_ref: StoreRef | None = None
    target: Target = field(default_factory=Target)
    refresh_interval: IntOrText | None = None
    refresh_policy: str | None = None
    data: list[Entry] | None = None
    data_from: list[Entry] | None = None
    sync_windows: Opaque | None = None

    @property
    def entries(self) -> list[Entry]:
        """All entries."""
        return [*(self.data or ()), *(self.data_from or ())]


class Binding(Part):
    """status.binding."""

    name: str | None = None


class SyncStatus(Part):
    """status of an ExternalSecret or PushSecret."""

    conditions: list[Condition] | None = None
    refresh_time: Time | None = None
    synced_resource_version: str | None = None
    binding: Binding | None = None


class ExternalSecret(Resource):
    """external-secrets.io ExternalSecret."""

    spec: ExternalSecretSpec = field(default_factory=ExternalSecretSpec)
    status: SyncStatus = field(default_factory=SyncStatus)


class FailedNamespace(Part):
    """status.failedNamespaces[]."""

    namespace: str = ""


class SpreadStatus(Part):
    """status of what is made in many namespaces."""

    conditions: list[Condition] | None = None
    failed_namespaces: list[FailedNamespace] | None = None
    provisioned_namespaces: list[str] | None = None


class ClusterExternalSecretSpec(Part):
    """spec of a ClusterExternalSecret."""

    external_secret_name: str | None = None
    external_secret_spec: ExternalSecretSpec = field(default_factory=ExternalSecretSpec)
    namespace_selector: LabelSelector | None = None
    namespace_selectors: list[LabelSelector] | None = None
    namespaces: list[str] | None = None

    @property
    def selectors(self) -> list[LabelSelector]:
        """Selectors of the namespaces, in either form."""
        one = [self.namespace_selector] if self.namespace_selector else []
        return [*one, *(self.namespace_selectors or ())]


class ClusterExternalSecret(Resource):
    """external-secrets.io ClusterExternalSecret."""

    spec: ClusterExternalSecretSpec = field(default_factory=ClusterExternalSecretSpec)
    status: SpreadStatus = field(default_factory=SpreadStatus)


class PushRemote(Part):
    """data[].match.remoteRef of a PushSecret."""

    remote_key: str | None = None

    def __post_init__(self) -> None:
        self.remote_key = _plain(self.remote_key)


class PushMatch(Part):
    """data[].match of a PushSecret."""

    remote_ref: PushRemote | None = None


class PushEntry(Part):
    """data[] of a PushSecret."""

    match: PushMatch | None = None

    @property
    def remote(self) -> str | None:
        """Key in the store."""
        return self.match.remote_ref.remote_key if self.match and self.match.remote_ref else None


class PushedSecret(Part):
    """selector.secret."""

    name: str | None = None
    selector: LabelSelector | None = None


class PushSelector(Part):
    """selector: what is pushed."""

    secret: PushedSecret | None = None
    generator_ref: GeneratorRef | None = None


class PushSecretSpec(Part):
    """spec of a PushSecret."""

    secret_store_refs: list[StoreRef] | None = None
    selector: PushSelector = field(default_factory=PushSelector)
    refresh_interval: IntOrText | None = None
    deletion_policy: str | None = None
    update_policy: str | None = None
    data: list[PushEntry] | None = None
    data_to: list[Opaque | None] | None = None


class PushSecret(Resource):
    """external-secrets.io PushSecret."""

    spec: PushSecretSpec = field(default_factory=PushSecretSpec)
    status: SyncStatus = field(default_factory=SyncStatus)


class ClusterPushSecretSpec(Part):
    """spec of a ClusterPushSecret."""

    push_secret_spec: PushSecretSpec = field(default_factory=PushSecretSpec)
    namespace_selectors: list[LabelSelector] | None = None


class ClusterPushSecret(Resource):
    """external-secrets.io ClusterPushSecret."""

    spec: ClusterPushSecretSpec = field(default_factory=ClusterPushSecretSpec)
    status: SpreadStatus = field(default_factory=SpreadStatus)


class StoreCondition(Part):
    """spec.conditions[] of a ClusterSecretStore: namespaces that may use it."""

    namespace_selector: LabelSelector | None = None
    namespaces: list[str] | None = None
    namespace_regexes: list[str] | None = None

    @property
    def texts(self) -> list[str]:
        """Its terms, of which any lets a namespace in."""
        selector = self.namespace_selector
        return [
            *([f"selector {selector.canonical}"] if selector else ()),
            *(f"namespace {name}" for name in self.namespaces or ()),
            *(f"regex {text}" for text in self.namespace_regexes or ()),
        ]


class Retry(Part):
    """spec.retrySettings."""

    max_retries: Int | None = None
    retry_interval: str | None = None


class StoreSpec(Part):
    """spec of a store; of the settings of its provider only references are kept."""

    provider: dict[str, Raw] | None = None
    controller: str | None = None
    conditions: list[StoreCondition] | None = None
    retry_settings: Retry | None = None

    def __post_init__(self) -> None:
        for name, settings in (self.provider or {}).items():
            self.provider[name] = reduced(settings)  # type: ignore[index]  # not None: it has keys

    @property
    def references(self) -> list[Reference]:
        """What its settings point at."""
        return [found for one in (self.provider or {}).values() for found in references(one)]


class StoreStatus(Part):
    """status of a store."""

    conditions: list[Condition] | None = None
    capabilities: str | None = None


class SecretStore(Resource):
    """external-secrets.io SecretStore and ClusterSecretStore."""

    spec: StoreSpec = field(default_factory=StoreSpec)
    status: StoreStatus = field(default_factory=StoreStatus)


class Generator(Resource):
    """generators.external-secrets.io: what makes a value when it is asked for."""

    spec: Raw = ABSENT

    def __post_init__(self) -> None:
        self.spec = reduced(self.spec)

    @property
    def references(self) -> list[Reference]:
        """What its settings point at."""
        return references(self.spec)
