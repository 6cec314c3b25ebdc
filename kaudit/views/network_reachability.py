"""Which classes of pods and addresses may connect to which, on which ports.

Classes are those of the view network_classes. A pair that is not listed is denied by the
policies; where network_enforcement does not say yes, that is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.network import Matrix, NetworkTables, network_of
from kaudit.registry import view
from kaudit.table import Row, Table, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class NetworkReachabilityRow(Row, kw_only=True):
    source: Annotated[int, doc("class that connects")]
    target: Annotated[int, doc("class that it connects to")]
    ports: Annotated[str, doc("ports that are allowed, as TCP 80,443, UDP 53; all; or none")]
    unknown: Annotated[str, doc("further ports on which it cannot be told; mostly none")]


NETWORK_REACHABILITY = Table(
    "network_reachability",
    NetworkReachabilityRow,
    grain="one class of pods or addresses, and another that it may connect to",
    key=("source", "target"),
)


@view(NETWORK_REACHABILITY, naming=("namespaces",))
def network_reachability(
    tables: NetworkTables,
) -> pd.DataFrame:
    """List the pairs that are not denied."""
    import numpy as np
    import pyarrow as pa

    network = network_of(*tables).network
    if not network.pods:
        return frame(NETWORK_REACHABILITY.arrow([]))
    matrix = Matrix(network)
    parts = [*matrix.inside(), matrix.outward(), matrix.inward()]
    source, target, verdict = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.lexsort((target, source))
    verdict = pa.array(verdict[order])
    texts = [
        pa.array([network.ports.text(pair[side]) for pair in matrix.verdicts], pa.string())
        for side in (0, 1)
    ]
    columns = [
        pa.array(source[order].astype(np.int64)),
        pa.array(target[order].astype(np.int64)),
        *(some.take(verdict) for some in texts),
    ]
    return frame(pa.Table.from_arrays(columns, schema=NETWORK_REACHABILITY.schema))
