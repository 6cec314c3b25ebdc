"""Waivers: accepted failures with a reason, an owner, an approver and an end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from fnmatch import fnmatchcase

import msgspec


class Waiver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One accepted failure.

    Attributes
    ----------
    id
        How reports call it.
    control
        Control id, or a glob such as ``KA-DEP-*``.
    kind, namespace, name, container
        Globs that select resources; ``*`` selects all.
    reason, owner, approver
        Why, who answers for it, who agreed.
    expires
        Last day on which it holds.
    """

    id: str
    control: str
    reason: str
    owner: str
    approver: str
    expires: date
    kind: str = "*"
    namespace: str = "*"
    name: str = "*"
    container: str = "*"

    def holds(self, as_of: datetime | None) -> bool:
        """Tell whether it has not ended; without a known date it cannot be told: False."""
        return as_of is not None and as_of.date() <= self.expires

    def covers(self, control: str, kind: str, namespace: str, name: str, container: str) -> bool:
        """Tell whether it selects a failure."""
        return (
            fnmatchcase(control, self.control)
            and fnmatchcase(kind, self.kind)
            and fnmatchcase(namespace, self.namespace)
            and fnmatchcase(name, self.name)
            and fnmatchcase(container, self.container)
        )


def covering(
    waivers: Sequence[Waiver],
    as_of: datetime | None,
    control: str,
    resource: tuple[str, str, str, str],
) -> str:
    """Id of the first waiver that holds and covers a failure; empty where none does."""
    for waiver in waivers:
        if waiver.holds(as_of) and waiver.covers(control, *resource):
            return waiver.id
    return ""
