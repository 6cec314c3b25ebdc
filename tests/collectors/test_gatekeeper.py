"""Gatekeeper: kinds nobody knows before, and what is told of policies that do not work."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.policy_text import masked_json
from kaudit.source.files import FileSource
from tests.memory_source import broken, evidence_of, rows, said

CONSTRAINTS = """
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: NoRoot
metadata: {name: a}
spec:
  enforcementAction: scoped
  scopedEnforcementActions:
    - {action: deny, enforcementPoints: [{name: validation.gatekeeper.sh}]}
    - {action: warn, enforcementPoints: [{name: audit.gatekeeper.sh}, {name: vap.k8s.io}]}
  match:
    kinds: [{apiGroups: ["", apps], kinds: [Pod, Deployment]}, {kinds: ["*"]}]
    namespaceSelector: {matchLabels: {tier: one}}
    scope: Namespaced
  parameters: {repos: [secret-place], limit: 3}
status:
  auditTimestamp: "2026-01-02T03:04:05Z"
  totalViolations: 2
  byPod:
    - {id: one, enforced: true}
    - {id: two, enforced: false, errors: [{code: bad, message: "cannot: password=hunter22"}]}
  violations:
    - {kind: Pod, version: v1, namespace: shop, name: web, enforcementActions: [deny, warn],
       message: "token=hunter2222"}
---
apiVersion: constraints.gatekeeper.sh/v1alpha1
kind: Other
metadata: {name: a}
"""


def test_constraints_of_any_kind() -> None:
    evidence = evidence_of(CONSTRAINTS)
    first, second = rows(evidence, "constraints")
    assert (first["kind"], first["name"], first["enforcement_action"]) == ("NoRoot", "a", "scoped")
    assert first["scoped_actions"] == [
        "deny at validation.gatekeeper.sh",
        "warn at audit.gatekeeper.sh,vap.k8s.io",
    ]
    assert first["kinds"] == ["*.*", "Deployment", "Deployment.apps", "Pod", "Pod.apps"]
    assert first["namespace_selector"] == '{"matchLabels":{"tier":"one"}}'
    assert first["parameters"] == ["limit", "repos"]
    assert (first["total_violations"], first["violations_listed"]) == (2, 1)
    assert (first["truncated"], first["enforced"], first["pods"]) == (True, False, 2)
    assert first["errors"] == ["bad: cannot: password=[masked: named as a credential]"]
    assert (second["kind"], second["enforcement_action"]) == ("Other", "deny")
    assert second["kinds"] == ["*.*"]
    unknown = ("audited_at", "total_violations", "truncated", "enforced")
    assert [second[name] for name in unknown] == [None] * 4
    assert rows(evidence, "inventory", "kind", "collected") == [
        {"kind": "NoRoot", "collected": True},
        {"kind": "Other", "collected": True},
    ]
    record = str(evidence.record("constraints.constraints.gatekeeper.sh", 1))
    assert "hunter" not in record
    assert "secret-place" not in record


def test_violations_name_their_object() -> None:
    (found,) = rows(evidence_of(CONSTRAINTS), "constraint_violations")
    assert found == {
        "constraint_kind": "NoRoot",
        "constraint": "a",
        "position": 1,
        "group": "",
        "version": "v1",
        "kind": "Pod",
        "namespace": "shop",
        "name": "web",
        "actions": ["deny", "warn"],
        "message": "token=[masked: named as a credential]",
    }


def test_a_broken_constraint_is_a_gap_under_its_own_kind() -> None:
    evidence = evidence_of(
        "{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: NoRoot, metadata: {name: x},"
        " spec: {match: all}}"
    )
    assert [what for what, _ in broken(evidence)] == ["NoRoot x"]
    (gap,) = [g for g in evidence.gaps if g.reason == "broken"]
    assert (gap.kind, gap.tables) == ("NoRoot", ("constraint_violations", "constraints"))


def test_two_constraints_of_one_name_and_different_kinds_are_two() -> None:
    evidence = evidence_of(CONSTRAINTS)
    assert [g.what for g in evidence.gaps if g.reason == "ambiguous"] == []
    again = evidence_of(CONSTRAINTS + "---" + CONSTRAINTS)
    twice = [g.what for g in again.gaps if g.reason == "ambiguous"]
    assert twice == ["NoRoot a", "Other a"]


@pytest.mark.parametrize("kind", ["ConstraintList", "NoRootList"])
def test_an_empty_list_says_that_there_is_none(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "constraints.json"
    path.write_text(
        f'{{"apiVersion":"constraints.gatekeeper.sh/v1beta1","kind":"{kind}","items":[]}}'
    )
    evidence = collect(FileSource(path))
    assert not [g for g in evidence.gaps if "constraints" in g.tables]


def of_template(target: str, status: str = "{}") -> Evidence:
    return evidence_of(
        "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\n"
        "metadata: {name: noroot}\n"
        f"spec: {{crd: {{spec: {{names: {{kind: NoRoot}}}}}}, targets: [{target}]}}\n"
        f"status: {status}\n"
    )


def test_a_template_that_does_not_compile() -> None:
    status = "{created: false, byPod: [{id: a, errors: [{code: parse, message: bad}]}, {id: b}]}"
    evidence = of_template("{target: t, rego: 'input.review.object.spec.initContainers'}", status)
    assert said(evidence, "constraint_templates") == [
        {
            "name": "noroot",
            "constraint_kind": "NoRoot",
            "targets": ["t"],
            "engines": ["Rego"],
            "errors": ["parse: bad"],
        }
    ]
    (found,) = rows(evidence, "constraint_templates")
    assert (found["created"], found["reads_known"], found["container_fields"]) == (False, False, [])
    assert found["unused_parameters"] is None


def test_a_template_without_code_is_unknown() -> None:
    (found,) = rows(evidence_of(EMPTY), "constraint_templates")
    assert (found["reads_known"], found["unused_parameters"]) == (False, None)


EMPTY = """
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: empty}
spec: {crd: {spec: {names: {kind: Empty}}}}
"""


def test_code_that_nobody_knows() -> None:
    evidence = of_template("{target: t, code: [{engine: Wasm, source: [1, 'password=hunter22']}]}")
    assert rows(evidence, "constraint_templates")[0]["engines"] == ["Wasm"]
    record = evidence.record("constrainttemplates.templates.gatekeeper.sh", 1)
    masked = "password=[masked: named as a credential]"
    assert record["spec"]["targets"][0]["code"][0]["source"] == [1, masked]


def test_text_of_policies() -> None:
    import msgspec

    raw = msgspec.Raw(b'{"a": 1e400,\n "b\\"": 123456789012345678901234567890}')
    assert bytes(masked_json(raw)) == b'{"a":1e400,"b\\"":123456789012345678901234567890}'


def test_what_is_left_out_changed_and_expanded() -> None:
    evidence = evidence_of("""
