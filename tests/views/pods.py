"""Pods for the Pod Security tests: one that is always allowed, and what makes it less so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from kaudit import registry
from kaudit.collect import collect
from kaudit.pss import LEVELS
from kaudit.views.pod_security import PodSecurity
from tests.memory_source import MemorySource

Spec = dict[str, Any]

#: Allowed at every level and version.
SAFE: Spec = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
SAFE_POD: Spec = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}

#: Type of container to the list of the spec that holds it.
LISTS = {
    "regular": "containers",
    "init": "initContainers",
    "sidecar": "initContainers",
    "ephemeral": "ephemeralContainers",
}


def merged(base: Spec, change: Mapping[str, Any]) -> Spec:
    """Deep copy of ``base`` with a change laid over it; None takes a key away."""
    found = deepcopy(base)
    for key, value in change.items():
        if value is None:
            found.pop(key, None)
        elif isinstance(value, Mapping):
            found[key] = merged(found.get(key) or {}, value)
        else:
            found[key] = deepcopy(value)
    return found


def pod(spec: Spec | None = None, annotations: dict[str, str] | None = None) -> Spec:
    """Safe pod with changes of its spec."""
    whole: Spec = {
        "securityContext": SAFE_POD,
        "containers": [{"name": "safe", "image": "i", "securityContext": SAFE}],
    }
    metadata = {"annotations": annotations} if annotations else {}
    return {"metadata": metadata, "spec": merged(whole, spec or {})}


def with_container(
    context: Spec, kind: str = "regular", rest: Spec | None = None, spec: Spec | None = None
) -> Spec:
    """Safe pod with one more container, of a type, whose security context is changed."""
    added = {
        "name": "odd",
        "image": "i",
        "securityContext": merged(SAFE, context),
        **({"restartPolicy": "Always"} if kind == "sidecar" else {}),
        **(rest or {}),
    }
    made = pod(spec)
    made["spec"].setdefault(LISTS[kind], []).append(added)
    return made


def judge(pods: Sequence[Spec]) -> PodSecurity:
    """Collect pods, in their order, ready to be judged."""
    registry.load()
    objects = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            **p,
            "metadata": {**p.get("metadata", {}), "name": f"p{n:05}", "namespace": "x"},
        }
        for n, p in enumerate(pods)
    ]
    evidence = collect(MemorySource(*objects))
    assert evidence.gaps == () or not [g for g in evidence.gaps if g.reason == "broken"]
    judged = PodSecurity(
        *(evidence.table(name) for name in ("pods", "containers", "volumes", "probes"))
    )
    assert list(judged.pods["pod"]) == [o["metadata"]["name"] for o in objects]
    return judged


def broken(judged: PodSecurity, level: str, minor: int) -> list[set[str]]:
    """Checks that each pod breaks."""
    assert level in LEVELS
    found: list[set[str]] = [set() for _ in range(len(judged.pods))]
    for fault in judged.faults(level, minor):
        for row in fault.pods.nonzero()[0].tolist():
            found[row].add(fault.check)
    return found
