"""The objects that run kaudit in a cluster, each with a remark for who reads it.

The pod has three containers, one after the other: ``prune`` makes room, ``collect`` reads the
cluster and seals evidence, ``report`` runs the notebook. Only the second sees the token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from kaudit import rbac
from kaudit.schedule.plan import Plan

Object = dict[str, Any]

_USER = 10001
_LABELS = {"app.kubernetes.io/name": "kaudit"}
_DATA = "/var/lib/kaudit"
_CONFIG = "/etc/kaudit"
_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_API_PORTS = (443, 6443)
_LITTLE = {"cpu": "50m", "memory": "128Mi", "ephemeral-storage": "64Mi"}
_SOME = {"cpu": "250m", "memory": "512Mi", "ephemeral-storage": "256Mi"}
_MOST = {"cpu": "2", "memory": "2Gi", "ephemeral-storage": "2Gi"}


def objects(plan: Plan) -> Iterator[tuple[str, Object]]:
    """Yield remark and object, in an order in which they can be applied.

    The default account comes last: the cluster makes it soon after the namespace, and where
    two make it at once the one that is refused shall stop nothing else.
    """
    text = rbac.manifest(plan.kinds, secrets=plan.secrets != "none", namespace=plan.namespace)
    account = {found["kind"]: found for found in yaml.safe_load_all(text)}
    yield "", _labelled(account["Namespace"], plan, _levels(plan))
    for kind in ("ServiceAccount", "ClusterRole", "ClusterRoleBinding"):
        yield _about(kind, plan), _labelled(account[kind], plan)
    yield "Room for one run, and for one that is being replaced.", _quota(plan)
    yield "", _network_policy(plan, "default-deny", {})
    yield _about_egress(plan), _network_policy(plan, "kaudit", _LABELS, egress=_egress(plan))
    yield (
        "Decisions and waivers of the audit: the next run reads what is changed here.",
        (_config(plan)),
    )
    yield "Evidence and reports outlive the namespace's pods, not the claim.", _claim(plan)
    yield "", _cron_job(plan)
    yield (
        "Nobody uses it: whoever names no account gets no token either. The cluster makes it\n"
        "too: should it be told to exist already, apply this again.",
        _default_account(plan),
    )


def _made(kind: str, api: str, name: str, plan: Plan) -> Object:
    metadata = {"name": name, "namespace": plan.namespace}
    return _labelled({"apiVersion": api, "kind": kind, "metadata": metadata}, plan)


def _labelled(found: Object, plan: Plan, more: Mapping[str, str] | None = None) -> Object:
    labels = {**_LABELS, "owner": plan.owner, **(more or {})}
    return {**found, "metadata": {**found["metadata"], "labels": labels}}


def _levels(plan: Plan) -> dict[str, str]:
    prefix = "pod-security.kubernetes.io"
    found = {}
    for mode in ("enforce", "audit", "warn"):
        found[f"{prefix}/{mode}"] = "restricted"
        found[f"{prefix}/{mode}-version"] = plan.version
    return found


def _default_account(plan: Plan) -> Object:
    return {
        **_made("ServiceAccount", "v1", "default", plan),
        "automountServiceAccountToken": False,
    }


def _about(kind: str, plan: Plan) -> str:
    if kind != "ClusterRole" or plan.secrets == "none":
        return ""
    return (
        "RBAC cannot grant the metadata of Secrets alone: this account could read their values.\n"
        "kaudit asks for metadata only; whoever may create pods here could ask for more."
    )


def _quota(plan: Plan) -> Object:
    hard = {
        "pods": "2",
        "persistentvolumeclaims": "1",
        "requests.cpu": "1",
        "requests.memory": "2Gi",
        "limits.cpu": "4",
        "limits.memory": "4Gi",
        "limits.ephemeral-storage": "4Gi",
        "services": "0",
    }
    return {**_made("ResourceQuota", "v1", "kaudit", plan), "spec": {"hard": hard}}


def _network_policy(
    plan: Plan, name: str, chosen: Mapping[str, str], egress: list[Object] | None = None
) -> Object:
    spec: Object = {
        "podSelector": {"matchLabels": dict(chosen)} if chosen else {},
        "policyTypes": ["Egress"] if egress else ["Ingress", "Egress"],
    }
    if egress:
        spec["egress"] = egress
    return {**_made("NetworkPolicy", "networking.k8s.io/v1", name, plan), "spec": spec}


def _about_egress(plan: Plan) -> str:
    if plan.api_server:
        return "The names of the cluster, and the API server."
    return (
        "The names of the cluster, and the ports of API servers at any address: a policy cannot\n"
        "name the server. --api-server narrows this to its addresses."
    )


def _egress(plan: Plan) -> list[Object]:
    dns = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    server: Object = {"ports": [{"protocol": "TCP", "port": port} for port in _API_PORTS]}
    if plan.api_server:
        server["to"] = [{"ipBlock": {"cidr": network}} for network in plan.api_server]
    names = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    return [{"to": [dns], "ports": names}, server]


def _config(plan: Plan) -> Object:
    import msgspec

    parameters = msgspec.to_builtins(plan.parameters)
    waivers = {"waivers": [msgspec.to_builtins(waiver) for waiver in plan.waivers]}
    return {
        **_made("ConfigMap", "v1", "kaudit", plan),
        "data": {"parameters.yaml": _written(parameters), "waivers.yaml": _written(waivers)},
    }


def _written(content: object) -> str:
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100))


def _claim(plan: Plan) -> Object:
    spec: Object = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": plan.size}},
    }
    if plan.storage:
        spec["storageClassName"] = plan.storage
    return {**_made("PersistentVolumeClaim", "v1", "kaudit", plan), "spec": spec}


def _cron_job(plan: Plan) -> Object:
    labels = {**_LABELS, "owner": plan.owner}
    job = {
        "backoffLimit": 1,
        "activeDeadlineSeconds": 3600,
        "template": {"metadata": {"labels": labels}, "spec": _pod(plan)},
    }
    spec = {
        "schedule": plan.schedule,
        "timeZone": "Etc/UTC",
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": 600,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 3,
        "jobTemplate": {"metadata": {"labels": labels}, "spec": job},
    }
    return {**_made("CronJob", "batch/v1", "kaudit", plan), "spec": spec}


def _pod(plan: Plan) -> Object:
    run = f"{_DATA}/$(POD_NAME)"
    kinds = ("--kinds", ",".join(plan.kinds)) if plan.kinds else ()
    secrets = ("--secrets", plan.secrets)
    collect = ("collect", "context:", *kinds, *secrets, "--out", f"{run}.kaudit")
    report = ("report", f"{run}.kaudit", "--out", run)
    decided = ("--parameters", f"{_CONFIG}/parameters.yaml", "--waivers", f"{_CONFIG}/waivers.yaml")
    data = {"name": "data", "mountPath": _DATA}
    token = {"name": "token", "mountPath": _ACCOUNT, "readOnly": True}
    config = {"name": "config", "mountPath": _CONFIG, "readOnly": True}
    return {
        "serviceAccountName": "kaudit",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "initContainers": [
            _container(plan, "prune", ("prune", _DATA, "--keep", str(plan.keep)), _LITTLE, data),
            _container(plan, "collect", collect, _SOME, data, token),
        ],
        "containers": [_container(plan, "report", (*report, *decided), _SOME, data, config)],
        "volumes": _volumes(),
    }


def _container(
    plan: Plan, name: str, arguments: tuple[str, ...], requests: Mapping[str, str], *mounts: Object
) -> Object:
    own = [{"name": "home", "mountPath": "/home/kaudit"}, {"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108  of the container
    pod_name = {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    return {
        "name": name,
        "image": plan.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["kaudit"],
        "args": list(arguments),
        "env": [{"name": "HOME", "value": "/home/kaudit"}, pod_name],
        "resources": {"requests": dict(requests), "limits": dict(_MOST)},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [*mounts, *own],
    }


def _volumes() -> list[Object]:
    # With its default version written out, applying the same text again changes nothing.
    own = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    namespace = {"path": "namespace", "fieldRef": own}
    authority = {
        "name": "kube-root-ca.crt",
        "items": [{"key": "ca.crt", "path": "ca.crt"}],
    }
    token = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
        {"configMap": authority},
        {"downwardAPI": {"items": [namespace]}},
    ]
    return [
        {"name": "data", "persistentVolumeClaim": {"claimName": "kaudit"}},
        {"name": "config", "configMap": {"name": "kaudit"}},
        {"name": "token", "projected": {"sources": token}},
        {"name": "home", "emptyDir": {"sizeLimit": "256Mi"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
    ]
