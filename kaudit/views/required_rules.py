"""Rules of Falco that a cluster should have, and what the evidence says of each.

Three are the guide's, by name or by what the project ships for the same; the others are those
that the project calls stable (falcosecurity/rules, ``maturity_stable``, 2026-08). Files that come
as artifacts are not in the API: a rule that nothing speaks of is not known to be missing, unless
the evidence holds the project's own file. An event of a rule shows that it was loaded.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import records
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class RequiredRuleRow(Trace, kw_only=True):
    rule: Annotated[str, doc("rule that is required")]
    accepted: Annotated[list[str], doc("rules that do for it, itself first")]
    found: Annotated[str, doc("the one that is meant here; empty: none is spoken of")]
    state: Annotated[
        str, doc("loaded, seen in events, disabled, broken, refused, unlisted, missing or unknown")
    ]
    why: Annotated[str, doc("why it does not detect; empty: it does, or nothing is known")]
    seen: Annotated[int, doc("events of it in the evidence")]
    detects: Annotated[bool | None, doc("it is loaded; null: not known")] = None


REQUIRED_RULES = Table(
    "required_rules",
    RequiredRuleRow,
    grain="one rule of Falco that a cluster should have",
    key=("rule",),
    resource=Resource("=FalcoRule", namespace="", name="rule"),
)
_GUIDE = {
    "Shell Spawned in Container": ("Terminal shell in container",),
    "Sensitive File Access": ("Read sensitive file untrusted",),
    "Crypto Mining Activity": (
        "Detect crypto miners using the Stratum protocol",
        "Detect outbound connections to common miner pool ports",
    ),
}
#: Stable rules of the project in one namespace from which its own file is there.
_WHOLE = 15
_ORDER = ("loaded", "broken", "refused", "disabled", "unlisted")


@cache
def _stable() -> tuple[str, ...]:
    text = (files("kaudit.views") / "falco_upstream.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(r["name"] for r in rows if r["kind"] == "rule" and r["file"] == "stable")


@view(REQUIRED_RULES, naming=("falco_rules", "events"))
def required_rules(
    cluster: pd.DataFrame,
    falco_rules: pd.DataFrame,
    events: pd.DataFrame,
    falco_settings: pd.DataFrame,
    sensor_pods: pd.DataFrame,
) -> pd.DataFrame:
    """Look each required rule up."""
    rules: dict[str, list[dict[str, Any]]] = {}
    for rule in records(falco_rules):
        rules.setdefault(rule["rule"], []).append(rule)
    whole = len(set(rules) & set(_stable())) >= _WHOLE
    alerts = events[events["sensor"] == "falco"]
    counts = {str(k): int(v) for k, v in alerts.groupby("rule")["count"].sum().items()}
    asked = rules or len(falco_settings) or counts or bool((sensor_pods["sensor"] == "falco").any())
    rows = []
    if len(cluster) and asked:
        trace = _trace(falco_rules, falco_settings, alerts, sensor_pods)
        wanted = {**_GUIDE, **dict.fromkeys(_stable(), ())}
        rows = [
            _row(n, (n, *others), rules, counts, trace, whole=whole) for n, others in wanted.items()
        ]
    return frame(REQUIRED_RULES.sorted(REQUIRED_RULES.arrow(rows)))


def _trace(*tables: pd.DataFrame) -> tuple[str, int]:
    for table in tables:
        if len(table):
            return str(table["raw"].iloc[0]), int(table["raw_line"].iloc[0])
    return "", 0


def _row(
    name: str,
    accepted: tuple[str, ...],
    rules: dict[str, list[dict[str, Any]]],
    counts: dict[str, int],
    trace: tuple[str, int],
    *,
    whole: bool,
) -> RequiredRuleRow:
    known = [rule for one in accepted for rule in rules.get(one, ())]
    seen = sum(counts.get(one, 0) for one in accepted)
    best = min(known, key=lambda rule: _ORDER.index(rule["state"]), default=None)
    raw, line = trace
    if best is not None:
        state, why = best["state"], best["why"]
        raw, line = best["raw"], best["raw_line"]
    else:
        state, why = ("missing", "no file defines it") if whole else ("unknown", "")
    if state in ("unknown", "missing") and seen:
        state, why = "seen in events", ""
    detects = {"loaded": True, "seen in events": True, "unknown": None}.get(state, False)
    return RequiredRuleRow(
        raw=raw,
        raw_line=line,
        rule=name,
        accepted=list(accepted),
        found=best["rule"] if best is not None else "",
        state=state,
        why=why,
        seen=seen,
        detects=detects,
    )
