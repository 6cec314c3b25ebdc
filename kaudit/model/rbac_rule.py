"""What one RBAC rule allows: the matching of the API server's RBAC authorizer.

Verb, group, resource and name must all match. ``*`` stands for everything of its own column;
``*/scale`` for that subresource of every resource; ``pods/*`` for nothing but itself. A rule
that is narrowed to names never matches a request without one. URLs match as written, or by
the part before a final ``*``. (Kubernetes v1.36, pkg/apis/rbac/v1/evaluation_helpers.go.)
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from kaudit.model.api_resources import cluster_scoped

#: Columns of tables that hold the parts of a rule, in the order of :meth:`Rule.of`.
PARTS = ("verbs", "api_groups", "resources", "resource_names", "non_resource_urls")
#: What of a namespace itself is asked with that namespace: not of all of them.
OF_ITSELF = frozenset(["get", "update", "patch", "delete"])

#: Verbs on what has no namespace that are asked with one all the same: of a namespace itself,
#: and whether a ClusterRole may be bound in the namespace of a RoleBinding.
_BOUNDED = {
    ("", "namespaces"): OF_ITSELF,
    ("rbac.authorization.k8s.io", "clusterroles"): frozenset(["bind"]),
}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the API server; a ``url`` stands for itself, without resource."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    namespace: str = ""
    url: str = ""


class Rule(msgspec.Struct, frozen=True):
    """One rule, ready to be asked.

    Attributes
    ----------
    bounded
        Granted in one namespace only: what has no namespace is then out of its reach.
    """

    verbs: frozenset[str]
    groups: frozenset[str]
    resources: frozenset[str]
    names: frozenset[str]
    urls: frozenset[str]
    bounded: bool = False

    @classmethod
    def of(cls, parts: Iterable[Iterable[str]], *, bounded: bool = False) -> Rule:
        """Return a rule of its verbs, groups, resources, names and URLs."""
        verbs, groups, resources, names, urls = map(frozenset, parts)
        return cls(verbs, groups, resources, names, urls, bounded)

    def permits(self, asked: Request) -> bool:
        """Tell whether the authorizer lets the request pass by this rule."""
        return self.permits_some(asked) and (
            bool(asked.url) or not self.names or asked.name in self.names
        )

    def permits_some(self, asked: Request) -> bool:
        """Tell whether it does for any name, of those that the rule may be narrowed to."""
        if "*" not in self.verbs and asked.verb not in self.verbs:
            return False
        if asked.url:
            return self._reaches(asked.url)
        if "*" not in self.groups and asked.group not in self.groups:
            return False
        sub = asked.subresource
        known = {"*", f"{asked.resource}/{sub}", f"*/{sub}"} if sub else {"*", asked.resource}
        return not known.isdisjoint(self.resources)

    def _reaches(self, url: str) -> bool:
        return any(
            known in ("*", url) or (known.endswith("*") and url.startswith(known.rstrip("*")))
            for known in self.urls
        )

    def allows(self, group: str, resource: str, *verbs: str) -> bool:
        """Tell whether it allows one of the verbs on a resource, whatever its name."""
        main, _, sub = resource.partition("/")
        if self.bounded and (group, main) in cluster_scoped():
            there = _BOUNDED.get((group, main), frozenset())
            verbs = tuple(verb for verb in verbs if verb in there)
        if "*" not in self.groups and group not in self.groups:
            return False
        known = {"*", resource, f"*/{sub}"} if sub else {"*", main}
        if known.isdisjoint(self.resources):
            return False
        return bool(verbs) and ("*" in self.verbs or not self.verbs.isdisjoint(verbs))

    @property
    def text(self) -> str:
        """The rule in one line."""
        groups = ",".join(sorted(g or "core" for g in self.groups))
        what = f"{groups}/{','.join(sorted(self.resources))}" if self.resources else ""
        named = f" named {','.join(sorted(self.names))}" if self.names else ""
        return f"{','.join(sorted(self.verbs))} on {what or ','.join(sorted(self.urls))}{named}"


def given_by(binding_kind: str, namespace: str, binding: str, role: str) -> str:
    """Name the binding and the role by which a subject has a rule.

    >>> given_by("RoleBinding", "shop", "web", "Role/web")
    'RoleBinding shop/web, Role/web'
    """
    place = f"{namespace}/" if namespace else ""
    return f"{binding_kind} {place}{binding}, {role}"


#: What cluster-admin is: its two rules, of resources and of URLs, in one.
EVERYTHING = Rule.of((["*"], ["*"], ["*"], [], ["*"]))
