"""What governs disruption, priority and runtime of pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from kaudit.model.place import Place
from kaudit.model.scheduling import PodDisruptionBudget, PriorityClass, RuntimeClass
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class DisruptionRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always PodDisruptionBudget")] = "PodDisruptionBudget"
    min_available: Annotated[str | None, doc("minAvailable, number or share")] = None
    max_unavailable: Annotated[str | None, doc("maxUnavailable, number or share")] = None
    selector: Annotated[list[str], doc("terms of its selector, sorted")]
    pod_selector: Annotated[str | None, doc("selector as JSON; {} selects all, null none")] = None
    expected_pods: Annotated[int | None, doc("status.expectedPods")] = None
    disruptions_allowed: Annotated[int | None, doc("status.disruptionsAllowed")] = None


class ClassRow(Trace, kw_only=True):
    kind: Annotated[str, doc("PriorityClass or RuntimeClass")]
    name: Annotated[str, doc("name")]
    handler: Annotated[str | None, doc("handler of a RuntimeClass")] = None
    value: Annotated[int | None, doc("value of a PriorityClass")] = None
    preemption_policy: Annotated[str | None, doc("preemptionPolicy of a PriorityClass")] = None
    global_default: Annotated[bool, doc("globalDefault of a PriorityClass")] = False


_NAMELESS = Resource("kind", namespace="")
DISRUPTION_BUDGETS = Table(
    "disruption_budgets",
    DisruptionRow,
    grain="one PodDisruptionBudget",
    key=("namespace", "name"),
    resource=Resource("kind"),
)
CLASSES = Table(
    "classes",
    ClassRow,
    grain="one PriorityClass or RuntimeClass",
    key=("kind", "name"),
    resource=_NAMELESS,
)


@collector(
    Read(
        "policy",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        PodDisruptionBudget,
        ("v1", "v1beta1"),
    ),
    tables=(DISRUPTION_BUDGETS,),
)
def disruption_budgets(found: PodDisruptionBudget, at: Place) -> Iterator[Row]:
    """Yield one row a budget."""
    least, most = found.spec.min_available, found.spec.max_unavailable
    yield DisruptionRow(
        raw=at.raw,
        raw_line=at.line,
        namespace=at.namespace,
        name=at.name,
        min_available=None if least is None else str(least),
        max_unavailable=None if most is None else str(most),
        selector=found.spec.selector.texts if found.spec.selector else [],
        pod_selector=found.spec.selector.canonical if found.spec.selector else None,
        expected_pods=found.status.expected_pods,
        disruptions_allowed=found.status.disruptions_allowed,
    )


@collector(
    Read("scheduling.k8s.io", "PriorityClass", "priorityclasses", PriorityClass, namespaced=False),
    Read("node.k8s.io", "RuntimeClass", "runtimeclasses", RuntimeClass, namespaced=False),
    tables=(CLASSES,),
)
def classes(found: PriorityClass | RuntimeClass, at: Place) -> Iterator[Row]:
    """Yield one row a class."""
    priority = found if isinstance(found, PriorityClass) else None
    yield ClassRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        name=at.name,
        handler=found.handler if isinstance(found, RuntimeClass) else None,
        value=priority.value if priority else None,
        preemption_policy=priority.preemption_policy if priority else None,
        global_default=bool(priority and priority.global_default),
    )
