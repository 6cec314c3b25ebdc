"""Controllers that make pods, as they arrive on the wire."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from msgspec import field

from kaudit.model.homonyms import KNATIVE
from kaudit.model.meta import (
    Int,
    LabelSelector,
    Metadata,
    OwnerReference,
    Part,
    Resource,
    Time,
)
from kaudit.model.pod import Pod, PodSpec, PodStatus, PodTemplate


class Strategy(Part):
    """strategy, updateStrategy."""

    type: str | None = None


class WorkloadSpec(Part):
    """spec of Deployment, ReplicaSet, StatefulSet, DaemonSet and Job."""

    replicas: Int | None = None
    selector: LabelSelector | None = None
    template: PodTemplate | None = None
    strategy: Strategy | None = None
    update_strategy: Strategy | None = None
    paused: bool | None = None
    suspend: bool | None = None
    service_name: str | None = None
    ttl_seconds_after_finished: Int | None = None


class WorkloadStatus(Part):
    """status of a controller."""

    replicas: Int | None = None
    ready_replicas: Int | None = None
    desired_number_scheduled: Int | None = None
    number_ready: Int | None = None
    completion_time: Time | None = None


class Workload(Resource):
    """Deployment, ReplicaSet, StatefulSet, DaemonSet or Job."""

    spec: WorkloadSpec = field(default_factory=WorkloadSpec)
    status: WorkloadStatus = field(default_factory=WorkloadStatus)


class WorkloadRef(Part):
    """workloadRef of a Rollout: whose template is taken."""

    kind: str | None = None
    name: str | None = None


class RolloutSpec(WorkloadSpec):
    """spec of Argo's Rollout, whose template may be that of a Deployment."""

    workload_ref: WorkloadRef | None = None


class Rollout(Workload):
    """argoproj.io Rollout."""

    spec: RolloutSpec = field(default_factory=RolloutSpec)


class KnativeSpec(Part):
    """spec of Knative's Service and Configuration."""

    template: PodTemplate | None = None


class Knative(Resource):
    """serving.knative.dev Service or Configuration."""

    spec: KnativeSpec = field(default_factory=KnativeSpec)


class Revision(Resource):
    """serving.knative.dev Revision, whose spec is that of its pods."""

    spec: PodSpec = field(default_factory=PodSpec)


class LooseSpec(Part):
    """spec of ReplicationController and DeploymentConfig, whose selector is a plain map."""

    replicas: Int | None = None
    selector: dict[str, str | None] | None = None
    template: PodTemplate | None = None
    strategy: Strategy | None = None
    paused: bool | None = None


class LooseWorkload(Resource):
    """ReplicationController, or OpenShift's DeploymentConfig."""

    spec: LooseSpec = field(default_factory=LooseSpec)
    status: WorkloadStatus = field(default_factory=WorkloadStatus)


class JobTemplate(Part):
    """CronJob's jobTemplate."""

    metadata: Metadata = field(default_factory=Metadata)
    spec: WorkloadSpec = field(default_factory=WorkloadSpec)


class CronJobSpec(Part):
    """CronJob's spec."""

    schedule: str | None = None
    suspend: bool | None = None
    job_template: JobTemplate = field(default_factory=JobTemplate)


class CronJob(Resource):
    """batch CronJob."""

    spec: CronJobSpec = field(default_factory=CronJobSpec)


class BareTemplate(Resource):
    """core v1 PodTemplate."""

    template: PodTemplate = field(default_factory=PodTemplate)


Controller = Workload | CronJob | LooseWorkload | BareTemplate | Knative | Revision

#: Controllers whose template stands for the pods of what they own in turn.
STANDING = frozenset(["Deployment", "DeploymentConfig", "CronJob", "Rollout", *KNATIVE])
_NO_STATUS = PodStatus()


def template_of(found: Controller) -> PodTemplate | None:
    """Template of a controller, if it has one."""
    if isinstance(found, CronJob):
        return found.spec.job_template.spec.template
    if isinstance(found, BareTemplate):
        return found.template
    if isinstance(found, Revision):
        metadata = Metadata()
        metadata.labels, metadata.annotations = found.metadata.labels, found.metadata.annotations
        return PodTemplate(metadata, _named(found.spec))
    template = found.spec.template
    if isinstance(found, Knative) and template is not None:
        return PodTemplate(template.metadata, _named(template.spec))
    return template


def _named(spec: PodSpec) -> PodSpec:
    """Spec whose containers have names, as Knative gives them to those that have none."""
    containers = spec.containers or []
    if all(container.name for container in containers):
        return spec
    own = "user-container" if len(containers) == 1 else "user-container-{}"
    named = [
        one if one.name else msgspec.structs.replace(one, name=own.format(number))
        for number, one in enumerate(containers)
    ]
    return msgspec.structs.replace(spec, containers=named)


class PodOf(NamedTuple):
    """Pod that an object is, or that its template would make.

    Attributes
    ----------
    metadata, spec, status
        Of the pod.
    owner
        What controls the object.
    """

    metadata: Metadata
    spec: PodSpec
    status: PodStatus
    owner: OwnerReference | None


def pod_of(found: Pod | Controller, *, orphan: bool = False) -> PodOf | None:
    """Pod that an object is, or that its template would make.

    None where it has no template, or where the template of its owner stands for it; an
    orphan's owner cannot.
    """
    owner = found.metadata.controller
    if isinstance(found, Pod):
        return PodOf(found.metadata, found.spec, found.status, owner)
    if owner is not None and owner.called in STANDING and not orphan:
        return None
    template = template_of(found)
    return None if template is None else PodOf(template.metadata, template.spec, _NO_STATUS, owner)
