"""YAML as Kubernetes takes it, read defensively.

Plain scalars mean what ``kubectl`` makes of them (YAML 1.1 as Go reads it: octal ``0644``,
``yes`` is true, ``12:30`` and dates stay text), keys become text as in JSON, later keys win.
Aliases may not expand without bound, nesting may not be deep. libyaml does the parsing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from math import isfinite
from typing import Any

import yaml

from kaudit.errors import InputError

#: Nodes that one document may have once its aliases are expanded.
MOST_NODES = 2_000_000
#: Levels that a document may nest.
DEEPEST = 200

_Base: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE = "tag:yaml.org,2002:"
#: Not y and n, which Go takes for truth values too: whoever names a thing so means text, and
#: where a truth value is wanted, text is refused.
_TRUE = frozenset(["yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"])
_FALSE = frozenset(["no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"])
_PLAIN: tuple[tuple[str, str, str], ...] = (
    ("bool", "yYnNtTfFoO", "|".join(sorted(_TRUE | _FALSE))),
    (
        "int",
        "-+0123456789",
        r"[-+]?(?:0[bB][01_]+|0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|[1-9][0-9_]*|0)",
    ),
    (
        "float",
        "-+.0123456789",
        r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
    ),
    ("null", "~nN\0", r"~|null|Null|NULL|"),
    ("merge", "<", "<<"),
)


class _Loader(_Base):  # type: ignore[misc]  # chosen at run time
    """Composes nodes whose plain scalars carry the tag that Go's YAML gives them."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _tag, _firsts, _pattern in _PLAIN:
    for _first in _firsts.replace("\0", ""):
        _Loader.yaml_implicit_resolvers.setdefault(_first, []).append(
            (_CORE + _tag, re.compile(rf"(?:{_pattern})\Z"))
        )
_Loader.yaml_implicit_resolvers[""] = [(f"{_CORE}null", re.compile(r"\Z"))]


class Fault(Exception):
    """A document that cannot be read; ``line`` counts from 1."""

    def __init__(self, what: str, line: int) -> None:
        self.what, self.line = what, line
        super().__init__(f"line {line}: {what}")


def documents(text: bytes) -> Iterator[tuple[int, Any | Fault]]:
    """Yield the line and content of each document; a broken one as its fault.

    A document that does not parse does not cost those after it: the stream is split at its
    document marks first.
    """
    for line, chunk in chunks(text):
        try:
            found = _load(chunk)
        except Fault as fault:
            yield line, Fault(fault.what, line + fault.line - 1)
            continue
        for item in found:
            if item is not None:
                yield line, item


