"""Who of the subjects that may read Secrets can read a given one, or those of a namespace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from kaudit.model.service_account import groups_of, user_of


class Grant(msgspec.Struct, frozen=True):
    """One rule of one subject: the namespace it holds in, and names; none means all.

    ``subject`` is ``Kind/name``, of an account ``ServiceAccount/namespace/name``.
    """

    subject: str
    namespace: str
    names: frozenset[str]
    whole: bool


class Readers:
    """Grants, ready to be asked."""

    def __init__(self, grants: Iterable[Grant]) -> None:
        self._whole: dict[str, set[str]] = {}
        self._named: dict[tuple[str, str], set[str]] = {}
        self._of: dict[str, list[Grant]] = {}
        for grant in grants:
            if grant.whole:
                self._whole.setdefault(grant.namespace, set()).add(grant.subject)
            for name in grant.names:
                self._named.setdefault((grant.namespace, name), set()).add(grant.subject)
            self._of.setdefault(grant.subject, []).append(grant)

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> Readers:
        """Take the rows of secret_readers, without those that Kubernetes made for itself."""
        return cls(
            Grant(
                f"{row['subject_kind']}/{row['subject']}",
                row["namespace"],
                frozenset(row["names"]),
                row["whole"],
            )
            for row in rows
            if row["judged"]
        )

    @property
    def everywhere(self) -> frozenset[str]:
        """Subjects that can read all Secrets of the cluster."""
        return frozenset(self._whole.get("", ()))

    def nearby(self, namespace: str, name: str) -> set[str]:
        """Subjects that can read a Secret by a right narrower than the whole cluster."""
        found = set(self._whole.get(namespace, ())) if namespace else set()
        for home in {"", namespace}:
            found |= self._named.get((home, name), set())
        return found - self.everywhere

    def of_account(self, namespace: str, account: str) -> list[Grant]:
        """Grants of a service account: its own, by its user name, and of its groups."""
        subjects = (
            f"ServiceAccount/{namespace}/{account}",
            f"User/{user_of(namespace, account)}",
            *(f"Group/{group}" for group in groups_of(namespace)),
        )
        return [grant for subject in subjects for grant in self._of.get(subject, ())]


def surplus(
    grants: Iterable[Grant], namespace: str, used: frozenset[str], known: frozenset[str]
) -> tuple[str, list[str]]:
    """How far the rights of an account reach, and what it can read but does not use.

    ``used`` and ``known`` are names of Secrets of the namespace. The reach is ``cluster``,
    ``namespace``, ``elsewhere``, ``names`` or empty; a surplus of ``*`` stands for Secrets that
    are not in the evidence.

    >>> every = Grant("ServiceAccount/a/b", "a", frozenset(), True)
    >>> surplus([every], "a", frozenset(["x"]), frozenset(["x", "y"]))
    ('namespace', ['y'])
    >>> surplus([every], "a", frozenset(["x"]), frozenset())
    ('namespace', ['*'])
    """
    reach = ""
    more: set[str] = set()
    for grant in grants:
        if grant.whole and not grant.namespace:
            return "cluster", ["*"]
        if grant.whole:
            near = grant.namespace == namespace
            reach = "namespace" if near and reach != "elsewhere" else "elsewhere"
            if near:
                more |= (known - used) if known else {"*"}
            else:
                more.add(f"{grant.namespace}/*")
            continue
        home = grant.namespace or namespace
        reach = reach or "names"
        if home == namespace:
            more |= grant.names - used
        else:
            more |= {f"{home}/{name}" for name in grant.names}
    return reach, sorted(more)
