"""Engine: who may do something, by which binding, and what one subject may do.

The answers are those of the API server's RBAC authorizer over what the evidence holds: rights
add up, nothing is denied, a RoleBinding counts in its namespace. The group system:masters,
which passes without RBAC, is told by its default binding. The node authorizer and webhooks
are not asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from kaudit import registry
from kaudit.columns import arrow, plain_rows
from kaudit.errors import InputError
from kaudit.evidence.bundle import Evidence
from kaudit.model.api_resources import ApiResource, api_resources
from kaudit.model.rbac_rule import OF_ITSELF, PARTS, Request, Rule
from kaudit.model.service_account import OF_NAMESPACE, USER, groups_of, user_of
from kaudit.model.words import Gap
from kaudit.text import meant

_TABLES = ("rbac_bindings", "rbac_rules", "roles")


class Workload(msgspec.Struct, frozen=True, order=True):
    """A workload that runs as a service account, and whether it gets a token of it."""

    kind: str
    namespace: str
    name: str
    token: bool


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A subject that may, by one binding; an empty scope is the whole cluster.

    ``names`` is what the right is narrowed to; ``workloads`` run as the subject.
    """

    subject_kind: str
    subject: str
    scope: str
    binding_kind: str
    binding: str
    role: str
    rules: tuple[str, ...]
    names: tuple[str, ...]
    assumed: bool
    workloads: tuple[Workload, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Who may, what is asked, and what weakens the answer."""

    schema: str = "kaudit/who-can/v1"
    question: Request
    grants: tuple[Grant, ...]
    narrowed: int
    complete: bool
    gaps: tuple[Gap, ...]


class Subject(msgspec.Struct, frozen=True):
    """A user as the API server sees one: a name and groups."""

    user: str
    groups: frozenset[str] = frozenset()

    @classmethod
    def of(cls, user: str, groups: Iterable[str] = ()) -> Subject:
        """Add the groups that the API server gives to everybody of the kind."""
        own: tuple[str, ...]
        if user == "system:anonymous":
            own = ("system:unauthenticated",)
        elif user.startswith(USER):
            own = groups_of(user.removeprefix(USER).partition(":")[0])
        else:
            own = ("system:authenticated",)
        return cls(user, frozenset((*groups, *own)))

    def is_(self, kind: str, name: str) -> bool:
        """Tell whether a subject of a binding is this one, or a group of it."""
        if kind == "ServiceAccount":
            return self.user == USER + name.replace("/", ":", 1)
        return name in self.groups if kind == "Group" else (kind, name) == ("User", self.user)


def request(
    evidence: Evidence,
    verb: str,
    resource: str,
    *,
    namespace: str = "",
    name: str = "",
    subresource: str = "",
) -> Request:
    """Return what is asked, as the API server would see it.

    Parameters
    ----------
    verb
        In small letters, as the API server compares it.
    resource
        ``pods``, ``pods/exec``, ``deployments.apps``, a short name, or ``/metrics``.
    subresource
        Part of the resource, where it does not stand in its name.

    Raises
    ------
    InputError
        The verb cannot be one, no kind of the cluster has the name, or the question
        contradicts itself.
    """
    if not verb.strip() or verb != verb.lower().strip():
        hint = f"write {verb.strip().lower() or 'get'}"
        raise InputError(f"{verb!r} is no verb: verbs are in small letters", hint=hint)
    if resource.startswith("/"):
        if namespace or name or subresource:
            raise InputError("a URL has no namespace, name or subresource", hint="leave them out")
        return Request(verb=verb, url=resource)
    main, _, sub = resource.partition("/")
    if sub and subresource:
        raise InputError(f"{resource!r} names a subresource already", hint="leave one out")
    found = _resource(evidence, main)
    if namespace and not found.namespaced and found.plural != "namespaces":
        hint = "leave the namespace out"
        raise InputError(f"{found.plural} are of the whole cluster", hint=hint)
    return Request(
        verb=verb,
        group=found.group,
        resource=found.plural,
        subresource=sub or subresource,
        name=name,
        namespace=namespace or (name if found.plural == "namespaces" else ""),
    )


def _resource(evidence: Evidence, text: str) -> ApiResource:
    plural, _, group = text.partition(".")
    if plural == "*":
        return ApiResource(group or "*", "*", "", frozenset(), True)
    known = [*api_resources(), *_custom(evidence)]
    names = [r for r in known if plural in (r.plural, r.singular) or plural in r.short]
    if found := [r for r in names if not group or r.group == group]:
        return min(found, key=lambda r: (r.plural != plural, r.group))
    if group:
        return ApiResource(group, plural, "", frozenset(), True)
    hint = meant(plural, sorted({r.plural for r in known}), otherwise="write it as NAME.GROUP")
    raise InputError(f"there is no resource {text!r}", hint=hint)


def _custom(evidence: Evidence) -> Iterator[ApiResource]:
    names = ("group", "plural", "defines", "scope")
    for group, plural, kind, scope in plain_rows(evidence.frames.get("crds"), *names):
        yield ApiResource(group, plural, kind.lower(), frozenset(), scope != "Cluster")


def who_can(
    evidence: Evidence,
    asked: Request,
    *,
    everywhere: bool = False,
    any_name: bool = False,
    subject: Subject | None = None,
) -> Answer:
    """Find who may do what is asked.

    Parameters
    ----------
    everywhere
        Only who may in all namespaces at once; else a request without a namespace is answered
        by those of any.
    any_name
        Also rights that are narrowed to names, where none is asked for.
    subject
        Only what this one has, itself or by its groups.
    """
    registry.load()
    found, narrowed = [], 0
    for grant, rule in _grants(evidence, subject):
        if not rule.permits_some(asked) or not _within(asked, grant, everywhere):
            continue
        if not rule.permits(asked):
            narrowed += 1
            if asked.name or not any_name:
                continue
        found.append(grant)
    gaps = gaps_of(evidence)
    return Answer(
        question=asked,
        grants=_merged(found, _workloads(evidence)),
        narrowed=0 if asked.name else narrowed,
        complete=not gaps,
        gaps=gaps,
    )


def grants_of(evidence: Evidence, subject: Subject) -> list[Grant]:
    """Find all that a subject has been granted, itself or by its groups, rule by rule."""
    registry.load()
    return sorted(
        {grant for grant, _ in _grants(evidence, subject)},
        key=lambda g: (g.scope, g.binding_kind, g.binding, g.subject, g.rules, g.names),
    )


def _grants(evidence: Evidence, subject: Subject | None) -> Iterator[tuple[Grant, Rule]]:
    """Rules of all bindings with what they grant; those that Kubernetes ignores are left out."""
    names = (
        "subject_kind",
        "subject",
        "namespace",
        "binding_kind",
        "binding",
        "role",
        "grants",
        "assumed",
        *PARTS,
    )
    table = evidence.frames.get("permissions")
    for kind, name, scope, binding_kind, binding, role, text, assumed, *parts in plain_rows(
        table, *names
    ):
        if not kind or not text or (kind == "ServiceAccount" and name.startswith("/")):
            continue
        if binding_kind == "ClusterRoleBinding" and not role.startswith("ClusterRole/"):
            continue
        if subject is not None and not subject.is_(kind, name):
            continue
        yield (
            Grant(
                subject_kind=kind,
                subject=name,
                scope=scope,
                binding_kind=binding_kind,
                binding=binding,
                role=role,
                rules=(text,),
                names=tuple(parts[3]),
                assumed=assumed,
            ),
            Rule.of(parts),
        )


def _within(asked: Request, grant: Grant, everywhere: bool) -> bool:
    """Tell whether a grant counts where it is asked for."""
    if not grant.scope:
        return True
    if asked.url:
        return False
    if asked.namespace or everywhere:
        return grant.scope == asked.namespace
    return _namespaced(asked)


def _namespaced(asked: Request) -> bool:
    if asked.resource == "namespaces" and asked.verb in OF_ITSELF:
        return not asked.group
    known = {(r.group, r.plural): r.namespaced for r in api_resources()}
    return known.get((asked.group, asked.resource), True)


def _merged(found: list[Grant], running: dict[str, tuple[Workload, ...]]) -> tuple[Grant, ...]:
    """One grant a subject and binding, with all the rules that allow it."""
    groups: dict[tuple[str, ...], list[Grant]] = {}
    for g in found:
        key = (g.subject_kind, g.subject, g.scope, g.binding_kind, g.binding, g.role)
        groups.setdefault(key, []).append(g)
    merged = []
    for _, same in sorted(groups.items()):
        free = any(not g.names for g in same)
        names = () if free else tuple(sorted({name for g in same for name in g.names}))
        merged.append(
            msgspec.structs.replace(
                same[0],
                rules=tuple(dict.fromkeys(text for g in same for text in g.rules)),
                names=names,
                workloads=running.get(f"{same[0].subject_kind}:{same[0].subject}", ()),
            )
        )
    return tuple(merged)


def _workloads(evidence: Evidence) -> dict[str, tuple[Workload, ...]]:
    """Workloads by the subject that they run as: their account, and its group and user."""
    names = ("namespace", "service_account", "owner_kind", "owner_name")
    table = evidence.frames.get("pod_tokens")
    tokens = arrow(table["token_mounted"] | table["token_projected"]).to_pylist()
    found: dict[str, dict[tuple[str, str, str], bool]] = {}
    for (namespace, account, kind, name), token in zip(
        plain_rows(table, *names), tokens, strict=True
    ):
        if not account:
            continue
        for subject in (
            f"ServiceAccount:{namespace}/{account}",
            f"User:{user_of(namespace, account)}",
            f"Group:{OF_NAMESPACE}{namespace}",
        ):
            of_subject = found.setdefault(subject, {})
            key = (kind, namespace, name)
            of_subject[key] = of_subject.get(key, False) or token
    return {
        subject: tuple(sorted(Workload(*key, token) for key, token in of_subject.items()))
        for subject, of_subject in found.items()
    }


def gaps_of(evidence: Evidence) -> tuple[Gap, ...]:
    """Gaps that may hide a right."""
    return tuple(gap for gap in evidence.gaps if not {*gap.tables}.isdisjoint(_TABLES))
