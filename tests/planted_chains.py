"""Chains of risk planted in the dump of a generated cluster, and what must be found of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

Json = dict[str, Any]
MADE = "2025-06-01T00:00:00Z"
CVE = "CVE-2099-9001"


class Chain(NamedTuple):
    """A chain that was planted: on what, which patterns, and whether it goes all the way."""

    label: str
    patterns: frozenset[str]
    whole: bool


def thing(api: str, kind: str, name: str, namespace: str = "", **body: Any) -> Json:
    meta = {"name": name, "creationTimestamp": MADE, **body.pop("meta", {})}
    if namespace:
        meta["namespace"] = namespace
    return {"apiVersion": api, "kind": kind, "metadata": meta, **body}


def binding(namespace: str, name: str, role: str, subject: Json, *, whole: bool) -> Json:
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    return thing(
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding" if whole else "RoleBinding",
        name,
        "" if whole else namespace,
        roleRef=ref,
        subjects=[subject],
    )


def workload(namespace: str, kind: str, name: str, spec: Json) -> list[Json]:
    """A controller and its one pod."""
    owner = {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": f"{name}-1"}
    labels = {"app": name}
    container = {"name": "c", "image": f"registry.example.com/{name}:1", **spec.pop("own", {})}
    whole = {"containers": [container], "nodeName": "planted-node", **spec}
    template = {"metadata": {"labels": labels}, "spec": whole}
    selector = {"matchLabels": labels}
    return [
        thing("apps/v1", kind, name, namespace, meta={"uid": f"{name}-1"})
        | {"spec": {"replicas": 1, "selector": selector, "template": template}},
        thing("v1", "Pod", f"{name}-0", namespace, meta={"labels": labels})
        | {"spec": whole, "status": {"phase": "Running"}}
        | {"metadata": {"name": f"{name}-0", "namespace": namespace, "labels": labels}
           | {"creationTimestamp": "2025-12-01T00:00:00Z", "ownerReferences": [owner | {"controller": True}]}},
    ]  # fmt: skip


def alert(namespace: str, name: str) -> Json:
    return {
        "rule": "Drop and execute new binary in container",
        "priority": "Critical",
        "time": "2025-12-31T12:00:00Z",
        "source": "syscall",
        "output_fields": {"k8s.ns.name": namespace, "k8s.pod.name": f"{name}-0"},
    }


def scan(name: str) -> Json:
    flaw = {"VulnerabilityID": CVE, "PkgName": "openssl", "InstalledVersion": "1"}
    result = {"Target": "os", "Class": "os-pkgs", "Type": "debian"}
    return {
        "SchemaVersion": 2,
        "ArtifactName": f"registry.example.com/{name}:1",
        "ArtifactType": "container_image",
        "Results": [result | {"Vulnerabilities": [flaw | {"Severity": "HIGH"}]}],
    }


def story(number: int, kind: str, foothold: Json, *, ingress: bool) -> tuple[list[Json], Json]:
    """A workload on which all five layers fail: exposed, exploited, privileged, a key, an alert."""
    space, name = f"planted-{number}", f"story{number}"
    own = foothold | {"envFrom": [{"secretRef": {"name": "key"}}]}
    service = {"selector": {"app": name}, "ports": [{"port": 80}]}
    rule = {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {
        "service": {"name": name, "port": {"number": 80}}}}]}}  # fmt: skip
    found = [
        thing("v1", "Namespace", space),
        thing("v1", "Secret", "key", space, type="Opaque", meta={"creationTimestamp": "2024-01-01T00:00:00Z"}),
        *workload(space, kind, name, {"own": own}),
        thing("v1", "Service", name, space, spec=service | ({} if ingress else {"type": "LoadBalancer"})),
    ]  # fmt: skip
    if ingress:
        found.append(thing("networking.k8s.io/v1", "Ingress", name, space, spec={"rules": [rule]}))
    return found, alert(space, name)


def plant(folder: Path) -> list[Chain]:
    """Write them beside the dump, and return the truth."""
    objects: list[Json] = [thing("v1", "Node", "planted-node")]
    alerts, scans, truth = [], [], []
    stories: list[tuple[str, Json, bool]] = [
        ("Deployment", {"securityContext": {"privileged": True}}, False),
        ("StatefulSet", {"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}, True),
    ]
    for number, (kind, foothold, ingress) in enumerate(stories, start=1):
        found, raised = story(number, kind, foothold, ingress=ingress)
        objects += found
        alerts.append(raised)
        scans.append(scan(f"story{number}"))
        ids = (
            *("KA-RSK-001", "KA-RSK-002", "KA-RSK-004", "KA-RSK-010", "KA-RSK-012"),
            *("KA-RSK-014", "KA-RSK-015"),  # each leads to the other, which stands beside it
        )
        label = f"{kind} planted-{number}/story{number}"
        truth.append(Chain(label, frozenset(ids), whole=True))
    others = (_supply_chain, _control_failure, _tenant, _take_over, _enters)
    for number, make in enumerate(others, start=len(stories) + 1):
        more, raised_too, chain = make(f"planted-{number}")
        objects += more
        alerts += raised_too
        truth.append(chain)
    entry = {"cveID": CVE, "dateAdded": "2025-11-01", "dueDate": "2025-11-22"}
    kev = {
        "title": "CISA Catalog of Known Exploited Vulnerabilities",
        "catalogVersion": "2025.12.01",
        "dateReleased": "2025-12-01T00:00:00Z",
        "count": 1,
        "vulnerabilities": [entry],
    }
    place = folder / "planted"
    place.mkdir()
    whole = {"apiVersion": "v1", "kind": "List", "items": objects}
    (place / "objects.json").write_text(json.dumps(whole))
    (place / "falco.jsonl").write_text("".join(json.dumps(one) + "\n" for one in alerts))
    (place / "kev.json").write_text(json.dumps(kev))
    for at, one in enumerate(scans):
        (place / f"trivy-{at}.json").write_text(json.dumps(one))
    return truth


Planted = tuple[list[Json], list[Json], Chain]


def _supply_chain(space: str) -> Planted:
    """An image that nobody scanned, with an alert."""
    made = [thing("v1", "Namespace", space), *workload(space, "Deployment", "unscanned", {})]
    ids = frozenset(["KA-RSK-006", "KA-RSK-011"])
    return made, [alert(space, "unscanned")], Chain(f"Deployment {space}/unscanned", ids, False)


def _control_failure(space: str) -> Planted:
    """A privileged pod in a namespace that has refused such since before it was made."""
    label = "pod-security.kubernetes.io/enforce"
    fields: dict[str, Any] = {"f:metadata": {"f:labels": {f"f:{label}": {}}}}
    managed = [{"manager": "m", "operation": "Update", "time": MADE, "fieldsV1": fields}]
    meta = {"labels": {label: "baseline"}, "managedFields": managed}
    made = [
        thing("v1", "Namespace", space, meta=meta),
        *workload(space, "Deployment", "denied", {"hostPID": True}),
    ]
    ids = frozenset(["KA-RSK-013"])
    return made, [alert(space, "denied")], Chain(f"Deployment {space}/denied", ids, False)


def _tenant(space: str) -> Planted:
    """A group that makes pods in its namespace, and labels it."""
    rules = [{"apiGroups": ["", "apps"], "resources": ["namespaces", "deployments"]}]
    role = f"{space}-owner"
    group = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "sellers"}
    made = [
        thing(
            "v1",
            "Namespace",
            space,
            meta={"labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
        ),
        thing(
            "rbac.authorization.k8s.io/v1",
            "ClusterRole",
            role,
            rules=[rules[0] | {"verbs": ["get", "create", "patch"]}],
        ),
        binding(space, "owners", role, group, whole=False),
    ]
    return made, [], Chain(f"Namespace {space}", frozenset(["KA-RSK-007"]), False)


def _take_over(space: str) -> Planted:
    """An exposed workload whose account is the administrator's."""
    account = {"kind": "ServiceAccount", "name": "robot", "namespace": space}
    service = {"type": "LoadBalancer", "selector": {"app": "panel"}, "ports": [{"port": 80}]}
    made = [
        thing("v1", "Namespace", space),
        thing("v1", "ServiceAccount", "robot", space),
        binding(space, f"{space}-robot", "cluster-admin", account, whole=True),
        *workload(space, "Deployment", "panel", {"serviceAccountName": "robot"}),
        thing("v1", "Service", "panel", space, spec=service),
    ]
    ids = frozenset(["KA-RSK-003", "KA-RSK-008"])
    return made, [], Chain(f"Deployment {space}/panel", ids, False)


def _enters(space: str) -> Planted:
    """An exposed workload whose account may enter the pods of the first story."""
    account = {"kind": "ServiceAccount", "name": "robot", "namespace": space}
    service = {"type": "LoadBalancer", "selector": {"app": "shell"}, "ports": [{"port": 80}]}
    rule = {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}
    role = thing("rbac.authorization.k8s.io/v1", "ClusterRole", f"{space}-exec", rules=[rule])
    made = [
        thing("v1", "Namespace", space),
        thing("v1", "ServiceAccount", "robot", space),
        role,
        binding("planted-1", "exec", f"{space}-exec", account, whole=False),
        *workload(space, "Deployment", "shell", {"serviceAccountName": "robot"}),
        thing("v1", "Service", "shell", space, spec=service),
    ]
    return made, [], Chain(f"Deployment {space}/shell", frozenset(["KA-RSK-016"]), False)
