"""The printed schedule is accepted, its pod admitted, and what its containers do works."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kaudit.evidence.bundle import Evidence
from kaudit.schedule.manifest import manifest
from kaudit.schedule.plan import Plan
from kaudit.source import live_config
from tests.integration.cluster import Cluster
from tests.integration.process import awaited
from tests.schedule.test_plan import IMAGE
from tests.test_cli import run

NAMESPACE = "scheduled"
#: Pinned to the version of the server.
PLAN = Plan(image=IMAGE, namespace=NAMESPACE, version="v1.36", secrets="metadata")


@pytest.fixture(scope="module")
def applied(cluster_with_controllers: Cluster) -> Cluster:
    """A cluster that has the schedule.

    Its namespace comes first, since the controllers are quick to make the default account.
    """
    cluster = cluster_with_controllers
    cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    account = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"
    awaited(lambda: cluster.request("GET", account).status == 200)
    cluster.kubectl("apply", "-f", "-", given=manifest(PLAN))
    return cluster


def template(cluster: Cluster) -> dict[str, Any]:
    text = cluster.kubectl("get", "cronjob/kaudit", "-n", NAMESPACE, "-o", "json")
    found: dict[str, Any] = json.loads(text)["spec"]["jobTemplate"]["spec"]["template"]
    return found


def test_what_is_printed_is_stored_as_it_is(applied: Cluster) -> None:
    again = applied.kubectl("apply", "-f", "-", given=manifest(PLAN))
    changed = [line for line in again.splitlines() if not line.endswith(" unchanged")]
    assert changed == []


def test_a_pod_of_its_template_is_admitted(applied: Cluster) -> None:
    found = template(applied)
    made = {"metadata": {"name": "one", **found["metadata"]}, "spec": found["spec"]}
    path = f"/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All"
    answer = applied.request("POST", path, made)
    assert answer.status == 201, answer.body
    open_pod = {"containers": [{"name": "c", "image": "i"}]}
    refused = applied.request("POST", path, {"metadata": {"name": "two"}, "spec": open_pod})
    assert refused.status == 403
    assert 'violates PodSecurity "restricted:v1.36"' in refused.body["message"]


def test_its_job_makes_a_pod(applied: Cluster) -> None:
    applied.kubectl("create", "job", "now", "--from=cronjob/kaudit", "-n", NAMESPACE)
    applied.kubectl("wait", "job/now", "-n", NAMESPACE, "--for=jsonpath={.status.active}=1")
    (pod,) = applied.kubectl("get", "pods", "-n", NAMESPACE, "-o", "name").split()
    assert pod.startswith("pod/now-")


def test_its_containers_do_their_work(
    applied: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is run here with its own arguments; folders stand for its volumes."""
    account, data, config = tmp_path / "account", tmp_path / "data", tmp_path / "config"
    for folder in (account, data, config):
        folder.mkdir()
    (account / "token").write_text(applied.token(NAMESPACE, "kaudit"))
    (account / "ca.crt").write_bytes(applied.authority.read_bytes())
    (account / "namespace").write_text(NAMESPACE)
    text = applied.kubectl("get", "configmap/kaudit", "-n", NAMESPACE, "-o", "json")
    for name, content in json.loads(text)["data"].items():
        (config / name).write_text(content)
    monkeypatch.setattr(live_config, "ACCOUNT", account)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(applied.port))
    stands_for = {
        "/var/lib/kaudit": str(data),
        "/etc/kaudit": str(config),
        "$(POD_NAME)": "kaudit-1",
    }
    spec = template(applied)["spec"]
    for container in spec["initContainers"] + spec["containers"]:
        arguments = container["args"]
        for theirs, ours in stands_for.items():
            arguments = [argument.replace(theirs, ours) for argument in arguments]
        code, _, err = run(*arguments)
        assert code == 0, err
    evidence = Evidence.open(data / "kaudit-1.kaudit")
    assert [gap for gap in evidence.gaps if gap.failed and gap.reason == "forbidden"] == []
    assert NAMESPACE in evidence["namespaces"]["name"].tolist()
    assert (data / "kaudit-1" / "audit.html").is_file()
