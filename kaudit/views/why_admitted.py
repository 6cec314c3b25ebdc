"""Why what fails was admitted: the causes of each workload, over all parts of the pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import records
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class WhyAdmittedRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    owner_kind: Annotated[str, doc("kind of the topmost known owner of the pods")]
    owner_name: Annotated[str, doc("name of the topmost known owner")]
    platform: Annotated[bool, doc("in a namespace of Kubernetes itself")]
    control: Annotated[str, doc("control that they fail, of those that admission can enforce")]
    cause: Annotated[str, doc("why they were admitted, in one word")]
    because: Annotated[str, doc("the cause in a sentence")]
    engine: Annotated[str, doc("engine that came nearest to a denial; empty: none")]
    policy: Annotated[str, doc("its policy, with the rule; of PodSecurity the namespace")]
    clause: Annotated[str, doc("field that decided")]
    containers: Annotated[list[str], doc("lists of containers at fault; empty: the pod itself")]
    covered: Annotated[bool, doc("a point that denies is for them")]
    unexplained: Annotated[bool, doc("they should have been denied")]
    pods: Annotated[int, doc("pods of this owner, with this cause")]


WHY_ADMITTED = Table(
    "why_admitted",
    WhyAdmittedRow,
    grain="one control that running pods of a workload fail, and one cause why they were admitted",
    key=("namespace", "owner_kind", "owner_name", "control", "cause", "engine", "policy", "clause"),
    resource=Resource("owner_kind", name="owner_name"),
)


@view(WHY_ADMITTED)
def why_admitted(admission_causes: pd.DataFrame) -> pd.DataFrame:
    """Add up the causes of each workload."""
    rows: dict[tuple[str, ...], WhyAdmittedRow] = {}
    for found in records(admission_causes):
        one = WhyAdmittedRow(**found)
        known = rows.setdefault(tuple(found[name] for name in WHY_ADMITTED.key), one)
        if known is not one:
            known.raw_line = min(known.raw_line, one.raw_line)
            known.containers = sorted({*known.containers, *one.containers})
            known.pods += one.pods
    return frame(WHY_ADMITTED.sorted(WHY_ADMITTED.arrow(list(rows.values()))))
