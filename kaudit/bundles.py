"""Parameters that stand for several: those whose type is a NamedTuple, one for each field.

So views that rest on the same tables declare them once, and so do commands with the same options.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def bundles_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the parameters of a function that stand for several, and their types.

    Examples
    --------
    >>> from typing import NamedTuple
    >>> from kaudit.bundles import bundles_of
    >>> class Size(NamedTuple):
    ...     width: int
    ...     height: int
    >>> def paint(colour: str, size: Size): ...
    >>> bundles_of(paint)["size"]._fields
    ('width', 'height')
    """
    return {
        parameter.name: kind
        for parameter in inspect.signature(function).parameters.values()
        if (kind := _named(parameter.annotation, function)) is not None
    }


def _named(annotation: Any, function: Callable[..., Any]) -> Any:
    """NamedTuple that an annotation is; those that only a type checker sees are none."""
    known = getattr(function, "__globals__", {})
    kind = known.get(annotation) if isinstance(annotation, str) else annotation
    named = isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")
    return kind if named else None
