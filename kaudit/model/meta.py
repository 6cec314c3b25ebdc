"""Parts that all Kubernetes objects share, and lenient number types.

Every field may be null or absent, as in real objects. What is not declared is never
decoded: these structs are the allow-list of what may become evidence.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Raw

from kaudit.model import mesh_membership, network_selection
from kaudit.model.credential import by_shape_of_bytes, hinted, masked
from kaudit.model.homonyms import in_tables

#: Annotations whose values say something about security; of others only the key is kept.
KEPT_ANNOTATIONS = (
    "apparmor.security.",
    "seccomp.security.",
    "container.apparmor.security.",
    "container.seccomp.security.",
    *network_selection.ANNOTATIONS,
    *mesh_membership.ANNOTATIONS,
    "kubernetes.io/config.",
    "kubernetes.io/enforce-mountable-secrets",
    "kubernetes.io/ingress.class",
    "kubernetes.io/service-account.name",
    "rbac.authorization.kubernetes.io/",
    "pod-security.kubernetes.io/",
    "nginx.ingress.kubernetes.io/",
    "alb.ingress.kubernetes.io/scheme",
    "alb.ingress.kubernetes.io/inbound-cidrs",
    "appgw.ingress.kubernetes.io/use-private-ip",
    "service.beta.kubernetes.io/",
    "cloud.google.com/load-balancer-type",
    "networking.gke.io/load-balancer-type",
    "external-dns.alpha.kubernetes.io/",
    "cert-manager.io/",
    "eks.amazonaws.com/",
    "iam.gke.io/",
    "azure.workload.identity/",
    "helm.sh/",
    "meta.helm.sh/",
    "deployment.kubernetes.io/revision",
    "storageclass.kubernetes.io/",
    "scheduler.alpha.kubernetes.io/",
    "pod-policies.kyverno.io/",
    "sealedsecrets.bitnami.com/",
    "reconcile.external-secrets.io/data-hash",
)
#: Last words of annotations that say whose something is, why, and for how long.
TERMS = ("owner", "contact", "reason", "justification", "ticket", "expires", "expires-at")
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_NULL = Raw(b"null")
#: Stands for a value that was dropped; for one that was not there.
REDACTED, ABSENT = Raw(b'"[redacted]"'), Raw(b"")

#: A whole number that a column can hold; larger ones are refused with the object.
Int = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
#: A time with its zone, as RFC 3339 and Kubernetes demand.
Time = Annotated[datetime, msgspec.Meta(tz=True)]


def texts(pairs: dict[str, str | None] | None) -> list[str]:
    """Labels or a plain selector as sorted ``key=value``."""
    return sorted([f"{k}={v or ''}" for k, v in pairs.items()]) if pairs else []


def pairs_of(texts: Iterable[str]) -> dict[str, str]:
    """Labels or annotations of ``key=value``, as :func:`texts` writes them."""
    return dict(text.split("=", 1) for text in texts)


class Part(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """Base of all wire structs: camelCase on the wire, defaults left out of raw records."""


class Opaque(Part):
    """A block of which only the presence matters."""


class OwnerReference(Part):
    """metadata.ownerReferences[]."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    api_version: str = ""
    controller: bool | None = None

    @property
    def called(self) -> str:
        """Its kind as tables call it."""
        return in_tables(self.api_version.rpartition("/")[0], self.kind)


class OwnedFields(Part):
    """fieldsV1 of managedFields[]: whether values of a Secret are among the fields, not which."""

    data: Opaque | None = msgspec.field(default=None, name="f:data")
    string_data: Opaque | None = msgspec.field(default=None, name="f:stringData")


class ManagedFields(Part):
    """metadata.managedFields[], as far as it dates a change."""

    manager: str | None = None
    operation: str | None = None
    subresource: str | None = None
    time: Time | None = None
    fields_v1: OwnedFields | None = msgspec.field(default=None, name="fieldsV1")

    @property
    def of_data(self) -> bool:
        """Whether it may date a change of values: it owns some, or does not say what it owns."""
        fields = self.fields_v1
        return fields is None or fields.data is not None or fields.string_data is not None


class Metadata(Part):
    """metadata; annotation values are dropped unless they are known to matter.

    ``last-applied-configuration``, which repeats whole objects, is never decoded; that it
    was there stays visible in ``last_applied``. ``credentials`` are the annotations and labels
    with the shape of one, and its kind.
    """

    name: str | None = None
    generate_name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    labels: dict[str, str | None] | None = None
    annotations: dict[str, Raw] | None = None
    owner_references: list[OwnerReference] | None = None
    last_applied: bool | None = None
    credentials: list[str] | None = None

    def __post_init__(self) -> None:
        if self.annotations:
            if self.annotations.pop(LAST_APPLIED, None) is not None:
                self.last_applied = True
            if hinted(b"".join(self.annotations.values())):
                self._note("annotation", {k: bytes(v) for k, v in self.annotations.items()})
            for key, raw in self.annotations.items():
                self.annotations[key] = _kept(key, raw)
        if self.labels and _may_hold_a_shape("".join(filter(None, self.labels.values()))):
            self._note("label", {k: (v or "").encode() for k, v in self.labels.items()})

    def _note(self, what: str, values: dict[str, bytes]) -> None:
        kinds = {key: by_shape_of_bytes(value) for key, value in values.items()}
        found = [f"{what} {key}: {kind}" for key, kind in sorted(kinds.items()) if kind]
        self.credentials = [*(self.credentials or ()), *found] or None

    def annotation(self, key: str) -> str | None:
        """Value of an annotation that is kept, else None."""
        raw = (self.annotations or {}).get(key)
        return None if raw is None else msgspec.json.decode(raw, type=str | None)

    def term(self, *words: str) -> str | None:
        """Value of the first annotation, else label, whose last word is one of these, masked."""
        told = {key: self.annotation(key) for key in self.annotations or ()}
        for pairs in (told, self.labels or {}):
            for key, text in sorted(pairs.items()):
                if text and key.rpartition("/")[2] in words:
                    return masked(text)
        return None

    @property
    def controller(self) -> OwnerReference | None:
        """The owner that controls the object."""
        for owner in self.owner_references or ():
            if owner.controller:
                return owner
        return None

    @property
    def label_texts(self) -> list[str]:
        """Labels as sorted ``key=value``."""
        return texts(self.labels)

    @property
    def mesh_annotations(self) -> list[str]:
        """Annotations that service meshes go by, as sorted ``key=value``."""
        keys = [k for k in self.annotations or () if k.startswith(mesh_membership.ANNOTATIONS)]
        return sorted(f"{key}={self.annotation(key) or ''}" for key in keys)

    @property
    def annotation_keys(self) -> list[str]:
        """Keys of all annotations, sorted."""
        return sorted(self.annotations or ())


