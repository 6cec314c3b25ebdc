"""Kyverno: policies of both groups, exceptions from them, and reports of policy engines."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kaudit.model.kyverno import Mutate
from tests.memory_source import broken, evidence_of, rows, said

POLICY = """
apiVersion: kyverno.io/v1
kind: Policy
metadata:
  name: p
  namespace: shop
  annotations: {pod-policies.kyverno.io/autogen-controllers: none}
  creationTimestamp: "2026-01-01T00:00:00Z"
  managedFields:
    - {manager: a, time: "2026-01-02T00:00:00Z"}
    - {manager: kyverno, subresource: status, time: "2026-03-01T00:00:00Z"}
spec:
  validationFailureAction: enforce
  validationFailureActionOverrides:
    - {action: audit, namespaces: [a, b]}
    - {action: Audit, namespaceSelector: {matchLabels: {x: y}}}
  failurePolicy: Ignore
  background: false
  rules:
    - name: labels
      match:
        any: [{resources: {kinds: [Pod]}}, {resources: {kinds: [Deployment], namespaces: [a]}}]
      exclude: {resources: {namespaces: [kube-system]}, subjects: [{kind: User, name: root}]}
      preconditions: {all: []}
      validate:
        failureAction: Audit
        failureActionOverrides: [{action: Enforce, namespaces: [c]}]
        message: m
        pattern: {spec: {=(initContainers): [{image: "!*:latest"}], containers: [{image: "?*"}]}}
    - name: deny
      match: {all: [{resources: {kinds: [Secret]}}]}
      validate: {deny: {}, anyPattern: [{data: {text: "password=hunter22"}}]}
    - name: change
      match: {resources: {kinds: [Pod]}}
      mutate: {patchStrategicMerge: {spec: {containers: [{env: [{value: hunter22}]}]}}}
    - name: make
      match: {resources: {kinds: [Namespace]}}
      generate: {kind: Secret, data: {stringData: {a: hunter22}}}
    - name: signed
      match: {resources: {kinds: [Pod]}}
      verifyImages: [{imageReferences: ["x/*", "a/*"], failureAction: Enforce}, {image: b}]
    - {name: nothing}
status: {conditions: [{type: Ready, status: "False"}]}
"""


def test_policies() -> None:
    (found,) = rows(evidence_of(POLICY), "kyverno_policies")
    assert found == {
        "group": "kyverno.io",
        "kind": "Policy",
        "namespace": "shop",
        "name": "p",
        "actions": ["Enforce"],
        "overrides": ["Audit in a,b", 'Audit in {"matchLabels":{"x":"y"}}'],
        "failure_policy": "Ignore",
        "background": False,
        "admission": True,
        "autogen": "none",
        "conditions": False,
        "warns": False,
        "rules": 6,
        "ready": False,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "changed_at": datetime(2026, 1, 2, tzinfo=UTC),
    }


def test_rules() -> None:
    evidence = evidence_of(POLICY)
    found = rows(evidence, "kyverno_rules", "rule", "type", "ways", "action")
    assert [tuple(row.values()) for row in found] == [
        ("labels", "validate", ["pattern"], "Audit"),
        ("deny", "validate", ["anyPattern", "deny"], "Enforce"),
        ("change", "mutate", ["patchStrategicMerge"], None),
        ("make", "generate", ["data"], None),
        ("signed", "verifyImages", [], "Enforce"),
        ("nothing", "", [], None),
    ]
    first, second, third, _, fifth, _ = rows(evidence, "kyverno_rules")
    assert first["kinds"] == ["Deployment", "Pod"]
    assert (first["namespaces"], first["excluded_namespaces"]) == (["a"], ["kube-system"])
    assert first["overrides"] == ["Enforce in c"]
    assert (first["conditions"], second["conditions"]) == (True, False)
    assert first["container_fields"] == ["containers", "initContainers"]
    assert second["overrides"] == ["Audit in a,b", 'Audit in {"matchLabels":{"x":"y"}}']
    assert (second["overwrites"], third["overwrites"]) == (None, True)
    assert fifth["images"] == ["a/*", "b", "x/*"]


def test_values_are_not_kept() -> None:
    record = evidence_of(POLICY).record("policies.kyverno.io", 1)
    assert "hunter22" not in str(record)
    assert record["spec"]["rules"][0]["validate"]["pattern"]["spec"]["containers"] == [
        {"image": "?*"}
    ]


@pytest.mark.parametrize(
    ("patch", "overwrites"),
    [
        (b'{"spec":{"a":true}}', True),
        (b'{"spec":{"+(a)":true}}', False),
        (b'{"+(spec)":{"a":"b"}}', False),
        (b'{"spec":{"(name)":"x","+(a)":1e999}}', False),
        (b'{"spec":[{"(name)":"*","a":1}]}', True),
        (b"null", False),
    ],
)
def test_merges_that_overwrite(patch: bytes, overwrites: bool) -> None:
    import msgspec

    assert Mutate(patch_strategic_merge=msgspec.Raw(patch)).overwrites is overwrites
    assert Mutate().overwrites is None


CEL = """
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: {name: v}
spec:
  validationActions: [Deny, Audit]
  failurePolicy: Ignore
  evaluation: {background: {enabled: false}}
  autogen: {podControllers: {controllers: [deployments, jobs]}}
  matchConditions: [{name: a, expression: "true"}]
  matchConstraints:
    resourceRules:
      - {operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}
  variables: [{name: all, expression: object.spec.initContainers}]
  validations: [{expression: "object.spec.containers.all(c, has(c.image))"}]
