"""Workloads of the demo: a shop that sells and delivers parcels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kaudit.demo.credentials import holding
from kaudit.demo.objects import (
    SAFE,
    SAFE_POD,
    Json,
    container,
    digest,
    pod,
    pod_spec,
    suffix,
    thing,
)

NODES = ("cp-1", "node-a", "node-b", "node-c", "node-d")
_REGISTRY = "registry.northwind.example"


def image(name: str, version: str = "2.4.1", *, pinned: bool = True) -> str:
    """Reference to an image of the company's registry."""
    reference = f"{_REGISTRY}/{name}:{version}"
    return f"{reference}@{digest(reference)}" if pinned else reference


def controlled(
    kind: str,
    name: str,
    namespace: str,
    spec: Json,
    replicas: int = 2,
    *,
    team: str = "",
    **more: Any,
) -> Iterator[Json]:
    """Yield a controller, what stands between, and its pods."""
    labels = {"app": name, **({"team": team} if team else {})}
    template = {"metadata": {"labels": labels}, "spec": spec}
    body: Json = {"spec": {"selector": {"matchLabels": {"app": name}}, "template": template}}
    if kind in ("Deployment", "StatefulSet"):
        body["spec"]["replicas"] = replicas
        body["status"] = {"replicas": replicas, "readyReplicas": replicas}
    api = "batch/v1" if kind == "Job" else "apps/v1"
    top = thing(api, kind, name, namespace, labels=labels, body=body)
    yield top
    parent, stem = top, name
    if kind == "Deployment":
        stem = f"{name}-{suffix(name + namespace, 9)}"
        hashed = {**labels, "pod-template-hash": stem.rpartition("-")[2]}
        parent = thing(
            "apps/v1",
            "ReplicaSet",
            stem,
            namespace,
            labels=hashed,
            body=body,
            ownerReferences=_by(top),
        )
        labels = hashed
        yield parent
    nodes = NODES[1:] if kind != "DaemonSet" else NODES
    count = len(NODES) if kind == "DaemonSet" else replicas
    drift = more.pop("drift", None)
    for number in range(count):
        tail = str(number) if kind == "StatefulSet" else suffix(f"{stem}{number}", 5)
        own = drift(spec) if drift and number == 0 else spec
        yield pod(
            f"{stem}-{tail}",
            namespace,
            own,
            labels=labels,
            node=nodes[(number + len(name)) % len(nodes)],
            of=parent,
            **more,
        )


def _by(of: Json) -> list[Json]:
    from kaudit.demo.objects import owner

    return owner(of)


def _service(name: str, **more: Any) -> Json:
    """Spec of a well-kept service."""
    spread = [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": name}},
        }
    ]
    temporary = [{"name": "tmp", "emptyDir": {"sizeLimit": "50Mi"}}]
    mounts = [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108  a path in the demo's container
    return pod_spec(
        [container(name, more.pop("image", image(name)), volumeMounts=mounts)],
        serviceAccountName=name,
        volumes=temporary,
        topologySpreadConstraints=spread,
        **more,
    )


def workloads() -> Iterator[Json]:
    """Yield every controller and pod of the demo."""
    for name, namespace, replicas in (
        ("web", "storefront", 4),
        ("catalog", "storefront", 3),
        ("cart", "storefront", 3),
        ("search", "storefront", 2),
        ("checkout", "payments", 3),
        ("ledger", "payments", 2),
        ("tracker", "tracking", 4),
        ("routes", "tracking", 3),
        ("labels", "tracking", 2),
        ("notify", "tracking", 2),
    ):
        yield from controlled(
            "Deployment", name, namespace, holding(_service(name), name), replicas, team=namespace
        )
    yield from _guide()
    yield from _platform()
    yield from _defects()


def _guide() -> Iterator[Json]:
    """The guide's own secure Deployment, in production."""
    mounts = [{"name": "tmp", "mountPath": "/tmp"}, {"name": "cache", "mountPath": "/app/.cache"}]  # noqa: S108
    secret = {"secretKeyRef": {"name": "app-secrets", "key": "database-url"}}
    app = container(
        "app",
        f"registry.example.com/myapp:v1.0.0@{digest('myapp')}",
        securityContext={**SAFE, "privileged": False},
        volumeMounts=mounts,
        env=[{"name": "DATABASE_URL", "valueFrom": secret}],
    )
    spec = pod_spec(
        [app],
        serviceAccountName="secure-app-sa",
        volumes=[
            {"name": "tmp", "emptyDir": {"sizeLimit": "50Mi"}},
            {"name": "cache", "emptyDir": {"sizeLimit": "100Mi"}},
        ],
        topologySpreadConstraints=[
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {"app": "secure-app"}},
            }
        ],
    )
    yield from controlled("Deployment", "secure-app", "production", spec, 3)


