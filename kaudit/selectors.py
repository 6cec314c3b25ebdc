"""Label selectors, with the exact semantics of Kubernetes (labels and selectors, v1.34)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import msgspec

from kaudit.model.meta import LabelSelector

_decode = msgspec.json.Decoder(LabelSelector).decode


@lru_cache(maxsize=16384)
def selector(text: str) -> Callable[[frozenset[str]], bool]:
    """Return the test of a selector given as JSON.

    The test takes labels as a set of ``key=value``. An empty selector selects everything; an
    unknown operator selects nothing.
    """
    found = _decode(text)
    wanted = frozenset(f"{key}={value or ''}" for key, value in (found.match_labels or {}).items())
    terms = [(e.key, e.operator, frozenset(e.values or ())) for e in found.match_expressions or ()]

    def selects(labels: frozenset[str]) -> bool:
        if not wanted <= labels:
            return False
        return all(_holds(labels, *term) for term in terms)

    return selects


@lru_cache(maxsize=16384)
def keys_of(text: str) -> frozenset[str]:
    """Return the label keys that a selector given as JSON speaks of."""
    found = _decode(text)
    return frozenset(found.match_labels or ()) | {e.key for e in found.match_expressions or ()}


def _holds(labels: frozenset[str], key: str, operator: str, values: frozenset[str]) -> bool:
    prefix = f"{key}="
    found = next((text[len(prefix) :] for text in labels if text.startswith(prefix)), None)
    if operator == "Exists":
        return found is not None
    if operator == "DoesNotExist":
        return found is None
    if operator == "In":
        return found is not None and found in values
    if operator == "NotIn":
        return found is None or found not in values
    return False


def selected(labels: Sequence[str], text: str) -> bool:
    """Tell whether a selector given as JSON selects labels given as ``key=value``.

    >>> selected(["app=web"], '{"matchLabels":{"app":"web"}}')
    True
    """
    return selector(text)(frozenset(labels))


def by_labels(wanted: Mapping[str, str]) -> str:
    """JSON of a selector by labels alone."""
    return msgspec.json.encode({"matchLabels": dict(wanted)}).decode()