status: {conditionStatus: {ready: true}}
---
apiVersion: policies.kyverno.io/v1beta1
kind: NamespacedImageValidatingPolicy
metadata: {name: i, namespace: shop}
spec: {matchImageReferences: [{glob: "x/*"}]}
---
apiVersion: policies.kyverno.io/v1
kind: MutatingPolicy
metadata: {name: m}
spec: {mutations: [{patchType: JSONPatch}]}
"""


def test_policies_of_cel() -> None:
    evidence = evidence_of(CEL)
    assert said(evidence, "kyverno_policies") == [
        {
            "group": "policies.kyverno.io",
            "name": "m",
            "failure_policy": "Fail",
            "background": True,
            "admission": True,
            "rules": 1,
        },
        {
            "group": "policies.kyverno.io",
            "namespace": "shop",
            "name": "i",
            "failure_policy": "Fail",
            "background": True,
            "admission": True,
        },
        {
            "group": "policies.kyverno.io",
            "name": "v",
            "actions": ["Deny", "Audit"],
            "failure_policy": "Ignore",
            "admission": True,
            "autogen": "deployments,jobs",
            "rules": 1,
            "ready": True,
        },
    ]
    found = rows(evidence, "kyverno_rules", "policy", "type", "action", "container_fields")
    assert [tuple(row.values()) for row in found] == [
        ("m", "mutate", None, []),
        ("i", "verifyImages", "Deny", []),
        ("v", "validate", "Deny,Audit", ["containers"]),
    ]
    last = rows(evidence, "kyverno_rules")[2]
    assert (last["kinds"], last["conditions"]) == (["CREATE core/v1/pods *"], True)


def test_exceptions() -> None:
    evidence = evidence_of("""
apiVersion: kyverno.io/v2
kind: PolicyException
metadata: {name: e, namespace: shop}
spec:
  exceptions: [{policyName: a, ruleNames: [x, "autogen-*"]}, {policyName: shop/b}]
  match: {any: [{resources: {kinds: [Pod], namespaces: [legacy]}}]}
  podSecurity: [{controlName: Seccomp}]
---
apiVersion: policies.kyverno.io/v1
kind: PolicyException
metadata: {name: e, namespace: shop}
spec:
  policyRefs: [{kind: ValidatingPolicy, name: v}]
  images: ["x/*"]
  expiresAt: "2027-01-01T00:00:00Z"
