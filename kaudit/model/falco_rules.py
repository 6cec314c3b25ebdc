"""Rules and settings of Falco as they are written: in ConfigMaps, values and files.

Source: falcosecurity/falco, ``userspace/engine/rule_loader_reader.cpp`` (rules) and
``falco.yaml`` (settings). Of a rule its parts are kept, not its output and description; of the
settings only what says which rules load and where alerts go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from kaudit.errors import InputError
from kaudit.model import falco_condition

_KINDS = ("rule", "macro", "list")
_RULES = re.compile(r"^\s*-\s+(?:rule|macro|list|required_engine_version)\s*:", re.MULTILINE)
_SETTINGS = re.compile(
    r"^(?:rules_files?|rules|json_output|http_output|priority)\s*:", re.MULTILINE
)
_VALUES = re.compile(r"^customRules\s*:", re.MULTILINE)
#: Largest file that is read.
_LARGEST = 8 << 20
#: What a later item may change of an earlier one, by kind and by how.
_RULE_ADDS = ("condition", "output", "desc", "tags", "exceptions")
_OVERRIDABLE: dict[str, dict[Any, tuple[str, ...]]] = {
    "rule": {
        "append": _RULE_ADDS,
        "replace": (
            *_RULE_ADDS,
            *("priority", "capture", "capture_duration", "enabled", "warn_evttypes"),
            "skip-if-unknown-filter",
        ),
    },
    "macro": {"append": ("condition",), "replace": ("condition",)},
    "list": {"append": ("items",), "replace": ("items",)},
}
OUTPUTS = ("stdout", "syslog", "file", "http", "program", "grpc")


class Item(msgspec.Struct, gc=False, omit_defaults=True):
    """One item of a rules file; ``kind`` is rule, macro, list or fault."""

    kind: str
    name: str = ""
    condition: str | None = None
    items: list[str] | None = None
    priority: str | None = None
    source: str | None = None
    tags: list[str] | None = None
    enabled: bool | None = None
    append: bool = False
    override: dict[str, str] | None = None
    exceptions: list[str] | None = None
    fault: str = ""


class Settings(msgspec.Struct, gc=False, omit_defaults=True):
    """What a falco.yaml says of rules and outputs; null where it does not."""

    rules_files: list[str] | None = None
    priority: str | None = None
    outputs: dict[str, bool | None] = {}
    http_host: str | None = None
    json_output: bool | None = None
    metrics: bool | None = None
    disabled: list[str] | None = None
    enabled: list[str] | None = None


class File(msgspec.Struct, gc=False, omit_defaults=True):
    """One file of rules or settings."""

    items: list[Item] | None = None
    settings: Settings | None = None


def is_rules(text: str) -> bool:
    """Tell whether text is a file of rules."""
    return bool(_RULES.search(text))


def is_values(text: str) -> bool:
    """Tell whether text is a values file of the chart, with rules in it."""
    return bool(_VALUES.search(text))


def file_of(name: str, text: str) -> File | None:
    """Return what a file of a ConfigMap says; None where it is none of Falco's."""
    if len(text) > _LARGEST or not name.endswith((".yaml", ".yml")):
        return None
    if is_rules(text):
        return File(items=list(items(text)))
    if name == "falco.yaml" or ("falco" in name and _SETTINGS.search(text)):
        return File(settings=settings(text))
    return None


def custom_rules(text: str) -> dict[str, str]:
    """Files of rules in a values file, by name.

    Raises
    ------
    InputError
        It is no YAML.
    """
    from kaudit.model.yaml_stream import one  # YAML is slow to import

    content = one(text.encode(), "values")
    found = content.get("customRules") if isinstance(content, dict) else None
    return {k: v for k, v in (found or {}).items() if isinstance(v, str)}


def items(text: str) -> Iterator[Item]:
    """Yield the items of a file of rules, in their order; what is none is a fault."""
    from kaudit.model.yaml_stream import Fault, documents

    for _, content in documents(text.encode("utf-8", "replace")):
        if isinstance(content, Fault):
            yield Item("fault", fault=f"line {content.line}: {content.what}")
        elif not isinstance(content, list):
            yield Item("fault", fault="a rules file is a list of rules, macros and lists")
        else:
            for number, entry in enumerate(content, start=1):
                yield from _item(entry, number)


def _item(entry: Any, number: int) -> Iterator[Item]:
    if not isinstance(entry, dict):
        yield Item("fault", fault=f"item {number} is no mapping")
        return
    kind = next((kind for kind in _KINDS if kind in entry), "")
    if not kind:
        if not {"required_engine_version", "required_plugin_versions"} & set(entry):
            yield Item("fault", fault=f"item {number} is no rule, macro or list")
        return
    name, condition = _text(entry[kind]), entry.get("condition")
    if not name:
        yield Item("fault", fault=f"item {number}: {kind} has no name")
        return
    override = entry.get("override")
    enabled = entry.get("enabled")
    exceptions = entry.get("exceptions")
    adds = entry.get("append") is True
    yield Item(
        kind=kind,
        name=name,
        condition=condition if isinstance(condition, str) else None,
        items=_texts(entry.get("items")),
        priority=_text(entry.get("priority")),
        source=_text(entry.get("source")),
        tags=_texts(entry.get("tags")),
        enabled=enabled if isinstance(enabled, bool) else None,
        append=adds,
        override={str(k): str(v) for k, v in override.items()}
        if isinstance(override, dict)
        else None,
        exceptions=[str(one.get("name")) for one in exceptions if isinstance(one, dict)]
        if isinstance(exceptions, list)
        else None,
        fault=_fault(entry, kind, name, adds=adds),
    )


