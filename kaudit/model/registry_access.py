"""Who may do what in a registry, as registries and clouds write it.

Sources: goharbor/harbor, API v2.0 (projects, members, robots) and its roles; project-zot/zot,
examples/README.md; distribution/distribution, configuration reference; Amazon ECR, repository
policies; Google Artifact Registry, access control with IAM.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import msgspec

from kaudit.model.credential import masked
from kaudit.model.meta import Int
from kaudit.model.written import items, mapping, texts

ANONYMOUS, EVERYONE = "anonymous", "everyone"
PULL, PUSH, DELETE, ADMIN = "pull", "push", "delete", "admin"
ALL = (PULL, PUSH, DELETE, ADMIN)
#: Roles of Harbor by their number.
_HARBOR = {
    1: ALL,
    2: (PULL, PUSH),
    3: (PULL,),
    4: (PULL, PUSH, DELETE),
    5: (PULL,),
}
_ZOT = {"read": PULL, "create": PUSH, "update": PUSH, "delete": DELETE}
#: Actions of Amazon ECR that make up each of ours.
_ECR = {
    PULL: ("ecr:batchgetimage", "ecr:getdownloadurlforlayer"),
    PUSH: ("ecr:putimage",),
    DELETE: ("ecr:batchdeleteimage", "ecr:deleterepository"),
    ADMIN: ("ecr:setrepositorypolicy",),
}
_GOOGLE = {
    "roles/artifactregistry.reader": (PULL,),
    "roles/artifactregistry.writer": (PULL, PUSH),
    "roles/artifactregistry.repoAdmin": (PULL, PUSH, DELETE),
    "roles/artifactregistry.admin": ALL,
    "roles/artifactregistry.createOnPushWriter": (PULL, PUSH),
    "roles/artifactregistry.createOnPushRepoAdmin": (PULL, PUSH, DELETE),
    "roles/storage.objectViewer": (PULL,),
    "roles/storage.legacyBucketReader": (PULL,),
    "roles/storage.legacyBucketWriter": (PULL, PUSH, DELETE),
    "roles/storage.objectAdmin": (PULL, PUSH, DELETE),
    "roles/storage.admin": ALL,
    "roles/viewer": (PULL,),
    "roles/editor": (PULL, PUSH, DELETE),
    "roles/owner": ALL,
}
_MEMBERS = {
    "allUsers": ANONYMOUS,
    "allAuthenticatedUsers": EVERYONE,
    "serviceAccount": "account",
    "user": "user",
    "group": "group",
    "domain": "group",
}


class Grant(NamedTuple):
    """What somebody may do with some repositories.

    ``actions`` is None where a role is not known; ``conditional`` where something else decides
    too. ``everywhere`` says that the repositories are all of the registry.
    """

    system: str
    repository: str
    subject: str
    kind: str
    actions: tuple[str, ...] | None
    role: str | None = None
    everywhere: bool = False
    conditional: bool = False
    active: bool = True
    expires: int | None = None


class FoundGrant(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of one grant.

    Attributes
    ----------
    expires
        Seconds since 1970; None where it does not end, or nothing is told.
    """

    report: str
    position: int
    file: str
    system: str
    repository: str
    subject: str
    kind: str
    actions: list[str] | None = None
    role: str | None = None
    everywhere: bool = False
    conditional: bool = False
    active: bool = True
    expires: Int | None = None


def of_harbor(listed: list[Any]) -> Iterator[Grant | str]:
    """Projects, members of a project, or robots."""
    for item in listed:
        held = mapping(item, "it")
        if "permissions" in held:
            yield from _of_robot(held)
        elif "role_id" in held:
            yield _of_member(held)
        elif "metadata" in held:
            public = _text(mapping(held["metadata"], "metadata").get("public")) == "true"
            actions = (PULL,) if public else ()
            name = _text(held.get("name")) or "unknown"
            yield Grant("harbor", f"{name}/**", ANONYMOUS, ANONYMOUS, actions)
        else:
            yield "neither a project, a member nor a robot"


def _of_member(held: dict[str, Any]) -> Grant | str:
    name, role = _text(held.get("entity_name")), held.get("role_id")
    if not name or not isinstance(role, int):
        return "a member without name or role"
    return Grant(
        "harbor",
        f"project {held.get('project_id', 'unknown')}",
        name,
        "group" if held.get("entity_type") == "g" else "user",
        _HARBOR.get(role),
        _text(held.get("role_name")) or str(role),
    )


def _of_robot(held: dict[str, Any]) -> Iterator[Grant | str]:
    expires, name = held.get("expires_at"), _text(held.get("name"))
    if not name or not isinstance(held["permissions"], list):
        yield "a robot without name or permissions"
        return
    for found in held["permissions"]:
        permission = mapping(found, "it")
        if permission.get("kind") == "system":
            continue  # of the server, not of repositories
        access = [mapping(one, "access") for one in items(permission.get("access"))]
        allowed = {
            _text(one.get("action"))
            for one in access
            if one.get("resource") in ("repository", "*") and one.get("effect") != "deny"
        }
        actions = ALL if "*" in allowed else tuple(name for name in ALL if name in allowed)
        namespace = _text(permission.get("namespace")) or "unknown"
        yield Grant(
            "harbor",
            "**" if namespace == "*" else f"{namespace}/**",
            name,
            "robot",
            actions,
            everywhere=namespace == "*",
            conditional=any(one.get("effect") == "deny" for one in access),
            active=held.get("disable") is not True,
            expires=expires if isinstance(expires, int) and 0 < expires < 2**40 else None,
        )


