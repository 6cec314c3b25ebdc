"""What a missing owner would stand for is judged by its own template."""

import json
from pathlib import Path
from typing import Any

import pytest

import kaudit as ka
from kaudit.collect import collect
from kaudit.columns import plain_rows
from kaudit.model.words import Status
from kaudit.pss import verdicts
from kaudit.source.files import FileSource

RUNS = {"containers": [{"name": "c", "image": "i"}], "hostPID": True}


def deployment(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "n", "uid": f"uid-{name}"},
        "spec": {"template": {"spec": RUNS}},
    }


def replica_set(name: str, owner: str) -> dict[str, Any]:
    reference = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": owner,
        "uid": f"uid-{owner}",
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": "n",
            "uid": f"uid-{name}",
            "ownerReferences": [{**reference, "controller": True}],
        },
        "spec": {"template": {"spec": RUNS}},
    }


def evidence(tmp_path: Path, *objects: Any, raw: bool = True) -> ka.Evidence:
    path = tmp_path / "all.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    return collect(FileSource(path), raw=raw)


def judged(found: ka.Evidence) -> list[tuple[str, str, bool | None]]:
    return [(v.kind, v.name, v.allowed) for v in verdicts(found, "baseline")]


@pytest.mark.parametrize("raw", [True, False])
def test_a_replica_set_alone_is_judged_and_what_else_there_is_stays_unknown(
    tmp_path: Path, raw: bool
) -> None:
    found = evidence(tmp_path, replica_set("r", "d"), raw=raw)
    assert judged(found) == [("ReplicaSet", "r", False)]
    result = ka.assess(found)
    (finding,) = result.by_control["KA-DEP-002"].results(Status.FAIL)
    assert (finding.kind, finding.name) == ("Deployment", "d")
    passed = [r.control for r in result.iter_results() if r.status is Status.PASS]
    assert not passed, "the Deployment itself was not seen"


@pytest.mark.parametrize("late", [True, False])
def test_an_owner_stands_for_what_it_made_wherever_it_comes(tmp_path: Path, late: bool) -> None:
    both = [deployment("d"), replica_set("r", "d"), replica_set("o", "gone")]
    found = evidence(tmp_path, *(reversed(both) if late else both))
    assert sorted(judged(found)) == [("Deployment", "d", False), ("ReplicaSet", "o", False)]


def test_an_owner_that_cannot_be_decoded_stands_for_nothing(tmp_path: Path) -> None:
    broken = deployment("d") | {"spec": {"template": {"spec": {"containers": "none"}}}}
    assert judged(evidence(tmp_path, broken, replica_set("r", "d"))) == [("ReplicaSet", "r", False)]


def test_an_owner_of_another_namespace_stands_for_nothing(tmp_path: Path) -> None:
    elsewhere = deployment("d")
    elsewhere["metadata"]["namespace"] = "m"
    found = evidence(tmp_path, elsewhere, replica_set("r", "d"))
    assert sorted(judged(found)) == [("Deployment", "d", False), ("ReplicaSet", "r", False)]


def test_a_job_of_a_cron_job_that_is_not_there_is_judged(tmp_path: Path) -> None:
    job = replica_set("j", "c") | {"apiVersion": "batch/v1", "kind": "Job"}
    job["metadata"]["ownerReferences"][0] |= {"apiVersion": "batch/v1", "kind": "CronJob"}
    assert judged(evidence(tmp_path, job)) == [("Job", "j", False)]


def test_orphans_of_pieces_lead_to_their_own_raw_records(tmp_path: Path) -> None:
    """Two kinds of many objects each, made into pieces, some in another process."""
    sets = [replica_set(f"r{n}", f"d{n}") for n in range(1_500)]
    owners = [deployment(f"d{n}") for n in range(1_500) if n not in (7, 1_203)]
    for name, objects in (("a-sets", sets), ("b-owners", owners)):
        (tmp_path / f"{name}.json").write_text(
            json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        )
    found = collect(FileSource(tmp_path))
    pods = found["pods"]
    orphans = pods[pods["kind"] == "ReplicaSet"]
    assert sorted(orphans["pod"]) == ["r1203", "r7"]
    assert len(pods) == 1_500
    for pod, raw, line in plain_rows(orphans, "pod", "raw", "raw_line"):
        assert found.record(raw, line)["metadata"]["name"] == pod
