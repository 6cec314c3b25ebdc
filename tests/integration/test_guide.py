"""What the guide shows, given to real programs: what works, and what does not do what it says.

Each is a fact that controls predict from the objects alone.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.cluster import Cluster, running_cluster
from tests.integration.engine import engine
from tests.integration.gatekeeper import constraint, enforce, gatekeeper
from tests.integration.guide import shown
from tests.integration.operators import RefusedError, define, put
from tests.shared import needs_shared, shared

pytestmark = needs_shared

Object = dict[str, Any]

PODS = "/api/v1/namespaces/production/pods"


@pytest.fixture(scope="module")
def defined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that knows the kinds of the operators."""
    with running_cluster(tmp_path_factory.mktemp("guide")) as found:
        for operator in ("external-secrets", "tetragon"):
            define(found, shared("crds", operator))
        yield found


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that Gatekeeper guards, and a pod that was there before."""
    with running_cluster(tmp_path_factory.mktemp("guarded")) as found:
        found.request("POST", "/api/v1/namespaces", {"metadata": {"name": "production"}})
        (deployment,) = shown("secure-deployment.yaml")
        assert found.request("POST", PODS, pod_of(deployment)).status == 201
        with gatekeeper(found):
            enforce(found, shown("gatekeeper-constraints.yaml"))
            yield found


@pytest.fixture
def deployment() -> Object:
    (found,) = shown("secure-deployment.yaml")
    return found


def pod_of(deployment: Object) -> Object:
    template = deployment["spec"]["template"]
    metadata = template["metadata"] | {"name": "secure-app", "namespace": "production"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def refused(folder: Path, *objects: Object) -> list[str]:
    """What gator says of objects that break the guide's constraints."""
    given = [*shown("gatekeeper-constraints.yaml"), *objects]
    path = folder / "all.yaml"
    path.write_text(yaml.safe_dump_all(given), encoding="utf-8")
    command = [str(engine("gator")), "test", "--filename", str(path), "--output", "json"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode in {0, 1}, ended.stderr
    return [found["msg"] for found in json.loads(ended.stdout or "null") or ()]


def test_its_constraint_refuses_its_own_secure_deployment(
    tmp_path: Path, deployment: Object
) -> None:
    """The rule reads the container's own setting; the Deployment has it for the pod."""
    assert refused(tmp_path, pod_of(deployment)) == ["Container app must set runAsNonRoot to true"]


def test_the_server_refuses_the_pod_and_the_audit_counts_the_one_there(
    guarded: Cluster, deployment: Object
) -> None:
    another = pod_of(deployment)
    another["metadata"]["name"] = "another"
    found = constraint(guarded, "K8sRequireNonRoot", "require-non-root")
    assert found["status"]["totalViolations"] == 1
    (violation,) = found["status"]["violations"]
    assert (violation["kind"], violation["name"]) == ("Pod", "secure-app")
    answer = guarded.request("POST", PODS, another)
    assert answer.status == 403
    said = "[require-non-root] Container app must set runAsNonRoot to true"
    assert said in answer.body["message"]


def test_the_server_admits_what_its_other_templates_describe(
    guarded: Cluster, deployment: Object
) -> None:
    constraint(guarded, "K8sRequireNonRoot", "require-non-root")
    pod = pod_of(deployment)
    pod["metadata"]["name"] = "bare"
    bare = {"name": "app", "image": "i:1", "securityContext": {"runAsNonRoot": True}}
    pod["spec"]["containers"] = [bare]
    assert guarded.request("POST", PODS, pod).status == 201


def test_its_constraint_does_not_read_init_containers(tmp_path: Path, deployment: Object) -> None:
    pod = pod_of(deployment)
    safe = {"runAsNonRoot": True}
    pod["spec"]["containers"][0]["securityContext"] |= safe
    root = {"name": "first", "image": "i", "securityContext": {"runAsUser": 0}}
    pod["spec"]["initContainers"] = [root]
    assert refused(tmp_path, pod) == []


def test_its_other_two_templates_enforce_nothing(tmp_path: Path, deployment: Object) -> None:
    """No constraint uses them: a pod without limits and digest is not refused."""
    kinds = [found["kind"] for found in shown("gatekeeper-constraints.yaml")]
    assert sorted(kinds) == ["ConstraintTemplate"] * 3 + ["K8sRequireNonRoot"]
    pod = pod_of(deployment)
    bare = {"name": "app", "image": "i:1", "securityContext": {"runAsNonRoot": True}}
    pod["spec"]["containers"] = [bare]
    assert refused(tmp_path, pod) == []


def test_its_constraint_matches_pods_of_two_namespaces_alone(
    tmp_path: Path, deployment: Object
) -> None:
    elsewhere = pod_of(deployment)
    elsewhere["metadata"]["namespace"] = "default"
    assert refused(tmp_path, elsewhere) == []


def test_its_tracing_policies_are_rejected(defined: Cluster) -> None:
    policies = shown("tetragon-policy.yaml")
    assert [found["kind"] for found in policies] == ["TracingPolicy"] * 2
    for policy in policies:
        with pytest.raises(subprocess.CalledProcessError) as refusal:
            defined.kubectl("apply", "-f", "-", given=json.dumps(policy))
        assert 'unknown field "spec.kprobes[0].action"' in "".join(refusal.value.__notes__)


def test_its_stores_are_of_a_version_that_is_not_served(defined: Cluster) -> None:
    for found in shown("external-secrets.yaml"):
        assert found["apiVersion"] == "external-secrets.io/v1beta1"
        with pytest.raises(RefusedError, match="does not serve"):
            put(defined, [found])


def test_its_stores_are_taken_in_the_version_that_is_served(defined: Cluster) -> None:
    put(
        defined,
        [
            found | {"apiVersion": "external-secrets.io/v1"}
            for found in shown("external-secrets.yaml")
        ],
    )


def test_its_namespace_admits_its_own_pod(defined: Cluster, deployment: Object) -> None:
    (namespace,) = shown("namespace-security.yaml")
    defined.kubectl("apply", "-f", "-", given=json.dumps(namespace))
    pod = pod_of(deployment)
    path = "/api/v1/namespaces/production/pods?dryRun=All"
    assert defined.request("POST", path, pod).status == 201
    pod["spec"]["hostPID"] = True
    answer = defined.request("POST", path, pod)
    assert answer.status == 403
    assert 'violates PodSecurity "restricted:latest"' in answer.body["message"]
