"""Priority, runtime and disruption of pods on the wire."""

from __future__ import annotations

from msgspec import field

from kaudit.model.meta import Int, IntOrText, LabelSelector, Part, Resource


class PriorityClass(Resource):
    """scheduling.k8s.io PriorityClass."""

    value: Int | None = None
    global_default: bool | None = None
    preemption_policy: str | None = None


class RuntimeClass(Resource):
    """node.k8s.io RuntimeClass."""

    handler: str | None = None


class DisruptionSpec(Part):
    """spec of a PodDisruptionBudget."""

    min_available: IntOrText | None = None
    max_unavailable: IntOrText | None = None
    selector: LabelSelector | None = None


class DisruptionStatus(Part):
    """status of a PodDisruptionBudget."""

    disruptions_allowed: Int | None = None
    expected_pods: Int | None = None


class PodDisruptionBudget(Resource):
    """policy PodDisruptionBudget."""

    spec: DisruptionSpec = field(default_factory=DisruptionSpec)
    status: DisruptionStatus = field(default_factory=DisruptionStatus)
