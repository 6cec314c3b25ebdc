"""Policies of Tetragon on the wire: what they hook, what they do, and what is wrong with them.

The table beside this module is the schema of the custom resource (cilium/tetragon, v1alpha1,
2026-08) by its fields, types, what is required and what is allowed. The API server refuses what
breaks a type, and drops fields that it does not know without a word.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import field

from kaudit.model.meta import Part, Resource

_HOOKS = ("kprobes", "fentries", "tracepoints", "uprobes", "usdts", "lsmhooks")
_STOPPING = frozenset(["Sigkill", "Signal", "Override", "NotifyEnforcer", "Set"])
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "object": (dict,),
    "number": (int, float),
}
_MOST = 50
_CALLS = ("sys_", "__x64_sys_", "__arm64_sys_", "list:")
#: What people mean by a field that means something else.
_MEANT = {"matchNamespaces[].namespace": "it means a Linux namespace, not one of Kubernetes"}


class Judged(Part):
    """What is kept of a spec."""

    judged: bool = False
    hooks: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    mode: str | None = None
    selects: bool = False
    refused: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    unloadable: list[str] = field(default_factory=list)

    @property
    def stops(self) -> bool:
        """Whether an action of it stops what it sees."""
        return not _STOPPING.isdisjoint(self.actions)


_KEPT = {one.encode_name for one in msgspec.structs.fields(Judged)}


class TracingPolicy(Resource):
    """cilium.io TracingPolicy, TracingPolicyNamespaced: a spec is what :class:`Judged` says."""

    spec: Any = None

    def __post_init__(self) -> None:
        spec = self.spec
        if isinstance(spec, dict) and "judged" in spec and spec.keys() <= _KEPT:
            self.spec = msgspec.convert(spec, Judged)
        else:
            self.spec = judge(spec)
            self.spec.judged = True


class _Field(msgspec.Struct, frozen=True):
    type: str
    many: bool
    required: bool
    values: tuple[str, ...]


@cache
def _schema() -> dict[str, dict[str, _Field]]:
    text = (files("kaudit.model") / "tracing_policy.csv").read_text(encoding="utf-8")
    found: dict[str, dict[str, _Field]] = {}
    for row in csv.DictReader(text.splitlines()):
        many = row["type"].startswith("list ")
        found.setdefault(row["object"], {})[row["field"]] = _Field(
            row["type"].removeprefix("list "),
            many,
            bool(row["required"]),
            tuple(row["values"].split()),
        )
    return found


def judge(spec: Any) -> Judged:
    """Judge a spec by the schema, and by what Tetragon can load."""
    found = Judged()
    if not isinstance(spec, dict):
        found.refused.append("spec: is no mapping")
        return found
    for refused, fault in _faults(spec, "spec", "spec"):
        (found.refused if refused else found.dropped).append(fault)
    hooks = [(kind, hook) for kind in _HOOKS for hook in _mappings(spec.get(kind))]
    # A loader is told of programs and libraries that are mapped to be run.
    loader = ["loader"] if spec.get("loader") is True else []
    found.kinds = sorted({*(kind for kind, _ in hooks), *loader})
    found.hooks = sorted({*(name for one in hooks for name in _names(*one)), *loader})
    found.actions = sorted({action for _, hook in hooks for action in _actions(hook)})
    found.unloadable += filter(None, (_unloadable(*one) for one in hooks))
    if not found.kinds:
        found.unloadable.append("it hooks nothing")
    found.selects = any(
        name in spec for name in ("podSelector", "containerSelector", "nodeSelector")
    )
    for option in _mappings(spec.get("options")):
        if option.get("name") == "policy-mode":
            found.mode = str(option.get("value"))
    for name in ("refused", "dropped", "unloadable"):
        setattr(found, name, getattr(found, name)[:_MOST])
    return found


def _unloadable(kind: str, hook: dict[str, Any]) -> str:
    """Why Tetragon cannot load a hook; empty: nothing is known."""
    call = hook.get("call")
    of_system = kind == "kprobes" and hook.get("syscall") is not False
    if of_system and isinstance(call, str) and not call.startswith(_CALLS):
        return f"{call}: there is no system call of the name; syscall: false is missing"
    return ""


def _actions(hook: dict[str, Any]) -> Iterator[str]:
    """What the selectors of a hook do."""
    for selector in _mappings(hook.get("selectors")):
        for name in ("matchActions", "matchReturnActions"):
            for action in _mappings(selector.get(name)):
                if isinstance(action.get("action"), str):
                    yield action["action"]


def _names(kind: str, hook: dict[str, Any]) -> Iterator[str]:
    """What a hook is set on; a uprobe on every symbol that it names."""
    if kind == "tracepoints":
        yield f"{hook.get('subsystem')}/{hook.get('event')}"
    elif kind == "usdts":
        yield f"{hook.get('path')} {hook.get('provider')}:{hook.get('name')}"
    elif kind == "uprobes":
        symbols = [one for one in _listed(hook.get("symbols")) if isinstance(one, str)]
        for symbol in symbols or [""]:
            yield f"{hook.get('path')} {symbol}".strip()
    else:
        yield str(hook.get("hook") if kind == "lsmhooks" else hook.get("call"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [one for one in _listed(value) if isinstance(one, dict)]


def _faults(value: Any, kind: str, path: str, short: str = "") -> Iterator[tuple[bool, str]]:
    """Yield what the API server refuses (True) or drops (False), with its place."""
    known = _schema()[kind]
    for name in sorted(set(value) - set(known)):
        yield False, f"{path}.{name}: no such field; the API server drops it"
    for name, told in known.items():
        inner = value.get(name)
        if inner is None:
            if told.required:
                yield True, f"{path}.{name}: is required"
            continue
        if told.many and not isinstance(inner, list):
            yield True, f"{path}.{name}: is no list"
            continue
        for number, one in enumerate(inner if told.many else [inner]):
            place = f"{path}.{name}[{number}]" if told.many else f"{path}.{name}"
            end = f"{name}[]" if told.many else name
            yield from _of_field(one, told, place, f"{short.rpartition('.')[2]}.{end}")


def _of_field(value: Any, told: _Field, place: str, short: str) -> Iterator[tuple[bool, str]]:
    if told.type.startswith("="):
        if isinstance(value, dict):
            yield from _faults(value, told.type[1:], place, short)
        else:
            yield True, f"{place}: is no mapping"
        return
    allowed = _TYPES.get(told.type, (object,))
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        if object not in allowed:
            yield True, f"{place}: is no {told.type}"
    elif told.values and str(value) not in told.values:
        meant = _MEANT.get(short, f"one of {', '.join(told.values[:12])} is expected")
        yield True, f"{place}: {str(value)[:40]!r} is not allowed; {meant}"
