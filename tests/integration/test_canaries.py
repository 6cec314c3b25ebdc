"""No value that was planted in a live cluster is in what kaudit wrote, printed or cached."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.integration.cluster import Cluster
from tests.test_canary import CANARY, contents, kaudit

#: One for each place; what looks for them knows their beginning alone.
_PLACES = (
    *("data", "stringData", "env", "init-env", "job-env", "arg", "command", "probe", "header"),
    *("password", "token", "file", "annotation", "binary", "cni-args", "mesh-config"),
)
_CANARIES = {place: f"CANARY-{place}-5f0c9e1d7ab2" for place in _PLACES}
_TOKEN = "ghp_" + "A1b2C3d4" * 4 + "E5f6"
_NAMESPACE = "planted"


def coded(place: str) -> str:
    return base64.b64encode(_CANARIES[place].encode()).decode()


def meta(name: str) -> dict[str, object]:
    return {"name": name, "namespace": _NAMESPACE}


def planted() -> list[dict[str, object]]:
    """Objects with a canary wherever people put credentials."""
    c = _CANARIES
    header = {"name": "Authorization", "value": f"Bearer {c['header']}"}
    probe = {"httpGet": {"port": 80, "httpHeaders": [header]}}
    pod = {
        "initContainers": [
            {
                "name": "init",
                "image": "registry.example.org/init:1",
                "command": ["sh", "-c", f"export DB_PASSWORD={c['command']}; exec init"],
                "env": [{"name": "API_TOKEN", "value": c["init-env"]}],
            }
        ],
        "containers": [
            {
                "name": "app",
                "image": "registry.example.org/app:1",
                "args": [f"--password={c['arg']}", "--token", _TOKEN],
                "env": [{"name": "DB_PASSWORD", "value": c["env"]}],
                "livenessProbe": probe,
                "readinessProbe": {"exec": {"command": ["check", f"--password={c['probe']}"]}},
            }
        ],
    }
    job = {
        "name": "job",
        "image": "registry.example.org/job:1",
        "env": [{"name": "AWS_SECRET_ACCESS_KEY", "value": c["job-env"]}],
    }
    template = {"spec": {"restartPolicy": "Never", "containers": [job]}}
    labels = {"app": "web"}
    notes = {
        "k8s.v1.cni.cncf.io/networks": json.dumps(
            [{"name": "n", "cni-args": {"j": c["cni-args"]}}]
        ),
        "proxy.istio.io/config": f"proxyMetadata: {{JOIN: {c['mesh-config']}}}",
    }
    deployment = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels, "annotations": notes}, "spec": pod},
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": meta("both"),
            "data": {"password": coded("data")},
            "stringData": {"token": c["stringData"]},
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": meta("settings"),
            "data": {
                "password": c["password"],
                "token": f"{_TOKEN} {c['token']}",
                "config.yaml": f"database: {{password: {c['file']}}}\n",
            },
            "binaryData": {"store.jks": coded("binary")},
        },
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": meta("noted") | {"annotations": {"example.org/key": c["annotation"]}},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta("web"),
            "spec": deployment,
        },
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": meta("nightly"),
            "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": template}}},
        },
    ]


@pytest.fixture(scope="module")
def holding(cluster_with_controllers: Cluster) -> Cluster:
    """A cluster in which canaries were planted by ``kubectl apply``, which notes them again."""
    cluster = cluster_with_controllers
    given = {"apiVersion": "v1", "kind": "List", "items": planted()}
    cluster.kubectl("apply", "-f", "-", given=json.dumps(given))
    made = "jsonpath={.status.unavailableReplicas}=1"
    arguments = ("deployment/web", "-n", _NAMESPACE, f"--for={made}", "--timeout=30s")
    cluster.kubectl("wait", *arguments)
    return cluster


def test_the_server_holds_all_that_was_planted(holding: Cluster) -> None:
    kinds = "secrets,configmaps,serviceaccounts,deployments,pods,cronjobs"
    held = holding.kubectl("get", kinds, "-n", _NAMESPACE, "-o", "json")
    for place, canary in _CANARIES.items():
        assert canary in held or coded(place) in held
    assert "last-applied-configuration" in held


def test_no_canary_is_in_what_is_written_said_or_cached(
    holding: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "KUBECONFIG": holding.admin,
        "HOME": tmp_path / "home",
        "XDG_CACHE_HOME": tmp_path / "home" / "cache",
        "TMPDIR": tmp_path,
    }.items():
        monkeypatch.setenv(name, str(value))
    packed, folder = tmp_path / "e.kaudit", tmp_path / "bundle"
    live = ("context:admin", "--secrets")
    said = {
        "collect": kaudit("collect", *live, "metadata", "-o", packed),
        "collect into a folder": kaudit("collect", *live, "table", "-o", folder),
        "report": kaudit("report", packed, "-o", tmp_path / "report"),
        "assess": kaudit("assess", folder, "--all", "-f", "json"),
    }
    for table in ("secrets", "env", "pods"):
        said[table] = kaudit("tables", packed, table, "--limit", "0", "-f", "json")
    assert b"both" in said["secrets"]
    assert b"AWS_SECRET_ACCESS_KEY" in said["env"]
    assert b"planted/n" in said["pods"]

    files = [path for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    outputs = [*said.items(), *((str(p.relative_to(tmp_path)), p.read_bytes()) for p in files)]
    searched = [one for name, data in outputs for one in contents(data, name)]
    assert {n: m[0] for n, data in searched if (m := CANARY.search(data))} == {}
    assert [name for name, data in searched if _TOKEN.encode() in data] == []
    assert {"unpacked", "decoded", "text"} <= {name.rpartition(" ")[2] for name, _ in searched}
