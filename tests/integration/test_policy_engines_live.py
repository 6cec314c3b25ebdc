"""kubernetes-goat and the guide's manifests under Gatekeeper and Kyverno.

What the engines themselves write into the cluster, what our collectors read of it, and what gator
and kyverno say of the same objects are one; what they say is what the server does.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kaudit.evidence.bundle import Evidence
from kaudit.opening import evidence_of
from kaudit.source.run.tool import Settings
from tests.integration.cluster import Cluster, running_cluster
from tests.integration.engine import engine
from tests.integration.gatekeeper import constraint, enforce, gatekeeper
from tests.integration.guide import shown
from tests.integration.kyverno import kyverno
from tests.integration.operators import put
from tests.integration.process import awaited
from tests.integration.test_goat import scenarios
from tests.memory_source import rows
from tests.shared import needs_shared, shared

pytestmark = needs_shared

Object = dict[str, Any]
LISTED = 3
INTERVAL = 2  # seconds between two audits
_LIBRARY = {
    "pod-security-policy/privileged-containers": "psp-privileged-container",
    "pod-security-policy/host-namespaces": "psp-host-namespace",
    "general/containerlimits": "container-must-have-limits",
}


def goat(folder: Path) -> Iterator[Cluster]:
    """A cluster in which the application and the guide's Deployment make pods."""
    with running_cluster(folder, controllers=True) as found:
        for name in ("secure-middleware", "production"):
            found.kubectl("create", "namespace", name)
        found.kubectl("apply", "-R", *(word for path in scenarios() for word in ("-f", path)))
        for one in shown("secure-deployment.yaml"):
            found.kubectl("apply", "-f", "-", given=json.dumps(one))
        found.kubectl("create", "serviceaccount", "secure-app-sa", "--namespace=production")
        awaited(lambda: all(map(_made, _workloads(found))))
        yield found


def _workloads(cluster: Cluster) -> list[Object]:
    groups = ("apps/v1/deployments", "apps/v1/daemonsets", "batch/v1/jobs")
    return [
        one for group in groups for one in cluster.request("GET", f"/apis/{group}").body["items"]
    ]


def _made(one: Object) -> bool:
    """Whether a workload has made its pods, which no node ever starts."""
    status = one["status"]
    if "parallelism" in one["spec"]:
        return bool(status.get("active"))
    return bool(status.get("unavailableReplicas", 0) == one["spec"].get("replicas", 0))


def constraints() -> list[Object]:
    """Templates and constraints: the guide's, and some of gatekeeper-library for every pod."""
    found = shown("gatekeeper-constraints.yaml")
    library = shared("conformance", "gatekeeper-library", "library")
    for folder, sample in _LIBRARY.items():
        found.append(yaml.safe_load((library / folder / "template.yaml").read_text()))
        one = yaml.safe_load(
            (library / folder / "samples" / sample / "constraint.yaml").read_text()
        )
        one["spec"]["match"] = {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}
        found.append(one)
    found[-1]["spec"]["enforcementAction"] = "dryrun"
    return found


def again(cluster: Cluster, pod: Object) -> tuple[int, str]:
    """What the server says to a pod that is created once more, without keeping it."""
    meta = pod["metadata"]
    body = {
        "metadata": {"name": f"{meta['name']}-again", "labels": meta.get("labels", {})},
        "spec": pod["spec"],
    }
    path = f"/api/v1/namespaces/{meta['namespace']}/pods?dryRun=All"
    answer = cluster.request("POST", path, body)
    return answer.status, str(answer.body.get("message", ""))


@pytest.fixture(scope="module")
def engines_on_the_path() -> Iterator[None]:
    before = os.environ["PATH"]
    folders = {str(engine(name).parent) for name in ("gator", "kyverno")}
    os.environ["PATH"] = os.pathsep.join([*sorted(folders), before])
    yield
    os.environ["PATH"] = before


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    engine("gatekeeper")
    for found in goat(tmp_path_factory.mktemp("gatekeeper-live")):
        with gatekeeper(found, listed=LISTED):
            enforce(found, constraints())
            yield found


def collected(cluster: Cluster, *outputs: tuple[str, Path]) -> Evidence:
    before = os.environ.get("KUBECONFIG")
    os.environ["KUBECONFIG"] = str(cluster.admin)
    try:
        settings = Settings(images=False, policies=True, seconds=120.0)
        return evidence_of(["context:admin"], outputs=outputs, scan=settings)
    finally:
        if before is None:
            del os.environ["KUBECONFIG"]
        else:
            os.environ["KUBECONFIG"] = before


