"""What CEL makes of a field that is not set, where that can be told from its form.

Told is what stands in a validation itself, under ``&&`` and ``all``: ``has(x)`` refuses what is
not set, ``!has(x) || …`` lets it pass, ``x.orValue(d) == v`` is decided by the default. What is
put together in other ways could be either.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

from kaudit.model.cel import Node
from kaudit.model.reads import of_pod, tells, written
from kaudit.model.values import EACH, Path, Value, longest

_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WORDS = {"true": True, "false": False, "null": None}


class Unset:
    """Collects the places whose absence is refused, and those whose absence passes."""

    def __init__(self) -> None:
        self.refused: set[Path] = set()
        self.passed: set[Path] = set()

    def note(self, value: Value, passes: bool) -> None:
        """Remember what is made of the places of a value."""
        (self.passed if passes else self.refused).update(value.paths)

    def fields(self, paths: Iterable[Path]) -> tuple[str, ...] | None:
        """Fields whose absence is refused, sorted; None where it cannot be told of some."""
        found = set()
        for path in longest(paths):
            if path[0] != "object" or len(path) < 2:
                continue
            name = written(of_pod(path[1:]))
            if any(_ends(path, one) for one in self.refused):
                found.add(name)
            elif tells(name) and not any(path[: len(one)] == one for one in self.passed):
                return None
        return tuple(sorted(found))


def _ends(path: Path, place: Path) -> bool:
    """Whether a path is a place, or its elements."""
    return path[: len(place)] == place and all(name == EACH for name in path[len(place) :])


def compared(sign: str, default: Node, other: Node) -> bool | None:
    """Return what a comparison of a default with another constant comes to; None: not told."""
    compare = _COMPARED.get(sign)
    if sign == "in" and other[0] == "list":
        found = [compared("==", default, one) for one in other[1]]
        return None if None in found else any(found)
    if compare is None or {default[0], other[0]} - {"text", "number"}:
        return None
    try:
        return compare(_constant(default), _constant(other))
    except (TypeError, ValueError):
        return None


def _constant(node: Node) -> Any:
    if node[0] == "text" or node[1] in _WORDS:
        return _WORDS[node[1]] if node[0] == "number" else node[1]
    return float(node[1].rstrip("uU"))


def defaulted(node: Node) -> tuple[Node, Node] | None:
    """Return what has a default, and the default; None where it has none."""
    if node[0] == "call" and node[1] and node[2] == "orValue" and len(node[3]) == 1:
        return node[1], node[3][0]
    return None


def asks_has(node: Node) -> Node | None:
    """Return what ``has`` is asked of; None where something else stands there."""
    return node[3][0] if node[:3] == ("call", None, "has") and len(node[3]) == 1 else None
