"""The guide's own policies, as it prints them: what they demand, and the traps in them.

The traps are those of section 4 of the catalogue of controls, 1 to 5; each has a test of its
own here, and a control that finds it. What a real Gatekeeper does with them is tested beside a
real API server.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from kaudit.assess import assess
from kaudit.assessment import Assessment
from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Status
from tests.memory_source import MemorySource, evidence_of, objects, rows
from tests.shared import needs_shared, shared

GUIDE = Path(__file__).parents[1] / "guide"
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(GUIDE.glob("*.yaml"))}
POLICIES = "\n---\n".join(TEXTS[n] for n in ("gatekeeper-constraints", "kyverno-policies"))


@needs_shared
@pytest.mark.parametrize("name", TEXTS)
def test_the_files_are_those_of_the_guide(name: str) -> None:
    assert TEXTS[name] in shared("guide.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return evidence_of(POLICIES)


@pytest.fixture(scope="module")
def judged(evidence: Evidence) -> Assessment:
    return assess(evidence)


def policy(evidence: Evidence, name: str, table: str = "policy_blind_spots") -> dict[str, Any]:
    (one,) = (r for r in rows(evidence, table) if name in (r.get("policy"), r.get("name")))
    return one


def failed(judged: Assessment, control: str) -> list[str]:
    return sorted(r.name for r in judged.results_of(control, Status.FAIL))


def cluster(change: Any = None, **labels: str) -> Evidence:
    """The guide's policies, its namespace, and a pod of its Deployment, changed, that came later."""
    (deployment,), (space,) = (
        objects(TEXTS[n]) for n in ("secure-deployment", "namespace-security")
    )
    template = deployment["spec"]["template"]
    if change:
        change(template["spec"])
    made = "2025-03-01T00:00:00Z"
    deployment["metadata"] |= {"creationTimestamp": made, "labels": labels, "uid": "d"}
    metadata = {
        "name": "secure-app-1",
        "namespace": "production",
        "creationTimestamp": made,
        "labels": {**template["metadata"]["labels"], **labels},
        "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "Deployment", "name": "secure-app", "uid": "d"}
            | {"controller": True}
        ],
    }
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
    policies = objects(POLICIES)
    for one in (*policies, space):
        one["metadata"]["creationTimestamp"] = "2025-02-01T00:00:00Z"
    space["metadata"]["labels"] = {}
    return collect(MemorySource(space, *policies, deployment, pod))


def why(evidence: Evidence, control: str) -> tuple[str, str, str]:
    """Cause, policy and clause of a control."""
    (one,) = (r for r in rows(evidence, "why_admitted") if r["control"] == control)
    return one["cause"], one["policy"], one["clause"]


def state(evidence: Evidence, control: str) -> tuple[str, list[str], list[str]]:
    (one,) = (
        r
        for r in rows(evidence, "enforcement_coverage")
        if (r["name"], r["control"]) == ("production", control)
    )
    return one["state"], one["policies"], one["holes"]


# Anatomy and mode.


def test_anatomy_of_the_one_constraint(evidence: Evidence) -> None:
    it = policy(evidence, "require-non-root", "policy_anatomy")
    assert (it["mode"], it["mode_text"]) == ("enforce", "enforcementAction deny")
    assert (it["kinds"], it["namespaces"]) == (["Pod"], ["production", "staging"])
    assert it["fields"] == ["name", "securityContext.runAsNonRoot", "securityContext.runAsUser"]
    assert (it["reads_containers"], it["reads_init"], it["reads_ephemeral"]) == (True, False, False)
    assert it["controls"] == ["KA-DEP-015", "KA-DEP-015a"]


def test_anatomy_of_the_other_templates(evidence: Evidence) -> None:
    limits = policy(evidence, "k8srequireresourcelimits", "constraint_templates")
    assert limits["fields"] == ["name", "resources.limits.cpu", "resources.limits.memory"]
    assert (limits["engines"], limits["container_fields"]) == (["Rego"], ["containers"])
    assert (limits["parameters"], limits["reads_known"]) == (["maxCpu", "maxMemory"], True)
    digest = policy(evidence, "k8srequireimagedigest", "constraint_templates")
    assert (digest["fields"], digest["compares"]) == (["image", "name"], ["digest"])
    assert (digest["container_fields"], digest["parameters"]) == (["containers"], [])


@pytest.mark.parametrize(
    ("name", "purpose", "controls", "reads"),
    [
        ("require-labels", "validate", ["KA-DEP-034"], [False, False, False]),
        ("add-default-securitycontext", "mutate", [], [False, False, False]),
        ("restrict-image-registries", "validate", ["KA-BLD-009"], [True, False, False]),
    ],
)
def test_anatomy_of_the_policies_of_kyverno(
    evidence: Evidence, name: str, purpose: str, controls: list[str], reads: list[bool]
) -> None:
    it = policy(evidence, name, "policy_anatomy")
    assert (it["mode"], it["purpose"], it["controls"]) == ("enforce", purpose, controls)
    assert (it["kinds"], it["namespaces"], it["exceptions"]) == (
        sorted(["Pod", *it["autogen"]]),
        [],
        0,
    )
    assert "Deployment.apps" in it["autogen"]
    assert [it[f"reads_{of}"] for of in ("containers", "init", "ephemeral")] == reads
    assert (it["failure_policy"], it["background"]) == ("Fail", True)


