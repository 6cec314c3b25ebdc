"""Why a pod was admitted predicts what the API server does when the pod is made again.

Given are the namespaces and policies as a real server holds them, and pods as if they had been
made a moment ago: those that should have been denied, and no others, the server refuses today.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any

import pytest

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.admission_causes import DENIED
from tests.integration.cluster import Cluster, running_cluster
from tests.integration.guide import shown
from tests.integration.process import awaited
from tests.integration.test_policy_engines_live import goat
from tests.memory_source import MemorySource, objects, rows
from tests.shared import needs_shared, shared

pytestmark = needs_shared

Object = dict[str, Any]
_PSA = "pod-security.kubernetes.io"
#: Namespace to its labels: levels and versions, what only warns, and what policies select.
SPACES = {
    "plain": {},
    "baseline": {f"{_PSA}/enforce": "baseline"},
    "restricted": {f"{_PSA}/enforce": "restricted", f"{_PSA}/enforce-version": "latest"},
    "pinned": {f"{_PSA}/enforce": "restricted", f"{_PSA}/enforce-version": "v1.24"},
    "warned": {f"{_PSA}/warn": "restricted", f"{_PSA}/audit": "restricted"},
    "guarded": {"guard": "yes"},
    "watched": {"guard": "audit"},
    "both": {"guard": "yes", f"{_PSA}/enforce": "baseline"},
}
#: Policy to its expression; what they demand are controls of ours.
EXPRESSIONS = {
    "no-host-pid": "!has(object.spec.hostPID) || !object.spec.hostPID",
    "no-host-network": "!has(object.spec.hostNetwork) || object.spec.hostNetwork == false",
    "memory-limit": (
        "object.spec.containers.all(c, has(c.resources) && has(c.resources.limits) && "
        "'memory' in c.resources.limits)"
    ),
    "digest": (
        "object.spec.containers.all(c, c.image.contains('@sha256:')) && "
        "(!has(object.spec.initContainers) || "
        "object.spec.initContainers.all(c, c.image.contains('@sha256:')))"
    ),
    "not-privileged": (
        "object.spec.containers.all(c, !has(c.securityContext) || "
        "!has(c.securityContext.privileged) || !c.securityContext.privileged)"
    ),
}


def policies() -> Iterator[Object]:
    """Each policy, bound to deny where a label says yes, and to audit where it says so."""
    api = "admissionregistration.k8s.io/v1"
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"]}
    for name, expression in EXPRESSIONS.items():
        yield {
            "apiVersion": api,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [pods | {"resources": ["pods"]}]},
                "validations": [{"expression": expression, "message": name}],
            },
        }
        for label, action in ("yes", "Deny"), ("audit", "Audit"):
            where = {"namespaceSelector": {"matchLabels": {"guard": label}}}
            yield {
                "apiVersion": api,
                "kind": "ValidatingAdmissionPolicyBinding",
                "metadata": {"name": f"{name}-{label}"},
                "spec": {
                    "policyName": name,
                    "validationActions": [action],
                    "matchResources": where,
                },
            }


def _pod(name: str, spec: Object, labels: Object | None = None) -> Object:
    meta = {"name": name, "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def _good() -> Object:
    """A pod that nothing here refuses."""
    own = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": "c",
        "image": f"registry.example/a:1@sha256:{'a' * 64}",
        "securityContext": own,
        "resources": {"limits": {"memory": "1Mi", "cpu": "1m"}},
    }
    of_pod = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    return {"securityContext": of_pod, "containers": [container]}


def candidates() -> Iterator[Object]:
    """Pods of the admission plugin's own tests, one that is good, and it with one fault each."""
    for number, path in enumerate(sorted(shared("conformance", "pss-fixtures").rglob("*.yaml"))):
        (pod,) = objects(path.read_text(encoding="utf-8"))
        yield _pod(f"fixture-{number}", pod["spec"], pod["metadata"].get("labels"))
    yield _pod("good", _good())
    changes: dict[str, Any] = {
        "host-pid": lambda s: s.update(hostPID=True),
        "host-network": lambda s: s.update(hostNetwork=True),
        "no-limit": lambda s: s["containers"][0].pop("resources"),
        "cpu-only": lambda s: s["containers"][0]["resources"]["limits"].pop("memory"),
        "tag": lambda s: s["containers"][0].update(image="registry.example/a:1"),
        "second": lambda s: s["containers"].append({"name": "d", "image": "b"}),
    }
    for name, change in changes.items():
        spec = _good()
        change(spec)
        yield _pod(name, spec)
    for name in ("tag", "no-limit", "privileged", "second"):
        spec = _good()
        first = json.loads(json.dumps(spec["containers"][0])) | {"name": "i"}
        if name == "privileged":
            first["securityContext"] = {"privileged": True}
        elif name == "no-limit":
            first.pop("resources")
        else:
            first["image"] = "b:1"
        spec["initContainers"] = [first]
        yield _pod(f"init-{name}", spec)


