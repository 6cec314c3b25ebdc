"""The guide's own policies: what they demand, and where they do not reach."""

from __future__ import annotations

from typing import Any

import pytest

from tests.memory_source import evidence_of, rows
from tests.shared import needs_shared, shared

pytestmark = needs_shared


def block(start: str, end: str) -> str:
    """A block of YAML of the guide; lines of one space in it are empty."""
    text = shared("guide.txt").read_text(encoding="utf-8")
    return text.partition(start)[2].partition(end)[0]


@pytest.fixture(scope="module")
def guide() -> dict[str, list[dict[str, Any]]]:
    gatekeeper = block("# gatekeeper-constraints.yaml\n", "\nKyverno Policies\n")
    kyverno = block("# kyverno-policies.yaml\n", "\nRuntime Security\n")
    evidence = evidence_of(f"{gatekeeper}\n---\n{kyverno}")
    return {
        name: rows(evidence, name)
        for name in ("policy_anatomy", "constraint_templates", "kyverno_rules")
    }


def of(found: list[dict[str, Any]], name: str) -> dict[str, Any]:
    (one,) = (one for one in found if name in (one.get("policy"), one.get("name")))
    return one


def test_the_constraint_reads_regular_containers_and_their_own_field_only(guide: Any) -> None:
    it = of(guide["policy_anatomy"], "require-non-root")
    assert (it["mode"], it["kinds"], it["namespaces"]) == (
        "enforce",
        ["Pod"],
        ["production", "staging"],
    )
    assert it["fields"] == ["name", "securityContext.runAsNonRoot", "securityContext.runAsUser"]
    assert (it["reads_containers"], it["reads_init"], it["reads_ephemeral"]) == (True, False, False)
    assert it["controls"] == ["KA-DEP-015", "KA-DEP-015a"]


def test_two_templates_have_no_constraint(guide: Any) -> None:
    templates = {one["constraint_kind"]: one for one in guide["constraint_templates"]}
    used = {one["kind"] for one in guide["policy_anatomy"]}
    assert set(templates) - used == {"K8sRequireResourceLimits", "K8sRequireImageDigest"}
    limits = templates["K8sRequireResourceLimits"]
    assert limits["unused_parameters"] == ["maxCpu", "maxMemory"]
    assert limits["fields"] == ["name", "resources.limits.cpu", "resources.limits.memory"]
    digest = templates["K8sRequireImageDigest"]
    assert (digest["fields"], digest["compares"]) == (["image", "name"], ["digest"])
    assert digest["container_fields"] == ["containers"]


def test_a_label_is_demanded_of_controllers_too(guide: Any) -> None:
    it = of(guide["policy_anatomy"], "require-labels")
    assert it["mode"] == "enforce"
    assert "Deployment.apps" in it["autogen"]
    assert it["required_fields"] == ["metadata.labels.team"]
    assert it["controls"] == ["KA-DEP-034"]


def test_registries_are_asked_of_regular_containers_only(guide: Any) -> None:
    it = of(guide["policy_anatomy"], "restrict-image-registries")
    assert (it["reads_containers"], it["reads_init"], it["reads_ephemeral"]) == (True, False, False)
    assert (it["mode"], it["controls"]) == ("enforce", ["KA-BLD-009"])


def test_a_mutation_overwrites_what_is_set(guide: Any) -> None:
    it = of(guide["policy_anatomy"], "add-default-securitycontext")
    assert (it["purpose"], it["mode"], it["controls"]) == ("mutate", "enforce", [])
    assert it["fields"] == [
        "spec.securityContext.runAsNonRoot",
        "spec.securityContext.seccompProfile.type",
    ]
    assert of(guide["kyverno_rules"], "add-default-securitycontext")["overwrites"] is True
