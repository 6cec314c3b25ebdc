"""Why what fails was admitted: every cause, and the same faults as the controls find."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.conclude import conclude_design
from kaudit.model.admission_causes import ENFORCEABLE
from kaudit.model.words import Opinion, Status
from kaudit.parameters import Parameters, using
from kaudit.registry import CONTROLS
from kaudit.source.files import FileSource
from tests.memory_source import evidence_of
from tests.shared import needs_shared, shared

POD = """
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop, creationTimestamp: "2025-03-01T00:00:00Z", labels: {app: web}%s}
spec: {hostPID: true, containers: [{name: c, image: "a:1"}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, creationTimestamp: "2025-01-01T00:00:00Z"%s}
---
"""
MATCH = "match: {any: [{resources: {kinds: [%s]}}]}"
EXCEPT = """
---
apiVersion: kyverno.io/v2
kind: PolicyException
metadata: {name: e, namespace: kyverno}
spec: {exceptions: [{policyName: p, ruleNames: [r]}], match: {any: [{resources: {kinds: [Pod]}}]}}
"""


def kyverno(
    *, action: str = "Enforce", kinds: str = "Pod", made: str = "2025-02-01", more: str = ""
) -> str:
    return f"""
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {{name: p, creationTimestamp: "{made}T00:00:00Z"}}
spec:
  {more}
  rules:
    - name: r
      {MATCH % kinds}
      validate: {{failureAction: {action}, pattern: {{spec: {{"=(hostPID)": "false"}}}}}}
"""


def gatekeeper(rego: str, match: str = "", status: str = "") -> str:
    code = rego.replace("\n", "\n        ")
    return f"""
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {{name: k8sa, creationTimestamp: "2025-02-01T00:00:00Z"}}
spec:
  crd: {{spec: {{names: {{kind: K8sA}}}}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        {code}
{status}
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: K8sA
metadata: {{name: a, creationTimestamp: "2025-02-01T00:00:00Z"}}
spec: {{match: {{kinds: [{{apiGroups: [""], kinds: [Pod]}}]{match}}}}}
"""


HOST_PID = """package k8sa

violation[{"msg": msg}] {
  input.review.object.spec.hostPID
  msg := "no"
}
"""
OF_DEPLOYMENTS = kyverno(kinds="Deployment").replace(
    '{spec: {"=(hostPID)": "false"}}', '{spec: {template: {spec: {"=(hostPID)": "false"}}}}'
)
BROKEN = "status: {created: false, byPod: [{id: x, errors: [{message: rego_parse_error}]}]}"
MIRROR = ", annotations: {kubernetes.io/config.mirror: x}"
LABEL = ", labels: {pod-security.kubernetes.io/%s: baseline}"
CHANGED = ', managedFields: [{manager: a, time: "%sT00:00:00Z"}]'


@pytest.mark.parametrize(
    ("policies", "of_pod", "of_space", "cause"),
    [
        ("", "", "", "no_policy"),
        (kyverno(), "", "", "should_have_been_denied"),
        (kyverno(), MIRROR, "", "static_pod"),
        (kyverno(made="2025-04-01"), "", "", "older_than_policy"),
        (kyverno(action="Audit"), "", "", "audit_only"),
        (OF_DEPLOYMENTS, "", "", "kind_not_matched"),
        (kyverno(more="failurePolicy: Ignore"), "", "", "fails_open"),
        (kyverno() + EXCEPT, "", "", "exception"),
        (
            kyverno(more="validationFailureActionOverrides: [{action: Audit, namespaces: [shop]}]"),
            "",
            "",
            "audit_only",
        ),
        (gatekeeper(HOST_PID), "", "", "should_have_been_denied"),
        (gatekeeper(HOST_PID, ", excludedNamespaces: [sh*]"), "", "", "excluded_namespace"),
        (gatekeeper(HOST_PID, ", namespaces: [other]"), "", "", "excluded_namespace"),
        (
            gatekeeper(HOST_PID, ", labelSelector: {matchLabels: {app: db}}"),
            "",
            "",
            "not_selected",
        ),
        (gatekeeper(HOST_PID, status=BROKEN), "", "", "not_ready"),
        (gatekeeper("package k8sa\n\nviolation[{"), "", "", "unknown"),
        ("", "", LABEL % "enforce", "unknown"),
        ("", "", LABEL % "enforce" + CHANGED % "2025-02-01", "should_have_been_denied"),
        ("", "", LABEL % "enforce" + CHANGED % "2025-05-01", "policy_changed"),
        ("", "", LABEL % "audit", "audit_only"),
    ],
)
def test_cause(policies: str, of_pod: str, of_space: str, cause: str) -> None:
    found = evidence_of(POD % (of_pod, of_space) + policies)["why_admitted"]
    (row,) = found[found["control"] == "KA-DEP-002"].to_dict("records")
    assert row["cause"] == cause, row
    assert (row["owner_kind"], row["owner_name"], row["pods"]) == ("Pod", "p", 1)
    assert row["unexplained"] is (cause == "should_have_been_denied")
    assert (row["policy"] == "") is (cause == "no_policy")


FILTERS = """
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kyverno, namespace: kyverno}
data: {resourceFilters: "[Event,*,*] %s"}
"""


@pytest.mark.parametrize(
    ("space", "filters", "cause", "clause"),
    [
        ("kube-system", "", "unknown", "assumed: resourceFilters"),
        ("kube-system", FILTERS % "", "should_have_been_denied", ""),
        ("kube-system", FILTERS % "[*/*,kube-*,*]", "exempt_namespace", "resourceFilters"),
        ("shop", FILTERS % "[Pod,shop,*]", "exempt_namespace", "[Pod,shop,*]"),
        ("shop", FILTERS % "[Pod,shop]", "should_have_been_denied", ""),
        ("shop", FILTERS % "[Pod,shop,p*]", "exempt_namespace", "[Pod,shop,p*]"),
        ("shop", FILTERS % "[Pod,shop,q*]", "should_have_been_denied", ""),
        ("shop", FILTERS % "[Pod/*,shop,*] [Job,shop,*]", "should_have_been_denied", ""),
    ],
)
def test_filters_of_kyverno_are_those_of_its_settings(
    space: str, filters: str, cause: str, clause: str
) -> None:
    pod = (POD % ("", "")).replace("namespace: shop", f"namespace: {space}")
    found = evidence_of(pod + kyverno() + filters)["why_admitted"]
    (row,) = found[found["control"] == "KA-DEP-002"].to_dict("records")
    assert row["cause"] == cause, row
    assert clause in row["clause"]


OWNED = """
apiVersion: v1
kind: Pod
metadata:
  name: p
  namespace: shop
  creationTimestamp: "2025-03-01T00:00:00Z"
  ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: s, uid: u, controller: true}]