def _fault(entry: dict[Any, Any], kind: str, name: str, *, adds: bool) -> str:
    """What Falco refuses of an item for its own sake; empty: nothing is known."""
    override = entry.get("override")
    if isinstance(override, dict):
        if adds and override:
            return f"{kind} {name} has both append and override"
        for key, how in override.items():
            if how not in ("append", "replace") or key not in _OVERRIDABLE[kind].get(how, ()):
                return f"{kind} {name} cannot be overridden by {str(key)[:40]}: {str(how)[:40]}"
            if key not in entry:
                return f"{kind} {name} overrides {str(key)[:40]}, and does not say by what"
        known = {key for keys in _OVERRIDABLE[kind].values() for key in keys}
        if kind == "rule" and override and (more := sorted(known & {*entry} - {*override})):
            return f"rule {name} says {more[0]}, which its override does not name"
        adds = override.get("exceptions") == "append"
    if kind == "rule" and entry.get("exceptions") is not None:
        found = _of_exceptions(entry["exceptions"], adds=adds)
        return f"rule {name}: {found}" if found else ""
    return ""


def _of_exceptions(exceptions: Any, *, adds: bool) -> str:
    """What is wrong with the exceptions of a rule: fields, comparisons and values must fit."""
    if not isinstance(exceptions, list):
        return "exceptions are no list"
    return next(filter(None, (_of_exception(one, adds=adds) for one in exceptions)), "")


def _of_exception(one: Any, *, adds: bool) -> str:
    if not isinstance(one, dict) or not _text(one.get("name")):
        return "an exception has no name"
    where = f"exception {str(one['name'])[:60]}"
    fields, comps, values = (one.get(key) for key in ("fields", "comps", "values"))
    if values is not None and not isinstance(values, list):
        return f"{where}: values are no list"
    if fields is None:
        return "" if adds else f"{where} has no fields"
    if isinstance(fields, list):
        fault = _of_fields(len(fields), comps, values or [])
    else:
        fault = _of_field(comps or "in", values or [])
    return f"{where}: {fault}" if fault else ""


def _of_fields(number: int, comps: Any, values: list[Any]) -> str:
    """What is wrong with an exception of several fields."""
    told = ["="] * number if comps is None else comps
    if not isinstance(told, list) or len(told) != number:
        return "as many comps as fields are expected"
    if any(not isinstance(value, list) or len(value) != number for value in values):
        return "as many values as fields are expected"
    return _of_comparisons(told, falco_condition.COMPARISONS)


def _of_field(comparison: Any, values: list[Any]) -> str:
    """What is wrong with an exception of one field."""
    if any(isinstance(value, list) for value in values):
        return "plain values are expected, not lists"
    return _of_comparisons([comparison], falco_condition.OF_LISTS)


def _of_comparisons(told: list[Any], known: frozenset[str]) -> str:
    wrong = next((str(one)[:40] for one in told if not _compares(one, known)), None)
    return "" if wrong is None else f"{wrong!r} is no comparison for it"


def _compares(operator: Any, known: frozenset[str]) -> bool:
    """Whether it is one of the comparisons, or one of texts with any or all of a list."""
    words = str(operator).split()
    if len(words) == 2:
        return words[0] in falco_condition.OF_TEXTS and words[1] in falco_condition.MODIFIERS
    return words in [[one] for one in (*known, "exists")]


def settings(text: str) -> Settings:
    """Return what a falco.yaml says; nothing where it cannot be read."""
    from kaudit.model.yaml_stream import one

    try:
        content = one(text.encode("utf-8", "replace"), "falco.yaml")
    except InputError:
        return Settings()
    if not isinstance(content, dict):
        return Settings()
    http, metrics = content.get("http_output"), content.get("metrics")
    url = http.get("url") if isinstance(http, dict) else None
    files = content.get("rules_files", content.get("rules_file"))
    return Settings(
        rules_files=_texts(files) or ([files] if isinstance(files, str) else None),
        priority=_text(content.get("priority")),
        outputs=_outputs(content),
        http_host=_host(url) if isinstance(url, str) else None,
        json_output=_flag(content.get("json_output")),
        metrics=_flag(metrics.get("enabled")) if isinstance(metrics, dict) else None,
        disabled=_switched(content.get("rules"), "disable") or None,
        enabled=_switched(content.get("rules"), "enable") or None,
    )


def _outputs(content: dict[Any, Any]) -> dict[str, bool | None]:
    """Outputs that are spoken of, and whether each is on; None: it does not say."""
    spoken = ((name, content.get(f"{name}_output")) for name in OUTPUTS)
    return {name: _flag(one.get("enabled")) for name, one in spoken if isinstance(one, dict)}


def _switched(entries: Any, way: str) -> list[str]:
    """Rules and tags that are switched in a way, as ``rule=NAME`` and ``tag=NAME``."""
    found: list[str] = []
    for entry in entries if isinstance(entries, list) else ():
        of = entry.get(way) if isinstance(entry, dict) else None
        if isinstance(of, dict):
            found += [f"{k}={v}" for k, v in of.items() if k in ("rule", "tag")]
    return found


def _host(url: str) -> str | None:
    """Host of an address; what stands behind it may be a credential."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    return None if value is None or isinstance(value, (dict, list)) else str(value)


def _texts(value: Any) -> list[str] | None:
    return [text for one in value if (text := _text(one))] if isinstance(value, list) else None
