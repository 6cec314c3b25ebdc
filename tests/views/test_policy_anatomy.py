"""Policies taken apart: mode, scope and what they look at, over all engines."""

from __future__ import annotations

from tests.memory_source import evidence_of, rows

GATEKEEPER = """
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: noroot}
spec:
  crd: {spec: {names: {kind: NoRoot}}}
  targets: [{target: admission.k8s.gatekeeper.sh, rego: "package noroot"}]
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: NoRoot
metadata: {name: denies}
spec: {match: {kinds: [{apiGroups: [""], kinds: [Pod]}], excludedNamespaces: [kube-*]}}
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: NoRoot
metadata: {name: audits}
spec: {enforcementAction: dryrun}
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: NoRoot
metadata: {name: elsewhere}
spec:
  enforcementAction: scoped
  scopedEnforcementActions:
    - {action: deny, enforcementPoints: [{name: audit.gatekeeper.sh}]}
    - {action: warn, enforcementPoints: [{name: validation.gatekeeper.sh}]}
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: Orphan
metadata: {name: alone}
---
apiVersion: config.gatekeeper.sh/v1alpha1
kind: Config
metadata: {name: config, namespace: gatekeeper-system}
spec:
  match:
    - {excludedNamespaces: [kube-system], processes: ["*"]}
    - {excludedNamespaces: [shop], processes: [audit]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: gatekeeper}
webhooks: [{name: validation.gatekeeper.sh, failurePolicy: Ignore}]
"""


def test_gatekeeper() -> None:
    found = rows(evidence_of(GATEKEEPER), "policy_anatomy")
    by_name = {row["policy"]: row for row in found}
    assert {name: row["mode"] for name, row in by_name.items()} == {
        "denies": "enforce",
        "audits": "audit",
        "elsewhere": "warn",
        "alone": "enforce",
    }
    first = by_name["denies"]
    assert (first["engine"], first["kind"], first["template"]) == ("Gatekeeper", "NoRoot", "noroot")
    assert (first["kinds"], first["excluded_namespaces"]) == (["Pod"], ["kube-*"])
    assert first["engine_excluded_namespaces"] == ["kube-system"]
    assert first["failure_policy"] == "Ignore"
    alone = by_name["alone"]
    assert (alone["ready"], alone["reads_known"], alone["reads_init"]) == (False, False, None)
    assert alone["errors"] == ["no template makes its kind"]


KYVERNO = """
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: whole}
spec:
  validationFailureAction: enforce
  validationFailureActionOverrides:
    - {action: audit, namespaces: [dev-*], namespaceSelector: {matchLabels: {a: b}}}
  rules:
    - name: one
      match: {any: [{resources: {kinds: [Pod]}}]}
      exclude: {any: [{resources: {namespaces: [kube-system]}}, {clusterRoles: [cluster-admin]}]}
      validate: {pattern: {spec: {hostNetwork: "false"}}}
    - name: two
      match: {resources: {kinds: [Service]}}
      validate: {failureAction: Audit, pattern: {spec: {type: ClusterIP}}}
---
apiVersion: kyverno.io/v1
kind: Policy
metadata:
  name: narrow
  namespace: shop
  annotations: {pod-policies.kyverno.io/autogen-controllers: none}
spec:
  emitWarning: true
  rules:
    - name: one
      match:
        all:
          - {resources: {kinds: [v1/Pod], operations: [CREATE]}}
          - {resources: {selector: {matchLabels: {a: b}}}}
      validate: {pattern: {metadata: {labels: {x: "?*"}}}}
---
apiVersion: kyverno.io/v2
kind: PolicyException
metadata: {name: except, namespace: x}
spec:
  exceptions: [{policyName: whole, ruleNames: [on*, autogen-one]}]
---
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: {name: cel}
spec:
  validationActions: [Warn, Audit]
  matchConstraints:
    resourceRules:
      - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}
  validations: [{expression: "true"}]
"""
FILTERS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: kyverno, namespace: kyverno}
data:
  resourceFilters: "[Event,*,*] [*/*,kube-system,*] [*/*,kyverno,a] [ReplicaSet,*,*] [Pod,x,*]"
  other: "[*/*,shop,*]"
