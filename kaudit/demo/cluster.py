"""Namespaces, identities, networks and policies of the demo."""

from __future__ import annotations

from collections.abc import Iterator

from kaudit.demo.objects import MESHED, Json, thing
from kaudit.demo.workloads import NODES

_PSA = "pod-security.kubernetes.io/"

#: Namespace to its Pod Security labels: good, missing, mistyped, unpinned, warn only.
NAMESPACES: dict[str, dict[str, str]] = {
    "default": {},
    "kube-system": {"enforce": "privileged"},
    "kube-public": {},
    "cert-manager": {"enforce": "restricted", "enforce-version": "v1.34"},
    "ci": {"warn": "baseline"},
    "data": {"enforce": "baseline", "enforce-version": "v1.31", "warn": "restricted"},
    "external-secrets": {"enforce": "restricted", "enforce-version": "v1.34"},
    "falco": {"enforce": "privileged"},
    "gatekeeper-system": {"enforce": "restricted", "enforce-version": "latest"},
    "ingress-nginx": {"enforce": "baseline", "enforce-version": "v1.34"},
    "kyverno": {"enforce": "restricted", "enforce-version": "v1.34"},
    "legacy": {},
    "monitoring": {"enforce": "baseline"},
    "payments": {
        "enforce": "restricted",
        "enforce-version": "v1.34",
        "audit": "restricted",
        "warn": "restricted",
    },
    "production": {
        "enforce": "restricted",
        "enforce-version": "latest",
        "audit": "restricted",
        "audit-version": "latest",
        "warn": "restricted",
        "warn-version": "latest",
    },
    "sandbox": {"enforce": "strict"},
    "storefront": {
        "enforce": "restricted",
        "enforce-version": "v1.34",
        "warn": "restricted",
        "audit": "restricted",
    },
    "tracking": {
        "enforce": "baseline",
        "enforce-version": "v1.34",
        "audit": "baseline",
        "warn": "restricted",
    },
}
#: Namespace to when it was labelled, before or after its pods were made.
_LABELLED = {"payments": "2026-05-25T09:00:00Z", "storefront": "2026-03-02T09:00:00Z"}
_DENIED = ("payments", "production", "storefront", "tracking")


def cluster() -> Iterator[Json]:
    """Yield everything but workloads."""
    for name, labels in NAMESPACES.items():
        marked = {f"{_PSA}{key}": value for key, value in labels.items()}
        if name == MESHED:
            marked["istio.io/dataplane-mode"] = "ambient"
        body = {"status": {"phase": "Active"}}
        told: Json = {}
        if name in _LABELLED:
            told["managedFields"] = [{"manager": "kubectl-label", "time": _LABELLED[name]}]
        yield thing(
            "v1",
            "Namespace",
            name,
            body=body,
            **told,
            labels={"kubernetes.io/metadata.name": name, **marked},
        )
    yield from _nodes()
    yield from _identities()
    yield from _rights()
    yield from _network()
    yield from _bounds()
    yield from _configuration()
    yield from _admission()


def _nodes() -> Iterator[Json]:
    for number, name in enumerate(NODES):
        role = {"node-role.kubernetes.io/control-plane": ""} if name == "cp-1" else {}
        kubelet = "v1.31.9" if name == "node-d" else "v1.34.2"
        yield thing(
            "v1",
            "Node",
            name,
            labels={"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", **role},
            body={
                "spec": {
                    "taints": [{"key": next(iter(role)), "effect": "NoSchedule"}] if role else []
                },
                "status": {
                    "nodeInfo": {
                        "kubeletVersion": kubelet,
                        "containerRuntimeVersion": "containerd://2.1.4",
                        "kernelVersion": "6.12.38",
                        "osImage": "Debian GNU/Linux 13",
                        "operatingSystem": "linux",
                        "architecture": "amd64",
                    },
                    "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
                    "addresses": [{"type": "InternalIP", "address": f"10.0.0.{number + 10}"}],
                },
            },
        )


