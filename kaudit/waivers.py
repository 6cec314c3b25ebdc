"""Waivers: accepted failures with a reason, an owner, an approver and an end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from kaudit.card import card
from kaudit.errors import InputError, WaiverError


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

    Examples
    --------
    >>> from datetime import date
    >>> waiver = ka.Waiver(
    ...     id="W-1",
    ...     control="KA-DEP-001",
    ...     namespace="falco",
    ...     reason="the sensor loads its probe into the kernel",
    ...     owner="platform team",
    ...     approver="head of security",
    ...     expires=date(2026, 12, 31),
    ... )
    >>> a = ka.assess("demo.kaudit", control="KA-DEP-001", waivers=[waiver])
    >>> dict(zip(a.findings["name"], a.findings["waiver"]))
    {'builder': '', 'falco': 'W-1', 'calico-node': '', 'kube-proxy': ''}
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

    def _repr_html_(self) -> str:
        return card(self, f"Waiver {self.id}")

    def holds(self, as_of: datetime | None) -> bool:
        """Tell whether it has not ended.

        Parameters
        ----------
        as_of
            Moment of the evidence; None, where nobody knows it: then it holds for nothing.

        Returns
        -------
        bool
            True up to the last day, that day included.
        """
        return as_of is not None and as_of.date() <= self.expires

    def covers(self, control: str, kind: str, namespace: str, name: str, container: str) -> bool:
        """Tell whether it selects a failure.

        Parameters
        ----------
        control
            Id of the control that fails.
        kind, namespace, name, container
            The resource; empty texts where it has no such part.

        Returns
        -------
        bool
            True where all of its globs match.
        """
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


class _File(msgspec.Struct, forbid_unknown_fields=True):
    waivers: list[Waiver]


def load_waivers(path: Path) -> tuple[Waiver, ...]:
    """Read a YAML file with a list ``waivers``.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    tuple of Waiver
        As they stand in it.

    Raises
    ------
    InputError
        The file cannot be read.
    WaiverError
        A waiver lacks a field, has an unknown one or an empty reason, or two share an id.
    """
    from kaudit.model.yaml_stream import one

    try:
        content = one(path.read_bytes(), str(path))
    except OSError as fault:
        raise InputError(f"cannot be read: {fault.strerror}", where=path) from None
    return _checked(content, str(path))


def accepted(waivers: str | Path | Sequence[Waiver]) -> tuple[Waiver, ...]:
    """Take waivers as somebody calls them.

    Parameters
    ----------
    waivers
        Path of a file, an empty text for none, or a list of them.

    Returns
    -------
    tuple of Waiver
        In the order in which they were given.

    Raises
    ------
    InputError
        It is neither, or the file cannot be read.
    WaiverError
        As for :func:`load_waivers`.
    """
    if isinstance(waivers, str | Path):
        return load_waivers(Path(waivers)) if str(waivers) else ()
    if not isinstance(waivers, list | tuple):
        raise InputError(f"waivers are a {type(waivers).__name__}", hint=_TAKEN)
    for waiver in waivers:
        if not isinstance(waiver, Waiver):
            raise InputError(f"one of the waivers is a {type(waiver).__name__}", hint=_TAKEN)
    try:
        content = {"waivers": [msgspec.to_builtins(waiver) for waiver in waivers]}
    except TypeError as fault:
        raise WaiverError(f"waivers: {fault}") from None
    return _checked(content, "waivers")


_TAKEN = "give the path of a YAML file, or a list of kaudit.Waiver"


def _checked(content: object, where: str) -> tuple[Waiver, ...]:
    try:
        found = msgspec.convert(content, _File).waivers
    except msgspec.ValidationError as fault:
        raise WaiverError(
            f"{where}: {fault}; a waiver has id, control, reason, owner, approver and expires"
        ) from None
    seen: set[str] = set()
    for waiver in found:
        if waiver.id in seen:
            raise WaiverError(f"{where}: two waivers have the id {waiver.id}")
        seen.add(waiver.id)
        for name in ("id", "reason", "owner", "approver"):
            if not getattr(waiver, name).strip():
                raise WaiverError(f"{where}: waiver {waiver.id or '?'} has an empty {name}")
    return tuple(found)
