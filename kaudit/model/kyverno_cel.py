"""Objects of policies.kyverno.io on the wire: Kyverno's policies of CEL.

Source: kyverno/kyverno, ``api/policies.kyverno.io``. They match as admission policies do.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, field

from kaudit.model import cel_reads
from kaudit.model.admission import MatchResources
from kaudit.model.meta import (
    ABSENT,
    Condition,
    DatedMetadata,
    Opaque,
    Part,
    Resource,
    Time,
    presence,
)
from kaudit.model.policy_text import masked_code
from kaudit.model.reads import UNKNOWN, Reads
from kaudit.model.strange import kept


class Expression(Part):
    """An expression, such as validations[]; glob of an image reference."""

    name: str | None = None
    expression: str | None = None
    glob: str | None = None

    def __post_init__(self) -> None:
        self.expression = masked_code(self.expression) if self.expression else None


class Switch(Part):
    """evaluation.admission, evaluation.background."""

    enabled: bool | None = None


class Evaluation(Part):
    """spec.evaluation."""

    mode: str | None = None
    admission: Switch = field(default_factory=Switch)
    background: Switch = field(default_factory=Switch)


class Controllers(Part):
    """autogen.podControllers."""

    controllers: list[str] | None = None


class Autogen(Part):
    """spec.autogen."""

    pod_controllers: Controllers | None = None


class Mutation(Part):
    """spec.mutations[]; what it sets is not kept."""

    patch_type: str | None = None


class Configurations(Part):
    """validationConfigurations of a policy of images; all of them are true where unset."""

    mutate_digest: bool | None = None
    required: bool | None = None
    verify_digest: bool | None = None

    @property
    def lax(self) -> list[str]:
        """Settings that let images pass unverified, or change after they were verified."""
        named = {
            "mutateDigest": self.mutate_digest,
            "required": self.required,
            "verifyDigest": self.verify_digest,
        }
        return [f"{name}: false" for name, value in named.items() if value is False]


class Spec(Part):
    """spec of any of the kinds."""

    validation_actions: list[str] | None = None
    failure_policy: str | None = None
    match_constraints: MatchResources | None = None
    match_conditions: list[Opaque] | None = None
    conditions: list[Opaque] | None = None
    evaluation: Evaluation = field(default_factory=Evaluation)
    autogen: Autogen = field(default_factory=Autogen)
    variables: list[Expression] | None = None
    validations: list[Expression] | None = None
    mutations: list[Mutation] | None = None
    generate: list[Opaque] | None = None
    match_image_references: list[Expression] | None = None
    validation_configurations: Configurations = field(default_factory=Configurations)
    schedule: str | None = None
    strange: list[str] | None = None

    @property
    def of_requests(self) -> bool:
        """Whether it judges what the API server is asked, not what a proxy or a tool is."""
        return self.evaluation.mode in (None, "", "Kubernetes")

    @property
    def reads(self) -> Reads:
        """What its expressions read."""
        variables = [(one.name or "", one.expression or "") for one in self.variables or ()]
        said = [one.expression or "" for one in self.validations or ()]
        found = cel_reads.reads_of(variables, said)
        return UNKNOWN + found if self.mutations or self.generate else found


class ConditionStatus(Part):
    """status.conditionStatus."""

    ready: bool | None = None
    conditions: list[Condition] | None = None


class Status(Part):
    """status."""

    condition_status: ConditionStatus = field(default_factory=ConditionStatus)


class CelPolicy(Resource):
    """ValidatingPolicy, MutatingPolicy, GeneratingPolicy and their kin."""

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
#: Fields of spec, of any of the kinds, that change nothing of what is told here.
_OF_SPEC = (
    *("attestations", "attestors", "auditAnnotations", "credentials", "images"),
    *("deletionPropagationPolicy", "reinvocationPolicy", "useServerSideApply"),
    *("targetMatchConditions", "targetMatchConstraints", "webhookConfiguration"),
)


class PolicyRef(Part):
    """spec.policyRefs[]."""

    kind: str = ""
    name: str = ""


class ExceptionSpec(Part):
    """spec of an exception."""

    policy_refs: list[PolicyRef] | None = None
    match_conditions: list[Opaque] | None = None
    images: list[str] | None = None
    allowed_values: Raw = ABSENT
    expires_at: Time | None = None

    def __post_init__(self) -> None:
        self.allowed_values = presence(self.allowed_values)


class CelException(Resource):
    """policies.kyverno.io PolicyException."""

    spec: ExceptionSpec = field(default_factory=ExceptionSpec)
