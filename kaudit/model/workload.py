"""Controllers that make pods, as they arrive on the wire."""

from __future__ import annotations

from datetime import datetime

from msgspec import field

from kaudit.model.meta import LabelSelector, Metadata, Part, Resource
from kaudit.model.pod import PodTemplate


class Strategy(Part):
    """strategy, updateStrategy."""

    type: str | None = None


class WorkloadSpec(Part):
    """spec of Deployment, ReplicaSet, StatefulSet, DaemonSet and Job."""

    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplate | None = None
    strategy: Strategy | None = None
    update_strategy: Strategy | None = None
    paused: bool | None = None
    suspend: bool | None = None
    service_name: str | None = None
    ttl_seconds_after_finished: int | None = None


class WorkloadStatus(Part):
    """status of a controller."""

    replicas: int | None = None
    ready_replicas: int | None = None
    desired_number_scheduled: int | None = None
    number_ready: int | None = None
    completion_time: datetime | None = None


class Workload(Resource):
    """Deployment, ReplicaSet, StatefulSet, DaemonSet or Job."""

    spec: WorkloadSpec = field(default_factory=WorkloadSpec)
    status: WorkloadStatus = field(default_factory=WorkloadStatus)


class LooseSpec(Part):
    """spec of ReplicationController and DeploymentConfig, whose selector is a plain map."""

    replicas: int | None = None
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