#: What the server refuses by Pod Security though no control fails: how often, and why.
EXPLAINED = {
    "non-default capabilities": (10, "CAP_CHOWN and chown are CHOWN, which runtimes give anyway"),
    "forbidden sysctls": (7, "later versions of the standard take them"),
    "probe or lifecycle host": (3, "no control is about it"),
    "procMount": (2, "the pod has a user namespace of its own"),
    "allowPrivilegeEscalation != false": (1, "a Windows pod, which v1.24 does not tell apart"),
}


def put(cluster: Cluster, path: str, body: Object) -> None:
    assert cluster.request("POST", path, body).status == HTTPStatus.CREATED, body


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with namespaces of every kind, once all its policies work."""
    with running_cluster(tmp_path_factory.mktemp("admission")) as found:
        enforce(found)
        yield found


def enforce(cluster: Cluster) -> None:
    for name, labels in SPACES.items():
        put(cluster, "/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
    for one in policies():
        plural = "policies" if one["kind"].endswith("Policy") else "policybindings"
        path = f"/apis/admissionregistration.k8s.io/v1/validatingadmission{plural}"
        put(cluster, path, one)
    bad = {
        "no-host-pid": _good() | {"hostPID": True},
        "no-host-network": _good() | {"hostNetwork": True},
        "memory-limit": _good() | {"containers": [{"name": "c", "image": f"a@sha256:{'a' * 64}"}]},
        "digest": _good()
        | {"initContainers": [_good()["containers"][0] | {"name": "i", "image": "a"}]},
        "not-privileged": _good()
        | {"containers": [_good()["containers"][0] | {"securityContext": {"privileged": True}}]},
    }

    def told(name: str, spec: Object) -> bool:
        return name in again(cluster, "guarded", _pod("b", spec))[1]

    for name, spec in bad.items():
        awaited(partial(told, name, spec))


def again(cluster: Cluster, namespace: str, pod: Object) -> tuple[bool | None, str]:
    """Whether the server refuses a pod, and what it says; None: it is no valid pod."""
    answer = cluster.request("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", pod)
    message = str(answer.body.get("message", ""))
    refused = "denied request" in message or answer.status == HTTPStatus.FORBIDDEN
    if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and not refused:
        return None, message
    assert refused or answer.status == HTTPStatus.CREATED, message
    return refused, message


def held(cluster: Cluster) -> list[Object]:
    """Namespaces and policies as the server holds them."""
    found = []
    group = "/apis/admissionregistration.k8s.io/v1/validatingadmission"
    for path in ("/api/v1/namespaces", f"{group}policies", f"{group}policybindings"):
        body = cluster.request("GET", path).body
        kind = body["kind"].removesuffix("List")
        found += [{"apiVersion": body["apiVersion"], "kind": kind} | it for it in body["items"]]
    return found


def of_today(cluster: Cluster, pods: list[Object], spaces: list[str]) -> Evidence:
    """Evidence of the server's namespaces and policies, and of pods that came after them."""
    made = "2999-01-01T00:00:00Z"
    placed = [
        pod | {"metadata": pod["metadata"] | {"namespace": space, "creationTimestamp": made}}
        for space in spaces
        for pod in pods
    ]
    return collect(MemorySource(*held(cluster), *placed))


def causes(evidence: Evidence) -> dict[tuple[str, str], dict[str, tuple[str, str]]]:
    """Cause and policy by control, of each pod by namespace and name."""
    found: dict[tuple[str, str], dict[str, tuple[str, str]]] = defaultdict(dict)
    for row in rows(evidence, "why_admitted"):
        key = (row["namespace"], row["owner_name"])
        found[key][row["control"]] = (row["cause"], row["policy"])
    return found


