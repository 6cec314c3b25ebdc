"""Validating and mutating admission policies, and their bindings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from kaudit.model.admission import AdmissionBinding, AdmissionPolicy
from kaudit.model.meta import CHANGED, selector_text
from kaudit.model.place import Place
from kaudit.model.reads import COMPARES, SAFE, UNSAFE
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class AdmissionPolicyRow(Trace, kw_only=True):
    kind: Annotated[str, doc("ValidatingAdmissionPolicy or MutatingAdmissionPolicy")]
    name: Annotated[str, doc("name")]
    failure_policy: Annotated[str, doc("Fail or Ignore; Fail where unset")]
    param_kind: Annotated[str | None, doc("kind of its parameters")] = None
    param_api_version: Annotated[str | None, doc("API version of its parameters")] = None
    match_policy: Annotated[str | None, doc("matchConstraints.matchPolicy as written")] = None
    match_constraints: Annotated[str | None, doc("matchConstraints as JSON; null: none")] = None
    rules: Annotated[list[str], doc("operations groups/versions/resources scope")]
    excludes: Annotated[list[str], doc("the same of excluded rules")]
    namespace_selector: Annotated[str | None, doc("namespaceSelector as JSON")] = None
    object_selector: Annotated[str | None, doc("objectSelector as JSON")] = None
    match_conditions: Annotated[int, doc("how many match conditions")] = 0
    validations: Annotated[int, doc("how many validations")] = 0
    audit_annotations: Annotated[int, doc("how many audit annotations")] = 0
    variables: Annotated[int, doc("how many variables")] = 0
    mutations: Annotated[int, doc("how many mutations")] = 0
    reinvocation_policy: Annotated[str | None, doc("Never or IfNeeded, of a mutating one")] = None
    expressions: Annotated[list[str], doc("CEL expressions of its validations")]
    reads_known: Annotated[bool, doc("its CEL could be read to the end; else there may be more")]
    container_fields: Annotated[
        list[str], doc("containers, initContainers, ephemeralContainers: those its CEL reads")
    ]
    fields: Annotated[list[str], doc("fields of pods and containers that its CEL reads")]
    required_fields: Annotated[
        list[str] | None, doc("fields whose absence it refuses; null: cannot be told")
    ] = None
    safe_fields: Annotated[list[str], doc(SAFE)]
    unsafe_fields: Annotated[list[str], doc(UNSAFE)]
    compares: Annotated[list[str], doc(COMPARES)]
    warnings: Annotated[list[str], doc("what the API server says of the types in its CEL")]
    created_at: Annotated[datetime | None, doc("creation time")] = None
    changed_at: Annotated[datetime | None, doc(CHANGED)] = None


class AdmissionBindingRow(Trace, kw_only=True):
    kind: Annotated[str, doc("kind of the binding")]
    name: Annotated[str, doc("name")]
    policy: Annotated[str, doc("name of the policy bound")]
    actions: Annotated[list[str], doc("validationActions: Deny, Warn, Audit")]
    namespace_selector: Annotated[str | None, doc("namespaceSelector as JSON")] = None
    object_selector: Annotated[str | None, doc("objectSelector as JSON")] = None
    match_resources: Annotated[str | None, doc("matchResources as JSON; null: all matched")] = None
    param: Annotated[str | None, doc("parameters as namespace/name; * by selector")] = None
    param_missing: Annotated[str | None, doc("parameterNotFoundAction: Allow or Deny")] = None
    rules: Annotated[list[str], doc("rules that it narrows the policy to")]
    excludes: Annotated[list[str], doc("excluded rules")]
    created_at: Annotated[datetime | None, doc("creation time")] = None
    changed_at: Annotated[datetime | None, doc(CHANGED)] = None


_NAMELESS = Resource("kind", namespace="")
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
_GROUP = "admissionregistration.k8s.io"
_VERSIONS = ("v1", "v1beta1", "v1alpha1")


@collector(
    Read(
        _GROUP,
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
        AdmissionPolicy,
        _VERSIONS,
        namespaced=False,
    ),
    Read(
        _GROUP,
        "MutatingAdmissionPolicy",
        "mutatingadmissionpolicies",
        AdmissionPolicy,
        _VERSIONS,
        namespaced=False,
    ),
    tables=(ADMISSION_POLICIES,),
)
def admission_policies(found: AdmissionPolicy, at: Place) -> Iterator[Row]:
    """Yield one row a policy."""
    spec, match, reads = found.spec, found.spec.match_constraints, found.spec.reads
    yield AdmissionPolicyRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        name=at.name,
        failure_policy=spec.failure_policy or "Fail",
        param_kind=spec.param_kind.kind if spec.param_kind else None,
        param_api_version=spec.param_kind.api_version if spec.param_kind else None,
        match_policy=match.match_policy if match else None,
        match_constraints=match.canonical if match else None,
        rules=[r.text for r in (match.resource_rules or () if match else ())],
        excludes=[r.text for r in (match.exclude_resource_rules or () if match else ())],
        namespace_selector=selector_text(match.namespace_selector) if match else None,
        object_selector=selector_text(match.object_selector) if match else None,
        match_conditions=len(spec.match_conditions or ()),
        validations=len(spec.validations or ()),
        audit_annotations=len(spec.audit_annotations or ()),
        variables=len(spec.variables or ()),
        mutations=len(spec.mutations or ()),
        reinvocation_policy=spec.reinvocation_policy,
        expressions=[v.expression for v in spec.validations or ()],
        **reads.columns,
        warnings=[one.text for one in found.status.type_checking.expression_warnings or ()],
        created_at=found.metadata.creation_timestamp,
        changed_at=found.metadata.changed_at,
    )


@collector(
    Read(
        _GROUP,
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        AdmissionBinding,
        _VERSIONS,
        namespaced=False,
    ),
    Read(
        _GROUP,
        "MutatingAdmissionPolicyBinding",
        "mutatingadmissionpolicybindings",
        AdmissionBinding,
        _VERSIONS,
        namespaced=False,
    ),
    tables=(ADMISSION_BINDINGS,),
)
def admission_bindings(found: AdmissionBinding, at: Place) -> Iterator[Row]:
    """Yield one row a binding."""
    spec, match, param = found.spec, found.spec.match_resources, found.spec.param_ref
    yield AdmissionBindingRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        name=at.name,
        policy=spec.policy_name,
        actions=spec.validation_actions or [],
        namespace_selector=selector_text(match.namespace_selector) if match else None,
        object_selector=selector_text(match.object_selector) if match else None,
        match_resources=match.canonical if match else None,
        param=f"{param.namespace or ''}/{param.name or '*'}" if param else None,
        param_missing=param.parameter_not_found_action if param else None,
        rules=[r.text for r in (match.resource_rules or () if match else ())],
        excludes=[r.text for r in (match.exclude_resource_rules or () if match else ())],
        created_at=found.metadata.creation_timestamp,
        changed_at=found.metadata.changed_at,
    )
