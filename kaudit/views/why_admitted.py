"""Why what fails was admitted: the causes of each workload, over all parts of the pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, pairs, series
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa


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
    import numpy as np
    import pyarrow as pa

    c = admission_causes
    key = pairs(*(c[name] for name in WHY_ADMITTED.key)).dictionary_encode().indices
    _, first, numbers = np.unique(
        key.to_numpy(zero_copy_only=False), return_index=True, return_inverse=True
    )
    lines = arrow(c["raw_line"]).to_numpy(zero_copy_only=False).copy()
    np.minimum.at(lines, first[numbers], lines)
    pods = np.zeros(len(first), np.int64)
    np.add.at(pods, numbers, arrow(c["pods"]).to_numpy(zero_copy_only=False))
    found = c.iloc[first].reset_index(drop=True)
    found["pods"] = series(pods, found)
    found["raw_line"] = series(lines[first], found)
    if len(first) < len(c):
        found["containers"] = series(_of_all(arrow(c["containers"]), numbers), found)
    table = pa.table({name: arrow(found[name]) for name in WHY_ADMITTED.schema.names})
    return frame(WHY_ADMITTED.sorted(table.cast(WHY_ADMITTED.schema)))


def _of_all(lists: pa.ListArray, numbers: np.ndarray[Any, Any]) -> pa.Array:
    """Texts of the lists of each number, sorted, each once."""
    import pyarrow as pa

    found: list[set[str]] = [set() for _ in range(int(numbers.max()) + 1)]
    for number, texts in zip(numbers.tolist(), lists.to_pylist(), strict=True):
        found[number].update(texts)
    return pa.array([sorted(texts) for texts in found], pa.list_(pa.string()))
