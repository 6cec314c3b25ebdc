"""What a server makes of manifests, its defaults, owners and numbers, is what kaudit expects."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import yaml

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.source.live import LiveSource
from tests.integration.cluster import Cluster, running_cluster
from tests.memory_source import MemorySource, objects, rows

_NAMESPACE = "defaults"

#: Each means the same as the next but is written otherwise.
_CPU = ("100m", "0.1", "1e-1", "700m", ".7", "1", "1e0", "1000m", "1500m", "1.5", "9m", "0.009")
_MEMORY = (
    *("1Gi", "1024Mi", "1073741824", "0.5Gi", "1.5Gi", "1G", "1e9", "1000M", "129M", "100k"),
    *("1.1Gi", "0.1Gi", "123456789", "1234567800m", "2Ti"),
)

TEMPLATE = """
metadata: {labels: {app: NAME}}
spec:
  securityContext: {runAsUser: 1000, fsGroup: 2000}
  volumes:
    - {name: tmp, emptyDir: {}}
    - {name: host, hostPath: {path: /var/log}}
    - {name: conf, configMap: {name: settings, optional: true}}
    - {name: key, secret: {secretName: absent, optional: true}}
  initContainers:
    - {name: once, image: registry.example.org/once}
    - {name: beside, image: "registry.example.org/beside:2", restartPolicy: Always}
  containers:
    - name: plain
      image: registry.example.org/plain
    - name: full
      image: registry.example.org/full:1.2
      command: [serve]
      env: [{name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
      ports: [{containerPort: 80}]
      livenessProbe: {httpGet: {port: 80}}
      readinessProbe: {tcpSocket: {port: 80}}
      resources: {limits: {cpu: "0.7", memory: 0.5Gi}}
      securityContext: {capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}
      volumeMounts: [{name: tmp, mountPath: /tmp}, {name: host, mountPath: /logs, readOnly: true}]
    - name: pinned
      image: registry.example.org/pinned:latest@sha256:DIGEST
""".replace("DIGEST", "0" * 64)

#: The kinds that make pods, with what each needs beside its template.
WORKLOADS = """
{apiVersion: apps/v1, kind: Deployment, metadata: {name: deployment}, spec: {}}
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: set}, spec: {serviceName: set}}
---
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: daemon}, spec: {}}
---
{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: replicas}, spec: {}}
---
{apiVersion: v1, kind: ReplicationController, metadata: {name: controller}, spec: {}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: job}, spec: {}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec: {schedule: "0 3 * * *", jobTemplate: {spec: {}}}
"""


def workloads() -> list[dict[str, Any]]:
    """Every kind that makes pods, all with the same template."""
    made = objects(WORKLOADS)
    for one in made:
        kind, name, spec = one["kind"], one["metadata"]["name"], one["spec"]
        one["metadata"]["namespace"] = _NAMESPACE
        template = yaml.safe_load(TEMPLATE.replace("NAME", name))
        (spec["jobTemplate"]["spec"] if kind == "CronJob" else spec)["template"] = template
        if kind in ("Job", "CronJob"):
            template["spec"]["restartPolicy"] = "Never"
        elif kind != "ReplicationController":
            spec["selector"] = {"matchLabels": {"app": name}}
    return made


def pod(name: str, **spec: object) -> dict[str, Any]:
    container = {"name": "c", "image": "registry.example.org/c:1"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": _NAMESPACE},
        "spec": {"containers": [container], **spec},
    }


def accounts() -> list[dict[str, Any]]:
    """Service accounts that say yes, no and nothing of tokens, and pods that do the same."""
    found: list[dict[str, Any]] = []
    said = {"yes": {"automountServiceAccountToken": True}, "unset": {}}
    said["no"] = {"automountServiceAccountToken": False}
    for name, token in said.items():
        meta = {"name": name, "namespace": _NAMESPACE}
        found.append({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta, **token})
    for (account, _), (name, token) in product(said.items(), said.items()):
        found.append(pod(f"token-{account}-{name}", serviceAccountName=account, **token))
    return [*found, pod("token-default")]


def measured() -> list[dict[str, Any]]:
    """Pods with quantities written in many ways."""
    found = []
    for resource, written in (("cpu", _CPU), ("memory", _MEMORY)):
        for number, quantity in enumerate(written):
            one = pod(f"{resource}-{number}")
            one["spec"]["containers"][0]["resources"] = {"limits": {resource: quantity}}
            found.append(one)
    return found


def given() -> list[dict[str, Any]]:
    return [*workloads(), *accounts(), *measured()]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that was given the objects, and whose controllers have made their pods."""
    with running_cluster(tmp_path_factory.mktemp("defaults"), controllers=True) as found:
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node"}}
        assert found.request("POST", "/api/v1/nodes", node).status == 201
        found.kubectl("create", "namespace", _NAMESPACE)
        account = f"/api/v1/namespaces/{_NAMESPACE}/serviceaccounts/default"
        until(lambda: found.request("GET", account).status == 200)
        items = {"apiVersion": "v1", "kind": "List", "items": given()}
        found.kubectl("create", "-f", "-", given=json.dumps(items))
        found.kubectl("create", "job", "manual", "--from=cronjob/nightly", "-n", _NAMESPACE)
        expected = len(workloads()) + sum(one["kind"] == "Pod" for one in given())
        until(lambda: len(stored(found, "pods")) == expected)
        yield found


