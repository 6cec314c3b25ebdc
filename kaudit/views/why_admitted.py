"""Why what fails was admitted: the causes of each workload, over all parts of the pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import arrow, pairs, series
from kaudit.model.admission_causes import COVERS
from kaudit.registry import view
from kaudit.table import Table, frame
from kaudit.views.admission_causes import ADMISSION_CAUSES, AdmissionCauseRow

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa


WHY_ADMITTED = Table(
    "why_admitted",
    AdmissionCauseRow,
    grain="one control that running pods of a workload fail, and one cause why they were admitted",
    key=ADMISSION_CAUSES.key,
    resource=ADMISSION_CAUSES.resource,
)


@view(WHY_ADMITTED, decided={"covered": (*COVERS, "namespaces")})
def why_admitted(admission_causes: pd.DataFrame) -> pd.DataFrame:
    """Add up the causes of each workload."""
    import numpy as np

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
    columns = {name: arrow(found[name]) for name in WHY_ADMITTED.names}
    return frame(WHY_ADMITTED.sorted(WHY_ADMITTED.fitted(columns)))


def _of_all(lists: pa.ListArray, numbers: np.ndarray[Any, Any]) -> pa.Array:
    """Texts of the lists of each number, sorted, each once."""
    import pyarrow as pa

    found: list[set[str]] = [set() for _ in range(int(numbers.max()) + 1)]
    for number, texts in zip(numbers.tolist(), lists.to_pylist(), strict=True):
        found[number].update(texts)
    return pa.array([sorted(texts) for texts in found], pa.list_(pa.string()))