"""
CONTROLLERS = [
    *("CronJob.batch", "DaemonSet.apps", "Deployment.apps", "Job.batch"),
    *("ReplicaSet.apps", "ReplicationController", "StatefulSet.apps"),
]


def test_kyverno() -> None:
    found = rows(evidence_of(KYVERNO), "policy_anatomy")
    by_name = {(row["policy"], row["rule"]): row for row in found}
    first = by_name["whole", "one"]
    assert (first["mode"], first["mode_text"]) == ("enforce", "action Enforce")
    assert first["overrides"] == [
        '{"mode":"audit","namespaceSelector":{"matchLabels":{"a":"b"}},"namespaces":["dev-*"]}'
    ]
    assert first["kinds"] == sorted(["Pod", *CONTROLLERS])
    assert first["autogen"] == CONTROLLERS
    assert (first["excluded_namespaces"], first["conditions"]) == (["kube-system"], True)
    assert (first["scope_known"], first["exceptions"]) == (True, 1)
    second = by_name["whole", "two"]
    assert (second["mode"], second["kinds"], second["autogen"]) == ("audit", ["Service"], [])
    narrow = by_name["narrow", "one"]
    assert (narrow["mode"], narrow["namespaces"], narrow["kinds"]) == ("warn", ["shop"], ["Pod"])
    assert narrow["scope_known"] is False
    cel = by_name["cel", ""]
    assert (cel["mode"], cel["operations"]) == ("warn", ["CREATE"])
    assert cel["autogen"] == [kind for kind in CONTROLLERS if kind != "ReplicationController"]


def test_what_kyverno_never_looks_at() -> None:
    found = rows(evidence_of(f"{KYVERNO}---{FILTERS}"), "policy_anatomy")
    first = next(row for row in found if (row["policy"], row["rule"]) == ("whole", "one"))
    assert first["engine_excluded_namespaces"] == ["kube-system"]
    assert first["excluded_kinds"] == ["ReplicaSet.apps"]


def test_a_template_of_cel_with_conditions() -> None:
    source = (
        "{matchConditions: [{name: a, expression: 'true'}], validations: [{expression: 'true'}]}"
    )
    text = GATEKEEPER.replace(
        'rego: "package noroot"', f"code: [{{engine: K8sNativeValidation, source: {source}}}]"
    )
    found = rows(evidence_of(text), "policy_anatomy", "policy", "conditions", "reads_known")
    assert {row["policy"]: row["conditions"] for row in found}["denies"] is True


ADMISSION = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: bound}
spec:
  failurePolicy: Ignore
  matchConstraints:
    namespaceSelector: {matchLabels: {a: b}}
    resourceRules:
      - {apiGroups: [apps], apiVersions: [v1], operations: ["*"], resources: [deployments]}
  validations: [{expression: "true"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: denies}
spec:
  policyName: bound
  validationActions: [Audit, Deny]
  matchResources: {namespaceSelector: {matchExpressions: [{key: c, operator: Exists}]}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: audits}
spec: {policyName: bound, validationActions: [Audit]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: loose}
spec: {validations: [{expression: "true"}]}
"""


def test_admission_policies() -> None:
    found = rows(evidence_of(ADMISSION), "policy_anatomy")
    assert [(r["policy"], r["binding"], r["mode"]) for r in found] == [
        ("bound", "audits", "audit"),
        ("bound", "denies", "enforce"),
        ("loose", "", "off"),
    ]
    first = found[1]
    assert (first["kinds"], first["failure_policy"]) == (["Deployment.apps"], "Ignore")
    assert first["namespace_selector"] == (
        '{"matchExpressions":[{"key":"a","operator":"In","values":["b"]},'
        '{"key":"c","operator":"Exists"}]}'
    )