spec: {hostPID: true, containers: [{name: c, image: "a:1"}]}
"""


@pytest.mark.parametrize(
    ("users", "of_bare_pod", "of_controller"),
    [
        ('excludeGroups: "system:nodes"', "should_have_been_denied", "should_have_been_denied"),
        ('excludeGroups: "system:serviceaccounts:kube-system"', "unknown", "exempt_namespace"),
        ('excludeGroups: "system:*, !system:masters"', "unknown", "unknown"),
        ('excludeGroups: "ci"', "unknown", "should_have_been_denied"),
        (
            'excludeUsernames: "system:serviceaccount:kube-system:*"',
            "unknown",
            "exempt_namespace",
        ),
        (
            'excludeUsernames: "system:serviceaccount:kube-system:job-controller"',
            "unknown",
            "unknown",
        ),
        ('excludeRoles: "shop:admin"', "unknown", "should_have_been_denied"),
    ],
)
def test_who_asks_may_be_left_out(users: str, of_bare_pod: str, of_controller: str) -> None:
    settings = FILTERS.replace('resourceFilters: "[Event,*,*] %s"', users)
    none = "annotations: {pod-policies.kyverno.io/autogen-controllers: none}"
    policy = kyverno().replace("{name: p,", f"{{name: p, {none},")
    for pod, cause in ((POD % ("", ""), of_bare_pod), (f"{OWNED}---\n", of_controller)):
        found = evidence_of(pod + policy + settings)["why_admitted"]
        (row,) = found[found["control"] == "KA-DEP-002"].to_dict("records")
        assert row["cause"] == cause, row
        assert cause == "should_have_been_denied" or "ConfigMap kyverno, exclude" in row["clause"]


def test_pods_of_a_filtered_kind_are_covered_in_part() -> None:
    for filters, state in (("[Pod,shop,*]", "partial"), ("[*/*,shop,*]", "none")):
        told = evidence_of(POD % ("", "") + kyverno() + FILTERS % filters)
        rows = told["enforcement_coverage"]
        (row,) = rows[rows["control"] == "KA-DEP-002"].to_dict("records")
        assert row["state"] == state


def test_a_container_kind_that_no_rule_looks_at() -> None:
    rego = """package k8sa

