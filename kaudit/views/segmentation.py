"""Statements on who may connect to whom, tested on what the policies allow.

They are the auditor's, of the parameter ``segmentation``, and those that the cluster makes
itself: a namespace that its labels say is of production is not reached from one that they say
is for development or tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from kaudit.columns import arrow, plain_rows
from kaudit.model.meta import pairs_of
from kaudit.model.statement import Statement, Workload, parsed, written
from kaudit.network import NetworkTables, network_of, standing
from kaudit.parameters import parameters
from kaudit.registry import view
from kaudit.segmentation import UNKNOWN, VIOLATED, Judgement, Segmentation
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class SegmentationRow(Trace, kw_only=True):
    id: Annotated[str, doc("id of the statement; environment/NAMESPACE for one of labels")]
    says: Annotated[str, doc("the statement")]
    verdict: Annotated[str, doc("holds, violated or unknown")]
    violated: Annotated[bool | None, doc("it is violated; null where it is unknown")] = None
    way: Annotated[list[str], doc("shortest way that violates it, or may, from source to target")]
    ports: Annotated[str, doc("ports of the last step of the way")]
    because: Annotated[str, doc("why it is unknown; empty where it is not")]


SEGMENTATION = Table(
    "segmentation",
    SegmentationRow,
    grain="one statement on who may connect to whom",
    key=("id",),
    resource=Resource("=Statement", namespace="", name="id"),
)
#: Labels of namespaces that tell their environment, and what they say.
_LABELS = ("environment", "env", "app.kubernetes.io/environment")
_PRODUCTION = ("production", "prod", "live")
_OTHERS = ("development", "dev", "test", "testing", "qa", "sandbox")
_NONE = "no statement was given (parameter segmentation), and no label tells environments apart"


@view(SEGMENTATION, gathers=("namespaces",))
def segmentation(
    tables: NetworkTables,
    network_enforcement: pd.DataFrame,
) -> pd.DataFrame:
    """Test each statement."""
    pods = standing(tables.network_pods)
    if not len(pods):
        return frame(SEGMENTATION.arrow([]))
    used = set(arrow(pods["namespace"]).to_pylist())
    stated = [*written(parameters().segmentation), *_of_labels(tables.namespaces, used)]
    if not stated:
        ((raw, line),) = plain_rows(pods.iloc[:1], "raw", "raw_line")
        nothing = Judgement("none", "", UNKNOWN, because=_NONE)
        return frame(SEGMENTATION.arrow([_row(nothing, (raw, line))]))
    pods, numbers, network = network_of(*tables)
    classes: dict[Workload, set[int]] = {}
    traces: dict[str, tuple[str, int]] = {}
    beside: set[Workload] = set()
    columns = ("namespace", "owner_name", "owner_kind", "attached", "raw", "raw_line")
    for number, (space, name, kind, attached, *trace) in zip(
        numbers, plain_rows(pods, *columns), strict=True
    ):
        workload = Workload(space, name, kind or "Pod")
        if attached:
            beside.add(workload)
        classes.setdefault(workload, set()).add(number)
        traces.setdefault(workload.label, (trace[0], trace[1]))
    first = next(iter(traces.values()))
    enforced = arrow(network_enforcement["enforces"]).to_pylist() == ["yes"]
    judge = Segmentation(network, classes, enforced=enforced, attached=beside)
    found = [judge.tested(statement) for statement in stated]
    made = [_row(one, next(_traced(one, traces), first)) for one in found]
    return frame(SEGMENTATION.sorted(SEGMENTATION.arrow(made)))


def _traced(tested: Judgement, traces: dict[str, tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """Records of the workloads on the way, the target first."""
    return (traces[label] for label in reversed(tested.path) if label in traces)


def _row(tested: Judgement, trace: tuple[str, int]) -> SegmentationRow:
    return SegmentationRow(
        raw=trace[0],
        raw_line=trace[1],
        id=tested.id,
        says=tested.says,
        verdict=tested.verdict,
        violated=None if tested.verdict == UNKNOWN else tested.verdict == VIOLATED,
        way=list(tested.path),
        ports=tested.ports,
        because=tested.because,
    )


def _of_labels(namespaces: pd.DataFrame, used: set[str]) -> Iterator[Statement]:
    kinds: dict[str, str] = {}
    for name, labels in plain_rows(namespaces, "name", "labels"):
        said = pairs_of(labels)
        kinds[name] = next((said[key].lower() for key in _LABELS if key in said), "")
    others = sorted(name for name in used if kinds.get(name) in _OTHERS)
    for name in sorted(used):
        if others and kinds.get(name) in _PRODUCTION:
            says = f"{' and '.join(others)} never reaches {name}"
            yield parsed(f"environment/{name}", says)
