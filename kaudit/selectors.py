"""Label selectors, with the exact semantics of Kubernetes (labels and selectors, v1.34)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import msgspec

from kaudit.model.glob import matches
from kaudit.model.meta import LabelSelector

_decode = msgspec.json.Decoder(LabelSelector).decode

#: Tells whether labels, by key, are selected.
Selects = Callable[[Mapping[str, str]], bool]


@lru_cache(maxsize=16384)
def selector(text: str) -> Selects:
    """Return the test of a selector given as JSON.

    An empty selector selects everything; an unknown operator selects nothing.

    >>> selects = selector('{"matchLabels":{"app":"web"}}')
    >>> selects({"app": "web", "tier": "front"}), selects({"app": "db"})
    (True, False)
    """
    found = _decode(text)
    wanted = {key: value or "" for key, value in (found.match_labels or {}).items()}.items()
    terms = [(e.key, e.operator, frozenset(e.values or ())) for e in found.match_expressions or ()]
    if not terms:
        return lambda labels: wanted <= labels.items()

    def selects(labels: Mapping[str, str]) -> bool:
        if not wanted <= labels.items():
            return False
        return all(_holds(labels.get(key), operator, values) for key, operator, values in terms)

    return selects


@lru_cache(maxsize=16384)
def wild_selector(text: str) -> Selects:
    """Return the test of a selector of Kyverno, where matchLabels may hold ``*`` and ``?``.

    >>> wild_selector('{"matchLabels":{"app*":"?*"}}')({"app": "web"})
    True
    """
    found = _decode(text)
    wanted = {key: value or "" for key, value in (found.match_labels or {}).items()}
    wild = [(k, v) for k, v in wanted.items() if {*"*?"} & {*k, *v}]
    if not wild:
        return selector(text)
    plain: dict[str, str | None] = {
        key: value for key, value in wanted.items() if (key, value) not in wild
    }
    rest = selector(LabelSelector(plain, found.match_expressions).canonical)

    def selects(labels: Mapping[str, str]) -> bool:
        held = labels.items()
        return rest(labels) and all(
            any(matches(key, k) and matches(value, v) for k, v in held) for key, value in wild
        )

    return selects


@lru_cache(maxsize=16384)
def keys_of(text: str) -> frozenset[str]:
    """Return the label keys that a selector given as JSON speaks of."""
    found = _decode(text)
    return frozenset(found.match_labels or ()) | {e.key for e in found.match_expressions or ()}


def _holds(found: str | None, operator: str | None, values: frozenset[str]) -> bool:
    if operator == "Exists":
        return found is not None
    if operator == "DoesNotExist":
        return found is None
    if operator == "In":
        return found is not None and found in values
    if operator == "NotIn":
        return found is None or found not in values
    return False