violation[{"msg": msg}] {
  c := input.review.object.spec.containers[_]
  c.securityContext.privileged
  msg := "no"
}
"""
    pod = (POD % ("", "")).replace(
        "spec: {hostPID",
        "spec: {initContainers: [{name: i, image: a, securityContext: {privileged: true}}], hostPID",
    )
    found = evidence_of(pod + gatekeeper(rego))["why_admitted"]
    (row,) = found[found["control"] == "KA-DEP-001"].to_dict("records")
    assert (row["cause"], row["clause"]) == ("containers_not_read", "initContainers not read")
    assert list(row["containers"]) == ["initContainers"]


def test_what_cannot_be_read_is_unknown_and_not_none() -> None:
    for rego, state in ((HOST_PID, "enforced"), ("package k8sa\n\nviolation[{", "unknown")):
        found = evidence_of(POD % ("", "") + gatekeeper(rego))["enforcement_coverage"]
        (row,) = found[found["control"] == "KA-DEP-002"].to_dict("records")
        assert row["state"] == state
        (other,) = found[found["control"] == "KA-DEP-003"].to_dict("records")
        assert other["state"] == ("none" if state == "enforced" else "unknown")


@pytest.mark.parametrize(
    ("policies", "cause"),
    [
        ("", "no_policy"),
        (kyverno().replace('{spec: {"=(hostPID)": "false"}}', "%s"), "unknown"),
        (kyverno(action="Audit").replace('{spec: {"=(hostPID)": "false"}}', "%s"), "audit_only"),
    ],
)
def test_a_registry_that_the_auditor_does_not_allow_may_be_one_that_a_policy_allows(
    policies: str, cause: str
) -> None:
    """What the two lists have in common is not compared."""
    policies = policies.replace("%s", '{spec: {containers: [{image: "corp.example/*"}]}}')
    evidence = evidence_of(POD % ("", "") + policies)
    for allowed, causes in ((("corp.example",), [cause]), (("docker.io",), []), ((), [])):
        with using(Parameters(allowed_registries=allowed)):
            found = evidence["why_admitted"]
        assert found[found["control"] == "KA-BLD-009"]["cause"].tolist() == causes


@needs_shared
def test_the_faults_are_those_of_the_controls(tmp_path: Path) -> None:
    tool = shared("tools", "make_cluster.py")
    run = [sys.executable, str(tool), "--out", str(tmp_path), "--pods", "300", "--seed", "9"]
    subprocess.run(run, check=True, capture_output=True)
    evidence = collect(FileSource(tmp_path), raw=False)
    mine = Parameters(allowed_registries=("registry.example.com",))
    owner = ["namespace", "owner_kind", "owner_name"]
    pods = evidence["pod_context"]
    live = set(pods[pods["origin"] == "object"][owner].itertuples(index=False, name=None))
    with using(mine):
        judged = assess(evidence, [CONTROLS[id] for id in ENFORCEABLE])
        why = evidence["why_admitted"]
    assert len(why) > 100
    assert "KA-BLD-009" in {*why["control"]}
    for id in ENFORCEABLE:
        own = set(why[why["control"] == id][owner].itertuples(index=False, name=None))
        failed = judged.results_of(id, Status.FAIL)
        assert own == {(r.namespace, r.kind, r.name) for r in failed} & live, id


@pytest.mark.parametrize(
    ("states", "unread", "opinion"),
    [
        ([], False, Opinion.UNABLE),
        (["enforced", "enforced"], False, Opinion.EFFECTIVE),
        (["enforced", "enforced"], True, Opinion.EFFECTIVE),
        (["enforced", "partial"], False, Opinion.WITH_EXCEPTIONS),
        (["enforced", "unknown"], False, Opinion.UNABLE),
        (["unknown", "none"], False, Opinion.NOT_EFFECTIVE),
        (["enforced", "audit"], False, Opinion.NOT_EFFECTIVE),
        (["enforced", "none"], True, Opinion.UNABLE),
    ],
)
def test_design(states: list[str], unread: bool, opinion: Opinion) -> None:
    assert conclude_design(states, unread=unread).opinion is opinion


WEBHOOK = """
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: kyverno-resource-validating-webhook-cfg}
webhooks:
  - name: validate.kyverno.svc-fail
    clientConfig: {service: {namespace: kyverno, name: kyverno-svc}}
    rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
    %s