def until(true: Any) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def stored(cluster: Cluster, plural: str) -> dict[str, dict[str, Any]]:
    """Objects of a kind in the namespace as the server has them, by name."""
    text = cluster.kubectl("get", plural, "-n", _NAMESPACE, "-o", "json")
    return {one["metadata"]["name"]: one for one in json.loads(text)["items"]}


@pytest.fixture(scope="module")
def live(cluster: Cluster) -> Evidence:
    return collect(LiveSource.from_context(kubeconfig=cluster.admin), raw=False)


@pytest.fixture(scope="module")
def filed() -> Evidence:
    return collect(MemorySource(*given()))


_REQUESTS = "of a pod, but not of a template, the server takes limits for requests not given"
_PULL = "the server writes the policy out; image_references tells it either way"
_ADMISSION = "admission adds tolerations of failing nodes, and the volume of the token"
_STATUS = "a pod has a phase"
_LABELS = "controllers label what they make"
_ACCOUNTS = "each namespace has an account named default"
#: Columns that differ between what was written and what the server holds, and why.
STORED = {
    ("container_resources", "cpu_request_cores"): _REQUESTS,
    ("container_resources", "memory_request_bytes"): _REQUESTS,
    ("security_context", "cpu_request_cores"): _REQUESTS,
    ("security_context", "memory_request_bytes"): _REQUESTS,
    ("security_context", "image_pull_policy"): _PULL,
    ("pod_context", "tolerations"): _ADMISSION,
    ("pod_tokens", "token_projected"): _ADMISSION,
    ("pod_context", "phase"): _STATUS,
    ("pod_context", "labels"): _LABELS,
    ("pod_context", "service_account_known"): _ACCOUNTS,
}
#: The same between a template of the server and the pod that was made of it.
MADE = {
    key: reason
    for key, reason in STORED.items()
    if key[1] not in ("image_pull_policy", "service_account_known")
}
VIEWS = (
    *("container_resources", "environment", "host_mounts", "image_references", "isolation"),
    *("pod_context", "pod_security", "pod_tokens", "pod_volumes", "probe_hosts"),
    *("security_context", "workload_settings"),
)
#: What the server writes where a template or workload says nothing.
DEFAULTS = {
    ("pods", "dns_policy"): {"ClusterFirst"},
    ("pods", "restart_policy"): {"Always"},
    ("containers", "image_pull_policy"): {"Always", "IfNotPresent"},
    ("probes", "path"): {"/"},
    ("probes", "scheme"): {"HTTP"},
    ("workloads", "replicas"): {1},
    ("workloads", "ready_replicas"): {0},
    ("workloads", "strategy"): {"RollingUpdate"},
}
_KEY = ("origin", "owner_kind", "owner_name", "container", "volume", "variable", "probe")
_NOT_COMPARED = {"pod_uid", "uid", "created_at"}

Rows = dict[tuple[object, ...], dict[str, Any]]


def keyed(evidence: Evidence, table: str, *more: str) -> Rows:
    """Rows of the namespace by what names them, and by further columns."""
    names = (*_KEY, *more)
    return {
        tuple(row.get(name) for name in names): row
        for row in rows(evidence, table)
        if row["namespace"] == _NAMESPACE
    }


def different(table: str, ours: Rows, theirs: Rows) -> set[tuple[str, str]]:
    """Columns in which rows of the same name differ; each of ours is one of theirs."""
    assert ours.keys() <= theirs.keys()
    return {
        (table, column)
        for key, row in ours.items()
        for column, value in row.items()
        if column not in _NOT_COMPARED and theirs[key][column] != value
    }