#: What columns say of ``changed_at``.
CHANGED = "last change but for the status; null: not told"


class DatedMetadata(Metadata):
    """metadata of what judges others: as of every object, and when it was last changed."""

    generation: Int | None = None
    managed_fields: list[ManagedFields] | None = None

    @property
    def changed_at(self) -> datetime | None:
        """Time of the last change but for the status; None where it is not told.

        A generation of 1 tells that nothing was changed since it was made.
        """
        told = [f.time for f in self.managed_fields or () if f.subresource != "status"]
        times = [time for time in told if time is not None]
        if times:
            return max(times)
        return self.creation_timestamp if self.generation == 1 else None


def keeps_annotation(key: str) -> bool:
    """Tell whether the value of an annotation is kept."""
    return key.startswith(KEPT_ANNOTATIONS) or key.rpartition("/")[2] in TERMS


#: Hashes of labels that hold no shape of a credential: many objects have the same.
_harmless: set[int] = set()
_MOST = 65536


def _may_hold_a_shape(text: str) -> bool:
    seen = hash(text)
    if seen in _harmless:
        return False
    found = hinted(text.encode())
    if not found and len(_harmless) < _MOST:
        _harmless.add(seen)
    return found


def _kept(key: str, raw: Raw) -> Raw:
    if not keeps_annotation(key):
        return _NULL
    text = msgspec.json.decode(raw)
    if text is not None and not isinstance(text, str):
        raise TypeError(f"annotation {key}: expected text")
    if text and len(text) > 12:
        whole = key.startswith(network_selection.ANNOTATIONS)
        shown = masked(network_selection.reduced(text) if whole else text)
        return raw if shown == text else Raw(msgspec.json.encode(shown))
    return raw


class Requirement(Part):
    """labelSelector.matchExpressions[]."""

    key: str = ""
    operator: str = ""
    values: list[str] | None = None


class LabelSelector(Part):
    """A label selector; absent and empty differ."""

    match_labels: dict[str, str | None] | None = None
    match_expressions: list[Requirement] | None = None

    @property
    def texts(self) -> list[str]:
        """Sorted terms: ``key=value``, ``key in (a,b)``, ``key exists``."""
        terms = texts(self.match_labels)
        for e in self.match_expressions or ():
            values = f" ({','.join(sorted(e.values or ()))})" if e.values else ""
            terms.append(f"{e.key} {_OPERATORS.get(e.operator, e.operator)}{values}")
        return sorted(terms)

    @classmethod
    def text(cls, selector: LabelSelector | None) -> str | None:
        """Canonical form of a selector that may be absent."""
        return None if selector is None else selector.canonical

    @property
    def canonical(self) -> str:
        """JSON with sorted keys and nothing empty: ``{}`` selects everything."""
        slim = LabelSelector(self.match_labels or None, self.match_expressions or None)
        return msgspec.json.encode(slim, order="sorted").decode()


def selector_text(selector: LabelSelector | None) -> str | None:
    """Text that stands for a selector in tables; None where there is none."""
    return None if selector is None else selector.canonical


_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "not exists"}


class Name(Part):
    """metadata of an object that cannot be read in full."""

    name: str | None = None
    namespace: str | None = None


class Named(Part):
    """Name of an object that cannot be read in full."""

    metadata: Name = msgspec.field(default_factory=Name)


class NamedRef(Part):
    """A reference by name."""

    name: str | None = None
    optional: bool | None = None


class Resource(Part):
    """What every object has: base of the kinds."""

    api_version: str = ""
    kind: str = ""
    metadata: Metadata = msgspec.field(default_factory=Metadata)


class Condition(Part):
    """status.conditions[]."""

    type: str = ""
    status: str = ""
    reason: str | None = None

    @staticmethod
    def truth(conditions: list[Condition] | None, type: str) -> bool | None:
        """Whether a condition is True; None where it is not told."""
        return next((c.status == "True" for c in conditions or () if c.type == type), None)


def presence(raw: Raw) -> Raw:
    """Reduce a value to whether it is there."""
    return ABSENT if raw in (ABSENT, _NULL, Raw(b'""')) else REDACTED


#: A quantity as written; Kubernetes takes numbers too.
Quantity = str | int | float
IntOrText = int | str
__all__ = [
    "ABSENT",
    "CHANGED",
    "REDACTED",
    "Condition",
    "DatedMetadata",
    "Int",
    "IntOrText",
    "LabelSelector",
    "ManagedFields",
    "Metadata",
    "Named",
    "Opaque",
    "OwnerReference",
    "Part",
    "Quantity",
    "Requirement",
    "Resource",
    "Time",
    "pairs_of",
    "presence",
    "texts",
]