apiVersion: config.gatekeeper.sh/v1alpha1
kind: Config
metadata: {name: config, namespace: gatekeeper-system}
spec:
  match:
    - {excludedNamespaces: [kube-*, a], processes: [webhook, audit]}
    - {}
---
apiVersion: mutations.gatekeeper.sh/v1
kind: Assign
metadata: {name: user}
spec:
  applyTo: [{groups: [""], versions: [v1], kinds: [Pod]}]
  location: spec.containers[name:*].env[name:PASSWORD].value
  parameters: {assign: {value: hunter22}, pathTests: [{subPath: spec, condition: MustExist}]}
---
apiVersion: mutations.gatekeeper.sh/v1alpha1
kind: ModifySet
metadata: {name: args}
spec: {location: spec.args, parameters: {operation: prune, values: {fromList: [hunter22]}}}
---
apiVersion: expansion.gatekeeper.sh/v1beta1
kind: ExpansionTemplate
metadata: {name: deployments}
spec:
  applyTo: [{groups: [apps], versions: [v1], kinds: [Deployment]}]
  templateSource: spec.template
  generatedGVK: {group: "", version: v1, kind: Pod}
""")
    assert said(evidence, "gatekeeper_exclusions") == [
        {
            "namespace": "gatekeeper-system",
            "name": "config",
            "position": 1,
            "excluded_namespaces": ["a", "kube-*"],
            "processes": ["audit", "webhook"],
        },
        {"namespace": "gatekeeper-system", "name": "config", "position": 2},
    ]
    assert said(evidence, "gatekeeper_mutations") == [
        {
            "name": "user",
            "apply_to": ["Pod"],
            "location": "spec.containers[name:*].env[name:PASSWORD].value",
            "kinds": ["*.*"],
            "path_tests": ["spec MustExist"],
            "assigns": True,
        },
        {"name": "args", "location": "spec.args", "kinds": ["*.*"], "operation": "prune"},
    ]
    assert said(evidence, "gatekeeper_expansions") == [
        {
            "name": "deployments",
            "apply_to": ["Deployment.apps"],
            "template_source": "spec.template",
            "generated": "Pod",
        }
    ]
    kept = [evidence.record(f"{p}.mutations.gatekeeper.sh", 1) for p in ("assign", "modifyset")]
    assert "hunter22" not in str(kept)
