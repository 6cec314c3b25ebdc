"""Admission policies of Kubernetes itself: bound, denying, and with what they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import arrow, named, over_lists, pairs, series, text_is
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-047",
    layer="deploy",
    severity="high",
    expected="a binding with Deny; of a mutating policy, a binding",
    shows=("bindings", "actions"),
)
def policy_does_not_deny(policy_bindings: pd.DataFrame) -> pd.Series[Any]:
    """Admission policies are bound, and a binding denies.

    A policy without a binding is never asked, and one whose bindings say Audit or Warn
    refuses nothing. failurePolicy does not change that: it is about expressions that fail.

    Remedy:
        Bind it, and deny; look first at what would be refused.

        kind: ValidatingAdmissionPolicyBinding
        spec:
          policyName: <policy>
          validationActions: [Deny]

    Cases:
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: bad-unbound}, spec: {validations: [{expression: "true"}]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: bad-audit-only}, spec: {validations: [{expression: "true"}]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: watch}, spec: {policyName: bad-audit-only, validationActions: [Audit, Warn]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: ok-one-denies}, spec: {validations: [{expression: "true"}]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: watch-too}, spec: {policyName: ok-one-denies, validationActions: [Audit]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: deny}, spec: {policyName: ok-one-denies, validationActions: [Deny]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1beta1, kind: MutatingAdmissionPolicy, metadata: {name: bad-unbound-too}, spec: {mutations: []}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1beta1, kind: MutatingAdmissionPolicyBinding, metadata: {name: ok}, spec: {policyName: none}}
    """
    return ~policy_bindings["effective"]


@control(
    "KA-DEP-047a",
    layer="deploy",
    severity="medium",
    expected="failurePolicy Fail",
    shows=("failure_policy", "bindings"),
)
def policy_ignores_errors(policy_bindings: pd.DataFrame) -> pd.Series[Any]:
    """An admission policy that cannot be evaluated does not admit.

    An expression fails on a field that an object leaves out, and on parameters of another
    shape: with Ignore such an object passes.

    Remedy:
        Set it to Fail, and guard optional fields with has().

        spec:
          failurePolicy: Fail

    Cases:
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: bad-ignore}, spec: {failurePolicy: Ignore, validations: [{expression: "true"}]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1beta1, kind: MutatingAdmissionPolicy, metadata: {name: bad-mutation}, spec: {failurePolicy: Ignore}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: ok-unset}, spec: {validations: [{expression: "true"}]}}
    """
    return text_is(policy_bindings["failure_policy"], "Ignore")


@control(
    "KA-DEP-047b",
    layer="deploy",
    severity="medium",
    applies="takes_parameters",
    expected="bindings that name parameters, and deny without",
    shows=("bindings", "without_parameters"),
)
def policy_without_parameters(policy_bindings: pd.DataFrame) -> pd.Series[Any]:
    """A policy that takes parameters is not bound without them.

    With parameterNotFoundAction Allow, whoever deletes the parameters switches the policy off
    and nobody is told.

    Remedy:
        Name them in the binding, and deny where they are gone.

        spec:
          paramRef: {name: limits, namespace: policies, parameterNotFoundAction: Deny}

    Cases:
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: bad-allow}, spec: {paramKind: {apiVersion: v1, kind: ConfigMap}, validations: [{expression: "true"}]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: a}, spec: {policyName: bad-allow, validationActions: [Deny], paramRef: {name: p, namespace: n, parameterNotFoundAction: Allow}}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: bad-none}, spec: {paramKind: {apiVersion: v1, kind: ConfigMap}, validations: [{expression: "true"}]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: b}, spec: {policyName: bad-none, validationActions: [Deny]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: ok-deny}, spec: {paramKind: {apiVersion: v1, kind: ConfigMap}, validations: [{expression: "true"}]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: c}, spec: {policyName: ok-deny, validationActions: [Deny], paramRef: {name: p, namespace: n, parameterNotFoundAction: Deny}}}
    """
    return over_lists(policy_bindings["without_parameters"], bool)


@control(
    "KA-DEP-047c",
    layer="deploy",
    severity="medium",
    applies="bound",
    weak=("namespaces",),
    null="no namespace is known",
    expected="bindings whose namespaceSelector selects a namespace",
    shows=("bindings", "empty"),
)
def binding_of_no_namespace(policy_bindings: pd.DataFrame) -> pd.Series[Any]:
    """The bindings of a policy are for namespaces that there are.

    A selector on a label that nobody sets binds the policy to nothing.

    Remedy:
        Select by kubernetes.io/metadata.name, or set the label.

        spec:
          matchResources:
            namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: production}}

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: production}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: bad-label}, spec: {validations: [{expression: "true"}]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: a}, spec: {policyName: bad-label, validationActions: [Deny], matchResources: {namespaceSelector: {matchLabels: {name: production}}}}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: ok-by-name}, spec: {validations: [{expression: "true"}]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: b}, spec: {policyName: ok-by-name, validationActions: [Deny], matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: production}}}}}
    """
    return policy_bindings["empty"]


@control(
    "KA-DEP-047d",
    layer="deploy",
    severity="medium",
    expected="a policy of that name",
    shows=("policy", "actions"),
)
def binding_without_policy(
    admission_bindings: pd.DataFrame, admission_policies: pd.DataFrame
) -> pd.Series[Any]:
    """Bindings name admission policies that are there.

    A policy that was renamed or deleted leaves its binding behind: it looks like a rule that
    is enforced, and refuses nothing.

    Remedy:
        Bring the policy back, or remove the binding.

    Cases:
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: images}, spec: {validations: [{expression: "true"}]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: ok-there}, spec: {policyName: images, validationActions: [Deny]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: ok-there-too}, spec: {policyName: images, validationActions: [Warn]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: bad-gone}, spec: {policyName: image, validationActions: [Deny]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1beta1, kind: MutatingAdmissionPolicyBinding, metadata: {name: bad-of-another-kind}, spec: {policyName: images}}
    """
    import pyarrow.compute as pc

    b, p = admission_bindings, admission_policies
    kind = series(pc.replace_substring_regex(arrow(b["kind"]), "Binding$", ""), b)
    wanted = series(pairs(kind, b["policy"]), b)
    return ~series(named(series(pairs(p["kind"], p["name"]), p), wanted), b)