def _platform() -> Iterator[Json]:
    for name, flags in (
        ("kube-apiserver", ["--authorization-mode=Node,RBAC", "--anonymous-auth=false"]),
        ("etcd", ["--client-cert-auth=true"]),
        ("kube-controller-manager", ["--profiling=false"]),
        ("kube-scheduler", ["--profiling=false"]),
    ):
        spec = pod_spec(
            [
                container(
                    name,
                    f"registry.k8s.io/{name}:v1.34.2",
                    command=[name, *flags],
                    securityContext=None,
                    probed=False,
                )
            ],
            hostNetwork=True,
            securityContext={"seccompProfile": {"type": "RuntimeDefault"}},
            serviceAccountName=None,
            automountServiceAccountToken=None,
            priorityClassName="system-node-critical",
        )
        yield pod(
            f"{name}-cp-1",
            "kube-system",
            {**spec, "automountServiceAccountToken": False},
            labels={"component": name, "tier": "control-plane"},
            node="cp-1",
            annotations={"kubernetes.io/config.mirror": suffix(name, 12)},
        )
    agent = {"privileged": True}
    hosts = [{"name": "lib", "hostPath": {"path": "/lib/modules", "type": ""}}]
    for name, namespace, reference in (
        ("kube-proxy", "kube-system", "registry.k8s.io/kube-proxy:v1.34.2"),
        ("calico-node", "kube-system", "docker.io/calico/node:v3.30.2"),
        ("falco", "falco", "docker.io/falcosecurity/falco:0.42.0"),
    ):
        spec = pod_spec(
            [
                container(
                    name,
                    reference,
                    securityContext=agent,
                    volumeMounts=[{"name": "lib", "mountPath": "/lib/modules", "readOnly": True}],
                    probed=False,
                )
            ],
            hostNetwork=namespace == "kube-system",
            securityContext={},
            serviceAccountName=name,
            automountServiceAccountToken=True,
            volumes=hosts,
            tolerations=[{"operator": "Exists"}],
        )
        yield from controlled("DaemonSet", name, namespace, spec)
    for name, namespace, reference in (
        ("coredns", "kube-system", "registry.k8s.io/coredns/coredns:v1.12.1"),
        (
            "ingress-nginx-controller",
            "ingress-nginx",
            "registry.k8s.io/ingress-nginx/controller:v1.13.0",
        ),
        ("cert-manager", "cert-manager", "quay.io/jetstack/cert-manager-controller:v1.18.2"),
        (
            "external-secrets",
            "external-secrets",
            "ghcr.io/external-secrets/external-secrets:v0.19.0",
        ),
        ("kyverno-admission", "kyverno", "ghcr.io/kyverno/kyverno:v1.15.0"),
        (
            "gatekeeper-controller",
            "gatekeeper-system",
            "docker.io/openpolicyagent/gatekeeper:v3.20.0",
        ),
        ("prometheus", "monitoring", "quay.io/prometheus/prometheus:v3.5.0"),
        ("grafana", "monitoring", "docker.io/grafana/grafana:12.1.0"),
    ):
        spec = _service(
            name, image=f"{reference}@{digest(reference)}", automountServiceAccountToken=True
        )
        yield from controlled("Deployment", name, namespace, spec, 2, team="platform")


