"""Controllers that make pods."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from kaudit.model.meta import texts
from kaudit.model.place import Place
from kaudit.model.pod import Pod
from kaudit.model.workload import (
    BareTemplate,
    Controller,
    CronJob,
    Knative,
    LooseWorkload,
    Revision,
    Rollout,
    Workload,
    WorkloadSpec,
    template_of,
)
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class WorkloadRow(Trace, kw_only=True):
    uid: Annotated[str, doc("uid of the controller")]
    group: Annotated[str, doc("API group, empty for the core")]
    kind: Annotated[str, doc("Deployment, StatefulSet, CronJob, …")]
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    controller_kind: Annotated[str | None, doc("kind of the controlling owner")] = None
    controller_name: Annotated[str | None, doc("name of the controlling owner")] = None
    controller_uid: Annotated[str | None, doc("uid of the controlling owner")] = None
    owned: Annotated[bool, doc("something controls it")] = False
    labels: Annotated[list[str], doc("labels as sorted key=value")]
    template_labels: Annotated[list[str], doc("labels of its pods as sorted key=value")]
    selector: Annotated[list[str], doc("terms of its selector, sorted")]
    replicas: Annotated[int | None, doc("spec.replicas")] = None
    ready_replicas: Annotated[int | None, doc("status.readyReplicas or numberReady")] = None
    strategy: Annotated[str | None, doc("strategy or updateStrategy type")] = None
    suspended: Annotated[bool, doc("suspend or paused is true")] = False
    paused: Annotated[bool | None, doc("spec.paused as written")] = None
    has_template: Annotated[bool, doc("has a pod template")] = True
    schedule: Annotated[str | None, doc("schedule of a CronJob")] = None
    template_kind: Annotated[
        str | None, doc("kind of the workload whose template a Rollout takes (workloadRef)")
    ] = None
    template_name: Annotated[str | None, doc("name of that workload")] = None
    created_at: Annotated[datetime | None, doc("creation time")] = None


WORKLOADS = Table(
    "workloads",
    WorkloadRow,
    grain="one controller of pods",
    key=("namespace", "kind", "name", "uid"),
    resource=Resource("kind"),
)


#: Kinds that make pods; and those that are pods, or whose template says what pods there would be.
CONTROLLERS = (
    Read("apps", "Deployment", "deployments", Workload, ("v1", "v1beta2", "v1beta1")),
    Read("apps", "ReplicaSet", "replicasets", Workload, ("v1", "v1beta2")),
    Read("apps", "StatefulSet", "statefulsets", Workload, ("v1", "v1beta2", "v1beta1")),
    Read("apps", "DaemonSet", "daemonsets", Workload, ("v1", "v1beta2")),
    Read("batch", "Job", "jobs", Workload),
    Read("batch", "CronJob", "cronjobs", CronJob, ("v1", "v1beta1")),
    Read("", "ReplicationController", "replicationcontrollers", LooseWorkload),
    Read("", "PodTemplate", "podtemplates", BareTemplate),
    Read("apps.openshift.io", "DeploymentConfig", "deploymentconfigs", LooseWorkload),
    Read("argoproj.io", "Rollout", "rollouts", Rollout, ("v1alpha1",)),
    Read("serving.knative.dev", "Service", "services", Knative),
    Read("serving.knative.dev", "Configuration", "configurations", Knative),
    Read("serving.knative.dev", "Revision", "revisions", Revision),
)
PODS_AND_CONTROLLERS = (Read("", "Pod", "pods", Pod), *CONTROLLERS)


@collector(
    *CONTROLLERS,
    tables=(WORKLOADS,),
)
def workloads(found: Controller, at: Place) -> Iterator[Row]:
    """Yield one row a controller."""
    owner, template = found.metadata.controller, template_of(found)
    row = WorkloadRow(
        raw=at.raw,
        raw_line=at.line,
        uid=at.uid,
        group=at.group,
        kind=at.kind,
        namespace=at.namespace,
        name=at.name,
        controller_kind=owner.called if owner else None,
        controller_name=owner.name if owner else None,
        controller_uid=owner.uid if owner else None,
        owned=owner is not None,
        labels=found.metadata.label_texts,
        template_labels=template.metadata.label_texts if template else [],
        selector=[],
        has_template=template is not None,
        created_at=found.metadata.creation_timestamp,
    )
    if isinstance(found, CronJob):
        row.schedule, row.suspended = found.spec.schedule, bool(found.spec.suspend)
    elif isinstance(found, Workload | LooseWorkload):
        _scale(row, found)
    if isinstance(found, Rollout) and template is None and (taken := found.spec.workload_ref):
        row.template_kind, row.template_name = taken.kind, taken.name
    yield row


def _scale(row: WorkloadRow, found: Workload | LooseWorkload) -> None:
    spec, status = found.spec, found.status
    row.replicas, row.ready_replicas = spec.replicas, status.ready_replicas
    row.paused, row.suspended = spec.paused, bool(spec.paused)
    strategy = spec.strategy
    if isinstance(spec, WorkloadSpec):
        strategy = strategy or spec.update_strategy
        row.suspended = row.suspended or bool(spec.suspend)
        row.selector = spec.selector.texts if spec.selector else []
        if row.ready_replicas is None:
            row.ready_replicas = status.number_ready
    else:
        row.selector = texts(spec.selector)
    row.strategy = strategy.type if strategy else None