def test_views_of_manifests_foretell_what_the_server_holds(live: Evidence, filed: Evidence) -> None:
    found: set[tuple[str, str]] = set()
    for view in VIEWS:
        names = ("pod", "name", "kind")
        found |= different(view, keyed(filed, view, *names), keyed(live, view, *names))
    assert found == STORED.keys()


def test_pods_are_what_their_template_says(live: Evidence) -> None:
    found: set[tuple[str, str]] = set()
    for view in VIEWS[:-1]:
        split: dict[str, Rows] = {"template": {}, "object": {}}
        for (origin, *key), row in keyed(live, view).items():
            split[str(origin)][tuple(key)] = {k: v for k, v in row.items() if k != "pod"} | {
                "origin": ""
            }
        assert split["template"]
        found |= different(view, split["template"], split["object"])
    assert found == MADE.keys()


def test_what_is_left_unset_is_what_the_server_fills_in(live: Evidence, filed: Evidence) -> None:
    names = {one["metadata"]["name"] for one in workloads()}
    found: dict[tuple[str, str], set[object]] = {}
    for table in ("pods", "containers", "probes", "workloads"):
        theirs = keyed(live, table, "pod", "name")
        for key, row in keyed(filed, table, "pod", "name").items():
            for column in row if {row.get("pod"), row.get("name")} & names else ():
                if row[column] is None and theirs[key][column] is not None:
                    found.setdefault((table, column), set()).add(theirs[key][column])
    assert {key: found[key] for key in found if key[1] not in _NOT_COMPARED} == DEFAULTS


def test_quantities_are_numbers_however_they_are_written(
    cluster: Cluster, live: Evidence, filed: Evidence
) -> None:
    pods = stored(cluster, "pods")
    rewritten = set()
    for one in measured():
        (limits,) = (c["resources"]["limits"] for c in one["spec"]["containers"])
        held = pods[one["metadata"]["name"]]["spec"]["containers"][0]["resources"]["limits"]
        rewritten |= {(limits[name], held[name]) for name in limits if limits[name] != held[name]}
    assert {("0.1", "100m"), (".7", "700m"), ("1024Mi", "1Gi")} <= rewritten
    for column in ("cpu_limit_cores", "memory_limit_bytes"):
        ours, theirs = (
            {row["pod"]: row[column] for row in rows(evidence, "containers", "pod", column)}
            for evidence in (filed, live)
        )
        told = {name: value for name, value in ours.items() if name.startswith(column[:3])}
        assert told == {name: theirs[name] for name in told}
        assert None not in told.values()


def test_tokens_are_mounted_where_the_server_mounts_them(cluster: Cluster, filed: Evidence) -> None:
    expected = {
        name: any(v["name"].startswith("kube-api-access-") for v in pod["spec"].get("volumes", ()))
        for name, pod in stored(cluster, "pods").items()
        if name.startswith("token-")
    }
    found = rows(filed, "pod_tokens", "pod", "token_mounted")
    told = {row["pod"]: row["token_mounted"] for row in found if row["pod"] in expected}
    assert told == expected
    assert sorted(expected.values()) == [False] * 4 + [True] * 6


def test_owners_are_those_that_references_lead_to(cluster: Cluster, live: Evidence) -> None:
    plurals = "pods,deployments,statefulsets,daemonsets,replicasets,rc,jobs,cronjobs"
    text = cluster.kubectl("get", plurals, "-n", _NAMESPACE, "-o", "json")
    held = {one["metadata"]["uid"]: one for one in json.loads(text)["items"]}

    def top(one: dict[str, Any]) -> dict[str, Any]:
        references = one["metadata"].get("ownerReferences", ())
        owners = [held[reference["uid"]] for reference in references if reference["controller"]]
        return top(owners[0]) if owners else one

    chains = {one["metadata"]["name"]: top(one) for one in held.values() if one["kind"] == "Pod"}
    expected = {name: (one["kind"], one["metadata"]["name"]) for name, one in chains.items()}
    found = rows(live, "pod_context", "pod", "origin", "owner_kind", "owner_name")
    told = {r["pod"]: (r["owner_kind"], r["owner_name"]) for r in found if r["origin"] == "object"}
    assert {name: told[name] for name in expected} == expected
    assert {kind for kind, _ in expected.values()} == {"Pod", *(o["kind"] for o in workloads())}
