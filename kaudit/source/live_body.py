"""What the other side of a connection answered, decoded: all that can be wrong is one error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from kaudit.source.documents import TOO_DEEP

T = TypeVar("T")


class Garbled(Exception):
    """A body is not what was asked for; ``deep`` where only its nesting stands against it."""

    def __init__(self, *, deep: bool = False) -> None:
        self.deep = deep
        super().__init__(TOO_DEEP if deep else "not what was asked for")


def decoded(body: bytes | msgspec.Raw, decode: Callable[[bytes | msgspec.Raw], T]) -> T:
    """Decode a body.

    Raises
    ------
    Garbled
        It is no JSON, not of the shape, no UTF-8 or nested too deeply.
    """
    try:
        return decode(body)
    except RecursionError:
        raise Garbled(deep=True) from None
    except (msgspec.DecodeError, UnicodeError):
        raise Garbled from None