def chunks(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Split at lines that are a document mark; inside block scalars none can stand there.

    Yields the line that a chunk begins at, from 1, and leaves out what is blank.
    """
    start, number = 1, 0
    chunk: list[bytes] = []
    for number, row in enumerate(text.split(b"\n"), start=1):
        if row.startswith((b"---", b"...")) and (len(row) < 4 or row[3:4] in b" \t\r#"):
            if any(map(bytes.strip, chunk)):
                yield start, b"\n".join(chunk)
            rest = row[3:] if row.startswith(b"---") else b""
            start, chunk = number, [rest]
        elif row.startswith(b"%") and not any(map(_content, chunk)):
            chunk.append(b"")  # a directive: it changes nothing that is read here
        else:
            chunk.append(row)
    if number and any(map(bytes.strip, chunk)):
        yield start, b"\n".join(chunk)


def _content(row: bytes) -> bool:
    return not row.lstrip().startswith(b"#") and bool(row.strip())


def _load(chunk: bytes) -> list[Any]:
    try:
        loader = _Loader(chunk)
    except (yaml.YAMLError, UnicodeError) as fault:
        raise _fault(fault, chunk) from None
    try:
        found = []
        while loader.check_node():
            node = loader.get_node()
            _bounded(node)
            found.append(_built(node, {}))
        return found
    except (yaml.YAMLError, UnicodeError) as fault:
        raise _fault(fault, chunk) from None
    finally:
        loader.dispose()


def _fault(fault: Exception, chunk: bytes) -> Fault:
    mark = getattr(fault, "problem_mark", None) or getattr(fault, "context_mark", None)
    if mark is not None:
        line = int(mark.line) + 1
    else:
        offset = getattr(fault, "position", None)
        if not isinstance(offset, int):
            offset = getattr(fault, "start", 0)
        line = chunk.count(b"\n", 0, offset) + 1
    said = getattr(fault, "problem", None) or getattr(fault, "reason", None)
    return Fault(str(said or "not valid YAML"), line)


def _bounded(root: Any) -> None:
    """Refuse alias bombs, cycles and deep nesting before anything is built."""
    sizes: dict[int, int] = {}
    path: set[int] = set()
    stack: list[tuple[Any, bool]] = [(root, False)]
    while stack:
        node, done = stack.pop()
        key = id(node)
        if done:
            path.discard(key)
            size = 1 + sum(sizes[id(child)] for child in _children(node))
            if size > MOST_NODES:
                raise Fault(
                    "its aliases expand to more than two million nodes; refused", _mark(node)
                )
            sizes[key] = size
            continue
        if key in path:
            raise Fault("an alias contains itself; refused", _mark(node))
        if key in sizes:
            continue
        if len(path) >= DEEPEST:
            raise Fault(f"nested deeper than {DEEPEST} levels; refused", _mark(node))
        path.add(key)
        stack.append((node, True))
        stack.extend((child, False) for child in _children(node))


def _children(node: Any) -> list[Any]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _mark(node: Any) -> int:
    return int(node.start_mark.line) + 1


def _built(node: Any, known: dict[int, Any]) -> Any:
    """Turn a node into what JSON can say; an aliased node is built once."""
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if id(node) in known:
        return known[id(node)]
    found: Any
    if isinstance(node, yaml.SequenceNode):
        _expected(node, "seq")
        found = [_built(child, known) for child in node.value]
    else:
        _expected(node, "map")
        found = _mapping(node, known)
    known[id(node)] = found
    return found


def _mapping(node: Any, known: dict[int, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        if key.tag == f"{_CORE}merge":
            for merged in reversed(_merged(value)):
                found.update(_built(merged, known))
        else:
            found[_key(key)] = _built(value, known)
    return found


def _merged(node: Any) -> list[Any]:
    nodes = list(node.value) if isinstance(node, yaml.SequenceNode) else [node]
    if not all(isinstance(each, yaml.MappingNode) for each in nodes):
        raise Fault("<< takes a mapping, or a list of them", _mark(node))
    return nodes


def _key(node: Any) -> str:
    """Text of a key, as JSON will have it."""
    value = _scalar(node) if isinstance(node, yaml.ScalarNode) else None
    if isinstance(value, str):
        return value
    if value is None:
        raise Fault("a key must be text", _mark(node))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _expected(node: Any, tag: str) -> None:
    if node.tag != _CORE + tag:
        raise Fault(f"the tag {_short(node.tag)} is not understood", _mark(node))


def _short(tag: str) -> str:
    return tag.replace(_CORE, "!!")


def _scalar(node: Any) -> Any:
    make = _SCALARS.get(node.tag)
    if make is None:
        raise Fault(f"the tag {_short(node.tag)} is not understood", _mark(node))
    try:
        return make(node.value)
    except ValueError:
        raise Fault(f"{node.value[:40]!r} is no {_short(node.tag)[2:]}", _mark(node)) from None


def _bool(text: str) -> bool:
    if text not in _TRUE and text not in _FALSE:
        raise ValueError
    return text in _TRUE


def _int(text: str) -> int | float | str:
    plain = text.replace("_", "")
    digits = plain.lstrip("+-")
    octal = digits[:1] == "0" and digits.isdigit()
    value = int(plain, 8 if octal else 0)
    return value if -(1 << 63) <= value < 1 << 64 else _float(str(value))


def _float(text: str) -> int | float | str:
    """Value of a number; as in JSON, one without a fraction is whole."""
    value = float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
    if not isfinite(value):
        if text.strip("+-")[:1].isdigit():
            return text  # too large for a number: Go leaves it text
        raise ValueError
    return int(value) if value.is_integer() and abs(value) < 1 << 63 else value


_SCALARS: dict[str, Callable[[str], Any]] = {
    f"{_CORE}str": str,
    f"{_CORE}null": lambda _: None,
    f"{_CORE}bool": _bool,
    f"{_CORE}int": _int,
    f"{_CORE}float": _float,
    f"{_CORE}timestamp": str,
    f"{_CORE}binary": str,
    f"{_CORE}merge": str,
}


def one(text: bytes, where: str) -> Any:
    """Return the only document of a small YAML file, such as a list of waivers.

    Raises
    ------
    InputError
        Names the file and line.
    """
    found = list(documents(text))
    for _, item in found:
        if isinstance(item, Fault):
            raise InputError(item.what, where=f"{where}:{item.line}")
    if len(found) > 1:
        raise InputError("holds more than one document", where=f"{where}:{found[1][0]}")
    return found[0][1] if found else None
