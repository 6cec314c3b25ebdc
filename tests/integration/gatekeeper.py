"""Gatekeeper's manager beside a cluster: it audits, and the API server asks it."""

from __future__ import annotations

import base64
import shutil
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.integration.cluster import Cluster
from tests.integration.engine import engine
from tests.integration.operators import define, put
from tests.integration.process import awaited, free_port, running
from tests.shared import shared

Object = dict[str, Any]

_NAMESPACE = "gatekeeper-system"
_CONSTRAINTS = "/apis/constraints.gatekeeper.sh/v1beta1"


@contextmanager
def gatekeeper(cluster: Cluster, *, listed: int = 20) -> Iterator[None]:
    """Define its kinds, run it, and have the API server ask it about pods.

    Parameters
    ----------
    listed
        Violations that a status lists at most.
    """
    define(cluster, shared("crds", "gatekeeper"))
    cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": _NAMESPACE}})
    folder = cluster.folder / "gatekeeper"
    folder.mkdir()
    # The API server's certificate is for this address, and there is no other to be had.
    for name, known in (("apiserver.crt", "tls.crt"), ("apiserver.key", "tls.key")):
        shutil.copy(cluster.authority.parent / name, folder / known)
    health, port = free_port(), free_port()
    command: list[str | Path] = [
        engine("gatekeeper"),
        f"--kubeconfig={cluster.admin}",
        "--debug-use-fake-pod",
        *(f"--operation={name}" for name in ("audit", "generate", "status", "webhook")),
        "--disable-cert-rotation",
        "--enable-external-data=false",
        "--audit-interval=2",
        f"--constraint-violations-limit={listed}",
        f"--api-cache-dir={folder}",
        f"--cert-dir={folder}",
        f"--port={port}",
        f"--health-addr=127.0.0.1:{health}",
        f"--prometheus-port={free_port()}",
    ]

    def ready() -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{health}/readyz", timeout=1) as answer:
            return bool(answer.status == 200)

    log, settings = cluster.folder / "gatekeeper.log", {"POD_NAMESPACE": _NAMESPACE}
    with running(command, log=log, ready=ready, environment=settings):
        cluster.kubectl("apply", "-f", "-", given=_webhook(cluster, port))
        yield


def enforce(cluster: Cluster, objects: Sequence[Object]) -> None:
    """Create templates, wait for the kinds that they make, and create their constraints."""
    put(cluster, (one for one in objects if one["kind"] == "ConstraintTemplate"))
    for one in objects:
        if one["kind"] != "ConstraintTemplate":
            path = f"{_CONSTRAINTS}/{one['kind'].lower()}"
            awaited(partial(_served, cluster, path))
            assert cluster.request("POST", path, one).status == 201


def _served(cluster: Cluster, path: str) -> bool:
    return cluster.request("GET", path).status == 200


def constraint(cluster: Cluster, kind: str, name: str) -> Object:
    """Return a constraint once it has been audited."""
    path = f"{_CONSTRAINTS}/{kind.lower()}/{name}"

    def audited() -> Object | None:
        body: Object = cluster.request("GET", path).body
        return body if "totalViolations" in body.get("status", {}) else None

    return awaited(audited)


def _webhook(cluster: Cluster, port: int) -> str:
    authority = base64.b64encode(cluster.authority.read_bytes()).decode()
    return f"""
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: gatekeeper-validating-webhook-configuration}}
webhooks:
  - name: validation.gatekeeper.sh
    admissionReviewVersions: [v1]
    sideEffects: None
    failurePolicy: Fail
    clientConfig: {{url: "https://127.0.0.1:{port}/v1/admit", caBundle: {authority}}}
    rules:
      - {{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods]}}
"""