"""
ASKED = {
    "failurePolicy: Fail": ("should_have_been_denied", "enforced", ""),
    "failurePolicy: Ignore": ("fails_open", "enforced", "everything while"),
    "matchConditions: [{name: a, expression: 'true'}]": (
        "unknown",
        "partial",
        "what matchConditions of webhook",
    ),
    "objectSelector: {matchLabels: {app: db}}": (
        "not_asked",
        "partial",
        "what objectSelector of webhook",
    ),
    "objectSelector: {matchLabels: {app: web}}": (
        "should_have_been_denied",
        "partial",
        "what objectSelector of webhook",
    ),
}


@pytest.mark.parametrize("setting", ASKED)
def test_what_the_webhook_of_an_engine_is_not_asked(setting: str) -> None:
    cause, state, hole = ASKED[setting]
    found = evidence_of(POD % ("", "") + kyverno() + WEBHOOK % setting)
    (row,) = _of(found["why_admitted"], "KA-DEP-002")
    assert row["cause"] == cause
    (row,) = _of(found["enforcement_coverage"], "KA-DEP-002")
    assert row["state"] == state
    assert any(one.startswith(hole) for one in row["holes"]) or not hole


def test_one_webhook_that_asks_without_conditions_is_enough() -> None:
    hook = WEBHOOK % "matchConditions: [{name: a, expression: 'true'}]"
    other = (WEBHOOK % "failurePolicy: Fail").replace("webhook-cfg", "webhook-cfg-2")
    found = evidence_of(POD % ("", "") + kyverno() + hook + other)
    (row,) = _of(found["why_admitted"], "KA-DEP-002")
    assert row["cause"] == "should_have_been_denied"


VALIDATING = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: a, creationTimestamp: "2025-02-01T00:00:00Z"}
spec:
  paramKind: {apiVersion: v1, kind: ConfigMap}
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  validations: [{expression: "!has(object.spec.hostPID) || object.spec.hostPID == false"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: b, creationTimestamp: "2025-02-01T00:00:00Z"}
spec:
  policyName: a
  validationActions: [Deny]
  paramRef: {name: absent, namespace: n, parameterNotFoundAction: %s}
"""


@pytest.mark.parametrize(
    ("action", "cause", "state"),
    [("Deny", "should_have_been_denied", "enforced"), ("Allow", "unknown", "partial")],
)
def test_a_binding_may_admit_where_its_parameters_are_missing(
    action: str, cause: str, state: str
) -> None:
    found = evidence_of(POD % ("", "") + VALIDATING % action)
    (row,) = _of(found["why_admitted"], "KA-DEP-002")
    assert row["cause"] == cause
    (row,) = _of(found["enforcement_coverage"], "KA-DEP-002")
    assert row["state"] == state


MORE = EXCEPT.replace("[Pod]}}]}}", "[Pod]%s}}]}%s}")


@pytest.mark.parametrize(
    ("narrower", "cause"),
    [
        (("", ""), "exception"),
        ((", names: [p*]", ""), "exception"),
        ((", names: [q*]", ""), "should_have_been_denied"),
        ((", annotations: {a: b}", ""), "unknown"),
        (("", ", conditions: {all: [{key: a, operator: Equals, value: b}]}"), "unknown"),
        (("", ", podSecurity: [{controlName: Host Namespaces}]"), "unknown"),
    ],
)
def test_an_exception_that_holds_on_conditions_is_not_taken_for_granted(
    narrower: tuple[str, str], cause: str
) -> None:
    found = evidence_of(POD % ("", "") + kyverno() + MORE % narrower)
    (row,) = _of(found["why_admitted"], "KA-DEP-002")
    assert row["cause"] == cause
    (row,) = _of(found["enforcement_coverage"], "KA-DEP-002")
    assert [*row["holes"]] == ["exception kyverno/e"]


CEL = """
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: {name: c, creationTimestamp: "2025-02-01T00:00:00Z"}
spec:
  %s
  validationActions: [Deny]
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  validations: [{expression: "!has(object.spec.hostPID) || object.spec.hostPID == false"}]
---
apiVersion: policies.kyverno.io/v1
kind: PolicyException
metadata: {name: e, namespace: n}
spec: {policyRefs: [{name: %s, kind: ValidatingPolicy}]%s}
"""


