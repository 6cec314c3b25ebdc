"""Policies of admission engines in the demo: what they should refuse, and what they saw."""

from __future__ import annotations

from collections.abc import Iterator

from kaudit.demo.objects import Json, thing

_POD: Json = {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}
_NON_ROOT = """package k8srequirenonroot

violation[{"msg": msg}] {
  container := input.review.object.spec.containers[_]
  not container.securityContext.runAsNonRoot
  msg := sprintf("Container %v must set runAsNonRoot to true", [container.name])
}
"""
_LABELS = (
    "has(variables.anyObject.metadata.labels) && 'owner' in variables.anyObject.metadata.labels"
)


def policies() -> Iterator[Json]:
    """Yield the objects of policy engines."""
    yield from _templates()
    yield from _constraints()
    yield from _beside()
    yield from _kyverno()


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
        schema = {"type": "object", "properties": {name: {"type": "array"} for name in parameters}}
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
    labels = {
        "name": "require-team-label",
        "match": {"resources": {"kinds": ["Pod"]}},
        "validate": {
            "message": "The label 'team' is required",
            "pattern": {"metadata": {"labels": {"team": "?*"}}},
        },
    }
    policy = {"spec": {"validationFailureAction": "Enforce", "rules": [labels]}}
    yield thing("kyverno.io/v1", "ClusterPolicy", "require-labels", body=policy)