def _identities() -> Iterator[Json]:
    quiet = {
        "cart catalog recommend search web": "storefront",
        "checkout ledger refunds": "payments",
        "labels notify tracker": "tracking",
        "postgres": "data",
        "sandboxed": "sandbox",
        "secure-app-sa": "production",
        "importer": "legacy",
    }
    loud = {
        "deployer": "ci",
        "falco": "falco",
        "kube-proxy calico-node coredns": "kube-system",
        "ingress-nginx-controller": "ingress-nginx",
        "cert-manager": "cert-manager",
        "external-secrets": "external-secrets",
        "kyverno-admission": "kyverno",
        "gatekeeper-controller": "gatekeeper-system",
        "prometheus grafana": "monitoring",
        "routes": "tracking",
    }
    for names, namespace in quiet.items():
        for name in names.split():
            body = {"automountServiceAccountToken": False}
            yield thing("v1", "ServiceAccount", name, namespace, body=body)
    for names, namespace in loud.items():
        for name in names.split():
            yield thing("v1", "ServiceAccount", name, namespace)
    for namespace in NAMESPACES:
        yield thing("v1", "ServiceAccount", "default", namespace)


_GROUP = "rbac.authorization.k8s.io/v1"


def _role(name: str, namespace: str, *rules: tuple[str, str, str]) -> Json:
    body = {
        "rules": [
            {"apiGroups": g.split(","), "resources": r.split(","), "verbs": v.split(",")}
            for g, r, v in rules
        ]
    }
    return thing(_GROUP, "Role" if namespace else "ClusterRole", name, namespace, body=body)


def _binding(
    name: str,
    namespace: str,
    role: str,
    *subjects: tuple[str, str, str],
    labels: dict[str, str] | None = None,
) -> Json:
    kind, _, named = role.partition("/")
    found = [
        {"kind": k, "name": n, **({"namespace": where} if where else {"apiGroup": _GROUP[:-3]})}
        for k, n, where in subjects
    ]
    body = {"roleRef": {"apiGroup": _GROUP[:-3], "kind": kind, "name": named}, "subjects": found}
    return thing(
        _GROUP,
        "RoleBinding" if namespace else "ClusterRoleBinding",
        name,
        namespace,
        body=body,
        labels=labels,
    )


def _rights() -> Iterator[Json]:
    default = {"kubernetes.io/bootstrapping": "rbac-defaults"}
    yield _role("cluster-admin", "", ("*", "*", "*"))
    yield _role("view", "", (",apps,batch", "pods,services,deployments,jobs", "get,list,watch"))
    yield _role("metrics-reader", "", ("", "nodes/metrics,pods,services", "get,list,watch"))
    yield _role("node-reader", "", ("", "nodes,nodes/proxy", "get,list"))
    yield _role(
        "store-reader", "", ("", "secrets", "get,list,watch"), ("external-secrets.io", "*", "*")
    )
    yield _role("deploys", "payments", ("apps", "deployments", "get,list,patch"))
    yield _role(
        "helpdesk", "storefront", ("", "pods,pods/log", "get,list"), ("", "pods/exec", "create")
    )
    yield _binding(
        "cluster-admin",
        "",
        "ClusterRole/cluster-admin",
        ("Group", "system:masters", ""),
        labels=default,
    )
    yield _binding(
        "ci-deployer", "", "ClusterRole/cluster-admin", ("ServiceAccount", "deployer", "ci")
    )
    yield _binding("dashboard-public", "", "ClusterRole/view", ("User", "system:anonymous", ""))
    yield _binding(
        "metrics", "", "ClusterRole/metrics-reader", ("ServiceAccount", "prometheus", "monitoring")
    )
    yield _binding(
        "grafana-nodes", "", "ClusterRole/node-reader", ("ServiceAccount", "grafana", "monitoring")
    )
    yield _binding(
        "eso",
        "",
        "ClusterRole/store-reader",
        ("ServiceAccount", "external-secrets", "external-secrets"),
    )
    yield _binding("deploys", "payments", "Role/deploys", ("Group", "team-payments", ""))
    yield _binding("helpdesk", "storefront", "Role/helpdesk", ("Group", "helpdesk", ""))
    yield _role(
        "fetchers", "", ("external-secrets.io", "externalsecrets", "get,list,create,update")
    )
    yield _role("settings", "tracking", ("", "secrets,configmaps", "get,list"))
    yield _role("releases", "ingress-nginx", ("", "secrets", "get,list"))
    yield _binding(
        "fetchers", "storefront", "ClusterRole/fetchers", ("Group", "team-storefront", "")
    )
    yield _binding(
        "settings", "tracking", "Role/settings", ("ServiceAccount", "routes", "tracking")
    )
    yield _binding("releases", "ingress-nginx", "Role/releases", ("Group", "helpdesk", ""))
    yield _binding(
        "old-exporter", "legacy", "Role/exporter", ("ServiceAccount", "exporter", "legacy")
    )
    yield _binding(
        "legacy-default", "legacy", "ClusterRole/view", ("ServiceAccount", "default", "legacy")
    )


