"""Kyverno's reports controller beside a cluster: it scans what exists and writes reports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integration.cluster import Cluster
from tests.integration.engine import engine
from tests.integration.operators import define
from tests.integration.process import running
from tests.shared import shared

Object = dict[str, Any]

_NAMESPACE = "kyverno"


@contextmanager
def kyverno(cluster: Cluster) -> Iterator[None]:
    """Define its kinds, give it its settings, and run it."""
    define(cluster, shared("crds", "kyverno"))
    for kind, scope in (("EphemeralReport", "Namespaced"), ("ClusterEphemeralReport", "Cluster")):
        body = _definition(kind, scope)
        cluster.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body)
    cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": _NAMESPACE}})
    for name in ("kyverno", "kyverno-metrics"):
        body = {"metadata": {"name": name}, "data": {}}
        cluster.request("POST", f"/api/v1/namespaces/{_NAMESPACE}/configmaps", body)
    command: list[str | Path] = [
        engine("reports-controller"),
        f"--kubeconfig={cluster.admin}",
        "--disableMetrics=true",
        "--admissionReports=false",
        "--backgroundScanInterval=1m",
        "--leaderElectionRetryPeriod=1s",
        "--enablePolicyException",
        "--exceptionNamespace=*",
    ]
    settings = {
        "KYVERNO_NAMESPACE": _NAMESPACE,
        "KYVERNO_SERVICEACCOUNT_NAME": "kyverno-reports-controller",
        "KYVERNO_DEPLOYMENT": "kyverno-reports-controller",
        "KYVERNO_POD_NAME": "local-0",
        "INIT_CONFIG": "kyverno",
        "METRICS_CONFIG": "kyverno-metrics",
    }
    log = cluster.folder / "kyverno.log"
    with running(command, log=log, ready=lambda: True, environment=settings):
        yield


def _definition(kind: str, scope: str) -> Object:
    """Definition of a kind of report that Kyverno keeps for itself, of any shape."""
    names = {"kind": kind, "plural": f"{kind.lower()}s", "singular": kind.lower()}
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names['plural']}.reports.kyverno.io"},
        "spec": {
            "group": "reports.kyverno.io",
            "scope": scope,
            "names": names,
            "versions": [version | {"schema": {"openAPIV3Schema": schema}}],
        },
    }
