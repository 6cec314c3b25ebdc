"""Long lists in JSON that is too large to hold, element by element."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, BinaryIO

import msgspec

from kaudit.errors import InputError

_STARTS = ("start_map", "start_array")
_ENDS = ("end_map", "end_array")


class Piece(msgspec.Struct):
    """One element of a long list.

    Attributes
    ----------
    path
        The list, with ``[]`` for each list on the way.
    places
        Places, from 0, in the lists on the way.
    around
        The objects that the list stands in, outermost first, as far as they were read.
    raw
        JSON of the element.
    """

    path: str
    places: tuple[int, ...]
    around: tuple[dict[str, Any], ...]
    raw: bytes


def pieces(
    opened: Callable[[], BinaryIO], paths: tuple[str, ...], keep: Callable[[bytes], None]
) -> Iterator[Piece]:
    """Yield the elements of lists, and keep the rest.

    Parameters
    ----------
    opened
        Opens the JSON.
    paths
        Lists to take apart, with ``[]`` for each list on the way; empty where the JSON is one.
    keep
        Is given the JSON with those lists empty.

    Raises
    ------
    InputError
        The JSON ends or breaks somewhere; what came before it has been yielded.
    """
    import ijson

    wanted = {path.replace("[]", ".item"): path for path in paths}
    rest, element = _Tree(), _Tree()
    places: tuple[int, ...] = ()
    around: tuple[dict[str, Any], ...] = ()
    path: str | None = None
    depth = 0
    with opened() as stream:
        try:
            for prefix, event, value in ijson.parse(stream, use_float=True):
                if path is not None:
                    if depth == 0 and event == "end_array":
                        rest.take(event, value)
                        path = None
                        continue
                    element.take(event, value)
                    depth += (event in _STARTS) - (event in _ENDS)
                    if depth == 0:
                        yield Piece(path, places, around, _encoded(element.done()))
                        element = _Tree()
                    continue
                if event == "start_array" and prefix in wanted:
                    path = wanted[prefix]
                    places, around = rest.places(), rest.around()
                rest.take(event, value)
        except ijson.JSONError as fault:
            raise InputError(f"the JSON ends or breaks: {fault}") from None
    keep(_encoded(rest.done()))


def _encoded(value: Any) -> bytes:
    return msgspec.json.encode(value, enc_hook=_number)


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    raise NotImplementedError


class _Tree:
    """Builds a value of parser events."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._names: list[str] = []
        self._value: Any = None

    def take(self, event: str, value: Any) -> None:
        """Take the next event."""
        if event == "map_key":
            self._names[-1] = value
        elif event in _STARTS:
            made: Any = {} if event == "start_map" else []
            self._put(made)
            self._stack.append(made)
            self._names.append("")
        elif event in _ENDS:
            self._stack.pop()
            self._names.pop()
        else:
            self._put(value)

    def _put(self, value: Any) -> None:
        if not self._stack:
            self._value = value
        elif isinstance(self._stack[-1], list):
            self._stack[-1].append(value)
        else:
            self._stack[-1][self._names[-1]] = value

    def places(self) -> tuple[int, ...]:
        """Places, from 0, in the lists that are open."""
        return tuple(len(made) - 1 for made in self._stack if isinstance(made, list))

    def around(self) -> tuple[dict[str, Any], ...]:
        """Objects that are open, outermost first."""
        return tuple(made for made in self._stack if isinstance(made, dict))

    def done(self) -> Any:
        """Return the value."""
        return self._value
