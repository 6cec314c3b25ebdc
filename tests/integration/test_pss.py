"""Verdicts on pods are those of the API server's own Pod Security admission."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import pytest

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.pss import verdicts
from tests.integration.cluster import Cluster
from tests.memory_source import MemorySource, objects
from tests.shared import needs_shared, shared

_SERVER = "v1.36"  # so this is what it takes ``latest`` for
_VERSIONS = [*(f"v1.{minor}" for minor in range(37)), "latest"]

#: What the server says where a check is broken, and the checks that it may stand for.
_REASONS = {
    "allowPrivilegeEscalation != false": ("allowPrivilegeEscalation",),
    "forbidden AppArmor profile": ("appArmorProfile",),
    "forbidden sysctls": ("sysctls",),
    "host namespaces": ("hostNamespaces",),
    "hostPath volumes": ("hostPathVolumes",),
    "hostPort": ("hostPorts",),
    "hostProcess": ("windowsHostProcess",),
    "non-default capabilities": ("capabilities_baseline",),
    "privileged": ("privileged",),
    "probe or lifecycle host": ("hostProbesAndHostLifecycle",),
    "procMount": ("procMount", "procMount_restricted"),
    "restricted volume types": ("restrictedVolumes",),
    "runAsNonRoot != true": ("runAsNonRoot",),
    "runAsUser=0": ("runAsUser",),
    "seLinuxOptions": ("seLinuxOptions",),
    "seccompProfile": ("seccompProfile_baseline", "seccompProfile_restricted"),
    "unrestricted capabilities": ("capabilities_restricted",),
}
_REASON_OF = {check: reason for reason, checks in _REASONS.items() for check in checks}
_SAID = re.compile(rf"(?:: |\), )({'|'.join(map(re.escape, _REASONS))})s? \(")


@pytest.fixture(scope="module")
def pods() -> dict[str, Any]:
    """Pods of the admission plugin's own tests, each under a name that a server accepts."""
    paths = sorted(shared("conformance", "pss-fixtures").rglob("*.yaml"))
    found = {}
    for number, path in enumerate(paths):
        (pod,) = objects(path.read_text(encoding="utf-8"))
        name = f"pod-{number}"
        found[name] = pod | {"metadata": pod["metadata"] | {"name": name}}
    return found


@pytest.fixture(scope="module")
def evidence(pods: dict[str, Any]) -> Evidence:
    return collect(MemorySource(*pods.values()))


def asked(cluster: Cluster, level: str, version: str, pods: dict[str, Any]) -> dict[str, set[str]]:
    """Return what each pod breaks, by a server that is told to make it but not to keep it.

    Pods that are no valid pods to it are left out.
    """
    namespace = f"{level}-{version.replace('.', '-')}"
    label = "pod-security.kubernetes.io/enforce"
    labels = {label: level, f"{label}-version": version}
    made = {"metadata": {"name": namespace, "labels": labels}}
    assert cluster.request("POST", "/api/v1/namespaces", made).status == HTTPStatus.CREATED
    found: dict[str, set[str]] = {}
    for name, pod in pods.items():
        path = f"/api/v1/namespaces/{namespace}/pods?dryRun=All"
        answer = cluster.request("POST", path, pod)
        if answer.status == HTTPStatus.CREATED:
            found[name] = set()
        elif answer.status == HTTPStatus.FORBIDDEN:
            found[name] = set(_SAID.findall(answer.body["message"]))
            assert found[name], answer.body["message"]
        else:
            assert answer.status == HTTPStatus.UNPROCESSABLE_ENTITY, answer.body
    return found


@needs_shared
@pytest.mark.parametrize("version", _VERSIONS)
@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_verdicts_agree(
    cluster: Cluster, pods: dict[str, Any], evidence: Evidence, level: str, version: str
) -> None:
    admission = asked(cluster, level, version, pods)
    assert len(admission) > len(pods) * 9 // 10
    assert {not broken for broken in admission.values()} == {True, False}
    judged = verdicts(evidence, level, _SERVER if version == "latest" else version)
    ours = {
        verdict.name: {_REASON_OF[violation.check] for violation in verdict.violations}
        for verdict in judged
        if verdict.name in admission
    }
    assert ours == admission