def _policy(name: str, namespace: str, **spec: object) -> Json:
    return thing("networking.k8s.io/v1", "NetworkPolicy", name, namespace, body={"spec": spec})


def _network() -> Iterator[Json]:
    both = ["Ingress", "Egress"]
    for namespace in _DENIED:
        yield _policy("default-deny-all", namespace, podSelector={}, policyTypes=both)
    # Restored from an old backup by hand: no API server would take it, and kaudit says so.
    yield _policy("allow-partners", "legacy", podSelector={}, ingress="partners")
    port = [{"protocol": "TCP", "port": 8080}]
    yield _policy(
        "allow-app-traffic",
        "production",
        podSelector={"matchLabels": {"app": "api-server"}},
        policyTypes=both,
        ingress=[
            {"from": [{"podSelector": {"matchLabels": {"app": "frontend"}}}], "ports": port},
            {
                "from": [{"namespaceSelector": {"matchLabels": {"name": "ingress-nginx"}}}],
                "ports": port,
            },
        ],
        egress=[
            {
                "to": [{"podSelector": {"matchLabels": {"app": "postgres"}}}],
                "ports": [{"protocol": "TCP", "port": 5432}],
            },
            {
                "to": [
                    {
                        "namespaceSelector": {},
                        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
                    }
                ],
                "ports": [{"protocol": "UDP", "port": 53}],
            },
        ],
    )
    edge = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}
    yield _policy(
        "from-edge",
        "storefront",
        podSelector={"matchLabels": {"app": "web"}},
        ingress=[{"from": [edge], "ports": port}],
    )
    yield _policy("open-again", "tracking", podSelector={}, ingress=[{}])
    yield _policy("ingress-only", "data", podSelector={}, policyTypes=["Ingress"])
    for name, namespace, more in (
        ("web", "storefront", {}),
        ("checkout", "payments", {}),
        ("tracker", "tracking", {}),
        ("postgres", "data", {}),
        ("erp", "legacy", {"type": "LoadBalancer"}),
        ("erp-admin", "legacy", {"type": "NodePort", "selector": {"app": "erp"}}),
        ("grafana", "monitoring", {"type": "LoadBalancer"}),
        (
            "ingress-nginx-controller",
            "ingress-nginx",
            {"type": "LoadBalancer", "loadBalancerSourceRanges": ["198.51.100.0/24"]},
        ),
        ("partner", "tracking", {"externalIPs": ["203.0.113.20"]}),
    ):
        spec = {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}], **more}
        told = {"ingress": [{"ip": "198.51.100.80"}]} if name == "erp" else {}
        status = {"status": {"loadBalancer": told}} if told else {}
        yield thing("v1", "Service", name, namespace, body={"spec": spec, **status})
    for name, namespace, host, secure in (
        ("shop", "storefront", "shop.northwind.example", True),
        ("pay", "payments", "pay.northwind.example", True),
        ("track", "tracking", "*.track.northwind.example", False),
    ):
        backend = {"service": {"name": "web", "port": {"number": 80}}}
        rule = {
            "host": host,
            "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
        }
        tls = {"tls": [{"hosts": [host], "secretName": f"{name}-tls"}]} if secure else {}
        yield thing(
            "networking.k8s.io/v1",
            "Ingress",
            name,
            namespace,
            body={"spec": {"ingressClassName": "nginx", "rules": [rule], **tls}},
        )
    listeners = [
        {"name": "https", "port": 443, "protocol": "HTTPS", "hostname": "api.northwind.example"},
        {"name": "http", "port": 80, "protocol": "HTTP"},
    ]
    gateway = {"spec": {"gatewayClassName": "envoy", "listeners": listeners}}
    yield thing("gateway.networking.k8s.io/v1", "Gateway", "edge", "ingress-nginx", body=gateway)
    route = {
        "spec": {
            "parentRefs": [{"name": "edge", "namespace": "ingress-nginx"}],
            "hostnames": ["api.northwind.example"],
            "rules": [{"backendRefs": [{"name": "tracker", "port": 80}]}],
        }
    }
    yield thing("gateway.networking.k8s.io/v1", "HTTPRoute", "api", "tracking", body=route)


