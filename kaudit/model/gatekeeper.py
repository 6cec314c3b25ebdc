"""Objects of OPA Gatekeeper on the wire.

Source: open-policy-agent/gatekeeper, ``apis`` and ``website/docs``; constraints have a kind
that their template makes. Of parameters only the names are kept; code is masked like any text.
"""

from __future__ import annotations

from functools import reduce

import msgspec
from msgspec import Raw, field

from kaudit.model import cel_reads, rego_reads
from kaudit.model.admission import Validation
from kaudit.model.bounds import Count
from kaudit.model.credential import masked
from kaudit.model.meta import (
    ABSENT,
    DatedMetadata,
    LabelSelector,
    Opaque,
    Part,
    Resource,
    Time,
    presence,
)
from kaudit.model.policy_text import masked_code, masked_json
from kaudit.model.reads import UNKNOWN, Reads
from kaudit.model.strange import kept

_NULL = Raw(b"null")


class Fault(Part):
    """status.byPod[].errors[]."""

    code: str | None = None
    type: str | None = None
    message: str | None = None

    def __post_init__(self) -> None:
        self.message = masked(self.message) if self.message else None

    @property
    def text(self) -> str:
        """What went wrong, with its kind before it."""
        return ": ".join(filter(None, (self.code or self.type, self.message)))


class OfPod(Part):
    """status.byPod[]: what one pod of Gatekeeper says of an object."""

    id: str = ""
    enforced: bool | None = None
    operations: list[str] | None = None
    errors: list[Fault] | None = None


class PodStatus(Part):
    """status of what has no other."""

    by_pod: list[OfPod] | None = None

    @property
    def faults(self) -> list[str]:
        """Errors of all pods, each once, sorted."""
        return sorted({fault.text for pod in self.by_pod or () for fault in pod.errors or ()})

    @property
    def enforced(self) -> bool | None:
        """Whether every pod that says so enforces it; None where none says."""
        said = [pod.enforced for pod in self.by_pod or () if pod.enforced is not None]
        return all(said) if said else None


class Kinds(Part):
    """match.kinds[]."""

    api_groups: list[str] | None = None
    kinds: list[str] | None = None


class ApplyTo(Part):
    """spec.applyTo[] of mutations and expansions."""

    groups: list[str] | None = None
    versions: list[str] | None = None
    kinds: list[str] | None = None


def kind_texts(kinds: list[Kinds] | list[ApplyTo] | None) -> list[str]:
    """``Kind`` of the core, ``Kind.group`` of others, sorted; ``*`` for any."""
    found = set()
    for one in kinds or ():
        groups = (one.api_groups if isinstance(one, Kinds) else one.groups) or ["*"]
        found |= {f"{k}.{g}" if g else k for k in one.kinds or ["*"] for g in groups}
    return sorted(found)


class Match(Part):
    """spec.match of constraints and mutations."""

    kinds: list[Kinds] | None = None
    namespaces: list[str] | None = None
    excluded_namespaces: list[str] | None = None
    namespace_selector: LabelSelector | None = None
    label_selector: LabelSelector | None = None
    scope: str | None = None
    name: str | None = None
    source: str | None = None
    strange: list[str] | None = None

    @property
    def kind_texts(self) -> list[str]:
        """Kinds that match; every kind where none is named."""
        return kind_texts(self.kinds) or ["*.*"]


class Code(Part):
    """spec.targets[].code[]: an engine, and what it runs."""

    engine: str = ""
    source: Raw = ABSENT

    def __post_init__(self) -> None:
        if self.source != ABSENT:
            self.source = masked_json(self.source)

    @property
    def decoded(self) -> Source | None:
        """Its code by parts; None where it has none that is known."""
        try:
            return msgspec.json.decode(self.source or b"null", type=Source | None)
        except msgspec.ValidationError:
            return None

    @property
    def reads(self) -> Reads:
        """What it reads; code of an engine that is not known could read anything."""
        source = self.decoded
        if source is None:
            return UNKNOWN
        if self.engine == "Rego":
            return rego_reads.reads_of(source.rego or "", source.libs or ())
        if self.engine != "K8sNativeValidation":
            return UNKNOWN
        variables = [(one.name or "", one.expression) for one in source.variables or ()]
        return cel_reads.reads_of(variables, [one.expression for one in source.validations or ()])


class Source(Part):
    """spec.targets[].code[].source, of Rego or of CEL."""

    rego: str | None = None
    libs: list[str] | None = None
    variables: list[Validation] | None = None
    validations: list[Validation] | None = None
    match_conditions: list[Opaque] | None = None


class Target(Part):
    """spec.targets[]."""

    target: str = ""
    rego: str | None = None
    libs: list[str] | None = None
    code: list[Code] | None = None
    operations: list[str] | None = None

    def __post_init__(self) -> None:
        self.rego = masked_code(self.rego) if self.rego else None
        self.libs = [masked_code(text) for text in self.libs] if self.libs else None

    @property
    def engines(self) -> set[str]:
        """What runs its code: Rego, or as named."""
        return {one.engine for one in self.code or ()} | ({"Rego"} if self.rego else set())

    @property
    def reads(self) -> Reads:
        """What its code reads; where two engines could run it, what holds for both."""
        found = [rego_reads.reads_of(self.rego, self.libs or ())] if self.rego else []
        found += [one.reads for one in self.code or ()]
        return reduce(Reads.or_else, found) if found else UNKNOWN


class Names(Part):
    """spec.crd.spec.names."""

    kind: str = ""


class Schema(Part):
    """openAPIV3Schema, as far as it names parameters."""

    properties: dict[str, Raw] | None = None

    def __post_init__(self) -> None:
        self.properties = _names(self.properties)


