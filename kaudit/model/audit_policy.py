"""Audit policies of API servers: which requests they log, and which values with them.

Source: kubernetes.io, "Auditing", and the API reference of ``audit.k8s.io/v1``, v1.34. The
first rule that matches a request decides, and what none matches is not logged. A resource is
named with its subresource, ``*`` stands for all, ``pods/*`` for Pods and what is below them,
``*/exec`` for that of any; groups are named in full. A stage that is omitted is not logged; the
bodies of a request come with its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from kaudit.errors import InputError
from kaudit.model.meta import Part
from kaudit.text import shorten

API = "audit.k8s.io/"
KIND = "Policy"
NONE, METADATA, REQUEST, RESPONSE = LEVELS = ("None", "Metadata", "Request", "RequestResponse")
_RECEIVED, _STARTED, _COMPLETE = "RequestReceived", "ResponseStarted", "ResponseComplete"
_STAGES = (_RECEIVED, _STARTED, _COMPLETE, "Panic")


class GroupResources(Part):
    """rules[].resources[]."""

    group: str = ""
    resources: list[str] | None = None
    resource_names: list[str] | None = None


class Rule(Part):
    """rules[]."""

    level: str = ""
    users: list[str] | None = None
    user_groups: list[str] | None = None
    verbs: list[str] | None = None
    resources: list[GroupResources] | None = None
    namespaces: list[str] | None = None
    non_resource_urls: list[str] | None = msgspec.field(default=None, name="nonResourceURLs")
    omit_stages: list[str] | None = None


class Policy(Part):
    """audit.k8s.io Policy."""

    api_version: str = ""
    kind: str = ""
    omit_stages: list[str] | None = None
    rules: list[Rule] | None = None


class Judged(Part):
    """What is kept of a policy.

    Attributes
    ----------
    rules
        How many it has.
    fault
        Why it is not judged: what the API server, which then does not start, refuses of it.
    unlogged, exposed
        Requests that it does not log; requests that it logs with the values of Secrets.
    """

    rules: int = 0
    fault: str = ""
    unlogged: list[str] = msgspec.field(default_factory=list)
    exposed: list[str] = msgspec.field(default_factory=list)


class Found(Part):
    """Record of one file."""

    report: str
    file: str
    policy: Judged


class _Asked(NamedTuple):
    """Requests to a resource: which must be logged, and whose bodies must not.

    ``sent`` are verbs whose requests hold secret values, ``told`` those whose answers do.
    """

    group: str
    resource: str
    part: str = ""
    namespaced: bool = True
    logged: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    told: tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        return f"{self.resource}/{self.part}" if self.part else self.resource

    @property
    def lasting(self) -> bool:
        return self.part in ("exec", "portforward", "proxy")


_CHANGES = ("create", "update", "patch", "delete", "deletecollection")
_WRITTEN = ("create", "update", "patch")
_ANSWERED = ("get", "list", *_WRITTEN, "deletecollection")
_TUNNEL = ("create", "get")
_PROXY = ("get", "create", "update", "patch", "delete")
_ASKED = (
    _Asked(
        "", "secrets", logged=("get", "list", "watch", *_CHANGES), sent=_WRITTEN, told=_ANSWERED
    ),
    _Asked("", "configmaps", logged=_CHANGES, sent=_WRITTEN, told=_ANSWERED),
    _Asked(
        "authentication.k8s.io",
        "tokenreviews",
        namespaced=False,
        logged=("create",),
        sent=("create",),
        told=("create",),
    ),
    _Asked("", "serviceaccounts", "token", told=("create",)),
    _Asked("", "pods", logged=_CHANGES),
    _Asked("apps", "deployments", logged=_CHANGES),
    _Asked("", "pods", "exec", logged=_TUNNEL),
    _Asked("", "pods", "portforward", logged=_TUNNEL),
    _Asked("", "pods", "proxy", logged=_PROXY),
    _Asked("", "services", "proxy", logged=_PROXY),
)
#: Verbs whose requests name an object.
_OF_ONE = frozenset(["get", "update", "patch", "delete"])
#: Who asks, and the groups that Kubernetes puts them in; first whoever is known by nothing else.
_SUBJECTS = (
    ("", frozenset(["system:authenticated"])),
    ("service accounts", frozenset(["system:authenticated", "system:serviceaccounts"])),
    ("system:masters", frozenset(["system:authenticated", "system:masters"])),
    ("anonymous users", frozenset(["system:unauthenticated"])),
)
#: Rules, and namespaces that they name, of a policy that anybody could mean.
_MOST = 2_000
#: Names that a text lists; letters of a name that it shows.
_NAMED, _LONGEST = 3, 80
#: Stands for every namespace that no rule names.
_ANY = ""
_TEXT = re.compile(r"""^["']?kind["']?[ \t]*:[ \t]*["']?Policy\b""", re.MULTILINE)
_OF_GROUP = re.compile(r"""^["']?apiVersion["']?[ \t]*:[ \t]*["']?audit\.k8s\.io/""", re.MULTILINE)


def is_policy(text: str) -> bool:
    """Whether a text in YAML is an audit policy, by its left edge."""
    return API in text and bool(_OF_GROUP.search(text) and _TEXT.search(text))


def of_text(name: str, text: str) -> Judged | None:
    """Judge a text in YAML; None where it is no audit policy."""
    if not is_policy(text):
        return None
    from kaudit.model.yaml_stream import one  # YAML is slow to import

    try:
        return judged(one(text.encode(), name))
    except (InputError, TypeError) as fault:
        return Judged(fault=str(fault))


def judged(document: Any) -> Judged:
    """Judge a policy.

    >>> rule = {"level": "Request", "resources": [{"group": "", "resources": ["secrets"]}]}
    >>> policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [rule]}
    >>> judged(policy).exposed
    ['secrets: create, update, patch at Request']

    Raises
    ------
    TypeError
        It is none.
    """
    head = document if isinstance(document, dict) else {}
    version = head.get("apiVersion")
    if head.get("kind") != KIND or not isinstance(version, str) or not version.startswith(API):
        raise TypeError("expected a Policy of audit.k8s.io")
    try:
        policy = msgspec.convert(document, Policy)
    except msgspec.ValidationError as fault:
        return Judged(fault=str(fault))
    rules = len(policy.rules or ())
    if refused := next(_faults(policy), ""):
        return Judged(rules=rules, fault=refused)
    return Judged(
        rules=rules,
        unlogged=[text for asked in _ASKED for text in _unlogged(policy, asked)],
        exposed=[text for asked in _ASKED for text in _exposed(policy, asked)],
    )


def _faults(policy: Policy) -> Iterator[str]:
    """What the API server refuses."""
    if not policy.rules:
        yield "it has no rules"
    named = {name for rule in policy.rules or () for name in rule.namespaces or ()}
    if max(len(policy.rules or ()), len(named)) > _MOST:
        yield f"it has more than {_MOST:,} rules or namespaces"
    for number, rule in enumerate(policy.rules or (), start=1):
        if rule.level not in LEVELS:
            yield f"rule {number}: {shorten(rule.level, _LONGEST) or 'nothing'} is no level"
        for stage in rule.omit_stages or ():
            if stage not in _STAGES:
                yield f"rule {number}: {shorten(stage, _LONGEST)} is no stage"
        if rule.non_resource_urls and (rule.resources or rule.namespaces):
            yield f"rule {number} is about resources and about other paths"
        if any(one.resource_names and not one.resources for one in rule.resources or ()):
            yield f"rule {number} names objects of no resource"


def _covers(rule: Rule, asked: _Asked, verb: str, groups: frozenset[str]) -> list[str] | None:
    """Names of the objects that a rule is about, empty for all; None where it is about none.

    Namespaces are left to whoever asks.
    """
    if rule.users or (rule.user_groups and groups.isdisjoint(rule.user_groups)):
        return None
    if rule.verbs and verb not in rule.verbs:
        return None
    if not rule.resources:
        return None if rule.non_resource_urls and not rule.namespaces else []
    names: list[str] = []
    forms = {asked.whole, "*", f"{asked.resource}/*"}
    forms |= {f"*/{asked.part}"} if asked.part else set()
    for one in rule.resources:
        if one.group != asked.group:
            continue
        if not one.resources:
            return []
        if not forms.isdisjoint(one.resources):
            if not one.resource_names:
                return []
            names += one.resource_names
    return names if names and verb in _OF_ONE else None


class _Fate(NamedTuple):
    """What becomes of a request: level, stages that are left, and names that it is about."""

    level: str
    stages: frozenset[str]
    names: tuple[str, ...] = ()


def _fates(
    policy: Policy, asked: _Asked, verb: str, groups: frozenset[str]
) -> Iterator[tuple[str, _Fate]]:
    """Yield what becomes of requests, by namespace; what is of named objects beside it."""
    omitted = {*(policy.omit_stages or ())}
    decided: set[str] = set()
    for rule in policy.rules or ():
        names = _covers(rule, asked, verb, groups)
        if names is None:
            continue
        stages = frozenset(_STAGES) - omitted - {*(rule.omit_stages or ())}
        places = _places(rule, asked)
        fate = _Fate(rule.level, stages, tuple(names))
        yield from ((place, fate) for place in places if place not in decided)
        if not names:
            decided.update(places)
            if _ANY in places:
                return
    yield _ANY, _Fate(NONE, frozenset())


def _places(rule: Rule, asked: _Asked) -> list[str]:
    """Namespaces that a rule is about; what has none is in the empty one, as rules call it."""
    if not rule.namespaces or (not asked.namespaced and "" in rule.namespaces):
        return [_ANY]
    return [name for name in dict.fromkeys(rule.namespaces) if name] if asked.namespaced else []


def _unlogged(policy: Policy, asked: _Asked) -> Iterator[str]:
    enough = {_RECEIVED, _COMPLETE, *([_STARTED] if asked.lasting else ())}

    def lost(verb: str, fate: _Fate) -> bool:
        left = enough | ({_STARTED} if verb == "watch" else set())
        return not fate.names and (fate.level == NONE or left.isdisjoint(fate.stages))

    found = _Said(asked, asked.logged)
    for who, groups in _SUBJECTS:
        for verb in asked.logged:
            for place, fate in _fates(policy, asked, verb, groups):
                if lost(verb, fate):
                    found.add(verb, "", who, place, ())
    yield from found.texts()


def _exposed(policy: Policy, asked: _Asked) -> Iterator[str]:
    verbs = tuple(dict.fromkeys((*asked.sent, *asked.told)))
    found = _Said(asked, verbs)
    for who, groups in _SUBJECTS:
        for verb in verbs:
            for place, fate in _fates(policy, asked, verb, groups):
                deep = (fate.level == REQUEST and verb in asked.sent) or fate.level == RESPONSE
                if deep and _COMPLETE in fate.stages:
                    found.add(verb, fate.level, who, place, fate.names)
    yield from found.texts()


class _Said:
    """Requests to one resource, put in few words: what holds for all is said but once."""

    def __init__(self, asked: _Asked, verbs: tuple[str, ...]) -> None:
        self._asked, self._verbs = asked, verbs
        self._found: dict[tuple[str, str, str, tuple[str, ...]], list[str]] = {}
        self._said: set[tuple[str, str, str, str, tuple[str, ...]]] = set()

    def add(self, verb: str, level: str, who: str, place: str, names: tuple[str, ...]) -> None:
        """Note requests of somebody in a namespace, on objects of some names."""
        wider = ((w, p, n) for w in {who, ""} for p in {place, _ANY} for n in {names, ()})
        if any((verb, level, *one) in self._said for one in wider):
            return
        self._said.add((verb, level, who, place, names))
        self._found.setdefault((level, who, place, names), []).append(verb)

    def texts(self) -> Iterator[str]:
        """Yield a sentence for each group of requests alike."""
        alike: dict[tuple[str, str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
        for (level, who, place, names), found in self._found.items():
            alike.setdefault((level, who, names, tuple(found)), []).append(place)
        for (level, who, names, verbs), places in alike.items():
            told = f": {', '.join(verbs)}" if verbs != self._verbs else ""
            told += f" at {level}" if level else ""
            told += f", named {_listed(names)}" if names else ""
            told += f", by {who}" if who else ""
            told += f", in namespace {_listed(places)}" if places != [_ANY] else ""
            yield f"{self._asked.whole}{told}"


def _listed(names: Iterable[str]) -> str:
    shown = [shorten(name, _LONGEST) for name in names if name]
    more = f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else ""
    return ", ".join(shown[:_NAMED]) + more
