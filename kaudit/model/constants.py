"""Constants that the code of policies compares something with."""

from __future__ import annotations

from typing import Any

from kaudit.model.values import NOTHING, Value

Node = tuple[Any, ...]
TRUTH = {("number", "true"): True, ("number", "false"): False}
#: Comparisons of a size to whether they say that there is anything.
_SIZES = {
    **dict.fromkeys((("==", "0"), ("<", "1"), ("<=", "0")), False),
    **dict.fromkeys((("!=", "0"), (">", "0"), (">=", "1")), True),
}


def constants(node: Node, value: Value) -> set[str]:
    """Return the constants that a node stands for, as text; also those of a list."""
    listed = node[1] if node[0] in ("list", "set") else [node]
    numbers = {one[1] for one in listed if one[0] == "number"}
    return {*value.texts, *(value.each or NOTHING).texts, *numbers}


def counted(node: Node) -> tuple[Node, bool] | None:
    """Return a list of CEL whose size is compared, and whether to be filled is what that says.

    None where no size is compared, or where its number says something else.
    """
    (sign, *_), (one, other, *_) = node[1:]
    filled = _SIZES.get((sign, other[1])) if other[0] == "number" else None
    if filled is None or one[0] != "call" or one[2] != "size":
        return None
    listed = one[1] or (one[3][0] if one[3] else None)
    return (listed, filled) if listed else None
