"""The roles and bindings that Kubernetes makes for itself: known by name *and* by content.

The files beside this module hold what an API server of Kubernetes v1.36 makes at its first
start, without what the controller of aggregation fills in, and the bindings of kubeadm. A
label or a prefix proves nothing: whoever may write roles may write those too.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import msgspec

from kaudit.model.rbac import PolicyRule, Role
from kaudit.model.rbac_rule import Rule
from kaudit.model.rights import flags_of

#: Kind, namespace and name of a role.
RoleKey = tuple[str, str, str]
#: Filled by the controller of aggregation; their content is that of others.
_AGGREGATED = frozenset(["admin", "edit", "view"])
_REVIEWS = frozenset(["selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"])


@cache
def default_roles() -> tuple[Role, ...]:
    """Return the ClusterRoles, and the Roles of kube-system and kube-public."""
    content = files("kaudit.model").joinpath("default_roles.json").read_bytes()
    return tuple(msgspec.json.decode(content, type=list[Role]))


@cache
def default_bindings() -> frozenset[tuple[str, ...]]:
    """Kind, namespace, name, role kind, role, subject kind and subject of default bindings."""
    text = files("kaudit.model").joinpath("default_bindings.csv").read_text(encoding="utf-8")
    return frozenset(tuple(row) for row in list(csv.reader(text.splitlines()))[1:])


def parts_of(found: PolicyRule) -> tuple[tuple[str, ...], ...]:
    """Verbs, groups, resources, names and URLs of a rule of the wire."""
    parts = (
        found.verbs,
        found.api_groups,
        found.resources,
        found.resource_names,
        found.non_resource_urls,
    )
    return tuple(tuple(part or ()) for part in parts)


@cache
def _by_key() -> dict[RoleKey, Role]:
    return {
        (role.kind, role.metadata.namespace or "", role.metadata.name or ""): role
        for role in default_roles()
    }


@cache
def _leads(key: RoleKey) -> frozenset[str] | None:
    """What a default role leads to; None where it is none."""
    role = _by_key().get(key)
    if role is None:
        return None
    flags = [flags_of(Rule.of(parts_of(rule))) for rule in role.rules or ()]
    return frozenset(name for one in flags for name, is_ in one.items() if is_)


def is_default_role(key: RoleKey, rules: Iterable[Rule]) -> bool:
    """Tell whether a role is a default that leads to nothing that the default does not.

    Versions of Kubernetes differ in what their defaults say, hardly in what they lead to.
    """
    known = _leads(key)
    if known is None:
        return False
    return key[2] in _AGGREGATED or _within(rules, known)


def is_default_binding(key: tuple[str, ...], rules: Iterable[Rule], *, to_all: bool) -> bool:
    """Tell whether a binding and subject are a default whose role was not made stronger.

    Parameters
    ----------
    key
        As in :func:`default_bindings`.
    rules
        Of the role bound.
    to_all
        The subject is everyone or anonymous: then the rules may only inform.
    """
    if key not in default_bindings():
        return False
    given = [*rules]
    role = (key[3], key[1] if key[3] == "Role" else "", key[4])
    if to_all and not all(map(_informs, given)):
        return False
    return _within(given, _leads(role) or frozenset())


def _within(rules: Iterable[Rule], known: frozenset[str]) -> bool:
    return all(not is_ or name in known for r in rules for name, is_ in flags_of(r).items())


def _informs(rule: Rule) -> bool:
    """Tell of a rule whether it only shows what everybody may see."""
    if not rule.resources:
        return rule.verbs <= {"get", "head"} and "*" not in rule.urls
    if rule.resources <= _REVIEWS:
        return rule.verbs <= {"create"}
    return rule.resources == {"configmaps"} and rule.names == {"cluster-info"}
