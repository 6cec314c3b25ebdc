"""Frameworks, their requirements, and how strongly a control speaks on one."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from kaudit.model.words import Layer, Severity


class Origin(StrEnum):
    """The best single place to see whether a requirement is met."""

    API = "api"
    NODE = "node"
    REGISTRY = "registry"
    EVENTS = "events"
    MANUAL = "manual"


class Coverage(StrEnum):
    """What the whole catalogue of controls can say about a requirement at best."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"


class Strength(StrEnum):
    """How much a control says about a requirement, strongest first.

    ``full``: alone, or together with the other ``full`` controls of the requirement, it
    decides it. ``partial``: it tests a part; of the rest a person concludes. ``supporting``:
    it tests something else that bears on the requirement.
    """

    FULL = "full"
    PARTIAL = "partial"
    SUPPORTING = "supporting"

    @property
    def rank(self) -> int:
        """0 for full to 2 for supporting."""
        return list(Strength).index(self)


class Requirement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A numbered item of a framework.

    Attributes
    ----------
    framework, id
        What it is known by; the id is the publisher's for the version of the framework.
    title
        A few words, for people who know the framework.
    section
        Heading that it stands under.
    assessable_from, also_from
        The best place to see whether it is met; others, in words.
    coverage
        What the whole catalogue of controls can say at best.
    profile, assessment
        Of CIS: level, and whether its authors call it automated or manual.
    since, until
        First and last version that has it; ``until`` is empty for the current ones.
    note
        What else a reader of the id must know.
    cis_kubernetes
        The same recommendation in the CIS Kubernetes Benchmark.
    earlier
        Pairs of an earlier version of the framework and the id there.
    controls
        Pairs of a control and how strongly it speaks on it, where the framework's own file
        says so; most of the mapping is apart.
    """

    framework: str
    id: str
    title: str
    section: str
    assessable_from: Origin
    coverage: Coverage
    also_from: str = ""
    profile: str = ""
    assessment: str = ""
    since: str = ""
    until: str = ""
    note: str = ""
    cis_kubernetes: str = ""
    earlier: tuple[tuple[str, str], ...] = ()
    controls: tuple[tuple[str, Strength], ...] = ()

    @property
    def current(self) -> bool:
        """False where only earlier versions of the framework have it."""
        return not self.until


class Framework(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An outside catalogue.

    Attributes
    ----------
    id
        ``cis-kubernetes``; what references name.
    name, version, publisher, url
        As the publisher gives them; to be shown beside every id.
    notice
        Sentence on rights and limits, to be printed wherever requirements are.
    requirements
        By id, in the publisher's order.
    """

    id: str
    name: str
    version: str
    publisher: str
    url: str
    notice: str
    requirements: dict[str, Requirement]


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A control speaks on a requirement."""

    control: str
    framework: str
    requirement: str
    strength: Strength


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One number of the catalogue, with or without a control that tests it yet.

    Attributes
    ----------
    id
        ``KA-DEP-029``; controls have it, or it with a letter.
    layer, severity
        As planned; the control itself decides.
    fault
        What such a control would find.
    """

    id: str
    layer: Layer
    severity: Severity
    fault: str