def test_what_should_have_been_denied_is_refused_and_nothing_else(guarded: Cluster) -> None:
    pods = [*candidates()]
    why = causes(of_today(guarded, pods, [*SPACES]))
    told: Counter[tuple[str, bool]] = Counter()
    explained: dict[str, Counter[str]] = defaultdict(Counter)
    for space in SPACES:
        for pod in pods:
            refused, message = again(guarded, space, pod)
            if refused is None:
                continue
            found = why[space, pod["metadata"]["name"]]
            denied = {policy for cause, policy in found.values() if cause == DENIED}
            assert "unknown" not in {cause for cause, _ in found.values()}, (space, pod, found)
            by_level = refused and "violates PodSecurity" in message
            if by_level and f"Namespace {space}" not in denied:
                explained[space][message.split(": ")[2].partition(" (")[0]] += 1
                continue
            assert refused == bool(denied), (space, pod["metadata"]["name"], message, found)
            told[space, refused] += 1
            if refused and not by_level:
                named = message.partition("ValidatingAdmissionPolicy '")[2].partition("'")[0]
                assert f"ValidatingAdmissionPolicy {named}" in denied
    assert explained["both"] == explained["baseline"]
    once = explained["baseline"] + explained["restricted"] + explained["pinned"]
    assert once == {reason: number for reason, (number, _) in EXPLAINED.items()}
    for space in ("baseline", "restricted", "pinned", "guarded", "both"):
        assert told[space, True] > 20
        assert told[space, False] > 0
    for space in ("plain", "warned", "watched"):
        assert told[space, True] == 0
        assert told[space, False] > 150


def test_coverage_is_what_the_server_does_with_one_fault(guarded: Cluster) -> None:
    """A control is enforced exactly where a pod that fails it alone is refused."""
    pods = [pod for pod in candidates() if not pod["metadata"]["name"].startswith("init-")]
    evidence = of_today(guarded, pods, ["plain"])
    failing = causes(evidence)
    states = {(r["name"], r["control"]): r["state"] for r in rows(evidence, "enforcement_coverage")}
    compared: Counter[str] = Counter()
    for pod in pods:
        controls = [*failing["plain", pod["metadata"]["name"]]]
        lists = {"initContainers", "ephemeralContainers"} & {*pod["spec"]}
        for space in SPACES:
            refused, message = again(guarded, space, pod)
            known = {states[space, control] for control in controls}
            assert "unknown" not in known, (space, controls, known)
            if refused is None or (lists and "partial" in known):
                continue
            expected = bool(known & {"enforced", "partial"})
            if refused and not expected and any(reason in message for reason in EXPLAINED):
                continue
            assert refused == expected, (space, pod["metadata"]["name"], message, controls)
            compared[f"{space} {refused}"] += 1
    assert sum(compared.values()) > 1000


def _past(moment: str) -> bool:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}" > moment


def test_the_application_under_labels_and_policies(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """kubernetes-goat and the guide's Deployment, whose pods were there before."""
    for found in goat(tmp_path_factory.mktemp("goat-admission")):
        pods = found.request("GET", "/api/v1/pods").body["items"]
        made = max(pod["metadata"]["creationTimestamp"] for pod in pods)
        # Servers tell seconds: what comes in the one of the last pod may have been before it.
        awaited(partial(_past, made))
        enforce(found)
        (namespace,) = shown("namespace-security.yaml")
        labels = {"default": {f"{_PSA}/enforce": "baseline"}, "big-monolith": {"guard": "yes"}}
        labels["production"] = namespace["metadata"]["labels"]
        for name, own in labels.items():
            found.kubectl("label", "namespace", name, *(f"{k}={v}" for k, v in own.items()))
        there = collect(MemorySource(*held(found), *(_whole(pod) for pod in pods)))
        before = causes_of_pods(there)
        bare = [_pod(p["metadata"]["name"], p["spec"], p["metadata"].get("labels")) for p in pods]
        refused = {}
        for pod, old in zip(bare, pods, strict=True):
            space = old["metadata"]["namespace"]
            body = pod | {"metadata": pod["metadata"] | {"name": f"{pod['metadata']['name']}-b"}}
            refused[space, pod["metadata"]["name"]] = again(found, space, body)[0]
        assert {DENIED, "unknown"}.isdisjoint(c for own in before.values() for c in own)
        for key, was in refused.items():
            later = {"older_than_policy", "policy_changed"} & before.get(key, set())
            assert was == bool(later), (key, before.get(key))
        assert Counter(refused.values())[True] >= 5
        assert Counter(refused.values())[False] > 3


def _whole(pod: Object) -> Object:
    return {"apiVersion": "v1", "kind": "Pod"} | pod


def causes_of_pods(evidence: Evidence) -> dict[tuple[str, str], set[str]]:
    """Causes of each pod, by way of its owner."""
    owners = {
        (r["namespace"], r["owner_kind"], r["owner_name"]): (r["namespace"], r["pod"])
        for r in rows(evidence, "pod_context", "namespace", "owner_kind", "owner_name", "pod")
    }
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows(evidence, "why_admitted"):
        found[owners[row["namespace"], row["owner_kind"], row["owner_name"]]].add(row["cause"])
    return found
