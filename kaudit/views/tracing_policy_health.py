"""Policies of Tetragon: whether the API server takes them, an agent loads them, and they stop.

The custom resource has no status: that a policy is there does not say that it is loaded. Only
what an agent says of it (``tetra tracingpolicy list``) does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import records
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class TracingPolicyHealthRow(Trace, kw_only=True):
    kind: Annotated[str, doc("TracingPolicy or TracingPolicyNamespaced")]
    namespace: Annotated[str, doc("namespace; empty: of the cluster")]
    name: Annotated[str, doc("name")]
    hooks: Annotated[list[str], doc("what it hooks")]
    stops: Annotated[bool, doc("an action stops what it sees, where its mode lets it")]
    mode: Annotated[str | None, doc("enforce or monitor, as an agent or the policy says")] = None
    states: Annotated[list[str], doc("what agents say of it, sorted")]
    events: Annotated[int, doc("events of it in the evidence")]
    faults: Annotated[list[str], doc("what is wrong with it")]
    works: Annotated[bool | None, doc("it is loaded, and nothing is wrong; null: not known")] = None


TRACING_POLICY_HEALTH = Table(
    "tracing_policy_health",
    TracingPolicyHealthRow,
    grain="one policy of Tetragon, and what has become of it",
    key=("namespace", "name", "kind"),
    resource=Resource("kind"),
)


@view(TRACING_POLICY_HEALTH, naming=("tracing_policy_states", "events"))
def tracing_policy_health(
    tracing_policies: pd.DataFrame, tracing_policy_states: pd.DataFrame, events: pd.DataFrame
) -> pd.DataFrame:
    """Put together what is known of each policy."""
    told: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for state in records(tracing_policy_states):
        told.setdefault((state["namespace"], state["name"]), []).append(state)
    seen = events[events["sensor"] == "tetragon"].groupby("rule")["count"].sum()
    counts = {str(k): int(v) for k, v in seen.items()}
    rows = [
        _row(policy, told.get((policy["namespace"], policy["name"]), []), counts)
        for policy in records(tracing_policies)
    ]
    return frame(TRACING_POLICY_HEALTH.sorted(TRACING_POLICY_HEALTH.arrow(rows)))


def _row(
    policy: dict[str, Any], states: list[dict[str, Any]], counts: dict[str, int]
) -> TracingPolicyHealthRow:
    faults = [f"refused: {fault}" for fault in policy["refused"]]
    faults += [f"dropped: {fault}" for fault in policy["dropped"]]
    faults += [f"not loaded: {fault}" for fault in policy["unloadable"]]
    bad = [s for s in states if s["state"] not in ("enabled", "unknown")]
    faults += [f"not loaded: {s['state']} {s['error'] or ''}".strip() for s in bad]
    modes = {s["mode"] for s in states if s["mode"]} or {policy["mode"]} - {None}
    if policy["stops"] and any(str(mode).startswith("monitor") for mode in modes):
        faults.append("only monitors: its mode lets it stop nothing")
    loaded = any(s["state"] == "enabled" for s in states) or policy["name"] in counts
    return TracingPolicyHealthRow(
        raw=policy["raw"],
        raw_line=policy["raw_line"],
        kind=policy["kind"],
        namespace=policy["namespace"],
        name=policy["name"],
        hooks=policy["hooks"],
        stops=policy["stops"],
        mode=", ".join(sorted(modes)) or None,
        states=sorted({s["state"] for s in states}),
        events=counts.get(policy["name"], 0),
        faults=faults,
        works=False if faults else (True if loaded else None),
    )
