"""Pods with the same spec share its rows: together they tell what each tells alone."""

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kaudit as ka
from kaudit import registry
from kaudit.collect import collect
from kaudit.source.files import FileSource
from tests.memory_source import rows as rows_of

CONTAINER: dict[str, Any] = {
    "name": "app",
    "image": "i:1",
    "ports": [{"containerPort": 80}, {"containerPort": 81, "name": "b"}],
    "env": [{"name": "A", "value": "plain"}, {"name": "B", "valueFrom": {"secretKeyRef": {}}}],
    "envFrom": [{"secretRef": {"name": "s"}}],
    "livenessProbe": {"httpGet": {"port": 80, "path": "/live"}},
    "lifecycle": {"preStop": {"exec": {"command": ["sleep", "5"]}}},
    "resources": {"limits": {"cpu": "100m", "memory": "64Mi"}},
}
SPECS: list[dict[str, Any]] = [
    {"containers": [CONTAINER]},
    {"containers": [{**CONTAINER, "image": "i:2"}], "hostPID": True},
    {"containers": [CONTAINER, {"name": "sub"}], "initContainers": [{"name": "first"}]},
    {"containers": [{**CONTAINER, "env": [{"name": "A", "value": "xyz"}]}]},
    {"containers": []},
    {},
]


def pod(
    number: int, spec: dict[str, Any], *, node: str | None = None, token: str = "", **more: Any
) -> dict[str, Any]:
    spec = copy.deepcopy(spec)
    if node is not None:
        spec["nodeName"] = node
    if token:
        sources = [{"serviceAccountToken": {"path": "token"}}]
        spec.setdefault("volumes", []).append({"name": token, "projected": {"sources": sources}})
        for container in spec.get("containers", ()):
            mount = {"name": token, "mountPath": "/var/run/secrets"}
            container.setdefault("volumeMounts", []).append(mount)
    uid = f"uid-{number}"
    metadata = {"name": f"p{number}", "namespace": f"n{number % 2}", "uid": uid, **more}
    status = {
        "phase": "Running",
        "podIPs": [{"ip": f"10.0.0.{number}"}],
        "containerStatuses": [
            {"name": "app", "imageID": f"i@sha256:{number}", "ready": True, "restartCount": number}
        ],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def collected(*pods: dict[str, Any], raw: bool = False) -> ka.Evidence:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pods.json")
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}))
        return collect(FileSource(path), raw=raw)


def rows(found: ka.Evidence) -> dict[str, list[str]]:
    """Rows of all tables of pods, but for the place of their raw records."""
    names = [name for name in found.store.names() if registry.TABLES[name].pods]
    return {name: sorted(map(repr, rows_of(found, name))) for name in names}


def alone(*pods: dict[str, Any]) -> dict[str, list[str]]:
    """Rows of the pods, each collected by itself."""
    found: dict[str, list[str]] = {}
    for one in pods:
        for name, of in rows(collected(one)).items():
            found[name] = sorted(found.get(name, []) + of)
    return found


TOKENS = st.sampled_from(["", "kube-api-access-aaaaa", "kube-api-access-bbbbb", "kube-api-access-"])
PODS = st.lists(
    st.tuples(
        st.sampled_from(SPECS),
        st.sampled_from([None, "node-1", "node-2", "app", "i:1", "\u00e9\x00"]),
        TOKENS,
        st.sampled_from([{}, {"labels": {"a": "b"}}, {"annotations": {"c": "d"}}]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=30, deadline=None)
@given(PODS)
def test_pods_together_tell_what_each_tells_alone(
    drawn: list[tuple[dict[str, Any], str | None, str, dict[str, Any]]],
) -> None:
    pods = [pod(n, s, node=node, token=t, **more) for n, (s, node, t, more) in enumerate(drawn)]

    together = rows(collected(*pods))
    assert len(together["pods"]) == len(pods)
    assert together == alone(*pods)


@pytest.mark.parametrize("raw", [True, False])
def test_what_is_a_pods_own_stays_with_it(raw: bool) -> None:
    names = ["kube-api-access-aaaaa", "kube-api-access-bbbbb"]
    found = collected(
        *(pod(n, SPECS[0], node=f"node-{n}", token=name) for n, name in enumerate(names)), raw=raw
    )

    assert found["pods"].sort_values("pod")["node"].tolist() == ["node-0", "node-1"]
    for table in ("volumes", "mounts", "projections"):
        assert found[table].sort_values("pod")["volume"].tolist() == names
    containers = found["containers"].sort_values("pod")
    assert containers["restarts"].tolist() == [0, 1]
    assert containers["image_id"].tolist() == ["i@sha256:0", "i@sha256:1"]
    assert containers["image"].tolist() == ["i:1", "i:1"]
    if raw:
        lines = found["pods"].set_index("pod")["raw_line"]
        assert b"kube-api-access-bbbbb" in found.store.raw("pods", lines["p1"])


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"env": [{"name": "kube-api-access-aaaaa", "value": "x"}]},
        {"name": "kube-api-access-aaaaa"},
        {"command": ["kube-api-access-aaaaa"]},
        {"image": "kube-api-access-aaaaa"},
    ],
)
def test_a_name_that_means_something_else_too_is_not_taken_for_a_volume_alone(
    elsewhere: dict[str, Any],
) -> None:
    spec = {"containers": [{**CONTAINER, **elsewhere}]}
    other = json.loads(json.dumps(spec).replace("aaaaa", "bbbbb"))
    pods = [
        pod(0, spec, token="kube-api-access-aaaaa"),
        pod(1, other, token="kube-api-access-bbbbb"),
        pod(2, spec, token="kube-api-access-bbbbb"),
    ]

    assert rows(collected(*pods)) == alone(*pods)


def test_rows_of_a_part_of_a_spec_come_once_for_each_pod() -> None:
    found = collected(*(pod(n, SPECS[0]) for n in range(50)))

    assert len(found["env"]) == 150
    assert len(found["ports"]) == 100
    assert found["env"]["pod_uid"].nunique() == 50
    assert sorted(found["env"]["raw_line"].unique()) == list(range(1, 51))
