"""Policies that are broken or not understood: shown as such, never taken for protection or none."""

from __future__ import annotations

from typing import Any

import pytest

from kaudit import show
from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.model.words import Reason, Status
from kaudit.show.block_html import standalone
from tests.memory_source import MemorySource, evidence_of, objects, rows

CLUSTER = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, creationTimestamp: "2025-01-01T00:00:00Z"}
---
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop, creationTimestamp: "2025-03-01T00:00:00Z"}
spec: {hostPID: true, containers: [{name: c, image: "a:1"}]}
---
"""
MADE = 'creationTimestamp: "2025-02-01T00:00:00Z"'
POLICY = f"""
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {{name: p, {MADE}}}
spec: {{rules: [{{name: r, %s}}]}}
"""
MATCH = "match: {any: [{resources: {kinds: [Pod]}}]}"
NO_PID = 'pattern: {spec: {"=(hostPID)": "false"}}'
JUDGES = f"validate: {{failureAction: Enforce, message: no, {NO_PID}}}"
TEMPLATE = f"""
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {{name: k8sa, {MADE}}}
spec:
  crd: {{spec: {{names: {{kind: K8sA}}}}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package k8sa

        violation[{{"msg": "no"}}] {{
          input.review.object.spec.hostPID
        }}
status: {{%s}}
---
"""
CONSTRAINT = f"""
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: %s
metadata: {{name: a, {MADE}}}
spec: {{match: {{kinds: [{{apiGroups: [""], kinds: [Pod]}}]%s}}}}
"""
ERROR = "created: false, byPod: [{id: x, errors: [{code: rego_parse_error, message: bad}]}]"


def verdict(text: str) -> tuple[dict[str, Any], str, str]:
    """Row of the policy, state of its control in the namespace, and cause of the pod."""
    evidence = evidence_of(CLUSTER + text)
    (policy,) = rows(evidence, "policy_blind_spots")
    covered, why = (
        next(r for r in rows(evidence, table) if r["control"] == "KA-DEP-002")
        for table in ("enforcement_coverage", "why_admitted")
    )
    return policy, covered["state"], why["cause"]


@pytest.mark.parametrize(
    ("rule", "strange", "state", "cause"),
    [
        (f"{MATCH}, {JUDGES}", [], "enforced", "should_have_been_denied"),
        (
            f"{MATCH}, {JUDGES}, reportProperties: {{a: b}}",
            [],
            "enforced",
            "should_have_been_denied",
        ),
        (
            f"match: {{any: [{{resources: {{kinds: [Pod], moons: [a]}}}}]}}, {JUDGES}",
            ["match.moons"],
            "partial",
            "unknown",
        ),
        (
            f"match: {{any: [{{resources: {{kinds: [Pod]}}, who: x}}]}}, {JUDGES}",
            ["match.who"],
            "partial",
            "unknown",
        ),
        (
            f"match: {{some: [{{resources: {{kinds: [Pod]}}}}]}}, {JUDGES}",
            ["match.some"],
            "partial",
            "unknown",
        ),
        (
            f"{MATCH}, exclude: {{any: [{{resources: {{kinds: [Pod], moons: [a]}}}}]}}, {JUDGES}",
            ["exclude.moons"],
            "partial",
            "unknown",
        ),
        (
            f"{MATCH}, exclude: {{any: [{{resources: {{kinds: [Job], moons: [a]}}}}]}}, {JUDGES}",
            ["exclude.moons"],
            "enforced",
            "should_have_been_denied",
        ),
        (
            f"{MATCH}, validate: {{failureAction: Enforce, weigh: {{a: 1}}}}",
            ["validate.weigh"],
            "unknown",
            "unknown",
        ),
        (f"{MATCH}, prevent: {{a: 1}}", ["prevent"], "unknown", "unknown"),
    ],
)
def test_fields_of_kyverno_that_are_not_known(
    rule: str, strange: list[str], state: str, cause: str
) -> None:
    policy, covered, why = verdict(POLICY % rule)
    assert policy["strange"] == strange
    assert (covered, why) == (state, cause)


@pytest.mark.parametrize(
    ("policies", "faults", "strange", "state", "cause"),
    [
        (TEMPLATE % "" + CONSTRAINT % ("K8sA", ""), [], [], "enforced", "should_have_been_denied"),
        (
            TEMPLATE % "" + CONSTRAINT % ("K8sA", ", moons: [a]"),
            [],
            ["match.moons"],
            "partial",
            "unknown",
        ),
        (
            TEMPLATE % ERROR + CONSTRAINT % ("K8sA", ""),
            ["rego_parse_error: bad", "not served"],
            [],
            "none",
            "not_ready",
        ),
        (
            CONSTRAINT % ("K8sNobody", ""),
            ["no template makes its kind", "not served"],
            [],
            "none",
            "no_policy",
        ),
        (
            TEMPLATE % "" + CONSTRAINT % ("K8sNobody", ""),
            ["no template makes its kind", "not served"],
            [],
            "none",
            "no_policy",
        ),
    ],
)
def test_constraints_without_what_they_need(
    policies: str, faults: list[str], strange: list[str], state: str, cause: str
) -> None:
    policy, covered, why = verdict(policies)
    assert (policy["faults"], policy["strange"]) == (faults, strange)
    assert (covered, why) == (state, cause)
    judged = assess(evidence_of(CLUSTER + policies))
    failed = [*judged.results_of("KA-DEP-051", Status.FAIL)]
    assert [r.name for r in failed] == (["a"] if faults else [])


def test_a_template_without_a_constraint_enforces_nothing() -> None:
    evidence = evidence_of(CLUSTER + TEMPLATE % "")
    assert rows(evidence, "policy_anatomy") == []
    assert {r["state"] for r in rows(evidence, "enforcement_coverage")} == {"none"}
    (failed,) = assess(evidence).results_of("KA-DEP-051a", Status.FAIL)
    assert failed.name == "k8sa"


def test_a_policy_that_cannot_be_read_is_a_gap_and_makes_nothing_none() -> None:
    evidence = evidence_of(CLUSTER + POLICY % "match: [1]")
    (gap,) = [g for g in evidence.gaps if g.reason is Reason.BROKEN]
    assert gap.what == "ClusterPolicy p"
    assert {"kyverno_policies", "kyverno_rules"} <= {*gap.tables}
    judged = assess(evidence)
    for id in ("KA-DEP-039", "KA-DEP-057"):
        assert not {r.status for r in judged.results_of(id)} & {Status.PASS, Status.FAIL}, id
    assert "Not every policy could be read" in standalone(show.enforcement(judged))


def test_a_cluster_without_the_kinds_of_engines_has_no_policies_and_says_so() -> None:
    live = collect(MemorySource(*objects(CLUSTER), live=True))
    for table in ("policy_anatomy", "kyverno_policies", "constraints", "policy_reports"):
        assert rows(live, table) == []
    assert "No admission policy is in the evidence" in standalone(show.blind_spots(assess(live)))


def test_what_is_not_known_is_shown_and_escaped() -> None:
    policy = POLICY % f"{MATCH}, {JUDGES}, '<script>alert(1)</script>': 1"
    page = standalone(show.blind_spots(assess(evidence_of(CLUSTER + policy))))
    assert "<script>alert" not in page
    assert "means is not known" in page


def test_a_name_of_our_own_in_a_policy_deceives_nobody() -> None:
    policy, state, cause = verdict(POLICY % f"{MATCH}, {JUDGES}, strange: []")
    assert (policy["strange"], state, cause) == ([], "enforced", "should_have_been_denied")
    policy, _, _ = verdict(POLICY % f"{MATCH}, {JUDGES}, strange: [], other: 1")
    assert policy["strange"] == ["other"]


CEL = f"""
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: {{name: p, {MADE}}}
spec:
  validationActions: [Deny]
  matchConstraints: {{resourceRules: [{{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}}]}}
  validations: [{{expression: "!has(object.spec.hostPID) || object.spec.hostPID == false"}}]
  webhookConfiguration: {{timeoutSeconds: 5}}
"""


@pytest.mark.parametrize("text", [POLICY % f"{MATCH}, {JUDGES}", CEL])
def test_fields_of_a_spec_of_kyverno_that_are_not_known(text: str) -> None:
    policy, state, cause = verdict(text)
    assert (policy["strange"], state, cause) == ([], "enforced", "should_have_been_denied")
    more = text.replace("spec: {rules", "spec: {moons: 1, rules").replace(
        "spec:\n  valid", "spec:\n  moons: 1\n  valid"
    )
    policy, state, cause = verdict(more)
    assert (policy["strange"], state, cause) == (["spec.moons"], "partial", "unknown")
