"""From a kubeconfig to sealed evidence, with the account that ``kaudit rbac`` describes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kaudit.cli import app
from kaudit.evidence.bundle import Evidence
from kaudit.evidence.raw import decompressed
from kaudit.model.words import Reason
from tests.integration.cluster import Cluster
from tests.integration.engines.pins import programs

_USER = "system:serviceaccount:kaudit:kaudit"
#: Its text and, in the data of a Secret, its base64.
_CANARIES = (b"canary-5b1e", b"Y2FuYXJ5LTViMW")

SHOP = """
apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels: {pod-security.kubernetes.io/warn: restricted}
---
apiVersion: v1
kind: Secret
metadata: {name: database, namespace: shop}
stringData: {password: canary-5b1e}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: registry.example.org/web:1
          env: [{name: DATABASE_PASSWORD, value: canary-5b1e}]
          resources: {limits: {memory: 0.5Gi, cpu: 250m}}
          livenessProbe: {httpGet: {port: 8080}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: backup, namespace: shop}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: backup, image: registry.example.org/backup:1}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""

#: What only a server can tell, or what says where a row was read.
_LIVE_ONLY = {"access", "cluster", "records", "inventory", "reads", "collection_log"}
_TRACE = ["raw", "raw_line"]


def kaudit(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def shop(cluster_with_controllers: Cluster) -> Cluster:
    cluster = cluster_with_controllers
    cluster.kubectl("apply", "-f", "-", given=SHOP)
    cluster.kubectl("apply", "-f", "-", given=kaudit("rbac"))
    pods = "jsonpath={.status.unavailableReplicas}=2"
    cluster.kubectl("wait", "-n", "shop", "deployment/web", f"--for={pods}", "--timeout=30s")
    return cluster


@pytest.fixture(scope="module")
def bundle(shop: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("live") / "evidence"
    config = shop.kubeconfig("auditor", shop.token("kaudit", "kaudit"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(config))
        kaudit("collect", "context:auditor", "-o", str(out), "--quiet")
    return out


def test_the_account_reads_all_there_is(bundle: Path) -> None:
    kaudit("verify", str(bundle))
    evidence = Evidence.open(bundle)
    gaps = [(gap.kind, gap.reason) for gap in evidence.gaps if gap.failed]
    assert gaps == [("Secret", Reason.NOT_COLLECTED)]
    assert evidence.manifest.server is not None
    assert evidence.manifest.server.git_version == programs()["kubectl"].version
    assert evidence["access"]["allowed"].all()


def test_what_controllers_made_is_judged_as_its_owner(bundle: Path) -> None:
    pods = Evidence.open(bundle).table("pods")
    made = pods[(pods["namespace"] == "shop") & (pods["origin"] == "object")]
    assert made["controller_kind"].tolist() == ["ReplicaSet", "ReplicaSet"]
    results = json.loads(kaudit("assess", str(bundle), "--format", "json"))["results"]
    kinds = {
        result["kind"]
        for result in results
        if result["namespace"] == "shop" and result["status"] != "not_applicable"
    }
    assert {"Deployment", "CronJob"} <= kinds
    assert not kinds & {"Pod", "ReplicaSet", "Job"}


def test_only_reads_reach_the_server(shop: Cluster, bundle: Path) -> None:
    events = [event for event in shop.audited() if event["user"]["username"] == _USER]
    assert events
    asked = {
        (event["verb"], event.get("objectRef", {}).get("resource", ""))
        for event in events
        if event["verb"] not in ("get", "list")
    }
    assert asked == {("create", "selfsubjectaccessreviews")}
    lists = [event["requestURI"] for event in events if event["verb"] == "list"]
    assert len(lists) == len(set(lists))  # one list of a kind: nothing here fills a page
    assert not [uri for uri in lists if "secrets" in uri]
    assert {event["responseStatus"]["code"] for event in events} <= {200, 201, 404}


def test_no_secret_is_written(bundle: Path) -> None:
    files = [path for path in bundle.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".json", ".parquet", ".zst"}
    for path in files:
        data = path.read_bytes()
        content = decompressed(data) if path.suffix == ".zst" else data
        assert not [canary for canary in _CANARIES if canary in content], path


def test_a_dump_of_the_same_cluster_gives_the_same_tables(
    shop: Cluster, bundle: Path, tmp_path: Path
) -> None:
    live = Evidence.open(bundle)
    events = [event for event in shop.audited() if event["user"]["username"] == _USER]
    dumped = []
    for event in events:
        if event["verb"] == "list":
            path = event["requestURI"].partition("?")[0]
            listed = shop.request("GET", path).body
            kind = {"apiVersion": listed["apiVersion"], "kind": listed["kind"].removesuffix("List")}
            dumped += [kind | item for item in listed["items"]]
    dump = tmp_path / "dump.json"
    dump.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": dumped}))
    kaudit("collect", str(dump), "-o", str(tmp_path / "e"), "--quiet")
    filed = Evidence.open(tmp_path / "e")
    different = [
        name
        for name in live
        if name not in _LIVE_ONLY
        and not live[name]
        .drop(columns=_TRACE, errors="ignore")
        .equals(filed[name].drop(columns=_TRACE, errors="ignore"))
    ]
    assert different == []