@pytest.fixture(scope="module")
def audited(guarded: Cluster, engines_on_the_path: None) -> Evidence:
    """Evidence of the cluster once every constraint was audited, with Gatekeeper's log."""
    log = guarded.folder / "gatekeeper.log"
    made = [one for one in constraints() if one["kind"] != "ConstraintTemplate"]

    def told() -> str:
        names = [(one["kind"], one["metadata"]["name"]) for one in made]
        found = [constraint(guarded, *name) for name in names]
        text = log.read_text()
        end = text.rfind('"event_type":"audit_finished"')
        last = text[text.rfind('"event_type":"audit_started"', 0, end) : end]
        counted = all(
            one["metadata"]["name"] in last for one in found if one["status"]["totalViolations"]
        )
        return text if len(found) == len(made) and counted and end > 0 else ""

    awaited(told)
    time.sleep(2 * INTERVAL)  # one more audit, of all constraints
    kept = guarded.folder / "kept.log"
    kept.write_text(log.read_text())
    return collected(guarded, ("gatekeeper", kept))


def of_tool(evidence: Evidence, tool: str, basis: str) -> Counter[tuple[str, ...]]:
    """Violations as (policy, namespace, name, message), with how often each is told."""
    columns = ("tool", "basis", "process", "refused", "policy", "namespace", "name", "message")
    return Counter(
        (r["policy"], r["namespace"], r["name"], r["message"])
        for r in rows(evidence, "engine_verdicts", *columns)
        if (r["tool"], r["basis"]) == (tool, basis) and r["refused"] and r["process"] != "admission"
    )


def test_gator_and_the_log_tell_every_violation_that_the_audit_counted(audited: Evidence) -> None:
    by_gator = of_tool(audited, "gator", "cluster")
    by_log = of_tool(audited, "gatekeeper", "given")
    assert by_gator == by_log
    counted = {
        r["name"]: r["total_violations"]
        for r in rows(audited, "constraints", "name", "total_violations")
    }
    assert counted == {
        name: sum(n for key, n in by_gator.items() if key[0] == name) for name in counted
    }
    assert sum(counted.values()) == 17
    (report,) = (r for r in rows(audited, "verdict_reports") if r["tool"] == "gatekeeper")
    assert (report["complete"], report["stated"]) == (True, sum(counted.values()))


def test_a_status_that_is_cut_is_known_as_such(audited: Evidence) -> None:
    found = rows(
        audited, "constraints", "name", "total_violations", "violations_listed", "truncated"
    )
    assert any(r["truncated"] for r in found)
    for r in found:
        assert r["violations_listed"] == min(LISTED, r["total_violations"])
        assert r["truncated"] == (r["total_violations"] > LISTED)
    listed = {
        (r["constraint"], r["namespace"], r["name"])
        for r in rows(audited, "constraint_violations", "constraint", "namespace", "name")
    }
    assert listed <= {key[:3] for key in of_tool(audited, "gator", "cluster")}


def test_the_server_refuses_the_pods_that_gator_says_it_would(
    audited: Evidence, guarded: Cluster
) -> None:
    columns = ("basis", "refused", "actions", "namespace", "name", "tool")
    predicted = {
        (r["namespace"], r["name"])
        for r in rows(audited, "engine_verdicts", *columns)
        if r["tool"] == "gator" and r["refused"] and r["actions"] == ["deny"]
    }
    pods = guarded.request("GET", "/api/v1/pods").body["items"]
    assert predicted < {(p["metadata"]["namespace"], p["metadata"]["name"]) for p in pods}
    for pod in pods:
        meta = pod["metadata"]
        status, message = again(guarded, pod)
        refused = status == 403 and "denied the request" in message
        assert refused or status == 201, message
        assert refused == ((meta["namespace"], meta["name"]) in predicted), meta["name"]


