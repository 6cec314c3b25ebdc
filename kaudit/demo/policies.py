"""Policies of admission engines in the demo: what they should refuse, and what they saw."""

from __future__ import annotations

from collections.abc import Iterator

from kaudit.demo.objects import Json, suffix, thing

_POD: Json = {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}
_NON_ROOT = """package k8srequirenonroot

violation[{"msg": msg}] {
  container := input.review.object.spec.containers[_]
  not container.securityContext.runAsNonRoot
  msg := sprintf("Container %v must set runAsNonRoot to true", [container.name])
}
"""
_TEXTS: Json = {"type": "array", "items": {"type": "object"}}
_LABELS = (
    "has(variables.anyObject.metadata.labels) && 'owner' in variables.anyObject.metadata.labels"
)


def policies() -> Iterator[Json]:
    """Yield the objects of policy engines."""
    yield from _templates()
    yield from _constraints()
    yield from _beside()
    yield from _kyverno()
    yield from _reports()


def _templates() -> Iterator[Json]:
    rego = {"rego": _NON_ROOT}
    cel = {
        "code": [
            {
                "engine": "K8sNativeValidation",
                "source": {"validations": [{"expression": _LABELS, "message": "owner is missing"}]},
            }
        ]
    }
    broken = {"rego": "package k8sallowedrepos\n\nviolation[{"}
    fault = {"code": "ingest_error", "message": "could not parse module: unexpected eof token"}
    for kind, target, parameters, faults in (
        ("K8sRequireNonRoot", rego, (), ()),
        ("K8sRequiredOwner", cel, ("labels",), ()),
        ("K8sAllowedRepos", broken, ("repos",), (fault,)),
    ):
        schema = {"type": "object", "properties": dict.fromkeys(parameters, _TEXTS)}
        made = {"names": {"kind": kind}, "validation": {"openAPIV3Schema": schema}}
        spec = {
            "crd": {"spec": made},
            "targets": [{"target": "admission.k8s.gatekeeper.sh", **target}],
        }
        pod = {"id": "gatekeeper-audit-0", "observedGeneration": 1}
        body = {
            "spec": spec,
            "status": {
                "created": not faults,
                "byPod": [pod | ({"errors": list(faults)} if faults else {})],
            },
        }
        api = "templates.gatekeeper.sh/v1"
        yield thing(api, "ConstraintTemplate", kind.lower(), body=body)


def _constraints() -> Iterator[Json]:
    found = {
        "enforcementAction": "deny",
        "group": "",
        "version": "v1",
        "kind": "Pod",
        "name": "secure-app",
        "namespace": "production",
        "message": "Container app must set runAsNonRoot to true",
    }
    pod = {"id": "gatekeeper-audit-0", "enforced": True, "operations": ["audit", "status"]}
    status = {
        "auditTimestamp": "2026-06-01T05:58:20Z",
        "byPod": [pod],
        "totalViolations": 3,
        "violations": [found],
    }
    match = _POD | {"namespaces": ["production", "staging"]}
    api = "constraints.gatekeeper.sh/v1beta1"
    body = {"spec": {"match": match}, "status": status}
    yield thing(api, "K8sRequireNonRoot", "require-non-root", body=body)
    match = {"kinds": [{"apiGroups": [""], "kinds": ["Namespace"]}]}
    spec = {
        "enforcementAction": "dryrun",
        "match": match,
        "parameters": {"labels": [{"key": "owner"}]},
    }
    done = {"auditTimestamp": "2026-06-01T05:58:20Z", "byPod": [pod], "totalViolations": 0}
    body = {"spec": spec, "status": done}
    yield thing(api, "K8sRequiredOwner", "namespaces-have-owner", body=body)
    match = _POD | {"excludedNamespaces": ["kube-system", "legacy"]}
    body = {"spec": {"match": match, "parameters": {"repos": ["registry.northwind.example/"]}}}
    yield thing(api, "K8sAllowedRepos", "own-registry", body=body)


