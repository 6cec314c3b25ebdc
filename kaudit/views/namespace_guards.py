"""What keeps the pods of each namespace from their node, and what would take that away.

One row an engine that enforces a control of escape. Of the labels of namespaces all can be
changed but the one that Kubernetes sets: what an engine is asked about by other labels ends
where they are changed. Gatekeeper may guard its own label by a webhook on namespaces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import records
from kaudit.model.guardrails import (
    ASKED,
    ESCAPES,
    EXCEPTIONS,
    LABELS,
    OWN_LABELS,
    WEBHOOKS,
    objects_of,
)
from kaudit.registry import view
from kaudit.selectors import keys_of
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class NamespaceGuardRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always Namespace")]
    name: Annotated[str, doc("namespace")]
    control: Annotated[str, doc("control that its pods would fail without the guard")]
    engine: Annotated[str, doc("what enforces it; empty: it cannot be told whether anything does")]
    known: Annotated[bool, doc("that it is enforced is known")]
    policies: Annotated[list[str], doc("policies that enforce it, of any engine, sorted")]
    levers: Annotated[list[str], doc("what takes the engine's guard away, sorted")]


NAMESPACE_GUARDS = Table(
    "namespace_guards",
    NamespaceGuardRow,
    grain="one engine that keeps pods of one namespace from one way to the node",
    key=("name", "control", "engine"),
    resource=Resource("kind", namespace=""),
)
_FIXED = frozenset(["kubernetes.io/metadata.name"])
_GATEKEEPERS = "admission.gatekeeper.sh/ignore"


@view(NAMESPACE_GUARDS, naming=("policy_anatomy", "webhook_posture"))
def namespace_guards(
    enforcement_coverage: pd.DataFrame,
    policy_anatomy: pd.DataFrame,
    webhook_posture: pd.DataFrame,
) -> pd.DataFrame:
    """Ask of each engine that enforces a control of escape what it hangs on."""
    hooks = records(webhook_posture)
    asked = {engine: _of_webhooks(engine, hooks) for engine in ASKED}
    rules = [r for r in records(policy_anatomy) if r["purpose"] in ("validate", "verifyImages")]
    of_rules: dict[tuple[str, str], set[str]] = {}
    rows = []
    for one in records(enforcement_coverage):
        if one["control"] not in ESCAPES or one["state"] in ("none", "audit"):
            continue
        for engine in one["enforced_by"] or [""]:
            key = engine, one["control"]
            if key not in of_rules:
                of_rules[key] = _of_rules(*key, rules)
            levers = of_rules[key] | asked.get(engine, set())
            rows.append(
                NamespaceGuardRow(
                    raw=one["raw"],
                    raw_line=one["raw_line"],
                    kind="Namespace",
                    name=one["name"],
                    control=one["control"],
                    engine=engine,
                    known=bool(engine),
                    policies=one["policies"],
                    levers=sorted(levers),
                )
            )
    return frame(NAMESPACE_GUARDS.sorted(NAMESPACE_GUARDS.arrow(rows)))


def _of_webhooks(engine: str, hooks: list[dict[str, Any]]) -> set[str]:
    """Levers on all webhooks by which an engine is asked about pods."""
    own = [h for h in hooks if h["engine"] == engine and h["guards_pods"]]
    found = {WEBHOOKS}
    guarded = any(h["webhook"] == "check-ignore-label.gatekeeper.sh" and h["asked"] for h in hooks)
    fixed = _FIXED | ({_GATEKEEPERS} if engine == "Gatekeeper" and guarded else set())
    if own and all(_keys(h["namespace_selector"]) - fixed for h in own):
        found.add(LABELS)
    if own and all(h["chooses_objects"] for h in own):
        found.add(OWN_LABELS)
    return found


def _of_rules(engine: str, control: str, rules: list[dict[str, Any]]) -> set[str]:
    """Levers on all rules of an engine that demand a control."""
    if engine == "PodSecurity":
        return {LABELS}
    if not engine:
        return set()
    own = [
        r
        for r in rules
        if r["engine"] == engine and r["mode"] == "enforce" and control in r["controls"]
    ]
    found = {objects_of(engine)} | ({EXCEPTIONS} if engine == "Kyverno" else set())
    if own and all(_keys(r["namespace_selector"]) - _FIXED for r in own):
        found.add(LABELS)
    if own and all(_keys(r["object_selector"]) for r in own):
        found.add(OWN_LABELS)
    return found


def _keys(text: Any) -> frozenset[str]:
    return keys_of(text) if isinstance(text, str) else frozenset()
