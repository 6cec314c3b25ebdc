"""YAML as Kubernetes takes it, read defensively.

Timestamps stay text, tags beyond the core schema are refused, aliases may not expand without
bound, nesting may not be deep. libyaml does the parsing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from kaudit.errors import InputError

#: Nodes that one document may have once its aliases are expanded.
MOST_NODES = 2_000_000
#: Levels that a document may nest.
DEEPEST = 200

_Base: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]  # chosen at run time
    """Safe loader without timestamps."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
}


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
    for line, chunk in _chunks(text):
        if not chunk.strip():
            continue
        try:
            found = _load(chunk)
        except Fault as fault:
            yield line, Fault(fault.what, line + fault.line - 1)
            continue
        for item in found:
            if item is not None:
                yield line, item


def _chunks(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Split at lines that are a document mark; inside block scalars none can stand there."""
    start, number = 1, 0
    chunk: list[bytes] = []
    for number, row in enumerate(text.split(b"\n"), start=1):
        if row.startswith((b"---", b"...")) and (len(row) < 4 or row[3:4] in b" \t\r#"):
            yield start, b"\n".join(chunk)
            rest = row[3:] if row.startswith(b"---") else b""
            start, chunk = number, [rest]
        else:
            chunk.append(row)
    if number:
        yield start, b"\n".join(chunk)


def _load(chunk: bytes) -> list[Any]:
    try:
        loader = _Loader(chunk)
    except (yaml.YAMLError, UnicodeError) as fault:
        raise Fault(_said(fault), _line(fault)) from None
    try:
        found = []
        while loader.check_node():
            node = loader.get_node()
            _bounded(node)
            found.append(loader.construct_document(node))
        return found
    except Fault:
        raise
    except yaml.YAMLError as fault:
        raise Fault(_said(fault), _line(fault)) from None
    except (ValueError, TypeError, RecursionError, OverflowError) as fault:
        raise Fault(f"cannot be read as YAML ({type(fault).__name__})", 1) from None
    finally:
        loader.dispose()


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


def _line(fault: Exception) -> int:
    mark = getattr(fault, "problem_mark", None) or getattr(fault, "context_mark", None)
    return int(mark.line) + 1 if mark is not None else 1


def _said(fault: Exception) -> str:
    problem = getattr(fault, "problem", None) or getattr(fault, "reason", None)
    return str(problem or "not valid YAML")


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
    return found[0][1] if found else None