# Trap 1: the field of the container alone, of regular containers alone.


def test_trap_1_pod_level_settings_are_not_read(evidence: Evidence, judged: Assessment) -> None:
    assert policy(evidence, "require-non-root")["own_only"] == ["runAsNonRoot", "runAsUser"]
    assert failed(judged, "KA-DEP-051c") == ["require-non-root"]


def test_trap_1_init_and_ephemeral_containers_are_not_looked_at(judged: Assessment) -> None:
    assert "require-non-root" in failed(judged, "KA-DEP-048")
    assert "require-non-root" in failed(judged, "KA-DEP-049")


def test_trap_1_an_init_container_as_root_was_not_read() -> None:
    def change(spec: Any) -> None:
        root = {"name": "first", "image": "i", "securityContext": {"runAsUser": 0}}
        spec["initContainers"] = [root | {"securityContext": {"runAsUser": 0}}]

    found = cluster(change, team="a")
    cause, by, clause = why(found, "KA-DEP-015a")
    assert (cause, by) == ("containers_not_read", "K8sRequireNonRoot require-non-root")
    assert clause == "initContainers not read"
    assert state(found, "KA-DEP-015a") == (
        "partial",
        ["K8sRequireNonRoot require-non-root"],
        ["ephemeralContainers are not looked at", "initContainers are not looked at"],
    )


# Trap 2: templates without a constraint, parameters that nothing reads.


def test_trap_2_two_templates_enforce_nothing(evidence: Evidence, judged: Assessment) -> None:
    assert failed(judged, "KA-DEP-051a") == ["k8srequireimagedigest", "k8srequireresourcelimits"]
    for control in ("KA-BLD-008", "KA-DEP-028", "KA-DEP-029c"):
        assert state(cluster(), control) == ("none", [], [])


def test_trap_2_parameters_are_never_read(judged: Assessment) -> None:
    found = [*judged.results_of("KA-DEP-051a", Status.FAIL)]
    (limits,) = (r for r in found if r.name == "k8srequireresourcelimits")
    assert "maxCpu, maxMemory" in limits.observed


# Trap 3: a label that the guide's own Deployment lacks.


def test_trap_3_the_label_is_demanded_of_controllers_too(evidence: Evidence) -> None:
    it = policy(evidence, "require-labels", "policy_anatomy")
    assert it["required_fields"] == ["metadata.labels.team"]
    assert "Deployment.apps" in it["autogen"]
    (deployment,) = yaml.safe_load_all(TEXTS["secure-deployment"])
    assert "team" not in deployment["spec"]["template"]["metadata"]["labels"]


def test_trap_3_its_own_deployment_has_no_owner() -> None:
    assert failed(assess(cluster()), "KA-DEP-034") == ["secure-app"]


# Trap 4: registries of regular containers alone.


def test_trap_4_registries_of_other_containers_are_free(judged: Assessment) -> None:
    for control in ("KA-DEP-048", "KA-DEP-049"):
        assert failed(judged, control) == ["require-non-root", "restrict-image-registries"]
    assert state(cluster(), "KA-BLD-009") == (
        "partial",
        ["ClusterPolicy restrict-image-registries, validate-registries"],
        ["ephemeralContainers are not looked at", "initContainers are not looked at"],
    )


# Trap 5: a mutation that overwrites.


def test_trap_5_a_mutation_overwrites_what_is_set(evidence: Evidence, judged: Assessment) -> None:
    it = policy(evidence, "add-default-securitycontext", "policy_anatomy")
    assert it["fields"] == [
        "spec.securityContext.runAsNonRoot",
        "spec.securityContext.seccompProfile.type",
    ]
    rule = policy(evidence, "add-default-securitycontext", "kyverno_rules")
    assert rule["overwrites"] is True
    assert failed(judged, "KA-DEP-056") == ["add-default-securitycontext"]


def test_rules_that_mutate_or_verify_nothing_are_no_matter_of_that(judged: Assessment) -> None:
    results = judged.results
    for id, type in (("KA-DEP-055", "verifyImages"), ("KA-DEP-056", "mutate")):
        of = results[results["control"] == id]
        rules = judged.evidence.frames.get("kyverno_rules")
        others = int((rules["type"] != type).sum())
        assert others
        assert int((of["status"] == "not_applicable").sum()) == others


def test_nothing_else_is_said_of_the_policies(judged: Assessment) -> None:
    """Every finding on the policies themselves is one of the traps."""
    of_policies = {
        *("KA-DEP-045", "KA-DEP-046", "KA-DEP-048", "KA-DEP-049", "KA-DEP-051", "KA-DEP-051a"),
        *("KA-DEP-051b", "KA-DEP-051c", "KA-DEP-042a", "KA-DEP-056", "KA-DEP-050"),
    }
    found = {id: failed(judged, id) for id in sorted(of_policies)}
    assert {id: names for id, names in found.items() if names} == {
        "KA-DEP-048": ["require-non-root", "restrict-image-registries"],
        "KA-DEP-049": ["require-non-root", "restrict-image-registries"],
        "KA-DEP-051a": ["k8srequireimagedigest", "k8srequireresourcelimits"],
        "KA-DEP-051c": ["require-non-root"],
        "KA-DEP-056": ["add-default-securitycontext"],
    }
