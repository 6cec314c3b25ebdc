"""Terms of exceptions from policies: whose they are, why, until when, and what they cover.

Source: kyverno/kyverno, its documentation of match, of PolicyException and of the label
``cleanup.kyverno.io/ttl``; open-policy-agent/gatekeeper, ``website/docs/exempt-namespaces.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache

import msgspec

from kaudit.model import kyverno
from kaudit.model.duration import seconds
from kaudit.model.gatekeeper_log import moment
from kaudit.model.meta import LabelSelector, Metadata

_TTL = "cleanup.kyverno.io/ttl"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_DAYS = re.compile(r"(\d{1,6})d")
_filters = msgspec.json.Decoder(kyverno.Filters).decode
Labels = Mapping[str, str]


class Terms(msgspec.Struct, frozen=True):
    """Who answers for an object, why it is there, and when it ends."""

    owner: str | None
    reason: str | None
    expires_at: datetime | None


def terms_of(metadata: Metadata) -> Terms:
    """Read the terms in annotations and labels; the end also where Kyverno removes the object."""
    return Terms(
        metadata.term("owner", "contact", "team"),
        metadata.term("reason", "justification", "ticket"),
        _end(metadata),
    )


def _end(metadata: Metadata) -> datetime | None:
    told = (metadata.labels or {}).get(_TTL) or metadata.term("expires", "expires-at")
    if not told:
        return None
    if _DAY.fullmatch(told):
        return moment(f"{told}T00:00:00Z")
    if (at := moment(told)) is not None:
        return at
    days = _DAYS.fullmatch(told)
    after = float(days[1]) * 86_400 if days else seconds(told)
    born = metadata.creation_timestamp
    try:
        return born + timedelta(seconds=after) if born is not None and after else None
    except OverflowError:
        return None


@lru_cache(maxsize=4096)
def pattern(text: str) -> re.Pattern[str]:
    """Return the pattern of a name in which * stands for any text and ? for a character."""
    parts = ("." if c == "?" else ".*" if c == "*" else re.escape(c) for c in text)
    return re.compile("".join(parts), re.DOTALL)


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Tell whether a name is of any of the patterns.

    >>> matches("kube-system", ["kube-*"]), matches("shop", ["kube-*"])
    (True, False)
    """
    return any(pattern(one).fullmatch(name) for one in patterns)


class Subject(msgspec.Struct, frozen=True):
    """An object that an exception may be for."""

    kind: str
    namespace: str
    name: str
    labels: Labels = {}
    space: Labels = {}


class Cover:
    """What a filter of Kyverno covers, given as JSON, whoever asks.

    Attributes
    ----------
    personal
        Whether it holds for some who ask alone: what it covers then cannot be told of objects.

    Examples
    --------
    >>> cover = Cover('{"any":[{"resources":{"kinds":["Pod"],"namespaces":["dev-*"]}}]}')
    >>> cover(Subject("Pod", "dev-1", "web")), cover(Subject("Pod", "shop", "web"))
    (True, False)
    >>> cover.bounded
    True
    """

    def __init__(self, match: str | None) -> None:
        found = _filters(match) if match else kyverno.Filters()
        entries: list[kyverno.Filter] = [*(found.any or ()), *(found.all or ())]
        self.personal = any(map(_personal, [found, *entries]))
        self._any = [one.resources for one in found.any or () if one.resources]
        self._all = [one.resources for one in found.all or () if one.resources]
        if found.resources:
            self._all.append(found.resources)

    @property
    def bounded(self) -> bool:
        """Whether names, namespaces or labels narrow it: kinds alone do not."""
        narrow = [_narrow(one) for one in self._all]
        return any(narrow) or (bool(self._any) and all(map(_narrow, self._any)))

    def __call__(self, one: Subject) -> bool:
        """Tell whether it covers an object."""
        if not all(_covers(filter, one) for filter in self._all):
            return False
        return not self._any or any(_covers(filter, one) for filter in self._any)


def _personal(filter: kyverno.Filter) -> bool:
    return bool(filter.roles or filter.cluster_roles or filter.subjects)


def _narrow(filter: kyverno.Resources) -> bool:
    named = [*(filter.names or ()), *([filter.name] if filter.name else [])]
    spaces = filter.namespaces or []
    return (
        (bool(named) and "*" not in named)
        or (bool(spaces) and "*" not in spaces)
        or filter.selector is not None
        or filter.namespace_selector is not None
    )


def _covers(filter: kyverno.Resources, one: Subject) -> bool:
    kinds = [kind.rpartition("/")[2] for kind in filter.kinds or ()]
    named = [*(filter.names or ()), *([filter.name] if filter.name else [])]
    return (
        (not kinds or matches(one.kind, kinds))
        and (not named or matches(one.name, named))
        and (not filter.namespaces or matches(one.namespace, filter.namespaces))
        and _selects(filter.selector, one.labels)
        and _selects(filter.namespace_selector, one.space)
    )


def _selects(selector: LabelSelector | None, labels: Labels) -> bool:
    """Tell whether labels are selected; values may hold wildcards, as Kyverno has them."""
    if selector is None:
        return True
    for key, value in (selector.match_labels or {}).items():
        found = [text for name, text in labels.items() if pattern(key).fullmatch(name)]
        if not any(pattern(value or "").fullmatch(text) for text in found):
            return False
    for term in selector.match_expressions or ():
        found_one = labels.get(term.key)
        held = found_one is not None
        among = found_one in (term.values or ())
        if {"Exists": not held, "DoesNotExist": held, "In": not among, "NotIn": among}.get(
            term.operator, True
        ):
            return False
    return True
