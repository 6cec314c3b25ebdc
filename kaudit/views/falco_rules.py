"""Rules of Falco as they take effect: files in their order, appends, overrides, and what breaks.

Falco reads its files one after the other; a rule whose condition names a macro that no file
defines makes it refuse to start (falcosecurity/falco, ``userspace/engine/rule_loader_compiler``).
Files that come as artifacts are not in the API: the names of the project's own macros, lists and
rules (falcosecurity/rules, 2026-08, in the table beside this module) are taken to be there.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from kaudit.columns import records
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class FalcoRuleRow(Trace, kw_only=True):
    kind: Annotated[str, doc("ConfigMap, or File")]
    namespace: Annotated[str, doc("namespace of the ConfigMap; empty: a file")]
    config_map: Annotated[str, doc("ConfigMap, or report of the file, that speaks of it last")]
    file: Annotated[str, doc("file that speaks of it last")]
    rule: Annotated[str, doc("name of the rule")]
    state: Annotated[str, doc("loaded, disabled, broken, refused with its file, or unlisted")]
    why: Annotated[str, doc("why it does not detect; empty: it does")]
    overridden: Annotated[bool, doc("a later file changes it")]
    upstream: Annotated[bool, doc("the project ships a rule of the name")]
    priority: Annotated[str | None, doc("priority in Falco's words")] = None
    source: Annotated[str, doc("source of its events")]
    tags: Annotated[list[str], doc("tags")]
    techniques: Annotated[list[str], doc("techniques of ATT&CK among the tags")]


FALCO_RULES = Table(
    "falco_rules",
    FalcoRuleRow,
    grain="one rule of Falco as the evidence configures it",
    key=("namespace", "config_map", "rule"),
    resource=Resource("kind", name="config_map"),
)
_PRIORITIES = (
    *("emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"),
)


@cache
def upstream() -> dict[str, frozenset[str]]:
    """Names that the project defines, by kind."""
    text = (files("kaudit.views") / "falco_upstream.csv").read_text(encoding="utf-8")
    found: dict[str, set[str]] = {"rule": set(), "macro": set(), "list": set()}
    for row in csv.DictReader(text.splitlines()):
        found[row["kind"]].add(row["name"])
    return {kind: frozenset(names) for kind, names in found.items()}


class _Rule(msgspec.Struct):
    at: dict[str, Any]
    condition: str | None
    macros: list[str]
    priority: str | None
    tags: list[str]
    techniques: list[str]
    enabled: bool
    source: str
    overridden: bool = False
    fault: str = ""
    fault_file: str = ""


@view(FALCO_RULES)
def falco_rules(falco_items: pd.DataFrame, falco_settings: pd.DataFrame) -> pd.DataFrame:
    """Let the files of each namespace take effect one after the other."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for item in records(falco_items):
        groups.setdefault(item["namespace"] or item["config_map"], []).append(item)
    settings = records(falco_settings)
    rows: list[FalcoRuleRow] = []
    for place, items in sorted(groups.items()):
        said = [one for one in settings if (one["namespace"] or one["config_map"]) == place]
        rows += _effective(items, said)
    return frame(FALCO_RULES.sorted(FALCO_RULES.arrow(rows)))


def _effective(items: list[dict[str, Any]], settings: list[dict[str, Any]]) -> list[FalcoRuleRow]:
    order = [name.rpartition("/")[2] for one in settings for name in one["rules_files"]]
    every = not order or any(not name.endswith((".yaml", ".yml")) for name in order)
    taken = [item for item in items if every or item["file"] in order]
    ordered = sorted(taken, key=lambda item: _turn(item, order))
    known = upstream()
    macros, lists, rules = set(known["macro"]), set(known["list"]), dict[str, _Rule]()
    never: set[str] = {"never_true"}
    refused: dict[tuple[str, str], str] = {}
    for item in ordered:
        place = (item["config_map"], item["file"])
        fault = item["fault"]
        if item["item"] == "macro":
            if item["appends"] and item["name"] not in macros:
                fault = fault or f"macro {item['name']} adds to one that is not defined"
            macros.add(item["name"])
            if (item["condition"] or "").strip(" ()") == "never_true":
                never.add(item["name"])
        elif item["item"] == "list":
            if (item["appends"] or "items=append" in item["overrides"]) and (
                item["name"] not in lists
            ):
                fault = fault or f"list {item['name']} adds to one that is not defined"
            lists.add(item["name"])
        elif item["item"] == "rule":
            fault = fault or _taken(item, rules, known["rule"])
        missing = sorted(set(item["macros"]) - macros)
        if missing and item["item"] != "fault":
            fault = (
                fault
                or f"{item['item']} {item['name']} names what no file defines: {', '.join(missing)}"
            )
        if fault:
            refused.setdefault(place, fault)
            if item["item"] == "rule" and item["name"] in rules:
                rule = rules[item["name"]]
                rule.fault = rule.fault or fault
    least = next((one["priority"] for one in settings if one["priority"]), None)
    off = {text for one in settings for text in one["disabled"]}
    on = {text for one in settings for text in one["enabled"]}
    found = [_row(name, rule, refused, never, least, off - on) for name, rule in rules.items()]
    for item in items:
        if item not in taken and item["item"] == "rule" and item["name"] not in rules:
            why = "falco.yaml does not name its file"
            found.append(_row(item["name"], _of(item), {}, never, None, set(), unlisted=why))
            rules[item["name"]] = _of(item)
    return found


