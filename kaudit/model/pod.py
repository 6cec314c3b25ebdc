"""Pods and pod templates as they arrive on the wire (core v1, up to 1.37)."""

from __future__ import annotations

import msgspec
from msgspec import field

from kaudit.model.container import Container, Resources
from kaudit.model.meta import Int, LabelSelector, Metadata, NamedRef, Opaque, Part, Resource, Time
from kaudit.model.security_context import PodSecurityContext
from kaudit.model.volume import Volume


class Toleration(Part):
    """tolerations[]."""

    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None


class Spread(Part):
    """topologySpreadConstraints[]."""

    max_skew: Int | None = None
    topology_key: str | None = None
    when_unsatisfiable: str | None = None
    label_selector: LabelSelector | None = None


class ApartFrom(Part):
    """Term of podAntiAffinity: the pods to be kept apart from."""

    label_selector: LabelSelector | None = None
    mismatch_label_keys: list[str] | None = None
    namespaces: list[str] | None = None
    namespace_selector: LabelSelector | None = None

    @property
    def own(self) -> bool:
        """Whether it is about pods of the pod's own namespace, as it is where it names none."""
        return not self.namespaces and self.namespace_selector is None

    @property
    def canonical(self) -> str:
        """JSON of its pods and namespaces."""
        term = ApartFrom(
            label_selector=self.label_selector,
            namespaces=sorted(self.namespaces or ()) or None,
            namespace_selector=self.namespace_selector,
        )
        return msgspec.json.encode(term, order="sorted").decode()


class WeighedApartFrom(Part):
    """preferredDuringSchedulingIgnoredDuringExecution[]."""

    pod_affinity_term: ApartFrom | None = None


class AntiAffinity(Part):
    """podAntiAffinity."""

    required: list[ApartFrom] | None = field(
        default=None, name="requiredDuringSchedulingIgnoredDuringExecution"
    )
    preferred: list[WeighedApartFrom] | None = field(
        default=None, name="preferredDuringSchedulingIgnoredDuringExecution"
    )


class Affinity(Part):
    """affinity, as far as it spreads pods."""

    pod_anti_affinity: AntiAffinity | None = None
    node_affinity: Opaque | None = None


class PodOS(Part):
    """os."""

    name: str | None = None


class HostAlias(Part):
    """hostAliases[]."""

    ip: str | None = None
    hostnames: list[str] | None = None


class PodSpec(Part):
    """spec of a pod or of a template."""

    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    ephemeral_containers: list[Container] | None = None
    volumes: list[Volume] | None = None
    security_context: PodSecurityContext | None = None
    service_account_name: str | None = None
    service_account: str | None = None
    automount_service_account_token: bool | None = None
    host_network: bool | None = None
    host_pid: bool | None = field(default=None, name="hostPID")
    host_ipc: bool | None = field(default=None, name="hostIPC")
    host_users: bool | None = None
    share_process_namespace: bool | None = None
    node_name: str | None = None
    node_selector: dict[str, str | None] | None = None
    os: PodOS | None = None
    runtime_class_name: str | None = None
    priority_class_name: str | None = None
    restart_policy: str | None = None
    dns_policy: str | None = None
    enable_service_links: bool | None = None
    image_pull_secrets: list[NamedRef] | None = None
    resources: Resources | None = None
    tolerations: list[Toleration] | None = None
    topology_spread_constraints: list[Spread] | None = None
    affinity: Affinity | None = None
    host_aliases: list[HostAlias] | None = None
    termination_grace_period_seconds: Int | None = None

    @property
    def kept_apart(self) -> list[str]:
        """Selectors of the pods that it is spread among or kept apart from, as JSON.

        Without a selector a constraint or term speaks of no pod.
        """
        spread = [s.label_selector for s in self.topology_spread_constraints or ()]
        spread += [term.label_selector for term in self._terms if term.own]
        return sorted({s.canonical for s in spread if s is not None})

    @property
    def kept_apart_in(self) -> list[str]:
        """Terms of podAntiAffinity that name namespaces, as JSON."""
        return sorted({t.canonical for t in self._terms if not t.own and t.label_selector})

    @property
    def _terms(self) -> list[ApartFrom]:
        """Terms of podAntiAffinity that may select the pod itself."""
        apart = self.affinity.pod_anti_affinity if self.affinity else None
        if apart is None:
            return []
        terms = [*(apart.required or ())]
        terms += [w.pod_affinity_term for w in apart.preferred or () if w.pod_affinity_term]
        return [term for term in terms if not term.mismatch_label_keys]

    @property
    def typed_containers(self) -> list[tuple[str, int, Container]]:
        """All containers with their type (init, sidecar, regular, ephemeral) and place."""
        found = [("regular", at, c) for at, c in enumerate(self.containers or ())]
        for at, c in enumerate(self.init_containers or ()):
            found.append(("sidecar" if c.restart_policy == "Always" else "init", at, c))
        if self.ephemeral_containers:
            found += [("ephemeral", at, c) for at, c in enumerate(self.ephemeral_containers)]
        return found


class Running(Part):
    """status.containerStatuses[].state.running."""

    started_at: Time | None = None


class Waiting(Part):
    """status.containerStatuses[].state.waiting or terminated."""

    reason: str | None = None


class ContainerState(Part):
    """status.containerStatuses[].state."""

    running: Running | None = None
    waiting: Waiting | None = None
    terminated: Waiting | None = None


class ContainerStatus(Part):
    """status.containerStatuses[]."""

    name: str = ""
    image: str | None = None
    image_id: str | None = field(default=None, name="imageID")
    container_id: str | None = field(default=None, name="containerID")
    ready: bool | None = None
    restart_count: Int | None = None
    state: ContainerState | None = None


class PodIP(Part):
    """status.podIPs[]."""

    ip: str | None = None


class PodStatus(Part):
    """status of a pod."""

    phase: str | None = None
    pod_ip: str | None = field(default=None, name="podIP")
    pod_ips: list[PodIP] | None = field(default=None, name="podIPs")
    host_ip: str | None = field(default=None, name="hostIP")
    start_time: Time | None = None
    qos_class: str | None = None
    container_statuses: list[ContainerStatus] | None = None
    init_container_statuses: list[ContainerStatus] | None = None
    ephemeral_container_statuses: list[ContainerStatus] | None = None


class Pod(Resource):
    """core v1 Pod."""

    spec: PodSpec = field(default_factory=PodSpec)
    status: PodStatus = field(default_factory=PodStatus)


class PodTemplate(Part):
    """A controller's template."""

    metadata: Metadata = field(default_factory=Metadata)
    spec: PodSpec = field(default_factory=PodSpec)
