"""What reports of policy engines say of each object, once, however many reports say it.

An engine that moves its reports to another API group leaves the old ones behind, and Kyverno
writes ephemeral reports beside those that last: of all that say something of one rule and
object the newest counts, and of two of one time the worst.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import SEPARATOR, arrow
from kaudit.registry import view
from kaudit.subjects import states
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class ReportedResultRow(Trace, kw_only=True):
    source: Annotated[str, doc("engine that says so; empty where not told")]
    policy: Annotated[str, doc("policy; empty where not told")]
    rule: Annotated[str, doc("rule; empty where not told")]
    kind: Annotated[str, doc("kind of the object; empty: the result names none")]
    namespace: Annotated[str, doc("namespace of the object")]
    name: Annotated[str, doc("name of the object")]
    result: Annotated[str, doc("newest result, the worst of those of one time")]
    state: Annotated[
        str,
        doc(
            "the object is there, gone, replaced by another of its name, unnamed, or unknown: "
            "its kind was not read"
        ),
    ]
    counts: Annotated[bool, doc("it is of an object that is not known to be gone")]
    reports: Annotated[int, doc("reports that say something of this rule and object")]
    disagree: Annotated[bool, doc("they say different things")]
    found_at: Annotated[datetime | None, doc("when it was found; null: not told")] = None


REPORTED_RESULTS = Table(
    "reported_results",
    ReportedResultRow,
    grain="one object and one rule that reports speak of",
    key=("source", "policy", "rule", "kind", "namespace", "name"),
    resource=Resource("kind"),
)
_KEY = REPORTED_RESULTS.key
#: Results, worst first; what is none of them comes last.
_WORST = ("fail", "error", "warn", "skip", "pass")


@view(REPORTED_RESULTS)
def reported_results(
    policy_results: pd.DataFrame,
    pods: pd.DataFrame,
    workloads: pd.DataFrame,
    namespaces: pd.DataFrame,
) -> pd.DataFrame:
    """Keep the newest result of each rule and object."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    r = policy_results
    order = _newest_first(r)
    keys = _keys(r).take(order).dictionary_encode()
    codes = keys.indices.to_numpy(zero_copy_only=False)
    first = np.unique(codes, return_index=True)[1]
    counted = pa.table(
        {
            "code": codes,
            "report": _reports(r).take(order),
            "result": arrow(r["result"]).take(order),
        }
    )
    of_key = counted.group_by("code", use_threads=False).aggregate(
        [("report", "count_distinct"), ("result", "count_distinct")]
    )
    of_key = of_key.sort_by("code")
    rows = r.iloc[order.to_numpy()[first]].reset_index(drop=True)
    found = pa.table({name: arrow(rows[name]) for name in (*_KEY[1:], "result", "found_at")})
    state = states(rows, pods, workloads, namespaces)
    columns: dict[str, Any] = {
        **{name: found[name] for name in found.column_names},
        "source": pc.fill_null(arrow(rows["source"]), ""),
        "state": state,
        "counts": pc.invert(pc.is_in(state, value_set=pa.array(["gone", "replaced"]))),
        "reports": of_key["report_count_distinct"],
        "disagree": pc.greater(of_key["result_count_distinct"], 1),
        "raw": arrow(rows["raw"]),
        "raw_line": arrow(rows["raw_line"]),
    }
    return frame(REPORTED_RESULTS.sorted(REPORTED_RESULTS.fitted(columns)))


def _newest_first(r: pd.DataFrame) -> pa.Array:
    """Order of results: by time, the newest first, then the worst."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rank = pc.fill_null(pc.index_in(arrow(r["result"]), value_set=pa.array(_WORST)), len(_WORST))
    table = pa.table(
        {
            "found_at": arrow(r["found_at"]),
            "rank": rank,
            "raw": arrow(r["raw"]),
            "raw_line": arrow(r["raw_line"]),
            "position": arrow(r["position"]),
        }
    )
    keys = [("found_at", "descending"), ("rank", "ascending")]
    keys += [(name, "ascending") for name in ("raw", "raw_line", "position")]
    return pc.sort_indices(table, sort_keys=keys)


def _keys(r: pd.DataFrame) -> pa.Array:
    """Rule and object of each result; one that names no object is like no other."""
    import pyarrow.compute as pc

    texts = [pc.fill_null(arrow(r[name]), "") for name in _KEY]
    alone = pc.binary_join_element_wise(
        arrow(r["raw"]), _text(r["raw_line"]), _text(r["position"]), SEPARATOR
    )
    texts.append(pc.if_else(pc.equal(arrow(r["name"]), ""), alone, ""))
    return pc.binary_join_element_wise(*texts, SEPARATOR)


def _reports(r: pd.DataFrame) -> pa.Array:
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(arrow(r["raw"]), _text(r["raw_line"]), SEPARATOR)


def _text(column: pd.Series[Any]) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.cast(arrow(column), pa.string())