def _names(members: dict[str, Raw] | None) -> dict[str, Raw] | None:
    """Members without their values."""
    return dict.fromkeys(members, _NULL) if members else None


class SchemaOf(Part):
    """spec.crd.spec.validation."""

    open_apiv3_schema: Schema | None = field(default=None, name="openAPIV3Schema")


class MadeSpec(Part):
    """spec.crd.spec."""

    names: Names = field(default_factory=Names)
    validation: SchemaOf = field(default_factory=SchemaOf)


class Made(Part):
    """spec.crd: the kind that a template makes."""

    spec: MadeSpec = field(default_factory=MadeSpec)


class TemplateSpec(Part):
    """spec of a ConstraintTemplate."""

    crd: Made = field(default_factory=Made)
    targets: list[Target] | None = None


class TemplateStatus(PodStatus):
    """status of a ConstraintTemplate."""

    created: bool | None = None


class ConstraintTemplate(Resource):
    """templates.gatekeeper.sh ConstraintTemplate."""

    metadata: DatedMetadata = field(default_factory=DatedMetadata)
    spec: TemplateSpec = field(default_factory=TemplateSpec)
    status: TemplateStatus = field(default_factory=TemplateStatus)

    @property
    def conditions(self) -> bool:
        """Whether any of its code applies on conditions only."""
        codes = [one.decoded for t in self.spec.targets or () for one in t.code or ()]
        return any(one is not None and bool(one.match_conditions) for one in codes)

    @property
    def parameters(self) -> list[str]:
        """Parameters that its schema declares, sorted."""
        schema = self.spec.crd.spec.validation.open_apiv3_schema
        return sorted(schema.properties or ()) if schema else []

    @property
    def reads(self) -> Reads:
        """What the code of all its targets reads; unknown where it holds none."""
        found = [target.reads for target in self.spec.targets or ()]
        return sum(found, Reads(required=())) if found else UNKNOWN


class Point(Part):
    """scopedEnforcementActions[].enforcementPoints[]."""

    name: str = ""


class ScopedAction(Part):
    """spec.scopedEnforcementActions[]."""

    action: str = ""
    enforcement_points: list[Point] | None = None

    @property
    def text(self) -> str:
        """Action and where it holds."""
        return f"{self.action} at {','.join(p.name for p in self.enforcement_points or ())}"


class ConstraintSpec(Part):
    """spec of a constraint; of parameters the names."""

    match: Raw = ABSENT
    enforcement_action: str | None = None
    scoped_enforcement_actions: list[ScopedAction] | None = None
    parameters: dict[str, Raw] | None = None

    def __post_init__(self) -> None:
        self.parameters = _names(self.parameters)
        self.match = kept(self.match, _match, Match, {})

    @property
    def matching(self) -> Match:
        """What it is for."""
        return _match(self.match or b"null") or Match()


_match = msgspec.json.Decoder(Match | None).decode


class Violation(Part):
    """status.violations[]."""

    enforcement_action: str | None = None
    enforcement_actions: list[str] | None = None
    group: str | None = None
    version: str | None = None
    kind: str = ""
    namespace: str | None = None
    name: str = ""
    message: str | None = None

    def __post_init__(self) -> None:
        self.message = masked(self.message) if self.message else None


class ConstraintStatus(PodStatus):
    """status of a constraint; before 3.1 ``enforced`` stood in it, and no total."""

    audit_timestamp: Time | None = None
    total_violations: Count | None = None
    violations: list[Violation] | None = None
    at_once: bool | None = field(default=None, name="enforced")


class Constraint(Resource):
    """constraints.gatekeeper.sh, any kind."""

    metadata: DatedMetadata = field(default_factory=DatedMetadata)
    spec: ConstraintSpec = field(default_factory=ConstraintSpec)
    status: ConstraintStatus | None = None


class Exclusion(Part):
    """spec.match[] of Config."""

    excluded_namespaces: list[str] | None = None
    processes: list[str] | None = None


class ConfigSpec(Part):
    """spec of Config."""

    match: list[Exclusion] | None = None


class Config(Resource):
    """config.gatekeeper.sh Config."""

    spec: ConfigSpec = field(default_factory=ConfigSpec)


class MutationParameters(Part):
    """spec.parameters of a mutation; what it puts in is not kept."""

    assign: Raw = ABSENT
    path_tests: list[PathTest] | None = None
    operation: str | None = None

    def __post_init__(self) -> None:
        self.assign = presence(self.assign)


class PathTest(Part):
    """spec.parameters.pathTests[]."""

    sub_path: str = ""
    condition: str = ""


class MutationSpec(Part):
    """spec of a mutation."""

    apply_to: list[ApplyTo] | None = None
    location: str | None = None
    match: Match = field(default_factory=Match)
    parameters: MutationParameters = field(default_factory=MutationParameters)


class Mutation(Resource):
    """mutations.gatekeeper.sh Assign, AssignImage, AssignMetadata, ModifySet."""

    spec: MutationSpec = field(default_factory=MutationSpec)
    status: PodStatus = field(default_factory=PodStatus)


class Generated(Part):
    """spec.generatedGVK."""

    group: str | None = None
    version: str | None = None
    kind: str | None = None


class ExpansionSpec(Part):
    """spec of an ExpansionTemplate."""

    apply_to: list[ApplyTo] | None = None
    enforcement_action: str | None = None
    template_source: str | None = None
    generated: Generated = field(default_factory=Generated, name="generatedGVK")


class ExpansionTemplate(Resource):
    """expansion.gatekeeper.sh ExpansionTemplate."""

    spec: ExpansionSpec = field(default_factory=ExpansionSpec)
    status: PodStatus = field(default_factory=PodStatus)
