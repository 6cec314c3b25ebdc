"""What policy engines say of the demo: Gatekeeper's log, and kyverno as kaudit runs it.

The verdicts are those that the engines give of the demo's own policies and pods.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import msgspec

from kaudit.demo.objects import Json
from kaudit.model.tool_run import CLUSTER, SCHEMA, WITHOUT

_AUDIT = "2026-06-01T05:58:20Z"
_SECONDS = 1780293500
_encode = msgspec.json.Encoder().encode


def verdicts(objects: Iterable[Json]) -> Iterator[tuple[str, bytes]]:
    """Yield the files, given the objects of the demo."""
    pods = [one for one in objects if one["kind"] == "Pod"]
    yield "policies/gatekeeper-audit.log", b"".join(_encode(line) + b"\n" for line in _log(pods))
    runs = []
    for number, (target, excepted) in enumerate(((CLUSTER, "legacy"), (WITHOUT, "")), start=1):
        content = _encode(_report(pods, excepted)) + b"\n"
        yield f"policies/kyverno-{number}.json", content
        report = hashlib.sha256(content).hexdigest()[:16]
        runs.append(
            {
                "tool": "kyverno",
                "kind": "Policies",
                "target": target,
                "outcome": "done",
                "report": report,
                "version": "v1.19.0",
            }
        )
    yield "policies/runs.json", _encode({"schema": SCHEMA, "runs": runs}) + b"\n"


def _log(pods: list[Json]) -> Iterator[Json]:
    """Yield one audit of the constraint whose status lists a part."""
    about = {"level": "info", "ts": _SECONDS, "logger": "controller", "process": "audit"}
    about |= {"audit_id": _AUDIT}
    constraint = {
        "constraint_kind": "K8sRequireNonRoot",
        "constraint_name": "require-non-root",
        "constraint_action": "deny",
    }
    yield about | {"msg": "auditing constraints and violations", "event_type": "audit_started"}
    found = 0
    for pod in pods:
        meta = pod["metadata"]
        if meta["namespace"] not in ("production", "staging"):
            continue
        for container in pod["spec"]["containers"]:
            if (container.get("securityContext") or {}).get("runAsNonRoot"):
                continue
            found += 1
            yield {
                **about,
                "msg": f"Container {container['name']} must set runAsNonRoot to true",
                "event_type": "violation_audited",
                **constraint,
                "resource_group": "",
                "resource_api_version": "v1",
                "resource_kind": "Pod",
                "resource_namespace": meta["namespace"],
                "resource_name": meta["name"],
            }
    counted = {"event_type": "constraint_audited", "constraint_violations": str(found)}
    yield about | {"msg": "audit results for constraint", **counted, **constraint}
    yield about | {"msg": "auditing is complete", "event_type": "audit_finished"}


def _report(pods: list[Json], excepted: str) -> Json:
    """Return what kyverno prints of the rule that asks pods for a team."""
    results = [_result(pod["metadata"], excepted) for pod in pods]
    return {
        "kind": "ClusterReport",
        "apiVersion": "openreports.io/v1alpha1",
        "metadata": {"name": "merged"},
        "results": [one for one in results if one["result"] != "pass"],
    }


def _result(meta: Json, excepted: str) -> Json:
    passes = bool((meta.get("labels") or {}).get("team"))
    result, message = ("pass", "passed") if passes else ("fail", "The label 'team' is required")
    if not passes and meta["namespace"] == excepted:
        result, message = (
            "skip",
            "rule is skipped due to policy exception kyverno/legacy-has-no-teams",
        )
    subject = {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"]}
    return {
        "source": "kyverno",
        "policy": "require-labels",
        "rule": "require-team-label",
        "result": result,
        "scored": True,
        "message": message,
        "resources": [subject | {"apiVersion": "v1"}],
    }