def _defects() -> Iterator[Json]:
    """What an auditor should find, each for a reason that can be told."""
    builder = pod_spec(
        [
            container(
                "builder",
                "docker.io/library/docker:latest",
                imagePullPolicy="Always",
                securityContext={"privileged": True},
                resources={},
                probed=False,
                args=["--registry-password=hunter2hunter2"],
                volumeMounts=[{"name": "socket", "mountPath": "/var/run/docker.sock"}],
            )
        ],
        securityContext={},
        serviceAccountName="deployer",
        automountServiceAccountToken=True,
        volumes=[
            {"name": "socket", "hostPath": {"path": "/var/run/docker.sock", "type": "Socket"}}
        ],
    )
    yield from controlled("Deployment", "builder", "ci", builder, 2)
    legacy = pod_spec(
        [
            container(
                "erp",
                "legacy.northwind.example:5000/erp",
                securityContext={"runAsUser": 0},
                resources={"requests": {"cpu": "1"}},
                env=[
                    {"name": "DB_PASSWORD", "value": "change-me-now"},
                    {
                        "name": "API_TOKEN",
                        "valueFrom": {"secretKeyRef": {"name": "erp", "key": "t"}},
                    },
                ],
                envFrom=[{"secretRef": {"name": "erp"}}],
                ports=[{"containerPort": 8080, "hostPort": 8080}, {"containerPort": 22}],
                probed=False,
                volumeMounts=[{"name": "root", "mountPath": "/host"}],
            )
        ],
        securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "65536"}]},
        automountServiceAccountToken=None,
        hostPID=True,
        volumes=[{"name": "root", "hostPath": {"path": "/", "type": ""}}],
    )
    yield from controlled("StatefulSet", "erp", "legacy", legacy, 2)
    override = holding(_service("refunds"), "refunds")
    override["containers"][0]["securityContext"] = {**SAFE, "runAsNonRoot": False}
    override["containers"].append(
        container(
            "proxy",
            "docker.io/envoyproxy/envoy:v1.34.1",
            securityContext={
                "seccompProfile": {"type": "Unconfined"},
                "capabilities": {"add": ["NET_ADMIN"]},
            },
            probed=False,
        )
    )
    override["initContainers"] = [
        container(
            "migrate",
            image("refunds", pinned=False),
            securityContext={},
            resources={},
            probed=False,
        )
    ]
    yield from controlled("Deployment", "refunds", "payments", override, 2, team="payments")
    yield from controlled(
        "Deployment",
        "recommend",
        "storefront",
        _service("recommend"),
        3,
        team="storefront",
        drift=_debugged,
    )
    database = _service("postgres", image="docker.io/library/postgres:17.5")
    database["containers"][0]["securityContext"] = {**SAFE, "readOnlyRootFilesystem": False}
    database["volumes"] = [{"name": "tmp", "emptyDir": {}}]
    database = holding(database, "postgres")
    yield from controlled("StatefulSet", "postgres", "data", database, 3, team="data")
    report = pod_spec(
        [container("report", image("report", "latest", pinned=False), probed=False)],
        restartPolicy="Never",
    )
    cron = {
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": report}}}}
    }
    yield thing("batch/v1", "CronJob", "report", "data", body=cron)
    yield from controlled("Job", "report-29148300", "data", report, 1, phase="Succeeded")
    windows = pod_spec(
        [
            container(
                "agent", "mcr.microsoft.com/northwind/scan:1.2", securityContext={}, probed=False
            )
        ],
        os={"name": "windows"},
        hostNetwork=True,
        securityContext={"windowsOptions": {"hostProcess": True}},
    )
    yield from controlled("Deployment", "label-printer", "tracking", windows, 1)
    spaced = _service("sandboxed")
    spaced |= {
        "hostUsers": False,
        "resources": {"limits": {"memory": "1Gi"}},
        "securityContext": {},
    }
    spaced["containers"][0] |= {"resources": {}, "securityContext": {"procMount": "Unmasked"}}
    yield from controlled("Deployment", "sandboxed", "sandbox", spaced, 1, team="research")
    bare = pod_spec([container("shell", "busybox", securityContext={}, resources={}, probed=False)])
    yield pod(
        "debug-anna", "sandbox", {**bare, "shareProcessNamespace": True}, labels={}, node="node-c"
    )
    failed = _service("importer")
    yield pod(
        "importer-once", "legacy", failed, labels={"app": "importer"}, node="node-b", phase="Failed"
    )


def _debugged(spec: Json) -> Json:
    """A pod that somebody attached a debugger to, and that no longer is its template."""
    debugger = {
        "name": "debugger-x7k2p",
        "image": "docker.io/nicolaka/netshoot:latest",
        "imagePullPolicy": "Always",
        "securityContext": {"capabilities": {"add": ["SYS_PTRACE"]}},
    }
    context = {**SAFE_POD, "runAsNonRoot": False, "runAsUser": 0}
    return {**spec, "securityContext": context, "ephemeralContainers": [debugger]}
