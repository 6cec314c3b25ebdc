"""Random roles, bindings and questions, and a plain evaluator that answers them slowly."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

Object = dict[str, Any]

_GROUP = "rbac.authorization.k8s.io"
_API = f"{_GROUP}/v1"
NAMESPACES = ("red", "green", "blue")
_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "bind", "use", "*")
_GROUPS = ("", "", "apps", "example.com", "*")
_RESOURCES = (
    "pods", "pods/exec", "pods/*", "*/exec", "*/scale", "*/", "secrets", "deployments",
    "deployments/scale", "widgets", "nodes", "nodes/proxy", "*",
)  # fmt: skip
_NAMES = ("a", "b", "a.b")
_URLS = ("/healthz", "/healthz/*", "/metrics", "/api*", "*", "/logs/*")
_ASKED = ("pods", "secrets", "deployments", "widgets", "nodes", "services", "*")
_SUBS = ("", "", "", "exec", "scale", "proxy", "*")
_ASKED_URLS = ("/healthz", "/healthz/", "/healthz/ready", "/metrics", "/api", "/apis/x", "/logs")
_USERS = ("ann", "bob", "system:serviceaccount:red:app")
_TEAMS = ("dev", "ops", "system:authenticated", "system:serviceaccounts",
          "system:serviceaccounts:red")  # fmt: skip
_ACCOUNTS = (("red", "app"), ("green", "app"), ("green", "job"))


class Question(NamedTuple):
    """Who asks for what; a URL stands for itself."""

    user: str
    groups: tuple[str, ...]
    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    namespace: str = ""
    url: str = ""


def world(random: Random, prefix: str = "") -> list[Object]:
    """Roles of all kinds, some aggregated, and bindings, some to what is not there."""
    objects = [*_roles(random, prefix)]
    names = {
        kind: [(o["metadata"].get("namespace", ""), o["metadata"]["name"]) for o in objects
               if o["kind"] == kind]
        for kind in ("Role", "ClusterRole")
    }  # fmt: skip
    for number in range(12):
        meta: Object = {"name": f"{prefix}binding-{number}"}
        if random.random() < 0.6:
            meta["namespace"] = namespace = random.choice(NAMESPACES)
            kind = random.choice(("Role", "ClusterRole"))
            known = [n for place, n in names[kind] if place in ("", namespace)]
        else:
            kind, known = "ClusterRole", [n for _, n in names["ClusterRole"]]
        role = random.choice([*known, f"{prefix}gone"])
        objects.append(
            {
                "apiVersion": _API,
                "kind": "RoleBinding" if "namespace" in meta else "ClusterRoleBinding",
                "metadata": meta,
                "roleRef": {"apiGroup": _GROUP, "kind": kind, "name": role},
                "subjects": [_subject(random, meta) for _ in range(random.randint(1, 2))],
            }
        )
    return objects


def _roles(random: Random, prefix: str) -> Iterator[Object]:
    for number in range(5):
        labels = {f"{prefix}tier": random.choice(("one", "two"))} if random.random() < 0.6 else {}
        meta = {"name": f"{prefix}role-{number}", "labels": labels}
        yield {"apiVersion": _API, "kind": "ClusterRole", "metadata": meta,
               "rules": _rules(random, urls=True)}  # fmt: skip
    for number, tier in enumerate(("one", "two")):
        meta = {"name": f"{prefix}sum-{number}", "labels": {f"{prefix}tier": "two"}}
        yield {"apiVersion": _API, "kind": "ClusterRole", "metadata": meta, "rules": [],
               "aggregationRule": {"clusterRoleSelectors": [
                   {"matchLabels": {f"{prefix}tier": tier}}]}}  # fmt: skip
    for number in range(4):
        meta = {"name": f"{prefix}role-{number}", "namespace": random.choice(NAMESPACES)}
        yield {"apiVersion": _API, "kind": "Role", "metadata": meta, "rules": _rules(random)}


def _rules(random: Random, *, urls: bool = False) -> list[Object]:
    return [_rule(random, url=urls and random.random() < 0.3) for _ in range(random.randint(1, 3))]


def _rule(random: Random, *, url: bool) -> Object:
    verbs = random.sample(_VERBS, random.randint(1, 3))
    if url:
        return {"verbs": verbs, "nonResourceURLs": random.sample(_URLS, random.randint(1, 2))}
    rule: Object = {
        "verbs": verbs,
        "apiGroups": random.sample(_GROUPS, random.randint(1, 2)),
        "resources": random.sample(_RESOURCES, random.randint(1, 3)),
    }
    if random.random() < 0.3:
        rule["resourceNames"] = random.sample(_NAMES, random.randint(1, 2))
    return rule


def _subject(random: Random, binding: Object) -> Object:
    kind = random.choice(("User", "Group", "ServiceAccount"))
    if kind != "ServiceAccount":
        name = random.choice(_USERS if kind == "User" else _TEAMS)
        return {"apiGroup": _GROUP, "kind": kind, "name": name}
    namespace, name = random.choice(_ACCOUNTS)
    subject = {"kind": kind, "name": name, "namespace": namespace}
    if "namespace" in binding and random.random() < 0.3:
        del subject["namespace"]
    return subject


def question(random: Random) -> Question:
    """A user with some groups, and something that one may want."""
    user = random.choice((*_USERS, "system:serviceaccount:green:app", "eve"))
    groups = tuple(sorted(random.sample(_TEAMS, random.randint(0, 3))))
    verb = random.choice((*_VERBS, "deletecollection"))
    if random.random() < 0.2:
        return Question(user, groups, verb, url=random.choice(_ASKED_URLS))
    return Question(
        user,
        groups,
        verb,
        group=random.choice(_GROUPS),
        resource=random.choice(_ASKED),
        subresource=random.choice(_SUBS),
        name=random.choice(("", "", *_NAMES)),
        namespace=random.choice(("", *NAMESPACES)),
    )


def slowly(objects: list[Object], q: Question) -> bool:
    """Answer as the documentation of Kubernetes says, one rule after the other."""
    for binding in objects:
        if not binding["kind"].endswith("Binding"):
            continue
        place = binding["metadata"].get("namespace", "")
        if place and (place != q.namespace or q.url):
            continue
        if not any(_is(subject, q, place) for subject in binding["subjects"]):
            continue
        ref = binding["roleRef"]
        for role in objects:
            if (role["kind"], role["metadata"]["name"]) != (ref["kind"], ref["name"]):
                continue
            if role["metadata"].get("namespace", "") not in ("", place):
                continue
            if any(_allows(rule, q) for rule in _all_rules(objects, role, ())):
                return True
    return False


def _is(subject: Object, q: Question, place: str) -> bool:
    if subject["kind"] == "Group":
        return subject["name"] in q.groups
    if subject["kind"] == "User":
        return bool(subject["name"] == q.user)
    namespace = subject.get("namespace") or place
    return bool(namespace) and q.user == f"system:serviceaccount:{namespace}:{subject['name']}"


def _all_rules(objects: list[Object], role: Object, seen: tuple[str, ...]) -> Iterator[Object]:
    name = role["metadata"]["name"]
    if "aggregationRule" not in role:
        yield from role["rules"]
        return
    for other in objects:
        key = other["metadata"]["name"]
        if other["kind"] != "ClusterRole" or key == name or key in seen:
            continue
        labels = other["metadata"].get("labels", {}).items()
        for selector in role["aggregationRule"]["clusterRoleSelectors"]:
            if selector["matchLabels"].items() <= labels:
                yield from _all_rules(objects, other, (*seen, name))


def _allows(rule: Object, q: Question) -> bool:
    if q.verb not in rule["verbs"] and "*" not in rule["verbs"]:
        return False
    if q.url:
        for url in rule.get("nonResourceURLs", []):
            if url == q.url or (url[-1] == "*" and q.url[: len(url) - 1] == url[:-1]):
                return True
        return False
    if not {q.group, "*"} & {*rule.get("apiGroups", [])}:
        return False
    if "resourceNames" in rule and q.name not in rule["resourceNames"]:
        return False
    for resource in rule.get("resources", []):
        if resource == "*":
            return True
        if not q.subresource and resource == q.resource:
            return True
        if q.subresource and resource in (f"{q.resource}/{q.subresource}", f"*/{q.subresource}"):
            return True
    return False
