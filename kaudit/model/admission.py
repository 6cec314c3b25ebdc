"""Admission webhooks and admission policies on the wire."""

from __future__ import annotations

from msgspec import field

from kaudit.model.meta import Int, LabelSelector, Opaque, Part, Resource


class ServiceRef(Part):
    """clientConfig.service."""

    namespace: str | None = None
    name: str | None = None
    path: str | None = None
    port: Int | None = None


class ClientConfig(Part):
    """clientConfig; of a URL only the host is kept."""

    service: ServiceRef | None = None
    url: str | None = None

    def __post_init__(self) -> None:
        if self.url and "//" in self.url:
            host = self.url.split("//", 1)[1].split("/", 1)[0]
            self.url = f"https://{host.rpartition('@')[2]}/"


class RuleWithOperations(Part):
    """rules[] of a webhook; resourceRules[] of a policy."""

    operations: list[str] | None = None
    api_groups: list[str] | None = None
    api_versions: list[str] | None = None
    resources: list[str] | None = None
    resource_names: list[str] | None = None
    scope: str | None = None


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


class ParamKind(Part):
    """paramKind."""

    api_version: str | None = None
    kind: str | None = None


class Validation(Part):
    """validations[]."""

    expression: str = ""
    message: str | None = None


class PolicySpec(Part):
    """spec of an admission policy."""

    failure_policy: str | None = None
    param_kind: ParamKind | None = None
    match_constraints: MatchResources | None = None
    validations: list[Validation] | None = None
    match_conditions: list[Opaque] | None = None
    mutations: list[Opaque] | None = None


class AdmissionPolicy(Resource):
    """ValidatingAdmissionPolicy or MutatingAdmissionPolicy."""

    spec: PolicySpec = field(default_factory=PolicySpec)


class ParamRef(Part):
    """paramRef."""

    name: str | None = None
    namespace: str | None = None


class BindingSpec(Part):
    """spec of a policy binding."""

    policy_name: str = ""
    validation_actions: list[str] | None = None
    match_resources: MatchResources | None = None
    param_ref: ParamRef | None = None


class AdmissionBinding(Resource):
    """ValidatingAdmissionPolicyBinding or MutatingAdmissionPolicyBinding."""

    spec: BindingSpec = field(default_factory=BindingSpec)
