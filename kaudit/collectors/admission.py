"""Admission webhooks, admission policies and their bindings, and CRDs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec

from kaudit.model.admission import (
    AdmissionBinding,
    AdmissionPolicy,
    RuleWithOperations,
    WebhookConfiguration,
)
from kaudit.model.cluster import CustomResourceDefinition
from kaudit.model.meta import Part
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class WebhookRow(Trace, kw_only=True):
    kind: Annotated[str, doc("ValidatingWebhookConfiguration or MutatingWebhookConfiguration")]
    name: Annotated[str, doc("name of the configuration")]
    position: Annotated[int, doc("place among its webhooks, from 0")]
    webhook: Annotated[str, doc("name of the webhook")]
    failure_policy: Annotated[str, doc("Fail or Ignore; Fail where unset")]
    match_policy: Annotated[str, doc("Exact or Equivalent; Equivalent where unset")]
    timeout_seconds: Annotated[int | None, doc("timeoutSeconds")] = None
    side_effects: Annotated[str | None, doc("sideEffects")] = None
    namespace_selector: Annotated[str | None, doc("namespaceSelector as JSON")] = None
    object_selector: Annotated[str | None, doc("objectSelector as JSON")] = None
    match_conditions: Annotated[int, doc("how many match conditions")] = 0
    service: Annotated[str | None, doc("namespace/name of the Service behind")] = None
    url: Annotated[str | None, doc("host of the URL behind, where it is no Service")] = None
    rules: Annotated[list[str], doc("operations groups/versions/resources scope, one text a rule")]


class AdmissionPolicyRow(Trace, kw_only=True):
    kind: Annotated[str, doc("ValidatingAdmissionPolicy or MutatingAdmissionPolicy")]
    name: Annotated[str, doc("name")]
    failure_policy: Annotated[str, doc("Fail or Ignore; Fail where unset")]
    param_kind: Annotated[str | None, doc("kind of its parameters")] = None
    rules: Annotated[list[str], doc("operations groups/versions/resources scope")]
    excludes: Annotated[list[str], doc("the same of excluded rules")]
    namespace_selector: Annotated[str | None, doc("namespaceSelector as JSON")] = None
    object_selector: Annotated[str | None, doc("objectSelector as JSON")] = None
    match_conditions: Annotated[int, doc("how many match conditions")] = 0
    expressions: Annotated[list[str], doc("CEL expressions of its validations")]


class AdmissionBindingRow(Trace, kw_only=True):
    kind: Annotated[str, doc("kind of the binding")]
    name: Annotated[str, doc("name")]
    policy: Annotated[str, doc("name of the policy bound")]
    actions: Annotated[list[str], doc("validationActions: Deny, Warn, Audit")]
    namespace_selector: Annotated[str | None, doc("namespaceSelector as JSON")] = None
    excludes: Annotated[list[str], doc("excluded rules")]


class CrdRow(Trace, kw_only=True):
    name: Annotated[str, doc("name of the CRD")]
    kind: Annotated[str, doc("always CustomResourceDefinition")] = "CustomResourceDefinition"
    group: Annotated[str, doc("API group of the kind it defines")]
    defines: Annotated[str, doc("kind it defines")]
    plural: Annotated[str, doc("plural of that kind")]
    scope: Annotated[str | None, doc("Namespaced or Cluster")] = None
    served: Annotated[list[str], doc("versions served")]
    stored: Annotated[str | None, doc("version stored")] = None
    established: Annotated[bool | None, doc("condition Established is True")] = None


_NAMELESS = Resource("kind", namespace="")
WEBHOOKS = Table(
    "webhooks",
    WebhookRow,
    grain="one webhook",
    key=("kind", "name", "position"),
    resource=_NAMELESS,
)
ADMISSION_POLICIES = Table(
    "admission_policies",
    AdmissionPolicyRow,
    grain="one Validating- or MutatingAdmissionPolicy",
    key=("kind", "name"),
    resource=_NAMELESS,
)
ADMISSION_BINDINGS = Table(
    "admission_bindings",
    AdmissionBindingRow,
    grain="one binding of an admission policy",
    key=("kind", "name"),
    resource=_NAMELESS,
)
CRDS = Table("crds", CrdRow, grain="one CRD", key=("name",), resource=_NAMELESS)
_GROUP = "admissionregistration.k8s.io"
_ALPHA = ("v1", "v1beta1", "v1alpha1")


def _json(value: Part | None) -> str | None:
    return None if value is None else msgspec.json.encode(value, order="sorted").decode()


def _rule(rule: RuleWithOperations) -> str:
    def joined(values: list[str] | None) -> str:
        return ",".join(values) if values else "*"

    groups = ",".join(g or "core" for g in rule.api_groups or ()) or "*"
    where = f"{groups}/{joined(rule.api_versions)}/{joined(rule.resources)}"
    names = f" named {','.join(rule.resource_names)}" if rule.resource_names else ""
    return f"{joined(rule.operations)} {where} {rule.scope or '*'}{names}"


@collector(
    Read(
        _GROUP,
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        WebhookConfiguration,
        namespaced=False,
    ),
    Read(
        _GROUP,
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        WebhookConfiguration,
        namespaced=False,
    ),
    tables=(WEBHOOKS,),
)
def webhooks(found: WebhookConfiguration, at: Place) -> Iterator[Row]:
    """Yield one row a webhook."""
    for position, hook in enumerate(found.webhooks or ()):
        service = hook.client_config.service
        yield WebhookRow(
            raw=at.raw,
            raw_line=at.line,
            kind=at.kind,
            name=at.name,
            position=position,
            webhook=hook.name,
            failure_policy=hook.failure_policy or "Fail",
            match_policy=hook.match_policy or "Equivalent",
            timeout_seconds=hook.timeout_seconds,
            side_effects=hook.side_effects,
            namespace_selector=_json(hook.namespace_selector),
            object_selector=_json(hook.object_selector),
            match_conditions=len(hook.match_conditions or ()),
            service=f"{service.namespace}/{service.name}" if service else None,
            url=hook.client_config.url,
            rules=[_rule(rule) for rule in hook.rules or ()],
        )


@collector(
    Read(
        _GROUP,
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
        AdmissionPolicy,
        _ALPHA,
        namespaced=False,
    ),
    Read(
        _GROUP,
        "MutatingAdmissionPolicy",
        "mutatingadmissionpolicies",
        AdmissionPolicy,
        _ALPHA,
        namespaced=False,
    ),
    tables=(ADMISSION_POLICIES,),
)
def admission_policies(found: AdmissionPolicy, at: Place) -> Iterator[Row]:
    """Yield one row a policy."""
    spec, match = found.spec, found.spec.match_constraints
    yield AdmissionPolicyRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        name=at.name,
        failure_policy=spec.failure_policy or "Fail",
        param_kind=spec.param_kind.kind if spec.param_kind else None,
        rules=[_rule(r) for r in (match.resource_rules or () if match else ())],
        excludes=[_rule(r) for r in (match.exclude_resource_rules or () if match else ())],
        namespace_selector=_json(match.namespace_selector) if match else None,
        object_selector=_json(match.object_selector) if match else None,
        match_conditions=len(spec.match_conditions or ()),
        expressions=[v.expression for v in spec.validations or ()],
    )


@collector(
    Read(
        _GROUP,
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        AdmissionBinding,
        _ALPHA,
        namespaced=False,
    ),
    Read(
        _GROUP,
        "MutatingAdmissionPolicyBinding",
        "mutatingadmissionpolicybindings",
        AdmissionBinding,
        _ALPHA,
        namespaced=False,
    ),
    tables=(ADMISSION_BINDINGS,),
)
def admission_bindings(found: AdmissionBinding, at: Place) -> Iterator[Row]:
    """Yield one row a binding."""
    match = found.spec.match_resources
    yield AdmissionBindingRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        name=at.name,
        policy=found.spec.policy_name,
        actions=found.spec.validation_actions or [],
        namespace_selector=_json(match.namespace_selector) if match else None,
        excludes=[_rule(r) for r in (match.exclude_resource_rules or () if match else ())],
    )


@collector(
    Read(
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        CustomResourceDefinition,
        namespaced=False,
    ),
    tables=(CRDS,),
)
def crds(found: CustomResourceDefinition, at: Place) -> Iterator[Row]:
    """Yield one row a CRD."""
    spec, conditions = found.spec, found.status.conditions or ()
    yield CrdRow(
        raw=at.raw,
        raw_line=at.line,
        name=at.name,
        group=spec.group,
        defines=spec.names.kind,
        plural=spec.names.plural,
        scope=spec.scope,
        served=[v.name for v in spec.versions or () if v.served],
        stored=next((v.name for v in spec.versions or () if v.storage), None),
        established=next((c.status == "True" for c in conditions if c.type == "Established"), None),
    )
