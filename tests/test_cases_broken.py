"""What cannot be read of a case lets nothing pass that failed or was not assessed before."""

import json
from typing import Any

import pytest

from kaudit import registry
from kaudit.assess import assess
from kaudit.cases import Case, cases, collected
from kaudit.model.words import Status
from kaudit.model.yaml_stream import documents

registry.load()

COMPARING = [c for c in registry.CONTROLS.values() if c.compares]
POD = '{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}'
SCAN: dict[str, Any] = {
    "kaudit-file": "b.json",
    "content": {
        "SchemaVersion": 2,
        "ArtifactName": "a/b:1",
        "Results": [
            {
                "Target": "b",
                "Class": "os-pkgs",
                "Type": "debian",
                "Vulnerabilities": [
                    {"VulnerabilityID": "CVE-2099-0001", "PkgName": "z", "InstalledVersion": "1"}
                ],
            }
        ],
    },
}
FALCO = (
    "{apiVersion: v1, kind: Pod, metadata: {name: falco-a, namespace: falco}, spec: "
    '{nodeName: a, containers: [{name: falco, image: "falcosecurity/falco:0.42.0"}]}}'
)


def document(found: Any) -> str:
    """Text of a document of a case; files beside manifests are known by how they begin."""
    if isinstance(found, str):
        return found
    text = "\n".join(f"{name}: {json.dumps(value)}" for name, value in found.items())
    return text if "kaudit-file" in found else json.dumps(found)


def statuses(control: registry.Control, found: list[Any]) -> dict[tuple[str, ...], Status]:
    text = "\n---\n".join(map(document, found))
    results = assess(collected(Case("", text + "\n")), [control], strict=True).iter_results()
    return {(r.kind, r.namespace, r.name, r.container): r.status for r in results}


def better(
    before: dict[tuple[str, ...], Status], after: dict[tuple[str, ...], Status]
) -> list[Any]:
    return [k for k, s in after.items() if s is Status.PASS and before.get(k) is not Status.PASS]


@pytest.mark.parametrize("control", COMPARING, ids=lambda c: c.id)
def test_where_resources_are_compared_none_passes_for_want_of_another(
    control: registry.Control,
) -> None:
    for case in cases(control.cases):
        found = [content for _, content in documents(case.manifests.encode())]
        before = statuses(control, found)
        assert before
        for number, each in enumerate(found):
            if not isinstance(each, dict) or "metadata" not in each:
                continue
            odd = each | {"metadata": each["metadata"] | {"labels": "odd"}}
            after = statuses(control, [*found[:number], odd, *found[number + 1 :]])
            assert better(before, after) == [], f"without document {number + 1}"


def known(*cves: Any) -> dict[str, Any]:
    entries = [{"cveID": cve, "dateAdded": "2025-11-01"} for cve in cves]
    about = {"catalogVersion": "2025.11.30", "dateReleased": "2025-11-30T00:00:00Z"}
    return {"kaudit-file": "kev.json", "content": {**about, "vulnerabilities": entries}}


def scored(*lines: str) -> dict[str, Any]:
    head = ["#model_version:v2025.03.14,score_date:2025-11-30T00:00:00+0000", "cve,epss,percentile"]
    return {"kaudit-file": "epss_scores-2025-11-30.csv", "lines": [*head, *lines]}


def logged(*events: Any) -> dict[str, Any]:
    return {"kaudit-file": "falco.jsonl", "lines": [json.dumps(event) for event in events]}


LOST = {
    "rule": "Falco internal: syscall event drop",
    "priority": "Debug",
    "time": "2025-11-30T00:00:00Z",
    "hostname": "a",
    "output": "",
    "output_fields": {"n_drops": "9"},
}
QUIET = LOST | {"rule": "Shell", "output_fields": {}}


@pytest.mark.parametrize(
    ("control", "scenery", "whole", "broken"),
    [
        (
            "KA-BLD-005",
            [POD, SCAN],
            known("CVE-2099-0001", "CVE-2099-0009"),
            known(["CVE-2099-0001"], "CVE-2099-0009"),
        ),
        (
            "KA-BLD-005a",
            [POD, SCAN],
            scored("CVE-2099-0001,0.93,0.99", "CVE-2099-0009,0.1,0.1"),
            scored("CVE-2099-0001,much,0.99", "CVE-2099-0009,0.1,0.1"),
        ),
        ("KA-RUN-002a", [FALCO], logged(LOST, QUIET), logged(LOST | {"rule": 7}, QUIET)),
    ],
)
def test_a_record_that_cannot_be_read_may_hide_a_fault(
    control: str, scenery: list[Any], whole: dict[str, Any], broken: dict[str, Any]
) -> None:
    judged = registry.CONTROLS[control]
    before = statuses(judged, [*scenery, whole])
    assert Status.FAIL in before.values()
    after = statuses(judged, [*scenery, broken])
    assert Status.NOT_ASSESSED in after.values()
    assert Status.PASS not in after.values()


def test_a_loss_that_says_no_time_is_a_loss() -> None:
    event = {name: value for name, value in LOST.items() if name != "time"}
    found = statuses(registry.CONTROLS["KA-RUN-002a"], [FALCO, logged(event)])
    assert Status.FAIL in found.values()
