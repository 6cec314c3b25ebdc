"""Values of documents whose shape nobody has checked: what is there, or a refusal.

Null and nothing are the same. What is neither that nor of the expected kind is refused with the
rest of the document, for nobody can tell what it was meant to allow.
"""

from __future__ import annotations

from typing import Any

from kaudit.errors import InputError


def mapping(found: Any, where: str) -> dict[str, Any]:
    """Return an object; nothing is an empty one.

    Raises
    ------
    InputError
        It is something else.

    Examples
    --------
    >>> mapping(None, "tls"), mapping({"a": 1}, "tls")
    ({}, {'a': 1})
    """
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InputError(f"{where} is no table of names and values")
    return found


def items(found: Any) -> list[Any]:
    """Elements of a list; a single value stands for a list of it."""
    return found if isinstance(found, list) else [] if found is None else [found]


def texts(found: Any, where: str) -> list[str]:
    """Elements of a list of texts, or a single one.

    Raises
    ------
    InputError
        One of them is no text.
    """
    listed = items(found)
    if not all(isinstance(one, str) for one in listed):
        raise InputError(f"{where} holds what is no text")
    return listed
