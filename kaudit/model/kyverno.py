"""Objects of kyverno.io on the wire.

Source: kyverno/kyverno, ``api/kyverno``. Patterns and conditions are kept masked; of what rules
put into objects or make, the names alone: those may be the contents of Secrets.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, field

from kaudit.model import kyverno_pod_security
from kaudit.model.kyverno_reads import RuleReader, context_of
from kaudit.model.meta import (
    ABSENT,
    Condition,
    DatedMetadata,
    LabelSelector,
    Opaque,
    Part,
    Resource,
    presence,
)
from kaudit.model.policy_text import CONTAINER_FIELDS, masked_json, shape
from kaudit.model.reads import UNKNOWN, Reads
from kaudit.model.strange import kept

_NULL = Raw(b"null")


class Resources(Part):
    """resources of a filter."""

    kinds: list[str] | None = None
    name: str | None = None
    names: list[str] | None = None
    namespaces: list[str] | None = None
    annotations: dict[str, Raw] | None = None
    operations: list[str] | None = None
    namespace_selector: LabelSelector | None = None
    selector: LabelSelector | None = None
    strange: list[str] | None = None

    def __post_init__(self) -> None:
        self.annotations = dict.fromkeys(self.annotations, _NULL) if self.annotations else None


class Filter(Part):
    """One entry of match or exclude; of subjects the presence."""

    resources: Resources | None = None
    roles: list[str] | None = None
    cluster_roles: list[str] | None = None
    subjects: list[Opaque] | None = None
    strange: list[str] | None = None


class Filters(Filter):
    """match or exclude of a rule."""

    any: list[Filter] | None = None
    all: list[Filter] | None = None

    @property
    def resource_filters(self) -> list[Resources]:
        """What it says of resources, in all of its entries."""
        entries: list[Filter] = [self, *(self.any or ()), *(self.all or ())]
        return [entry.resources for entry in entries if entry.resources]

    @property
    def unknown(self) -> list[str]:
        """Fields that none of its structs declares, sorted."""
        entries: list[Filter | Resources] = [self, *(self.any or ()), *(self.all or ())]
        entries += self.resource_filters
        return sorted({name for one in entries for name in one.strange or ()})

    @property
    def kinds(self) -> list[str]:
        """Kinds that any of its entries names, sorted."""
        return sorted({kind for one in self.resource_filters for kind in one.kinds or ()})

    @property
    def namespaces(self) -> list[str]:
        """Namespaces that any of its entries names, sorted."""
        return sorted({name for one in self.resource_filters for name in one.namespaces or ()})

    @classmethod
    def text(cls, filters: Filters | None) -> str | None:
        """JSON with sorted keys; None where there is none."""
        return None if filters is None else msgspec.json.encode(filters, order="sorted").decode()


class Override(Part):
    """validationFailureActionOverrides[]."""

    action: str = ""
    namespaces: list[str] | None = None
    namespace_selector: LabelSelector | None = None

    @property
    def canonical(self) -> str:
        """All of it as JSON with sorted keys."""
        return msgspec.json.encode(self, order="sorted").decode()

    @property
    def text(self) -> str:
        """Action and where it holds."""
        where = ",".join(self.namespaces or ()) or LabelSelector.text(self.namespace_selector)
        return f"{action_of(self.action)} in {where or '*'}"


def action_of(text: str | None) -> str | None:
    """Audit or Enforce, which older policies write in small letters; None where unset."""
    return text.capitalize() if text in ("audit", "enforce") else text or None


class Validate(Part):
    """validate of a rule."""

    failure_action: str | None = None
    failure_action_overrides: list[Override] | None = None
    pattern: Raw = ABSENT
    any_pattern: Raw = ABSENT
    deny: Raw = ABSENT
    pod_security: Raw = ABSENT
    cel: Raw = ABSENT
    foreach: Raw = ABSENT
    assert_: Raw = field(default=ABSENT, name="assert")
    manifests: Raw = ABSENT
    strange: list[str] | None = None

    def __post_init__(self) -> None:
        for name in _WAYS:
            if (raw := getattr(self, name)) != ABSENT:
                setattr(self, name, masked_json(raw))

    @property
    def parts(self) -> dict[str, Raw]:
        """Ways of validating that it uses, by their name on the wire."""
        found = {wire: getattr(self, name) for name, wire in _WAYS.items()}
        return {wire: raw for wire, raw in found.items() if raw not in (ABSENT, Raw(b"null"))}


_WAYS = {
    "pattern": "pattern",
    "any_pattern": "anyPattern",
    "deny": "deny",
    "pod_security": "podSecurity",
    "cel": "cel",
    "foreach": "foreach",
    "assert_": "assert",
    "manifests": "manifests",
}


class Mutate(Part):
    """mutate of a rule: the names that its patches have, not what they set."""

    patch_strategic_merge: Raw = ABSENT
    patches_json6902: Raw = field(default=ABSENT, name="patchesJson6902")
    foreach: Raw = ABSENT
    targets: list[Opaque] | None = None

    def __post_init__(self) -> None:
        if self.patch_strategic_merge != ABSENT:
            self.patch_strategic_merge = shape(self.patch_strategic_merge)
        if self.foreach != ABSENT:
            self.foreach = shape(self.foreach)
        self.patches_json6902 = presence(self.patches_json6902)

    @property
    def parts(self) -> dict[str, Any]:
        """Ways of changing that it uses, by their name on the wire; loops keep names only."""
        if self.patches_json6902 != ABSENT or self.foreach != ABSENT:
            return {"patches": None}
        if self.patch_strategic_merge == ABSENT:
            return {}
        return {"anyPattern": [msgspec.json.decode(self.patch_strategic_merge)]}

    @property
    def overwrites(self) -> bool | None:
        """Whether a merge sets fields that may be set already; None where it is not told."""
        if self.patch_strategic_merge == ABSENT:
            return None
        return _overwrites(msgspec.json.decode(self.patch_strategic_merge))


def _overwrites(value: Any) -> bool:
    """Whether some field is set without ``+( )``; ``( )`` and its kin are conditions."""
    if isinstance(value, list):
        return any(map(_overwrites, value))
    if isinstance(value, dict):
        return any(_overwrites(v) for k, v in value.items() if not k.endswith(")"))
    return value is not None


class Generate(Part):
    """generate of a rule; what it makes is not kept."""

    kind: str | None = None
    synchronize: bool | None = None
    data: Raw = ABSENT
    clone: Raw = ABSENT
    clone_list: Raw = ABSENT
    foreach: Raw = ABSENT

    def __post_init__(self) -> None:
        self.data, self.clone = presence(self.data), presence(self.clone)
        self.clone_list, self.foreach = presence(self.clone_list), presence(self.foreach)


class VerifyImages(Part):
    """verifyImages[] of a rule."""

    image: str | None = None
    image_references: list[str] | None = None
    failure_action: str | None = None
    required: bool | None = None
    verify_digest: bool | None = None
    mutate_digest: bool | None = None

    @property
    def lax(self) -> list[str]:
        """Settings that let images pass unverified, or change after they were verified.

        All of them are true where unset.
        """
        named = {
            "required": self.required,
            "verifyDigest": self.verify_digest,
            "mutateDigest": self.mutate_digest,
        }
        return [f"{name}: false" for name, value in named.items() if value is False]


class Entry(Part):
    """context[] of a rule: variables that expressions name; of other sources the name."""

    name: str = ""
    variable: Raw = ABSENT
    image_registry: Raw = ABSENT


class Rule(Part):
    """spec.rules[]."""

    name: str = ""
    match: Filters | None = None
    exclude: Filters | None = None
    context: Raw = ABSENT
    preconditions: Raw = ABSENT
    cel_preconditions: list[Opaque] | None = None
    skip_background_requests: bool | None = None
    validate: Validate | None = None
    mutate: Mutate | None = None
    generate: Generate | None = None
    verify_images: list[VerifyImages] | None = None
    strange: list[str] | None = None

    def __post_init__(self) -> None:
        self.preconditions = presence(self.preconditions)
        if self.context not in (ABSENT, _NULL):
            entries = msgspec.json.decode(self.context, type=list[Entry])
            self.context = masked_json(Raw(msgspec.json.encode(entries)))

    @property
    def unknown(self) -> list[str]:
        """Fields that nothing here declares, with where they stand."""
        parts: list[tuple[str, list[str] | None]] = [
            ("", self.strange),
            ("match.", self.match.unknown if self.match else None),
            ("exclude.", self.exclude.unknown if self.exclude else None),
            ("validate.", self.validate.strange if self.validate else None),
        ]
        return [f"{place}{name}" for place, names in parts for name in names or ()]

    @property
    def reads(self) -> Reads:
        """What it reads of what it validates, or sets in what it changes."""
        parts: dict[str, Any] = {}
        found = Reads()
        if self.validate:
            parts = {k: msgspec.json.decode(raw) for k, raw in self.validate.parts.items()}
        elif self.mutate:
            parts = self.mutate.parts
        if parts:
            context = msgspec.json.decode(self.context or b"null")
            found = RuleReader(context_of(context)).reads(parts)
        if "podSecurity" in parts:
            found = kyverno_pod_security.reads_of(parts["podSecurity"])
        if self.verify_images:
            found += Reads(fields=("image",), lists=CONTAINER_FIELDS)
        if self.strange or (self.validate and self.validate.strange):
            found += UNKNOWN
        return found


class Webhook(Part):
    """spec.webhookConfiguration."""

    failure_policy: str | None = None
    match_conditions: list[Opaque] | None = None


class Spec(Part):
    """spec of a policy."""

    validation_failure_action: str | None = None
    validation_failure_action_overrides: list[Override] | None = None
    failure_policy: str | None = None
    emit_warning: bool | None = None
    webhook_configuration: Webhook = field(default_factory=Webhook)
    background: bool | None = None
    admission: bool | None = None
    apply_rules: str | None = None
    rules: Raw = ABSENT
    strange: list[str] | None = None

    def __post_init__(self) -> None:
        self.rules = kept(self.rules, _rules, Rule, _PARTS, _OTHERS)

    @property
    def listed(self) -> list[Rule]:
        """Its rules."""
        return _rules(self.rules or b"null") or []


_rules = msgspec.json.Decoder(list[Rule] | None).decode
_PARTS = {
    "match": Filters,
    "exclude": Filters,
    "any": Filter,
    "all": Filter,
    "resources": Resources,
    "validate": Validate,
}
#: Fields of rules and of their parts that change nothing of what is told here.
_OTHERS = ("allowExistingViolations", "imageExtractors", "message", "reportProperties")


class Status(Part):
    """status of a policy; before 1.11 ``ready`` stood in it."""

    ready: bool | None = None
    conditions: list[Condition] | None = None

    @property
    def is_ready(self) -> bool | None:
        """Whether Kyverno serves it; None where it does not say."""
        told = Condition.truth(self.conditions, "Ready")
        return self.ready if told is None else told


class Policy(Resource):
    """kyverno.io ClusterPolicy and Policy."""

    metadata: DatedMetadata = field(default_factory=DatedMetadata)
    spec: Raw = ABSENT
    status: Status = field(default_factory=Status)

    def __post_init__(self) -> None:
        self.spec = kept(self.spec, _spec, Spec, {}, _OF_SPEC)

    @property
    def told(self) -> Spec:
        """Its spec."""
        return _spec(self.spec or b"{}") or Spec()


_spec = msgspec.json.Decoder(Spec | None).decode
#: Fields of spec that change nothing of what is told here.
_OF_SPEC = (
    *("generateExisting", "generateExistingOnPolicyUpdate", "mutateExistingOnPolicyUpdate"),
    *("schemaValidation", "useServerSideApply", "webhookTimeoutSeconds"),
)


class Exempted(Part):
    """spec.exceptions[]."""

    policy_name: str = ""
    rule_names: list[str] | None = None


class ExceptionSpec(Part):
    """spec of a PolicyException."""

    background: bool | None = None
    exceptions: list[Exempted] | None = None
    match: Filters | None = None
    conditions: Raw = ABSENT
    pod_security: list[Opaque] | None = None

    def __post_init__(self) -> None:
        self.conditions = presence(self.conditions)


class PolicyException(Resource):
    """kyverno.io PolicyException."""

    spec: ExceptionSpec = field(default_factory=ExceptionSpec)
