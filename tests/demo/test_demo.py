"""The demo: what it holds, the gaps it has, and that it is the same every time."""

from __future__ import annotations

import hashlib
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from kaudit.assess import assess
from kaudit.assessment import Assessment
from kaudit.demo import VERSION, objects, write
from kaudit.dossier import demo_evidence
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Opinion, Reason, Status
from kaudit.waivers import load_waivers

ROWS = {
    "pods": 114,
    "containers": 121,
    "workloads": 55,
    "namespaces": 18,
    "nodes": 5,
    "services": 9,
    "network_policies": 8,
    "rbac_bindings": 13,
    "service_accounts": 46,
    "secrets": 17,
    "certificates": 2,
    "certificate_issuers": 2,
    "webhooks": 2,
    "persistent_volumes": 4,
    "persistent_volume_claims": 4,
    "storage_classes": 2,
    "classes": 3,
    "crds": 3,
    "api_services": 2,
    "certificate_requests": 2,
    "endpoint_slices": 3,
    "reference_grants": 1,
    "other_policies": 1,
    "other_policy_rules": 1,
    "openshift_routes": 1,
    "user_networks": 1,
    "virtual_machines": 1,
    "network_attachments": 1,
    "multi_network_policies": 1,
    "multi_network_policy_rules": 1,
    "mesh_policies": 3,
    "node_encryption": 1,
    "kubelet_configs": 2,
    "audit_policies": 1,
    "scheduler_configs": 1,
    "ingress_nginx": 1,
    "external_secrets": 6,
    "push_secrets": 1,
    "secret_stores": 3,
    "secret_generators": 1,
    "secret_provider_classes": 1,
    "secret_provider_mounts": 1,
    "sealed_secrets": 1,
    "constraint_templates": 3,
    "constraints": 3,
    "constraint_violations": 1,
    "gatekeeper_exclusions": 1,
    "gatekeeper_mutations": 1,
    "gatekeeper_expansions": 1,
    "kyverno_policies": 3,
    "kyverno_rules": 3,
    "policy_exceptions": 1,
    "policy_reports": 4,
    "policy_results": 4,
    "events": 101,
    "event_logs": 2,
    "cluster_events": 1,
    "falco_items": 5,
    "falco_settings": 1,
    "tracing_policies": 1,
    "tracing_policy_states": 1,
    "audit_events": 4,
}


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    path = tmp_path_factory.mktemp("demo") / "evidence.kaudit"
    demo_evidence(path)
    return Evidence.open(path)


@pytest.fixture(scope="module")
def assessment(evidence: Evidence) -> Assessment:
    waivers = load_waivers(Path(str(files("kaudit.demo") / "waivers.yaml")))
    return assess(evidence, waivers=waivers, strict=True)


def test_every_table_has_rows(evidence: Evidence) -> None:
    held = {row.table: row.rows for row in evidence.tables().itertuples()}
    assert {name: held[name] for name in ROWS} == ROWS
    assert [name for name, rows in held.items() if not rows] == []
    access = evidence["access"]
    assert access[~access["allowed"]]["plural"].tolist() == ["secrets"]


def test_one_object_is_broken_and_one_read_was_refused(evidence: Evidence) -> None:
    failed = {(g.what, g.reason) for g in evidence.gaps if g.failed}
    assert failed == {
        ("NetworkPolicy legacy/allow-partners", Reason.BROKEN),
        ("list secrets in sandbox", Reason.FORBIDDEN),
    }
    (refused,) = [g for g in evidence.gaps if g.reason is Reason.FORBIDDEN]
    assert (refused.kind, refused.namespace) == ("Secret", "sandbox")
    assert "secrets" in refused.tables
    assert "secrets is forbidden" in refused.detail


def test_a_refused_read_is_a_result_of_its_own(assessment: Assessment) -> None:
    (lost,) = [
        r for r in assessment.results_of("KA-SEC-013", Status.NOT_ASSESSED) if r.kind == "Secret"
    ]
    assert (lost.namespace, lost.name) == ("sandbox", "")
    assert "list secrets in sandbox" in lost.reason


def test_every_opinion_is_there(assessment: Assessment) -> None:
    opinions = Counter(c.opinion for c in assessment.operation.values())
    assert set(opinions) == set(Opinion)
    excepted = [
        id for id, c in assessment.operation.items() if c.opinion is Opinion.WITH_EXCEPTIONS
    ]
    assert excepted == ["KA-DEP-032a", "KA-DEP-035d", "KA-DEP-036d"]


def test_each_waiver_accepts_something_but_the_one_that_has_ended(assessment: Assessment) -> None:
    used = {r.waiver for r in assessment.iter_results(Status.FAIL)} - {""}
    ended = {w.id for w in assessment.waivers if not w.holds(assessment.evidence.as_of)}
    assert ended == {"W-2025-17"}
    assert used == {w.id for w in assessment.waivers} - ended


def test_it_is_the_same_every_time(evidence: Evidence, tmp_path: Path) -> None:
    demo_evidence(tmp_path / "again.kaudit")
    again = Evidence.open(tmp_path / "again.kaudit")
    assert again.id == evidence.id
    assert list(objects()) == list(objects())


def test_names_are_unique_and_times_are_before_the_collection(evidence: Evidence) -> None:
    found = list(objects())
    keys = Counter(
        (o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]) for o in found
    )
    assert [key for key, count in keys.items() if count > 1] == []
    assert evidence.as_of is not None
    moment = f"{evidence.as_of:%Y-%m-%dT%H:%M:%SZ}"
    assert all(o["metadata"]["creationTimestamp"] <= moment for o in found)
    pods = {
        (o["metadata"]["namespace"], o["metadata"]["name"]) for o in found if o["kind"] == "Pod"
    }
    behind = [name for names in evidence["endpoint_slices"]["pods"] for name in names]
    assert behind
    assert {tuple(name.split("/")) for name in behind} <= pods


def test_the_dump_is_a_file_a_kind(tmp_path: Path) -> None:
    write(tmp_path / "one")
    write(tmp_path / "two")
    kinds = {o["kind"].lower() for o in objects()}
    one, two = (
        {
            path.relative_to(tmp_path / name): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("one", "two")
    )
    assert one == two
    dumped = {path.name for path in one if len(path.parts) == 1}
    assert dumped == {f"{kind}.json" for kind in kinds} | {"version.json"}
    assert VERSION in (tmp_path / "one" / "version.json").read_text()
