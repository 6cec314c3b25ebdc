"""Admission webhooks and admission policies on the wire."""

from __future__ import annotations

import re

import msgspec
from msgspec import Raw, field

from kaudit.model import cel_reads
from kaudit.model.certificate_text import last_end
from kaudit.model.credential import masked
from kaudit.model.meta import (
    ABSENT,
    DatedMetadata,
    Int,
    LabelSelector,
    Opaque,
    Part,
    Resource,
    Time,
    presence,
)
from kaudit.model.policy_text import masked_code
from kaudit.model.reads import UNKNOWN, Reads


class ServiceRef(Part):
    """clientConfig.service."""

    namespace: str | None = None
    name: str | None = None
    path: str | None = None
    port: Int | None = None


class ClientConfig(Part):
    """clientConfig; of a URL only the host is kept, of the bundle that it is there."""

    service: ServiceRef | None = None
    url: str | None = None
    ca_bundle: Raw = ABSENT
    ca_expires_at: Time | None = None

    def __post_init__(self) -> None:
        self.ca_expires_at = last_end(self.ca_bundle) or self.ca_expires_at
        self.ca_bundle = presence(self.ca_bundle)
        if self.url:
            rest = self.url.partition("//")[2] or self.url
            host = _PATH.split(rest, maxsplit=1)[0].rpartition("@")[2]
            self.url = f"https://{host}/"


_PATH = re.compile(r"[/?#\\]")


class RuleWithOperations(Part):
    """rules[] of a webhook; resourceRules[] of a policy."""

    operations: list[str] | None = None
    api_groups: list[str] | None = None
    api_versions: list[str] | None = None
    resources: list[str] | None = None
    resource_names: list[str] | None = None
    scope: str | None = None

    @property
    def text(self) -> str:
        """Operations, ``groups/versions/resources`` and scope; the core group as ``core``."""
        groups = _joined([g or "core" for g in self.api_groups or ()])
        where = f"{groups}/{_joined(self.api_versions)}/{_joined(self.resources)}"
        names = f" named {','.join(self.resource_names)}" if self.resource_names else ""
        return f"{_joined(self.operations)} {where} {self.scope or '*'}{names}"


def _joined(values: list[str] | None) -> str:
    return ",".join(values) if values else "*"


class Webhook(Part):
    """webhooks[]."""

    name: str = ""
    client_config: ClientConfig = field(default_factory=ClientConfig)
    rules: list[RuleWithOperations] | None = None
    failure_policy: str | None = None
    match_policy: str | None = None
    namespace_selector: LabelSelector | None = None
    object_selector: LabelSelector | None = None
    side_effects: str | None = None
    timeout_seconds: Int | None = None
    reinvocation_policy: str | None = None
    match_conditions: list[Opaque] | None = None


class WebhookConfiguration(Resource):
    """ValidatingWebhookConfiguration or MutatingWebhookConfiguration."""

    webhooks: list[Webhook] | None = None


class MatchResources(Part):
    """matchConstraints, matchResources."""

    resource_rules: list[RuleWithOperations] | None = None
    exclude_resource_rules: list[RuleWithOperations] | None = None
    namespace_selector: LabelSelector | None = None
    object_selector: LabelSelector | None = None
    match_policy: str | None = None

    @property
    def canonical(self) -> str:
        """All of it as JSON with sorted keys."""
        return msgspec.json.encode(self, order="sorted").decode()


class ParamKind(Part):
    """paramKind."""

    api_version: str | None = None
    kind: str | None = None


class Validation(Part):
    """validations[] or variables[]."""

    name: str | None = None
    expression: str = ""
    message: str | None = None

    def __post_init__(self) -> None:
        self.expression = masked_code(self.expression)
        self.message = masked(self.message) if self.message else None


class PolicySpec(Part):
    """spec of an admission policy."""

    failure_policy: str | None = None
    param_kind: ParamKind | None = None
    match_constraints: MatchResources | None = None
    validations: list[Validation] | None = None
    match_conditions: list[Opaque] | None = None
    mutations: list[Opaque] | None = None
    audit_annotations: list[Opaque] | None = None
    variables: list[Validation] | None = None
    reinvocation_policy: str | None = None

    @property
    def reads(self) -> Reads:
        """What its expressions read."""
        variables = [(one.name or "", one.expression) for one in self.variables or ()]
        found = cel_reads.reads_of(variables, [one.expression for one in self.validations or ()])
        return UNKNOWN + found if self.mutations else found


class Warned(Part):
    """status.typeChecking.expressionWarnings[]."""

    field_ref: str = ""
    warning: str = ""

    @property
    def text(self) -> str:
        """Where, and what; what follows the first line draws the place."""
        return masked(f"{self.field_ref}: {self.warning.partition(chr(10))[0]}")


class TypeChecking(Part):
    """status.typeChecking."""

    expression_warnings: list[Warned] | None = None


class PolicyStatus(Part):
    """status of an admission policy."""

    type_checking: TypeChecking = field(default_factory=TypeChecking)


class AdmissionPolicy(Resource):
    """ValidatingAdmissionPolicy or MutatingAdmissionPolicy."""

    metadata: DatedMetadata = field(default_factory=DatedMetadata)
    spec: PolicySpec = field(default_factory=PolicySpec)
    status: PolicyStatus = field(default_factory=PolicyStatus)


class ParamRef(Part):
    """paramRef."""

    name: str | None = None
    namespace: str | None = None
    selector: LabelSelector | None = None
    parameter_not_found_action: str | None = None


class BindingSpec(Part):
    """spec of a policy binding."""

    policy_name: str = ""
    validation_actions: list[str] | None = None
    match_resources: MatchResources | None = None
    param_ref: ParamRef | None = None


class AdmissionBinding(Resource):
    """ValidatingAdmissionPolicyBinding or MutatingAdmissionPolicyBinding."""

    metadata: DatedMetadata = field(default_factory=DatedMetadata)
    spec: BindingSpec = field(default_factory=BindingSpec)