def _of(item: dict[str, Any], before: _Rule | None = None) -> _Rule:
    return _Rule(
        at=item,
        condition=item["condition"],
        macros=item["macros"],
        priority=item["priority"],
        tags=item["tags"],
        techniques=item["techniques"],
        enabled=item["enabled"] is not False,
        source=item["source"] or "syscall",
        overridden=before is not None,
    )


def _turn(item: dict[str, Any], order: list[str]) -> tuple[int, bool, str, str, int]:
    file = item["file"]
    place = order.index(file) if file in order else len(order)
    return place, not file.startswith("falco_rules."), item["config_map"], file, item["position"]


def _taken(item: dict[str, Any], rules: dict[str, _Rule], known: frozenset[str]) -> str:
    """Let a rule take effect; return what is wrong with it."""
    name, overrides = item["name"], dict(o.partition("=")[::2] for o in item["overrides"])
    changes = (
        bool(overrides)
        or item["appends"]
        or (item["condition"] is None and item["enabled"] is not None)
    )
    before = rules.get(name)
    if not changes:
        fault = "" if item["condition"] is not None else f"rule {name} has no condition"
        rules[name] = _of(item, before)
        return fault
    if before is None:
        if name not in known:
            return f"rule {name} changes one that no file defines"
        before = rules[name] = _Rule(
            at=item,
            condition=None,
            macros=[],
            priority=None,
            tags=[],
            techniques=[],
            enabled=True,
            source="syscall",
        )
    before.at, before.overridden = item, True
    if item["enabled"] is not None:
        before.enabled = item["enabled"]
    if item["condition"] is not None:
        replaced = overrides.get("condition") == "replace"
        before.condition = (
            item["condition"] if replaced else f"{before.condition or ''} {item['condition']}"
        )
    if item["priority"]:
        before.priority = item["priority"]
    if item["tags"]:
        replaced = overrides.get("tags") == "replace"
        before.tags = sorted({*([] if replaced else before.tags), *item["tags"]})
        before.techniques = sorted({*([] if replaced else before.techniques), *item["techniques"]})
    return ""


def _row(
    name: str,
    rule: _Rule,
    refused: dict[tuple[str, str], str],
    never: set[str],
    least: str | None,
    off: set[str],
    *,
    unlisted: str = "",
) -> FalcoRuleRow:
    at = rule.at
    state, why = "loaded", ""
    file_fault = refused.get((at["config_map"], at["file"]), "")
    if unlisted:
        state, why = "unlisted", unlisted
    elif rule.fault:
        state, why = "broken", rule.fault
    elif file_fault:
        state, why = "refused", f"its file is refused: {file_fault}"
    elif not rule.enabled:
        state, why = "disabled", "enabled: false"
    elif f"rule={name}" in off or any(f"tag={tag}" in off for tag in rule.tags):
        state, why = "disabled", "switched off in falco.yaml"
    elif rule.condition is not None and _hopeless(rule.condition, never):
        state, why = "disabled", "its condition is never true"
    elif least and rule.priority and _below(rule.priority, least):
        state, why = "disabled", f"falco.yaml loads {least} and worse alone"
    return FalcoRuleRow(
        raw=at["raw"],
        raw_line=at["raw_line"],
        kind=at["kind"],
        namespace=at["namespace"],
        config_map=at["config_map"],
        file=at["file"],
        rule=name,
        state=state,
        why=why,
        overridden=rule.overridden,
        upstream=name in upstream()["rule"],
        priority=rule.priority,
        source=rule.source,
        tags=rule.tags,
        techniques=rule.techniques,
    )


def _hopeless(condition: str, never: set[str]) -> bool:
    plain = condition.strip(" ()\n")
    return (
        plain in never
        or plain.replace(" ", "") in ("evt.num<0",)
        or any(plain.endswith(f"and {name}") for name in never)
    )


def _below(priority: str, least: str) -> bool:
    return _PRIORITIES.index(priority) > _PRIORITIES.index(least)