@pytest.mark.parametrize(
    ("more", "policy", "conditions", "cause", "state"),
    [
        ("", "other", "", "should_have_been_denied", "enforced"),
        ("", "c", "", "exception", "none"),
        ("", "c", ", matchConditions: [{name: a, expression: 'true'}]", "unknown", "partial"),
        ("evaluation: {mode: Kubernetes}", "other", "", "should_have_been_denied", "enforced"),
        ("evaluation: {mode: JSON}", "other", "", "no_policy", "none"),
        ("evaluation: {mode: Envoy}", "other", "", "no_policy", "none"),
    ],
)
def test_policies_of_cel(more: str, policy: str, conditions: str, cause: str, state: str) -> None:
    found = evidence_of(POD % ("", "") + CEL % (more, policy, conditions))
    (row,) = _of(found["why_admitted"], "KA-DEP-002")
    assert row["cause"] == cause
    (row,) = _of(found["enforcement_coverage"], "KA-DEP-002")
    assert row["state"] == state


def test_a_policy_without_rules_is_told_and_does_nothing() -> None:
    found = evidence_of(
        "{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p}, spec: {}}"
    )
    (row,) = found["policy_anatomy"].to_dict("records")
    assert (row["policy"], row["position"], row["mode"]) == ("p", 0, "off")
    assert (row["mode_text"], [*row["errors"]]) == ("no rules", ["it has no rules"])


def _of(table: Any, control: str) -> list[dict[Any, Any]]:
    rows: list[dict[Any, Any]] = table[table["control"] == control].to_dict("records")
    return rows


def test_a_policy_that_cannot_be_read_passes_for_no_level(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(POD % ("", "") + gatekeeper("package k8sa\n\nviolation[{"))
    wanted = [CONTROLS["KA-DEP-057"], CONTROLS["KA-DEP-057a"]]
    found = assess(collect(FileSource(tmp_path)), controls=wanted)
    told = found.results[found.results["name"] == "shop"]
    assert set(told["control"]) == {"KA-DEP-057", "KA-DEP-057a"}
    assert set(told["status"]) == {"not_assessed"}
    assert set(told["reason"]) == {"policies are there whose code or scope cannot be followed"}


@pytest.mark.parametrize(
    ("resources", "cause", "of_controller", "state"),
    [
        ("pods", "should_have_been_denied", "should_have_been_denied", "enforced"),
        ("daemonsets", "not_asked", "should_have_been_denied", "partial"),
        ("services", "not_asked", "not_asked", "none"),
    ],
)
def test_a_webhook_is_asked_about_the_kinds_of_its_rules_alone(
    resources: str, cause: str, of_controller: str, state: str
) -> None:
    hook = (WEBHOOK % "failurePolicy: Fail").replace('[""]', "['*']")
    hook = hook.replace("[pods]", f"[{resources}]")
    owned = POD.replace("{name: p,", f"{{name: p, {OWNER},") % ("", "")
    for pod, expected in ((POD % ("", ""), cause), (owned + DAEMONS, of_controller)):
        found = evidence_of(pod + kyverno() + hook)
        (row,) = _of(found["why_admitted"], "KA-DEP-002")
        assert row["cause"] == expected
        (row,) = _of(found["enforcement_coverage"], "KA-DEP-002")
        assert row["state"] == state


OWNER = (
    "ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: d, uid: u, controller: true}]"
)
DAEMONS = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: d, namespace: shop, uid: u, creationTimestamp: "2025-03-01T00:00:00Z"}
spec: {selector: {}, template: {spec: {containers: [{name: c, image: "a:1"}]}}}
---
"""


@pytest.mark.parametrize(
    ("labels", "cause"),
    [
        ('{app: "*"}', "should_have_been_denied"),
        ('{"a*": "w?b"}', "should_have_been_denied"),
        ('{app: "d*"}', "not_selected"),
        ('{"b*": "*"}', "not_selected"),
        ('{app: web, "b*": "*"}', "not_selected"),
    ],
)
def test_selectors_of_kyverno_may_hold_wildcards(labels: str, cause: str) -> None:
    policy = kyverno().replace("kinds: [Pod]", f"kinds: [Pod], selector: {{matchLabels: {labels}}}")
    found = evidence_of(POD % ("", "") + policy)
    (row,) = _of(found["why_admitted"], "KA-DEP-002")
    assert row["cause"] == cause
