"""Pods, and the pods that workload templates would make, with their volumes.

Nothing is inferred: what an object leaves unset is null. Defaults, inheritance and owners
are the business of views.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from kaudit.collectors.workloads import PODS_AND_CONTROLLERS
from kaudit.model.container import Resources
from kaudit.model.meta import Metadata, OwnerReference, texts
from kaudit.model.network_selection import NETWORKS, STATUS, selected
from kaudit.model.place import Place
from kaudit.model.pod import Pod, PodSpec, PodStatus
from kaudit.model.quantity import number, whole
from kaudit.model.security_context import PodSecurityContext
from kaudit.model.volume import Projection, Volume
from kaudit.model.workload import (
    Controller,
    pod_of,
)
from kaudit.registry import collector
from kaudit.table import Row, Table, Trace, doc


class PodRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of the pod; for a template a stable stand-in")]
    namespace: Annotated[str, doc("namespace; default where a manifest names none")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
    origin: Annotated[str, doc("object: a Pod object; template: what a controller would make")]
    kind: Annotated[str, doc("kind of the object read: Pod, Deployment, CronJob, …")]
    controller_kind: Annotated[str | None, doc("kind of the controlling owner; null: none")] = None
    controller_name: Annotated[str | None, doc("name of the controlling owner")] = None
    controller_uid: Annotated[str | None, doc("uid of the controlling owner")] = None
    mirror: Annotated[bool, doc("mirror of a static pod that a kubelet runs from a file")] = False
    labels: Annotated[list[str], doc("labels of the pod as sorted key=value")]
    annotation_keys: Annotated[list[str], doc("keys of its annotations, sorted")]
    mesh_annotations: Annotated[
        list[str], doc("annotations that service meshes go by, as sorted key=value")
    ]
    created_at: Annotated[datetime | None, doc("creation time")] = None
    deleting: Annotated[bool, doc("deletion has been asked for")] = False
    phase: Annotated[str | None, doc("status.phase")] = None
    node: Annotated[str | None, doc("spec.nodeName")] = None
    pod_ips: Annotated[list[str], doc("status.podIPs")]
    networks: Annotated[
        list[str] | None,
        doc("networks asked for beside the primary one, as namespace/name=address; null: unread"),
    ]
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
    ]
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
    anti_affinity: Annotated[bool, doc("has affinity.podAntiAffinity")] = False
    host_aliases: Annotated[list[str], doc("names of spec.hostAliases")]
    image_pull_secrets: Annotated[list[str], doc("names of spec.imagePullSecrets")]
    last_applied: Annotated[
        bool, doc("carried the annotation last-applied-configuration, which was not read")
    ] = False


class VolumeRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of its pod")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
    volume: Annotated[str, doc("name of the volume")]
    source: Annotated[str, doc("source as in the API: hostPath, emptyDir, secret, …")]
    reference: Annotated[
        str | None, doc("name of the Secret, ConfigMap, claim, driver or image that it shows")
    ] = None
    login_secret: Annotated[str | None, doc("Secret that its driver logs in with")] = None
    provider_class: Annotated[str | None, doc("SecretProviderClass whose objects it shows")] = None
    path: Annotated[str | None, doc("hostPath.path as written")] = None
    path_type: Annotated[str | None, doc("hostPath.type")] = None
    medium: Annotated[str | None, doc("emptyDir.medium")] = None
    size_limit_bytes: Annotated[int | None, doc("emptyDir.sizeLimit")] = None


class ProjectionRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of its pod")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
    volume: Annotated[str, doc("name of the projected volume")]
    position: Annotated[int, doc("place among the sources, from 0")]
    source: Annotated[str, doc("serviceAccountToken, secret, configMap, downwardAPI, …")]
    reference: Annotated[str | None, doc("name of the Secret or ConfigMap")] = None
    audience: Annotated[str | None, doc("audience of a token; null: the API server")] = None
    expiration_seconds: Annotated[int | None, doc("expirationSeconds of a token")] = None


_OF_POD = ("namespace", "pod", "pod_uid")
PODS = Table("pods", PodRow, grain="one pod or pod template", key=_OF_POD, pods=True)
VOLUMES = Table(
    "volumes", VolumeRow, grain="one volume of a pod", key=(*_OF_POD, "volume"), pods=True
)
PROJECTIONS = Table(
    "projections",
    ProjectionRow,
    grain="one source of a projected volume",
    key=(*_OF_POD, "volume", "position"),
    pods=True,
)


@collector(
    *PODS_AND_CONTROLLERS,
    tables=(PODS, VOLUMES, PROJECTIONS),
)
def pods(found: Pod | Controller, at: Place) -> list[Row]:
    """Rows of a pod and its volumes; controllers give the pod of their template."""
    made = pod_of(found, orphan=at.orphan)
    if made is None:
        return []
    metadata, spec, status = made
    rows: list[Row] = [_pod(metadata, spec, status, at, found.metadata.controller)]
    for volume in spec.volumes or ():
        rows.append(_volume(volume, at))
        if volume.projected is not None:
            for position, part in enumerate(volume.projected.sources or ()):
                rows.append(_projection(part, position, volume.name, at))
    return rows


def _pod(
    metadata: Metadata,
    spec: PodSpec,
    status: PodStatus,
    at: Place,
    owner: OwnerReference | None,
) -> PodRow:
    context = spec.security_context or _NO_CONTEXT
    amounts = spec.resources or _NO_RESOURCES
    limits, requests = amounts.limits or {}, amounts.requests or {}
    selinux = context.se_linux_options
    seccomp, apparmor = context.seccomp_profile, context.app_armor_profile
    template = at.kind != "Pod"
    return PodRow(
        raw=at.raw,
        raw_line=at.line,
        pod_uid=at.uid,
        namespace=at.namespace,
        pod=at.name,
        origin="template" if template else "object",
        kind=at.kind,
        controller_kind=owner.kind if owner else None,
        controller_name=owner.name if owner else None,
        controller_uid=owner.uid if owner else None,
        mirror=not template and metadata.annotation("kubernetes.io/config.mirror") is not None,
        labels=metadata.label_texts,
        annotation_keys=metadata.annotation_keys,
        mesh_annotations=metadata.mesh_annotations if metadata.annotations else [],
        created_at=metadata.creation_timestamp,
        deleting=metadata.deletion_timestamp is not None,
        phase=status.phase,
        node=spec.node_name,
        pod_ips=[ip.ip for ip in status.pod_ips or () if ip.ip]
        or ([status.pod_ip] if status.pod_ip else []),
        networks=_networks(metadata, at.namespace) if metadata.annotations else [],
        started_at=status.start_time,
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
        run_as_non_root=context.run_as_non_root,
        run_as_user=context.run_as_user,
        run_as_group=context.run_as_group,
        fs_group=context.fs_group,
        supplemental_groups=[str(g) for g in context.supplemental_groups or ()],
        supplemental_groups_policy=context.supplemental_groups_policy,
        sysctls=sorted([s.name for s in context.sysctls]) if context.sysctls else [],
        seccomp_type=seccomp.type if seccomp else None,
        seccomp_profile=seccomp.localhost_profile if seccomp else None,
        seccomp_annotation=metadata.annotation("seccomp.security.alpha.kubernetes.io/pod"),
        apparmor_type=apparmor.type if apparmor else None,
        apparmor_annotations=_apparmor(metadata) if metadata.annotations else [],
        selinux_type=selinux.type if selinux else None,
        selinux_user=selinux.user if selinux else None,
        selinux_role=selinux.role if selinux else None,
        windows_host_process=context.windows_options.host_process
        if context.windows_options
        else None,
        cpu_request_cores=number(requests.get("cpu")),
        cpu_limit_cores=number(limits.get("cpu")),
        memory_request_bytes=whole(requests.get("memory")),
        memory_limit_bytes=whole(limits.get("memory")),
        node_selector=texts(spec.node_selector),
        tolerations=[
            f"{t.key or '*'}={t.value or ''}:{t.effect or '*'}" for t in spec.tolerations or ()
        ],
        topology_spread=[s.topology_key or "" for s in spec.topology_spread_constraints or ()],
        anti_affinity=bool(spec.affinity and spec.affinity.pod_anti_affinity is not None),
        host_aliases=[n for a in spec.host_aliases or () for n in a.hostnames or ()],
        image_pull_secrets=[s.name or "" for s in spec.image_pull_secrets or ()],
        last_applied=bool(metadata.last_applied),
    )


_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def _networks(metadata: Metadata, namespace: str) -> list[str] | None:
    asked = metadata.annotation(NETWORKS)
    return selected(asked, namespace, metadata.annotation(STATUS)) if asked else []


def _apparmor(metadata: Metadata) -> list[str]:
    keys = (key for key in metadata.annotation_keys if key.startswith(_APPARMOR))
    return [f"{key[len(_APPARMOR) :]}={metadata.annotation(key) or ''}" for key in keys]


_NO_CONTEXT, _NO_RESOURCES = PodSecurityContext(), Resources()


def _volume(v: Volume, at: Place) -> VolumeRow:
    source = v.source
    return VolumeRow(
        raw=at.raw,
        raw_line=at.line,
        pod_uid=at.uid,
        namespace=at.namespace,
        pod=at.name,
        volume=v.name,
        source=source,
        reference=_reference(v, source) or None,
        login_secret=v.login_secret(source),
        provider_class=v.csi.provider_class if v.csi else None,
        path=v.host_path.path if v.host_path else None,
        path_type=(v.host_path.type or None) if v.host_path else None,
        medium=(v.empty_dir.medium or None) if v.empty_dir else None,
        size_limit_bytes=whole(v.empty_dir.size_limit) if v.empty_dir else None,
    )


def _reference(v: Volume, source: str) -> str | None:
    """Name of what a volume shows."""
    if source == "secret" and v.secret:
        return v.secret.secret_name
    if source == "configMap" and v.config_map:
        return v.config_map.name
    if source == "persistentVolumeClaim" and v.persistent_volume_claim:
        return v.persistent_volume_claim.claim_name
    if source == "csi" and v.csi:
        return v.csi.driver
    return v.image.reference if source == "image" and v.image else None


def _projection(part: Projection, position: int, volume: str, at: Place) -> ProjectionRow:
    token, named = part.service_account_token, part.secret or part.config_map
    return ProjectionRow(
        raw=at.raw,
        raw_line=at.line,
        pod_uid=at.uid,
        namespace=at.namespace,
        pod=at.name,
        volume=volume,
        position=position,
        source=_projection_source(part),
        reference=named.name if named else None,
        audience=(token.audience or None) if token else None,
        expiration_seconds=token.expiration_seconds if token else None,
    )


def _projection_source(part: Projection) -> str:
    sources = (
        ("serviceAccountToken", part.service_account_token),
        ("secret", part.secret),
        ("configMap", part.config_map),
        ("downwardAPI", part.downward_api),
        ("clusterTrustBundle", part.cluster_trust_bundle),
        ("podCertificate", part.pod_certificate),
    )
    return next((name for name, value in sources if value is not None), "none")
