"""What rules of Kyverno demand, of what, and how strictly.

Source: kyverno/kyverno, ``api`` and ``pkg/autogen``, and its documentation of policy settings.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec

from kaudit.columns import records
from kaudit.model import kinds
from kaudit.model.admission import MatchResources
from kaudit.model.enforced import demand_on_pods
from kaudit.model.glob import matches
from kaudit.model.kyverno_scope import Scope, autogen, filters, scope
from kaudit.model.meta import LabelSelector
from kaudit.registry import view
from kaudit.table import frame
from kaudit.tables.policy_anatomy import PolicyAnatomyRow, anatomy, containers_read

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

KYVERNO_ANATOMY = anatomy("kyverno_anatomy", "one rule of a policy of Kyverno, and what it reads")
_CEL = "policies.kyverno.io"
#: A rule and its policy come from one record, whatever else has its name.
_TRACE = itemgetter("raw", "raw_line")
_OPERATIONS = {"mutate": ["CREATE", "UPDATE"], "delete": []}
_ALL = ["CONNECT", "CREATE", "DELETE", "UPDATE"]
_matched = msgspec.json.Decoder(MatchResources).decode


@view(KYVERNO_ANATOMY, naming=("policy_exceptions", "kyverno_filters"))
def kyverno_anatomy(
    kyverno_rules: pd.DataFrame,
    kyverno_policies: pd.DataFrame,
    policy_exceptions: pd.DataFrame,
    kyverno_filters: pd.DataFrame,
) -> pd.DataFrame:
    """Join each rule with its policy, and put the defaults in."""
    policies = {_TRACE(policy): policy for policy in records(kyverno_policies)}
    excepted, filtered = records(policy_exceptions), records(kyverno_filters)
    rows: list[PolicyAnatomyRow] = []
    for key, group in groupby(sorted(records(kyverno_rules), key=_TRACE), _TRACE):
        policy = policies[key]
        made = _of_cel if policy["group"] == _CEL else _of_patterns
        for rule, scoped, added in made(policy, list(group)):
            row = _row(policy, rule, scoped, added, excepted)
            _leave_out(row, filtered)
            rows.append(row)
    empty = policies.keys() - {(row.raw, row.raw_line) for row in rows}
    rows += [_without_rules(policies[key]) for key in sorted(empty)]
    return frame(KYVERNO_ANATOMY.sorted(KYVERNO_ANATOMY.arrow(rows)))


def _of_patterns(
    policy: dict[str, Any], rules: list[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], Scope, list[str]]]:
    """Yield the rules of a policy of patterns, their scope and the kinds of autogen."""
    pairs = [(filters(rule["match"]), filters(rule["exclude"])) for rule in rules]
    never = any(r["type"] == "generate" or "patchesJson6902" in r["ways"] for r in rules)
    added = [[] for _ in rules] if never else autogen(pairs, policy["autogen"])
    for rule, pair, of_rule in zip(rules, pairs, added, strict=True):
        yield rule, scope(*pair), of_rule


def _of_cel(
    policy: dict[str, Any], rules: list[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], Scope, list[str]]]:
    """Yield the one rule of a policy of CEL, which matches as admission policies do."""
    for rule in rules:
        match = _matched(rule["match"]) if rule["match"] else MatchResources()
        found, left_out = match.resource_rules or [], match.exclude_resource_rules or []
        selectors = (match.namespace_selector, match.object_selector)
        scoped = Scope(
            kinds=kinds.of_rules(found),
            excluded_kinds=kinds.of_rules(left_out),
            operations=sorted({word for one in found for word in one.operations or ()} - {"*"}),
            names=sorted({name for one in found for name in one.resource_names or ()}),
            namespace_selector=LabelSelector.text(selectors[0]),
            selector=LabelSelector.text(selectors[1]),
            known=len(found) <= 1 and not any(one.operations for one in left_out),
        )
        plain = len(found) == 1 and found[0].resources == ["pods"] and not left_out
        narrow = bool(scoped.names) or any(one and one.texts for one in selectors)
        yield rule, scoped, _generated(policy["autogen"]) if plain and not narrow else []


def _generated(told: str | None) -> list[str]:
    """Return the kinds of controllers that rules of CEL are generated for; None names all."""
    named = None if told is None else {word.strip() for word in told.split(",")}
    return [
        kind
        for kind in kinds.CONTROLLERS
        if kind != "ReplicationController"
        and (named is None or f"{kind.partition('.')[0].lower()}s" in named)
    ]


def _row(
    policy: dict[str, Any],
    rule: dict[str, Any],
    scoped: Scope,
    added: list[str],
    excepted: list[dict[str, Any]],
) -> PolicyAnatomyRow:
    mode, said = _mode(policy, rule)
    known, lists, own = rule["reads_known"], rule["container_fields"], rule["namespace"]
    judges = rule["type"] in ("validate", "verifyImages")
    demands = demand_on_pods(rule, {*scoped.kinds, *added}, judges=judges)
    return PolicyAnatomyRow(
        raw=rule["raw"],
        raw_line=rule["raw_line"],
        engine="Kyverno",
        kind=rule["kind"],
        namespace=own,
        policy=rule["policy"],
        position=rule["position"],
        rule=rule["rule"],
        binding="",
        template="",
        purpose=rule["type"],
        mode=mode,
        mode_text=said,
        overrides=[_override(text) for text in rule["override_terms"]] if judges else [],
        kinds=sorted({*scoped.kinds, *added}),
        autogen=[kind for kind in added if kind not in scoped.kinds],
        excluded_kinds=scoped.excluded_kinds,
        operations=scoped.operations or _OPERATIONS.get(rule["type"], _ALL),
        namespaces=[own] if own else scoped.namespaces,
        excluded_namespaces=scoped.excluded_namespaces,
        engine_excluded_namespaces=[],
        namespace_selector=scoped.namespace_selector,
        object_selector=scoped.selector,
        names=scoped.names,
        match=rule["match"],
        exclude=rule["exclude"],
        conditions=rule["conditions"] or policy["conditions"] or scoped.asked,
        scope_known=scoped.known,
        reads_known=known,
        fields=rule["fields"],
        required_fields=rule["required_fields"],
        controls=demands.certain,
        possible_controls=demands.possible,
        failure_policy=policy["failure_policy"],
        background=policy["background"],
        exceptions=sum(excepts(one, rule) for one in excepted),
        ready=policy["ready"],
        errors=["it is not ready"] if policy["ready"] is False else [],
        strange=rule["strange"],
        **containers_read(known, lists),
    )


def _without_rules(policy: dict[str, Any]) -> PolicyAnatomyRow:
    """Return the row of a policy that has no rule: it is for nothing, and does nothing."""
    return PolicyAnatomyRow(
        raw=policy["raw"],
        raw_line=policy["raw_line"],
        engine="Kyverno",
        kind=policy["kind"],
        namespace=policy["namespace"],
        policy=policy["name"],
        position=0,
        rule="",
        binding="",
        template="",
        purpose="",
        mode="off",
        mode_text="no rules",
        overrides=[],
        kinds=[],
        autogen=[],
        excluded_kinds=[],
        operations=[],
        namespaces=[policy["namespace"]] if policy["namespace"] else [],
        excluded_namespaces=[],
        engine_excluded_namespaces=[],
        names=[],
        conditions=False,
        scope_known=True,
        reads_known=True,
        fields=[],
        controls=[],
        possible_controls=[],
        failure_policy=policy["failure_policy"],
        background=policy["background"],
        ready=policy["ready"],
        errors=["it has no rules"],
        strange=[],
        **containers_read(True, ()),
    )


def _leave_out(row: PolicyAnatomyRow, filtered: list[dict[str, Any]]) -> None:
    """Put in what Kyverno looks at for no policy: whole namespaces, and kinds everywhere."""
    whole = [one for one in filtered if one["filtered"] and one["object"] == "*"]
    every = ("*", "*/*")
    spaces = {one["place"] for one in whole if one["filtered"] in every and one["place"] != "*"}
    named = {kinds.of_text(o["filtered"]) for o in whole if o["place"] == "*"} - {"*.*", "*.*/*"}
    row.engine_excluded_namespaces = sorted(spaces)
    row.excluded_kinds = sorted({*row.excluded_kinds, *(named & {*row.kinds})})


def _mode(policy: dict[str, Any], rule: dict[str, Any]) -> tuple[str, str]:
    if not policy["admission"]:
        audits = policy["background"]
        return ("audit" if audits else "off"), "not asked on admission"
    if rule["action"] is None and rule["type"] == "validate":
        return "enforce", "what it does is not known"
    if rule["action"] is None:
        return ("enforce", "changes what is admitted") if rule["type"] else ("off", "does nothing")
    said = f"action {rule['action']}"
    return _mode_of(rule["action"], policy["warns"]), said


def _mode_of(action: str, warns: bool = False) -> str:
    """Mode of an action; several, of CEL, have commas between them."""
    words = set(action.split(","))
    if words & {"Enforce", "Deny"}:
        return "enforce"
    return "warn" if warns or "Warn" in words else "audit"


def _override(text: str) -> str:
    found = msgspec.json.decode(text)
    action = str(found.pop("action", "")).capitalize()
    return msgspec.json.encode({"mode": _mode_of(action), **found}, order="sorted").decode()


def excepts(one: dict[str, Any], rule: dict[str, Any]) -> bool:
    """Whether an exception names a rule; rules of autogen have names of their own."""
    names = {rule["policy"], f"{rule['namespace']}/{rule['policy']}"}
    if one["group"] != rule["group"] or one["policy"] not in names:
        return False
    if one["policy_kind"] not in ("", rule["kind"]):
        return False
    named = [text.removeprefix("autogen-").removeprefix("cronjob-") for text in one["rules"]]
    return not named or any(matches(text, rule["rule"]) for text in named)
