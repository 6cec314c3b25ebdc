"""Pods, and the pods that workload templates would make.

Nothing is inferred: what an object leaves unset is null. Defaults, inheritance and owners
are the business of views.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import field

from kaudit.collectors.confinement import bound, confine
from kaudit.collectors.workloads import PODS_AND_CONTROLLERS
from kaudit.model.meta import Metadata, texts
from kaudit.model.network_selection import NETWORKS, STATUS, selected
from kaudit.model.place import Place
from kaudit.model.pod import PodSpec
from kaudit.model.security_context import PodSecurityContext
from kaudit.model.workload import PodOf
from kaudit.registry import collector
from kaudit.table import Row, Table, doc
from kaudit.tables.owned import POD_KEY, OfSpec


class PodRow(OfSpec, kw_only=True):
    pod_uid: Annotated[str, doc("uid of the pod; for a template a stable stand-in")] = ""
    namespace: Annotated[str, doc("namespace; default where a manifest names none")] = ""
    origin: Annotated[str, doc("object: a Pod object; template: what a controller would make")] = ""
    kind: Annotated[str, doc("kind of the object read: Pod, Deployment, CronJob, …")] = ""
    controller_kind: Annotated[str | None, doc("kind of the controlling owner; null: none")] = None
    controller_name: Annotated[str | None, doc("name of the controlling owner")] = None
    controller_uid: Annotated[str | None, doc("uid of the controlling owner")] = None
    mirror: Annotated[bool, doc("mirror of a static pod that a kubelet runs from a file")] = False
    labels: Annotated[list[str], doc("labels of the pod as sorted key=value")] = field(
        default_factory=list
    )
    annotation_keys: Annotated[list[str], doc("keys of its annotations, sorted")] = field(
        default_factory=list
    )
    mesh_annotations: Annotated[
        list[str], doc("annotations that service meshes go by, as sorted key=value")
    ] = field(default_factory=list)
    created_at: Annotated[datetime | None, doc("creation time")] = None
    deleting: Annotated[bool, doc("deletion has been asked for")] = False
    phase: Annotated[str | None, doc("status.phase")] = None
    node: Annotated[str | None, doc("spec.nodeName")] = None
    pod_ips: Annotated[list[str], doc("status.podIPs")] = field(default_factory=list)
    networks: Annotated[
        list[str] | None,
        doc("networks asked for beside the primary one, as namespace/name=address; null: unread"),
    ] = field(default_factory=list)
    started_at: Annotated[datetime | None, doc("status.startTime")] = None
    service_account: Annotated[str | None, doc("spec.serviceAccountName as written")] = None
    automount_token: Annotated[bool | None, doc("spec.automountServiceAccountToken as written")] = (
        None
    )
    host_network: Annotated[bool | None, doc("spec.hostNetwork")] = None
    host_pid: Annotated[bool | None, doc("spec.hostPID")] = None
    host_ipc: Annotated[bool | None, doc("spec.hostIPC")] = None
    host_users: Annotated[bool | None, doc("spec.hostUsers; false: own user namespace")] = None
    share_process_namespace: Annotated[bool | None, doc("spec.shareProcessNamespace")] = None
    os: Annotated[str | None, doc("spec.os.name")] = None
    runtime_class: Annotated[str | None, doc("spec.runtimeClassName")] = None
    priority_class: Annotated[str | None, doc("spec.priorityClassName")] = None
    restart_policy: Annotated[str | None, doc("spec.restartPolicy")] = None
    dns_policy: Annotated[str | None, doc("spec.dnsPolicy")] = None
    enable_service_links: Annotated[bool | None, doc("spec.enableServiceLinks")] = None
    run_as_non_root: Annotated[bool | None, doc("pod securityContext.runAsNonRoot")] = None
    run_as_user: Annotated[int | None, doc("pod securityContext.runAsUser")] = None
    run_as_group: Annotated[int | None, doc("pod securityContext.runAsGroup")] = None
    fs_group: Annotated[int | None, doc("pod securityContext.fsGroup")] = None
    supplemental_groups: Annotated[list[str], doc("pod securityContext.supplementalGroups")]
    supplemental_groups_policy: Annotated[str | None, doc("Merge or Strict")] = None
    sysctls: Annotated[list[str], doc("names of pod securityContext.sysctls, sorted")]
    seccomp_type: Annotated[str | None, doc("pod seccompProfile.type")] = None
    seccomp_profile: Annotated[str | None, doc("pod seccompProfile.localhostProfile")] = None
    seccomp_annotation: Annotated[
        str | None, doc("annotation seccomp.security.alpha.kubernetes.io/pod")
    ] = None
    apparmor_type: Annotated[str | None, doc("pod appArmorProfile.type")] = None
    apparmor_annotations: Annotated[
        list[str], doc("annotations container.apparmor.security.beta.kubernetes.io/* as name=value")
    ] = field(default_factory=list)
    selinux_type: Annotated[str | None, doc("pod seLinuxOptions.type")] = None
    selinux_user: Annotated[str | None, doc("pod seLinuxOptions.user")] = None
    selinux_role: Annotated[str | None, doc("pod seLinuxOptions.role")] = None
    windows_host_process: Annotated[bool | None, doc("pod windowsOptions.hostProcess")] = None
    cpu_request_cores: Annotated[float | None, doc("pod-level resources.requests.cpu")] = None
    cpu_limit_cores: Annotated[float | None, doc("pod-level resources.limits.cpu")] = None
    memory_request_bytes: Annotated[int | None, doc("pod-level resources.requests.memory")] = None
    memory_limit_bytes: Annotated[int | None, doc("pod-level resources.limits.memory")] = None
    node_selector: Annotated[list[str], doc("spec.nodeSelector as sorted key=value")]
    tolerations: Annotated[list[str], doc("key=value:effect; key is * for any")]
    topology_spread: Annotated[list[str], doc("topology keys of topologySpreadConstraints")]
    kept_apart: Annotated[
        list[str],
        doc("selectors of topologySpreadConstraints and of terms of podAntiAffinity, as JSON"),
    ]
    kept_apart_in: Annotated[
        list[str], doc("terms of podAntiAffinity that name namespaces, as JSON")
    ] = field(default_factory=list)
    host_aliases: Annotated[list[str], doc("names of spec.hostAliases")]
    image_pull_secrets: Annotated[list[str], doc("names of spec.imagePullSecrets")]
    last_applied: Annotated[
        bool, doc("carried the annotation last-applied-configuration, which was not read")
    ] = False


class OwnRow(Row, kw_only=True):
    """What a pod does not have from its spec, or has of its own in it."""

    origin: str
    kind: str
    controller_kind: str | None
    controller_name: str | None
    controller_uid: str | None
    mirror: bool = False
    labels: list[str]
    annotation_keys: list[str]
    mesh_annotations: list[str] = field(default_factory=list)
    created_at: datetime | None
    deleting: bool
    phase: str | None
    node: str | None
    pod_ips: list[str]
    networks: list[str] | None = field(default_factory=list)
    started_at: datetime | None
    seccomp_annotation: str | None = None
    apparmor_annotations: list[str] = field(default_factory=list)
    last_applied: bool


PODS = Table("pods", PodRow, grain="one pod or pod template", key=POD_KEY, pods=True)


def owned(made: PodOf, at: Place) -> list[Row]:
    """Row of what a pod has of its own."""
    metadata, spec, status, owner = made
    template = at.kind != "Pod"
    row = OwnRow(
        origin="template" if template else "object",
        kind=at.kind,
        controller_kind=owner.called if owner else None,
        controller_name=owner.name if owner else None,
        controller_uid=owner.uid if owner else None,
        labels=metadata.label_texts,
        annotation_keys=metadata.annotation_keys,
        created_at=metadata.creation_timestamp,
        deleting=metadata.deletion_timestamp is not None,
        phase=status.phase,
        node=spec.node_name,
        pod_ips=[ip.ip for ip in status.pod_ips or () if ip.ip]
        or ([status.pod_ip] if status.pod_ip else []),
        started_at=status.start_time,
        last_applied=bool(metadata.last_applied),
    )
    if metadata.annotations:
        mirrored = metadata.annotation("kubernetes.io/config.mirror") is not None
        row.mirror = mirrored and not template
        row.mesh_annotations = metadata.mesh_annotations
        row.networks = _networks(metadata, at.namespace)
        row.seccomp_annotation = metadata.annotation("seccomp.security.alpha.kubernetes.io/pod")
        row.apparmor_annotations = _apparmor(metadata)
    return [row]


@collector(*PODS_AND_CONTROLLERS, tables=(PODS,), of_spec=True, own=owned)
def pods(spec: PodSpec) -> list[Row]:
    """Row of a pod."""
    context = spec.security_context or _NO_CONTEXT
    row = PodRow(
        service_account=spec.service_account_name or spec.service_account,
        automount_token=spec.automount_service_account_token,
        host_network=spec.host_network,
        host_pid=spec.host_pid,
        host_ipc=spec.host_ipc,
        host_users=spec.host_users,
        share_process_namespace=spec.share_process_namespace,
        os=spec.os.name if spec.os else None,
        runtime_class=spec.runtime_class_name,
        priority_class=spec.priority_class_name,
        restart_policy=spec.restart_policy,
        dns_policy=spec.dns_policy,
        enable_service_links=spec.enable_service_links,
        fs_group=context.fs_group,
        supplemental_groups=[str(g) for g in context.supplemental_groups or ()],
        supplemental_groups_policy=context.supplemental_groups_policy,
        sysctls=sorted([s.name for s in context.sysctls]) if context.sysctls else [],
        node_selector=texts(spec.node_selector),
        tolerations=[
            f"{t.key or '*'}={t.value or ''}:{t.effect or '*'}" for t in spec.tolerations or ()
        ],
        topology_spread=[s.topology_key or "" for s in spec.topology_spread_constraints or ()],
        kept_apart=spec.kept_apart,
        kept_apart_in=spec.kept_apart_in,
        host_aliases=[n for a in spec.host_aliases or () for n in a.hostnames or ()],
        image_pull_secrets=[s.name or "" for s in spec.image_pull_secrets or ()],
    )
    if spec.security_context:
        confine(row, context)
    if spec.resources:
        bound(row, spec.resources)
    return [row]


_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def _networks(metadata: Metadata, namespace: str) -> list[str] | None:
    asked = metadata.annotation(NETWORKS)
    return selected(asked, namespace, metadata.annotation(STATUS)) if asked else []


def _apparmor(metadata: Metadata) -> list[str]:
    keys = (key for key in metadata.annotation_keys if key.startswith(_APPARMOR))
    return [f"{key[len(_APPARMOR) :]}={metadata.annotation(key) or ''}" for key in keys]


_NO_CONTEXT = PodSecurityContext()