def test_what_is_older_than_its_policy_is_refused_when_it_comes_again(
    audited: Evidence, guarded: Cluster
) -> None:
    """Why a pod was admitted says what the server does today, and which policy does it."""
    columns = ("namespace", "owner_kind", "owner_name", "cause", "engine", "policy", "unexplained")
    found = [r for r in rows(audited, "why_admitted", *columns) if r["engine"] == "Gatekeeper"]
    assert not [r for r in found if r["unexplained"]]
    older = {
        (r["namespace"], r["owner_kind"], r["owner_name"], r["policy"].split()[-1])
        for r in found
        if r["cause"] == "older_than_policy"
    }
    assert {policy for *_, policy in older} == {"psp-privileged-container", "psp-host-namespace"}
    owners = {
        (r["namespace"], r["pod"]): (r["namespace"], r["owner_kind"], r["owner_name"])
        for r in rows(audited, "pod_context", "namespace", "pod", "owner_kind", "owner_name")
    }
    said: set[tuple[str, ...]] = set()
    for pod in guarded.request("GET", "/api/v1/pods").body["items"]:
        meta = pod["metadata"]
        status, message = again(guarded, pod)
        owner = owners[meta["namespace"], meta["name"]]
        names = re.findall(r"\[([a-z-]+)\]", message) if status == 403 else []
        said |= {(*owner, name) for name in names}
    assert older <= said
    # Beyond those: the guide's rule refuses pods that are good, for it reads containers alone.
    assert {policy for *_, policy in said - older} <= {"require-non-root"}


@pytest.fixture(scope="module")
def reported(
    tmp_path_factory: pytest.TempPathFactory, engines_on_the_path: None
) -> Iterator[Evidence]:
    """Evidence of a cluster once Kyverno has reported on every pod."""
    engine("reports-controller")
    for found in goat(tmp_path_factory.mktemp("kyverno-live")):
        with kyverno(found):
            put(found, policies())
            pods = len(found.request("GET", "/api/v1/pods").body["items"])

            def told(found: Cluster = found, pods: int = pods) -> bool:
                path = "/apis/wgpolicyk8s.io/v1alpha2/policyreports"
                reports = found.request("GET", path).body.get("items", [])
                about = [r for r in reports if r.get("scope", {}).get("kind") == "Pod"]
                return len(about) == pods

            awaited(told, within=180)  # it waits half a minute before it scans
            yield collected(found)


def policies() -> Iterator[Object]:
    """The guide's policies and one of Kyverno's own, whose CEL is another engine."""
    yield from (one for one in shown("kyverno-policies.yaml") if one["kind"] == "ClusterPolicy")
    folder = shared("conformance", "kyverno-policies", "pod-security", "baseline")
    path = folder / "disallow-host-namespaces" / "disallow-host-namespaces.yaml"
    yield yaml.safe_load(path.read_text())


def test_reports_of_kyverno_agree_with_its_command_line(reported: Evidence) -> None:
    columns = ("policy", "rule", "kind", "namespace", "name", "result")
    held = {
        tuple(r[name] for name in columns)
        for r in rows(reported, "policy_results", "source", *columns)
    }
    said = {
        tuple(r[name] for name in columns)
        for r in rows(reported, "engine_verdicts", "tool", "basis", *columns)
        if (r["tool"], r["basis"]) == ("kyverno", "cluster")
    }
    assert len(held) > 50
    assert {"fail", "pass"} <= {row[-1] for row in held}
    assert held == {row for row in said if row[2:5] in {one[2:5] for one in held}}
    assert {row[2] for row in said} >= {"Pod", "Deployment", "Job"}


def test_each_result_of_a_report_is_a_row(reported: Evidence) -> None:
    for r in rows(reported, "policy_reports", "contradicts", "results"):
        assert r["contradicts"] is False
        assert r["results"] > 0


def test_what_kyverno_reports_on_is_there_and_counts_once(reported: Evidence) -> None:
    columns = ("policy", "rule", "kind", "namespace", "name", "result", "state", "reports")
    found = rows(reported, "reported_results", *columns)
    held = {tuple(r[n] for n in columns[:6]) for r in rows(reported, "policy_results")}
    assert {tuple(r[n] for n in columns[:6]) for r in found} == held
    assert {r["reports"] for r in found} == {1}
    looked = {"Pod", "Deployment", "ReplicaSet", "Job", "DaemonSet", "Namespace"}
    assert {r["state"] for r in found if r["kind"] in looked} == {"there"}
    assert {r["stale"] for r in rows(reported, "report_subjects", "stale")} <= {False, None}
    silent = [r["name"] for r in rows(reported, "namespace_reports") if not r["reports"]]
    pods = {r["namespace"] for r in rows(reported, "pods", "namespace")}
    assert not pods & {*silent}
