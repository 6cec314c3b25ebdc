"""Files of nodes that log in to clouds and registries, in the homes of all users."""

import pytest

from kaudit.assess import assess
from kaudit.model.words import Status
from kaudit.registry import CONTROLS
from tests.memory_source import evidence_of

POD = (
    "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {volumes: [{name: v, hostPath: "
    '{path: "%s"}}], containers: [{name: c, image: i}]}}'
)
HOMES = ("root", "home/admin")


def judged(path: str) -> set[Status]:
    evidence = evidence_of(POD % path)
    (control,) = (c for c in CONTROLS.values() if c.function.__name__ == "cloud_file_of_node")
    return {result.status for result in assess(evidence, [control]).iter_results()}


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize(
    "file", [".aws", ".aws/credentials", ".azure", ".config/gcloud/x", "./.docker//config.json"]
)
def test_a_users_file_is_found_in_any_home(home: str, file: str) -> None:
    assert judged(f"/{home}/{file}") == {Status.FAIL}


@pytest.mark.parametrize(
    "path", ["/root", "/home", "/home/admin", "/home/.aws", "/srv/.aws", "/home/admin/.awsome"]
)
def test_what_only_looks_alike_is_not(path: str) -> None:
    assert judged(path) == {Status.PASS}


def test_files_of_the_node_itself() -> None:
    assert judged("/etc/kubernetes/azure.json") == {Status.FAIL}
    assert judged("/var/lib/kubelet/config.json/") == {Status.FAIL}
    assert judged("/var/lib/kubelet/config.yaml") == {Status.PASS}
