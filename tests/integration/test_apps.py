"""What is said of an application in a cluster is what its manifests let expect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from kaudit.cli import app
from tests.integration.cluster import Cluster
from tests.shared import needs_shared, shared

_TOKEN_VOLUME = "the server mounts a token into each pod, as a projected volume"
_PODS = "there are pods to compare with their template and namespace"
_ADMITTED = "there are pods, which a policy let in or should not have"
_REPLICA_SETS = "the controllers made them; their Deployment answers for them"
_ACCOUNT = "every namespace has a default service account, which may give its token away"
_SERVICE = "the Service of the API server itself"
_AUTHORITY = "every namespace has the certificate of the API server's authority"

#: Control and kind of what only the cluster shows, and why.
ONLY_LIVE = {
    ("KA-DEP-005", "Deployment"): _TOKEN_VOLUME,
    ("KA-DEP-024", "Deployment"): _TOKEN_VOLUME,
    ("KA-DEP-029e", "Deployment"): _TOKEN_VOLUME,
    ("KA-DEP-035d", "ReplicaSet"): _REPLICA_SETS,
    ("KA-DEP-035f", "ReplicaSet"): _REPLICA_SETS,
    ("KA-DEP-052", "Deployment"): _ADMITTED,
    ("KA-DEP-052a", "Deployment"): _ADMITTED,
    ("KA-DEP-073b", "ServiceAccount"): _ACCOUNT,
    ("KA-NET-012", "Service"): _SERVICE,
    ("KA-NET-012a", "Service"): _SERVICE,
    ("KA-NET-013", "Service"): _SERVICE,
    ("KA-NET-017a", "Service"): _SERVICE,
    ("KA-RUN-012", "Deployment"): _PODS,
    ("KA-RUN-012a", "Deployment"): _PODS,
    ("KA-SEC-005", "ConfigMap"): _AUTHORITY,
    ("KA-SEC-006c", "ConfigMap"): _AUTHORITY,
    ("KA-SEC-006c", "Service"): _SERVICE,
    ("KA-SEC-018", "Deployment"): _TOKEN_VOLUME,
    ("KA-SEC-019a", "ServiceAccount"): _ACCOUNT,
    ("KA-SEC-019b", "Deployment"): _TOKEN_VOLUME,
}
#: Of what both show: manifests cannot say, the cluster can.
ASSESSED_LIVE = {
    ("KA-DEP-037", "Deployment"): "levels are labels of namespaces",
    ("KA-DEP-075", "Deployment"): "what an account may do is in the cluster's roles",
    (
        "KA-NET-006",
        "Deployment",
    ): "manifests hold no policies of other engines; the cluster has none",
    ("KA-NET-016", "Deployment"): "what is behind a Service is in its EndpointSlices",
    ("KA-SEC-016", "Deployment"): "which Secrets an account may read is in the cluster's roles",
}


class Subject(NamedTuple):
    control: str
    kind: str
    name: str
    container: str


def results(source: str) -> dict[Subject, str]:
    """Status of every control on every object of the namespace ``default``."""
    done = CliRunner().invoke(app, ["assess", source, "--format", "json", "--quiet"])
    assert done.exit_code == 0, done.output
    return {
        Subject(found["control"], found["kind"], found["name"], found["container"]): found["status"]
        for found in json.loads(done.stdout)["results"]
        if found["namespace"] == "default"
    }


def manifests() -> Path:
    return shared("apps", "online-boutique", "manifests", "release", "kubernetes-manifests.yaml")


@pytest.fixture(scope="module")
def live(cluster_with_controllers: Cluster) -> dict[Subject, str]:
    cluster = cluster_with_controllers
    cluster.kubectl("apply", "-f", manifests())
    cluster.kubectl(
        "wait",
        "deployments",
        "--all",
        "--for=jsonpath={.status.unavailableReplicas}=1",  # made; there is no node to run them
        "--timeout=60s",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(cluster.admin))
        return results("context:admin")


@needs_shared
def test_what_only_the_cluster_shows_is_known(live: dict[Subject, str]) -> None:
    filed = results(str(manifests()))
    assert filed.keys() - live.keys() == set()
    assert {(s.control, s.kind) for s in live.keys() - filed.keys()} == ONLY_LIVE.keys()


@needs_shared
def test_verdicts_are_those_on_the_manifests(live: dict[Subject, str]) -> None:
    filed = results(str(manifests()))
    differ = {s for s in live.keys() & filed.keys() if live[s] != filed[s]}
    assert {(s.control, s.kind) for s in differ} == ASSESSED_LIVE.keys()
    assert {(filed[s], live[s]) for s in differ} == {("not_assessed", "pass")}
