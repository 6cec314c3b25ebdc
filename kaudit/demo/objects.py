"""Kubernetes objects of the demo, as the API server would return them."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]

#: The moment that the demo's facts hold for.
NOW = "2026-06-01T06:00:00Z"
#: Namespace whose pods are in the service mesh.
MESHED = "payments"
_SPACE = uuid.UUID("6b0d5b1e-5a0c-4f0e-9a3f-0c8d9b7f2a11")


def uid(*parts: str) -> str:
    """Stable uid of an object."""
    return str(uuid.uuid5(_SPACE, "/".join(parts)))


def digest(text: str) -> str:
    """Image digest that stands for a reference."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def suffix(text: str, length: int) -> str:
    """Name suffix as controllers make them."""
    letters = "bcdfghjklmnpqrstvwxz2456789"
    data = hashlib.sha256(text.encode()).digest()
    return "".join(letters[byte % len(letters)] for byte in data[:length])


def meta(kind: str, name: str, namespace: str = "", **more: Any) -> Json:
    """Metadata of an object."""
    found: Json = {"name": name, "uid": uid(kind, namespace, name)}
    if namespace:
        found["namespace"] = namespace
    found["creationTimestamp"] = more.pop("created", "2026-03-02T08:00:00Z")
    return found | {key: value for key, value in more.items() if value}


def thing(
    api: str,
    kind: str,
    name: str,
    namespace: str = "",
    *,
    body: Mapping[str, Any] | None = None,
    **more: Any,
) -> Json:
    """Any object."""
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": meta(kind, name, namespace, **more),
        **(body or {}),
    }


def owner(of: Json) -> list[Json]:
    """Owner reference to an object that controls another."""
    return [
        {
            "apiVersion": of["apiVersion"],
            "kind": of["kind"],
            "name": of["metadata"]["name"],
            "uid": of["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


SAFE: Json = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
SAFE_POD: Json = {
    "runAsNonRoot": True,
    "runAsUser": 1001,
    "runAsGroup": 1001,
    "fsGroup": 1001,
    "seccompProfile": {"type": "RuntimeDefault"},
}
BOUNDS: Json = {
    "limits": {"cpu": "500m", "memory": "256Mi", "ephemeral-storage": "100Mi"},
    "requests": {"cpu": "100m", "memory": "128Mi"},
}


def container(name: str, image: str, **more: Any) -> Json:
    """Container that keeps to the guide, unless told otherwise."""
    found: Json = {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "resources": BOUNDS,
        "securityContext": SAFE,
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }
    if more.pop("probed", True):
        found["livenessProbe"] = {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 15}
        found["readinessProbe"] = {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 10}
    return {k: v for k, v in {**found, **more}.items() if v is not None}


def pod_spec(containers: Sequence[Json], **more: Any) -> Json:
    """Pod spec that keeps to the guide, unless told otherwise."""
    found: Json = {
        "containers": list(containers),
        "securityContext": SAFE_POD,
        "serviceAccountName": "default",
        "automountServiceAccountToken": False,
        "restartPolicy": "Always",
        "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler",
        "terminationGracePeriodSeconds": 30,
        "enableServiceLinks": True,
    }
    return {k: v for k, v in {**found, **more}.items() if v is not None}


_TOKEN: Json = {
    "name": "kube-api-access",
    "projected": {
        "defaultMode": 420,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt"}},
        ],
    },
}


def pod(
    name: str,
    namespace: str,
    spec: Json,
    *,
    labels: Mapping[str, str],
    node: str,
    of: Json | None = None,
    phase: str = "Running",
    **more: Any,
) -> Json:
    """Pod as it runs, with its status."""
    spec = {**spec, "nodeName": node}
    if spec.get("automountServiceAccountToken", True):
        spec["volumes"] = [*spec.get("volumes", ()), _TOKEN]
    status: Json = {"phase": phase, "hostIP": _address(node), "podIP": _address(namespace + name)}
    running = phase == "Running"
    if namespace == MESHED:
        more["annotations"] = {"ambient.istio.io/redirection": "enabled"}
    for field, key in (
        ("containers", "containerStatuses"),
        ("initContainers", "initContainerStatuses"),
        ("ephemeralContainers", "ephemeralContainerStatuses"),
    ):
        if spec.get(field):
            status[key] = [_status(c, running) for c in spec[field]]
    return thing(
        "v1",
        "Pod",
        name,
        namespace,
        labels=dict(labels),
        ownerReferences=owner(of) if of else None,
        created=more.pop("created", "2026-05-20T07:30:00Z"),
        body={"spec": spec, "status": status},
        **more,
    )


def _status(c: Json, running: bool) -> Json:
    repository = c["image"].partition("@")[0].rpartition(":")[0] or c["image"]
    pinned = c["image"].partition("@")[2]
    return {
        "name": c["name"],
        "image": c["image"],
        "imageID": f"{repository}@{pinned or digest(c['image'])}",
        "containerID": f"containerd://{hashlib.sha256(c['name'].encode()).hexdigest()}",
        "ready": running,
        "restartCount": 0,
        "state": {"running": {"startedAt": "2026-05-20T07:30:05Z"}} if running else {},
    }


def _address(text: str) -> str:
    data = hashlib.sha256(text.encode()).digest()
    return f"10.{data[0] % 64 + 1}.{data[1]}.{data[2]}"
