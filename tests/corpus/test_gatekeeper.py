"""Real objects of Gatekeeper: what the tables say is what plain YAML says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pytest
import yaml

from kaudit.collect import collect
from kaudit.source.files import FileSource
from tests.corpus.reading import broken, corpus, files
from tests.shared import needs_shared

FOLDER = "gatekeeper"
OTHER = {"admissionreview-update.yaml"}  # no object of Gatekeeper


def objects(path: Path, group: str) -> list[dict[str, Any]]:
    """Objects of a group in a file, of lists too."""
    whole = [d for d in yaml.safe_load_all(path.read_text()) if isinstance(d, dict)]
    flat = [item for d in whole for item in (d["items"] if d.get("kind") == "List" else [d])]
    return [o for o in flat if o.get("apiVersion", "").startswith(group)]


PATHS = [
    path
    for path in files(FOLDER, "constraint*", "template*", "gator-input*")
    if path.name not in OTHER
]


@needs_shared
@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.name)
def test_counts_are_those_of_plain_documents(path: Path) -> None:
    evidence = collect(FileSource(path))
    assert broken(evidence) == []
    templates = objects(path, "templates.gatekeeper.sh")
    assert sorted(evidence["constraint_templates"]["constraint_kind"]) == sorted(
        t["spec"]["crd"]["spec"]["names"]["kind"] for t in templates
    )
    constraints = objects(path, "constraints.gatekeeper.sh")
    rows = evidence["constraints"].set_index(["kind", "name"])
    assert len(rows) == len(constraints)
    listed: Counter[tuple[str, ...]] = Counter()
    for it in constraints:
        row = rows.loc[(it["kind"], it["metadata"]["name"])]
        status, spec = it.get("status", {}), it.get("spec", {})
        violations = status.get("violations", [])
        listed.update(
            (it["kind"], v["kind"], v.get("namespace", ""), v["name"]) for v in violations
        )
        assert row["violations_listed"] == len(violations)
        if "totalViolations" in status:
            assert row["total_violations"] == status["totalViolations"]
            assert row["truncated"] == (status["totalViolations"] > len(violations))
        else:
            assert str(row["total_violations"]) == str(row["truncated"]) == "<NA>"
        assert row["enforcement_action"] == spec.get("enforcementAction", "deny")
        assert row["pods"] == len(status.get("byPod", []))
        assert list(row["excluded_namespaces"]) == sorted(
            spec.get("match", {}).get("excludedNamespaces", [])
        )
    found = evidence["constraint_violations"]
    named = zip(*(found[n] for n in ("constraint_kind", "kind", "namespace", "name")), strict=True)
    assert Counter(named) == listed


@needs_shared
def test_what_code_looks_at() -> None:
    def row(name: str) -> dict[Hashable, Any]:
        (found,) = collect(FileSource(corpus(FOLDER, name)))["constraint_templates"].to_dict(
            "records"
        )
        return found

    found = row("template-privileged-containers.yaml")
    assert list(found["engines"]) == ["K8sNativeValidation", "Rego"]
    assert list(found["container_fields"]) == [
        "containers",
        "ephemeralContainers",
        "initContainers",
    ]
    assert list(found["parameters"]) == ["exemptImages"]
    found = row("template-k8srequiredlabels.yaml")
    assert list(found["container_fields"]) == []
    assert list(found["parameters"]) == ["labels", "message"]
