"""What a rule of Kyverno is for, out of its match and exclude.

Source: kyverno/kyverno, ``pkg/autogen`` and its documentation of match and exclude. Entries of
``any`` are alternatives, those of ``all`` add up; within an entry every list must be met by one
of its members.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from kaudit.model import kinds
from kaudit.model.kyverno import Filter, Filters, Resources
from kaudit.model.meta import LabelSelector

_decode = msgspec.json.Decoder(Filters).decode


class Scope(msgspec.Struct, kw_only=True):
    """What match and exclude come to.

    Attributes
    ----------
    known
        The other attributes say all of it.
    asked
        It also depends on who asks, or on annotations, which no table holds.
    """

    kinds: list[str] = []
    excluded_kinds: list[str] = []
    operations: list[str] = []
    namespaces: list[str] = []
    excluded_namespaces: list[str] = []
    names: list[str] = []
    namespace_selector: str | None = None
    selector: str | None = None
    known: bool = True
    asked: bool = False


def filters(text: str | None) -> Filters:
    """Decode match or exclude."""
    return _decode(text) if text else Filters()


def scope(match: Filters, exclude: Filters) -> Scope:
    """Work out what a rule is for.

    >>> found = scope(filters('{"any":[{"resources":{"kinds":["Pod"]}}]}'), Filters())
    >>> found.kinds, found.known
    (['Pod'], True)
    """
    entries = [entry.resources or Resources() for entry in _entries(match)]
    found = Scope(
        kinds=sorted({kinds.of_text(kind) for one in entries for kind in one.kinds or ()}),
        operations=sorted({word for one in entries for word in one.operations or ()}),
        asked=any(map(_asks, (*_entries(match), *_entries(exclude)))),
    )
    rest = {_rest(one) for one in entries}
    if len(rest) == 1 and (not match.all or len(match.all) == 1):
        one = entries[0]
        found.namespaces = sorted(one.namespaces or ())
        found.names = sorted({*(one.names or ()), *((one.name,) if one.name else ())})
        found.namespace_selector = LabelSelector.text(one.namespace_selector)
        found.selector = LabelSelector.text(one.selector)
        found.known = len({tuple(sorted(it.operations or ())) for it in entries}) == 1
    elif entries:
        found.known = False
    _excluded(found, exclude)
    if match.unknown or exclude.unknown:
        found.known = False
        found.kinds = found.kinds or (["*.*"] if match.unknown else [])
    return found


def _excluded(found: Scope, exclude: Filters) -> None:
    """Take in what is excluded, where an entry speaks of kinds or of namespaces alone."""
    together = exclude.all is not None and len(exclude.all) > 1
    for entry in _entries(exclude):
        one = entry.resources or Resources()
        rest = (
            *(one.name, one.names, one.selector, one.namespace_selector, one.operations),
            *(entry.strange, one.strange),
        )
        if together or any(rest) or _asks(entry) or (one.kinds and one.namespaces):
            found.known = found.known and _asks(entry) and not together
        elif one.namespaces:
            found.excluded_namespaces = sorted({*found.excluded_namespaces, *one.namespaces})
        elif one.kinds:
            named = map(kinds.of_text, one.kinds)
            found.excluded_kinds = sorted({*found.excluded_kinds, *named})


def _entries(it: Filters) -> list[Filter]:
    own = [it] if it.resources or it.roles or it.cluster_roles or it.subjects else []
    return [*own, *(it.any or ()), *(it.all or ())]


def _asks(entry: Filter) -> bool:
    """Whether an entry depends on who asks, or on what no table holds."""
    noted = entry.resources.annotations if entry.resources else None
    return bool(entry.roles or entry.cluster_roles or entry.subjects or noted)


def _rest(one: Resources) -> str:
    """All of a filter but its kinds and operations."""
    rest = (one.namespaces, one.name, one.names, one.namespace_selector, one.selector)
    return msgspec.json.encode(rest, order="sorted").decode()


def autogen(rules: Iterable[tuple[Filters, Filters]], told: str | None) -> list[list[str]]:
    """Return for each rule of a policy the kinds that Kyverno adds to it.

    Parameters
    ----------
    rules
        match and exclude of all rules of the policy: one that names objects or selects by
        label or that mixes Pod with others stops autogen for all.
    told
        Annotation ``pod-policies.kyverno.io/autogen-controllers``.
    """
    given = list(rules)
    parts = [list(_resources(match, exclude)) for match, exclude in given]
    if any(_narrow(one) for of_rule in parts for one in of_rule):
        return [[] for _ in given]
    named = None if told is None else {word.strip() for word in told.split(",")}
    added = [k for k in kinds.CONTROLLERS if named is None or k.partition(".")[0] in named]
    return [added if _of_pods(match, exclude) else [] for match, exclude in given]


def _resources(match: Filters, exclude: Filters) -> Iterator[Resources]:
    yield from match.resource_filters
    yield from exclude.resource_filters


def _narrow(one: Resources) -> bool:
    mixed = len(one.kinds or ()) > 1 and _has_pod(one.kinds)
    return bool(one.name or one.names or one.selector or one.annotations or mixed)


def _has_pod(names: list[str] | None) -> bool:
    return any(kinds.of_text(kind) == "Pod" for kind in names or ())


def _of_pods(match: Filters, exclude: Filters) -> bool:
    return _has_pod(match.kinds) and (not exclude.kinds or _has_pod(exclude.kinds))
