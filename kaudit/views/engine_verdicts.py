"""Verdicts of policy engines, with whose policies they judged by.

kaudit runs engines on the policies of the cluster, on the same without exceptions, and on
proposed ones (``tool_runs``); what was given as a file says nothing of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import assembled, looked_up, over_texts, positions, text_is
from kaudit.model.tool_run import CLUSTER, PROPOSED, WITHOUT
from kaudit.registry import view
from kaudit.table import Resource, Table, doc
from kaudit.tables.verdicts import VerdictRow

if TYPE_CHECKING:
    import pandas as pd


class EngineVerdictRow(VerdictRow, kw_only=True):
    basis: Annotated[
        str, doc("cluster, without_exceptions or proposed where kaudit ran the engine; given")
    ]
    refused: Annotated[bool, doc("the object violates the rule")]


ENGINE_VERDICTS = Table(
    "engine_verdicts",
    EngineVerdictRow,
    grain="one verdict of a policy engine on one object, and by whose policies",
    key=("tool", "report", "position", "number"),
    resource=Resource("kind"),
)
_BASES = {CLUSTER: "cluster", WITHOUT: "without_exceptions", PROPOSED: "proposed"}


@view(ENGINE_VERDICTS, naming=("tool_runs",))
def engine_verdicts(policy_verdicts: pd.DataFrame, tool_runs: pd.DataFrame) -> pd.DataFrame:
    """Say of each verdict which run it comes from."""
    import pyarrow as pa

    v = policy_verdicts
    target = looked_up(tool_runs, positions(v["report"], tool_runs["report"]), "target", v)
    found = {
        **{name: v[name] for name in v.columns},
        "basis": over_texts(
            target, lambda text: _BASES.get(text, "given"), unset="given", type_=pa.string()
        ),
        "refused": text_is(v["result"], "fail"),
    }
    return assembled(v, found, ENGINE_VERDICTS.names)