---
apiVersion: policies.kyverno.io/v1
kind: PolicyException
metadata: {name: unclear, namespace: shop}
spec: {policyRefs: [{kind: ValidatingPolicy, name: v}], expiresAt: soon}
""")
    first, second, third = rows(evidence, "policy_exceptions")
    assert (first["policy"], first["rules"], first["kinds"]) == ("a", ["autogen-*", "x"], ["Pod"])
    assert (first["namespaces"], first["pod_security"]) == (["legacy"], 1)
    assert (second["policy"], second["rules"]) == ("shop/b", [])
    assert (third["policy_kind"], third["policy"]) == ("ValidatingPolicy", "v")
    assert (third["images"], str(third["expires_at"])) == (["x/*"], "2027-01-01 00:00:00+00:00")
    assert [what for what, _ in broken(evidence)] == ["PolicyException shop/unclear"]


REPORTS = """
apiVersion: wgpolicyk8s.io/v1alpha2
kind: PolicyReport
metadata: {name: r, namespace: shop, labels: {app.kubernetes.io/managed-by: kyverno}}
scope: {kind: Pod, namespace: shop, name: web, uid: u1}
results:
  - {policy: p, rule: r, result: fail, severity: high, source: kyverno, scored: true,
     message: "token=hunter2222", timestamp: {seconds: 1700000000, nanos: -5}}
  - {policy: q, result: Pass, resources: [{kind: Pod, name: a}, {kind: Pod, name: b}],
     timestamp: {seconds: 0}}
summary: {pass: 2, fail: 1}
---
apiVersion: wgpolicyk8s.io/v1alpha1
kind: ClusterPolicyReport
metadata: {name: old}
results: [{policy: p, status: warn}]
---
apiVersion: reports.kyverno.io/v1
kind: EphemeralReport
metadata: {name: e, namespace: shop}
spec:
  owner: {kind: Pod, name: web, uid: u1}
  results: [{policy: p, result: error}]
  summary: {error: 1}
---
apiVersion: openreports.io/v1alpha1
kind: Report
metadata: {name: empty, namespace: shop}
"""


def test_reports() -> None:
    evidence = evidence_of(REPORTS)
    found = rows(
        evidence, "policy_reports", "name", "scope_name", "results", "summary", "contradicts"
    )
    assert [tuple(row.values()) for row in found] == [
        ("empty", "", 0, [], None),
        ("e", "web", 1, ["error=1"], False),
        ("old", "", 1, [], None),
        ("r", "web", 2, ["pass=2", "fail=1"], True),
    ]
    last = rows(evidence, "policy_reports")[3]
    assert last["managed_by"] == "kyverno"
    assert str(last["latest_at"]) == "2023-11-14 22:13:20+00:00"


def test_results() -> None:
    evidence = evidence_of(REPORTS)
    columns = ("report", "position", "number", "policy", "result", "name")
    found = rows(evidence, "policy_results", *columns)
    assert [tuple(row.values()) for row in found] == [
        ("e", 1, 1, "p", "error", "web"),
        ("old", 1, 1, "p", "warn", ""),
        ("r", 1, 1, "p", "fail", "web"),
        ("r", 2, 1, "q", "pass", "a"),
        ("r", 2, 2, "q", "pass", "b"),
    ]
    third, fourth = rows(evidence, "policy_results")[2:4]
    assert third["message"] == "token=[masked: named as a credential]"
    assert (str(third["found_at"]), fourth["found_at"]) == ("2023-11-14 22:13:20+00:00", None)


def test_settings() -> None:
    text = """
apiVersion: v1
kind: ConfigMap
metadata: {name: kyverno, namespace: kyverno}
data:
  resourceFilters: "[Event,*,*] [*/*,kube-system,*] [Node] [Pod, a,*] [A,b,c,d] junk"
  excludeGroups: "system:nodes, !ci,,"
  excludeUsernames: "password=hunter2222"
  other: "[Pod,x,*]"
"""
    found = rows(evidence_of(text), "kyverno_filters", "setting", "position", "filtered", "user")
    assert [tuple(row.values()) for row in found] == [
        ("excludeGroups", 1, "", "system:nodes"),
        ("excludeGroups", 2, "", "!ci"),
        ("excludeUsernames", 1, "", "password=[masked: named as a credential]"),
        ("resourceFilters", 1, "Event", ""),
        ("resourceFilters", 2, "*/*", ""),
        ("resourceFilters", 3, "Node", ""),
    ]