def of_zot(document: dict[str, Any]) -> Iterator[Grant | str]:
    """Configuration of zot: without access control, whoever is let in may do everything."""
    http = mapping(document.get("http"), "http")
    control = mapping(http.get("accessControl"), "accessControl")
    known = bool(mapping(http.get("auth"), "auth")) or "cacert" in mapping(http.get("tls"), "tls")
    if not control:
        kind = EVERYONE if known else ANONYMOUS
        yield Grant("zot", "**", kind, kind, ALL, everywhere=True)
        return
    named = ("adminPolicy", "groups", "metrics", "repositories")
    older = {name: rules for name, rules in control.items() if name not in named}
    for pattern, found in {**older, **mapping(control.get("repositories"), "repositories")}.items():
        rules = mapping(found, "it")
        for policy in items(rules.get("policies")):
            yield from _of_policy(pattern, policy, ())
        for name, kind in (("defaultPolicy", EVERYONE), ("anonymousPolicy", ANONYMOUS)):
            if name in rules:
                actions = _of_zot(rules[name])
                yield Grant("zot", pattern, kind, kind, actions, everywhere=pattern == "**")
    if "adminPolicy" in control:
        yield from _of_policy("**", control["adminPolicy"], (ADMIN,))


def _of_policy(pattern: str, found: Any, more: tuple[str, ...]) -> Iterator[Grant | str]:
    policy = mapping(found, "it")
    actions = _of_zot(policy.get("actions"))
    for name, kind in (("users", "user"), ("groups", "group")):
        for subject in texts(policy.get(name), name):
            everywhere = pattern == "**"
            yield Grant("zot", pattern, subject, kind, (*actions, *more), everywhere=everywhere)


def _of_zot(found: Any) -> tuple[str, ...]:
    given = {_ZOT.get(action) for action in texts(found, "actions")}
    return tuple(name for name in ALL if name in given)


def of_distribution(document: dict[str, Any]) -> Iterator[Grant | str]:
    """Configuration of a distribution registry, which tells users apart only by a token."""
    auth = mapping(document.get("auth"), "auth")
    written = document.get("storage")
    storage = mapping(None if isinstance(written, str) else written, "storage")
    maintenance = mapping(storage.get("maintenance"), "maintenance")
    deletes = mapping(storage.get("delete"), "delete").get("enabled") is True
    fixed = (
        mapping(maintenance.get("readonly"), "readonly").get("enabled") is True
        or "proxy" in document
    )
    actions = (PULL,) if fixed else (PULL, PUSH, DELETE) if deletes else (PULL, PUSH)
    kind = EVERYONE if auth else ANONYMOUS
    yield Grant(
        "distribution",
        "**",
        kind,
        kind,
        None if "token" in auth else actions,
        next(iter(auth), "no authentication"),
        everywhere=True,
    )


def of_ecr(document: dict[str, Any]) -> Iterator[Grant | str]:
    """Policy of a repository of Amazon ECR, with or without what the command puts around it."""
    name = document.get("repositoryName")
    policy = document
    if "policyText" in document:
        policy = mapping(msgspec.json.decode(_text(document["policyText"])), "policyText")
    statements = [mapping(one, "Statement") for one in items(policy.get("Statement"))]
    denied = any(one.get("Effect") != "Allow" for one in statements)
    for statement in statements:
        if statement.get("Effect") != "Allow":
            continue
        actions = _of_ecr(statement)
        for subject in _principals(statement):
            yield Grant(
                "ecr",
                name if isinstance(name, str) and name else "unknown",
                subject,
                EVERYONE if subject == "*" else "account",
                actions,
                conditional=denied or bool(statement.get("Condition")),
            )
        if not _principals(statement):
            yield "a statement that names nobody"


def _of_ecr(statement: dict[str, Any]) -> tuple[str, ...] | None:
    if "Action" not in statement:
        return None
    patterns = [one.lower() for one in texts(statement["Action"], "Action")]
    return tuple(
        ours
        for ours, theirs in _ECR.items()
        if any(fnmatchcase(action, pattern) for action in theirs for pattern in patterns)
    )


def _principals(statement: dict[str, Any]) -> list[str]:
    found = statement.get("Principal")
    named = found if isinstance(found, dict) else {"": found}
    return [one for names in named.values() for one in texts(names, "Principal")]


def of_google(document: dict[str, Any]) -> Iterator[Grant | str]:
    """IAM policy of a repository of Artifact Registry, or of the bucket behind one."""
    for found in items(document.get("bindings")):
        binding = mapping(found, "it")
        role = _text(binding.get("role"))
        for member in texts(binding.get("members"), "members"):
            start, _, rest = member.partition(":")
            yield Grant(
                "google",
                "unknown",
                rest or start,
                _MEMBERS.get(start, "account"),
                _GOOGLE.get(role),
                role,
                conditional=bool(binding.get("condition")),
                active=start != "deleted",
            )


def record(grant: Grant) -> dict[str, Any]:
    """Members of the record of a grant."""
    texts = {name: masked(getattr(grant, name)) for name in ("repository", "subject")}
    return {**grant._asdict(), **texts}


def _text(found: Any) -> str:
    return found if isinstance(found, str) else ""
