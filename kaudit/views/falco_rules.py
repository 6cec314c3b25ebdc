"""Rules of Falco as they take effect: files in their order, appends, overrides, and what breaks.

Falco reads its files one after the other, and compiles what it has at the end of each. A rule
may name any macro that is there then, a macro only those that stand before it was last changed;
what names another makes Falco refuse to start (falcosecurity/falco,
``userspace/engine/rule_loader_compiler.cpp`` and ``rule_loader_collector.cpp``).
Files that come as artifacts are not in the API: the names of the project's own macros, lists and
rules (falcosecurity/rules, 2026-08, in the table beside this module) are taken to be there.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from kaudit.columns import records
from kaudit.model.runtime_event import PRIORITIES
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
    files = {*order}
    taken = [item for item in items if every or item["file"] in files]
    left = [item for item in items if not every and item["file"] not in files]
    ordered = sorted(taken, key=lambda item: _turn(item, order))
    loader = _Loader()
    for (config_map, file), own in groupby(ordered, key=itemgetter("config_map", "file")):
        loader.load((config_map, file), list(own))
    rules, refused, never = loader.rules, loader.refused, loader.never
    least = next((one["priority"] for one in settings if one["priority"]), None)
    off = {text for one in settings for text in one["disabled"]}
    on = {text for one in settings for text in one["enabled"]}
    found = [_row(name, rule, refused, never, least, off - on) for name, rule in rules.items()]
    for item in left:
        if item["item"] == "rule" and item["name"] not in rules:
            why = "falco.yaml does not name its file"
            found.append(_row(item["name"], _of(item), {}, never, None, set(), unlisted=why))
            rules[item["name"]] = _of(item)
    return found


class _Macro(msgspec.Struct):
    """Where a macro was first defined and last changed, and the macros that it names."""

    first: int
    last: int
    names: set[str]


class _Loader:
    """What Falco has read so far: macros, lists and rules, and what it refused."""

    def __init__(self) -> None:
        known = upstream()
        self.rules: dict[str, _Rule] = {}
        self.refused: dict[tuple[str, str], str] = {}
        self.never = {"never_true"}
        self._known = known["rule"]
        self._macros = {name: _Macro(0, 0, set()) for name in known["macro"]}
        self._lists = set(known["list"])
        self._turn = 0

    def load(self, place: tuple[str, str], items: list[dict[str, Any]]) -> None:
        """Read the items of one file, then compile all that there is."""
        for item in items:
            self._turn += 1
            fault = item["fault"] or self._read(item)
            if fault:
                self._refuse(place, fault, item["name"] if item["item"] == "rule" else "")
        for name, macro in self._macros.items():
            missing = sorted(one for one in macro.names if not self._stands(one, macro.last))
            if missing:
                self._refuse(place, f"macro {name} {_NAMES} {', '.join(missing)}", "")
        for name, rule in self.rules.items():
            missing = sorted({*rule.macros} - {*self._macros})
            if missing and not rule.fault:
                self._refuse(place, f"rule {name} {_NAMES} {', '.join(missing)}", name)

    def _stands(self, name: str, before: int) -> bool:
        return name in self._macros and self._macros[name].first < before

    def _refuse(self, place: tuple[str, str], fault: str, rule: str) -> None:
        self.refused.setdefault(place, fault)
        if rule in self.rules and not self.rules[rule].fault:
            self.rules[rule].fault = fault

    def _read(self, item: dict[str, Any]) -> str:
        """Let an item take effect; return what is wrong with it."""
        name, overrides = item["name"], item["overrides"]
        if item["item"] == "macro":
            adds = item["appends"] or "condition=append" in overrides
            known = self._macros.get(name)
            if known is None and adds:
                return f"macro {name} adds to one that is not defined"
            names = {*item["macros"], *(known.names if known and adds else ())}
            self._macros[name] = _Macro(known.first if known else self._turn, self._turn, names)
            if (item["condition"] or "").strip(" ()") == "never_true":
                self.never.add(name)
            elif not adds:
                self.never.discard(name)
        elif item["item"] == "list":
            if (item["appends"] or "items=append" in overrides) and name not in self._lists:
                return f"list {name} adds to one that is not defined"
            self._lists.add(name)
        elif item["item"] == "rule":
            return _taken(item, self.rules, self._known)
        return ""


_NAMES = "names what no file defines:"


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
        before.macros = [*([] if replaced else before.macros), *item["macros"]]
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
    return PRIORITIES.index(priority) > PRIORITIES.index(least)