def _bounds() -> Iterator[Json]:
    for namespace in ("payments", "storefront", "production", "sandbox"):
        hard = {"pods": "40", "limits.memory": "20Gi", "requests.cpu": "10"}
        yield thing("v1", "ResourceQuota", "bounds", namespace, body={"spec": {"hard": hard}})
    limit = {
        "type": "Container",
        "default": {"memory": "512Mi"},
        "defaultRequest": {"cpu": "50m", "memory": "64Mi"},
    }
    yield thing("v1", "LimitRange", "defaults", "tracking", body={"spec": {"limits": [limit]}})
    for name, namespace in (("web", "storefront"), ("checkout", "payments")):
        spec = {"minAvailable": 2, "selector": {"matchLabels": {"app": name}}}
        yield thing("policy/v1", "PodDisruptionBudget", name, namespace, body={"spec": spec})


def _configuration() -> Iterator[Json]:
    settings = {"host": "db.data.svc", "db-password": "change-me-too"}
    yield thing("v1", "ConfigMap", "erp-settings", "legacy", body={"data": settings})
    yield thing(
        "v1", "ConfigMap", "web", "storefront", body={"data": {"theme": "dark", "page-size": "24"}}
    )
    settings = {"allow-snippet-annotations": "true", "use-forwarded-headers": "true"}
    name = "ingress-nginx-controller"
    yield thing("v1", "ConfigMap", name, "ingress-nginx", body={"data": settings})


def _admission() -> Iterator[Json]:
    api = "admissionregistration.k8s.io/v1"
    rule = {
        "operations": ["CREATE", "UPDATE"],
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "resources": ["pods"],
    }
    for name, policy, namespace in (
        ("gatekeeper", "Ignore", "gatekeeper-system"),
        ("kyverno", "Fail", "kyverno"),
    ):
        hook = {
            "name": f"validate.{name}.example",
            "failurePolicy": policy,
            "rules": [rule],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "clientConfig": {
                "service": {"name": name, "namespace": namespace, "path": "/validate"}
            },
        }
        yield thing(api, "ValidatingWebhookConfiguration", name, body={"webhooks": [hook]})
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [
            {"expression": "object.spec.containers.all(c, c.image.contains('@sha256:'))"}
        ],
    }
    yield thing(api, "ValidatingAdmissionPolicy", "image-digest", body={"spec": spec})
    bound = {"policyName": "image-digest", "validationActions": ["Audit"]}
    yield thing(api, "ValidatingAdmissionPolicyBinding", "image-digest", body={"spec": bound})