def _beside() -> Iterator[Json]:
    left_out = [{"excludedNamespaces": ["kube-system", "legacy"], "processes": ["*"]}]
    api, body = "config.gatekeeper.sh/v1alpha1", {"spec": {"match": left_out}}
    yield thing(api, "Config", "config", "gatekeeper-system", body=body)
    spec: Json = {
        "applyTo": [{"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}],
        "match": {"scope": "Namespaced", **_POD},
        "location": "spec.automountServiceAccountToken",
        "parameters": {
            "assign": {"value": False},
            "pathTests": [
                {"subPath": "spec.automountServiceAccountToken", "condition": "MustNotExist"}
            ],
        },
    }
    yield thing("mutations.gatekeeper.sh/v1", "Assign", "no-token", body={"spec": spec})
    spec = {
        "applyTo": [{"groups": ["apps"], "versions": ["v1"], "kinds": ["Deployment"]}],
        "templateSource": "spec.template",
        "enforcementAction": "warn",
        "generatedGVK": {"group": "", "version": "v1", "kind": "Pod"},
    }
    api = "expansion.gatekeeper.sh/v1beta1"
    yield thing(api, "ExpansionTemplate", "deployments", body={"spec": spec})


def _kyverno() -> Iterator[Json]:
    filters = {"resourceFilters": "[Event,*,*] [*/*,kube-system,*] [*/*,kyverno,*]"}
    yield thing("v1", "ConfigMap", "kyverno", "kyverno", body={"data": filters})
    labels = {
        "name": "require-team-label",
        "match": {"resources": {"kinds": ["Pod"]}},
        "validate": {
            "message": "The label 'team' is required",
            "pattern": {"metadata": {"labels": {"team": "?*"}}},
        },
    }
    body: Json = {"spec": {"validationFailureAction": "Enforce", "rules": [labels]}}
    yield thing("kyverno.io/v1", "ClusterPolicy", "require-labels", body=body)
    merge = {"spec": {"securityContext": {"runAsNonRoot": True}}}
    change = {
        "name": "add-security-context",
        "match": {"any": [{"resources": {"kinds": ["Pod"]}}]},
        "mutate": {"patchStrategicMerge": merge},
    }
    body = {"spec": {"rules": [change]}}
    yield thing("kyverno.io/v1", "ClusterPolicy", "default-security-context", body=body)
    pods = {
        "operations": ["CREATE", "UPDATE"],
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "resources": ["pods"],
    }
    tagged = "object.spec.containers.all(c, !c.image.endsWith(':latest'))"
    spec = {
        "validationActions": ["Audit"],
        "matchConstraints": {"resourceRules": [pods]},
        "validations": [{"expression": tagged, "message": "latest is no version"}],
    }
    api = "policies.kyverno.io/v1"
    yield thing(api, "ValidatingPolicy", "no-latest", body={"spec": spec})
    spec = {
        "exceptions": [{"policyName": "require-labels", "ruleNames": ["require-team-label"]}],
        "match": {"any": [{"resources": {"kinds": ["Pod"], "namespaces": ["legacy"]}}]},
    }
    api, body = "kyverno.io/v2", {"spec": spec}
    yield thing(api, "PolicyException", "legacy-has-no-teams", "kyverno", body=body)


def _reports() -> Iterator[Json]:
    """Yield reports: one twice, for Kyverno moved to another group; one of a pod that is gone."""
    stem = f"secure-app-{suffix('secure-appproduction', 9)}"
    first = f"{stem}-{suffix(f'{stem}0', 5)}"
    old, new = ("wgpolicyk8s.io/v1alpha2", "PolicyReport"), ("openreports.io/v1alpha1", "Report")
    for (api, kind), namespace, name, word in (
        (old, "production", first, "fail"),
        (new, "production", first, "fail"),
        (old, "production", f"{stem}-before", "pass"),
        (old, "legacy", "erp-0", "skip"),
    ):
        scope = {"apiVersion": "v1", "kind": "Pod", "name": name, "namespace": namespace}
        result = {
            "source": "kyverno",
            "policy": "require-labels",
            "rule": "require-team-label",
            "result": word,
            "scored": True,
            "severity": "medium",
            "timestamp": {"seconds": 1780290000, "nanos": 0},
        }
        counts = {"pass": 0, "fail": 0, "warn": 0, "error": 0, "skip": 0} | {word: 1}
        body: Json = {"scope": scope, "results": [result], "summary": counts}
        yield thing(api, kind, f"pod-{name}", namespace, body=body)
