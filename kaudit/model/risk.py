"""Risks: signals that meet on one workload, as a chain whose links cite evidence."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from kaudit.card import card
from kaudit.model.words import Layer, Severity


class Stage(StrEnum):
    """Where a link stands in the course of an attack, in that order."""

    ENTRY = "entry"
    WEAKNESS = "weakness"
    FOOTHOLD = "foothold"
    REACH = "reach"
    SIGN = "sign"


class Effort(StrEnum):
    """What it takes to break a link, least first."""

    SETTING = "one setting"
    POLICY = "one policy"
    RIGHTS = "fewer rights"
    ROTATION = "a rotation"
    UPGRADE = "a new image"
    REVIEW = "a review"

    @property
    def rank(self) -> int:
        """0 for the least."""
        return list(Effort).index(self)


class State(StrEnum):
    """Whether a signal or a pattern holds for a workload."""

    HOLDS = "holds"
    UNKNOWN = "unknown"


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One signal on one workload.

    Attributes
    ----------
    signal, title, layer, stage, effort, remedy
        Of the signal.
    state
        ``holds``, or ``unknown`` where the evidence does not tell.
    observed
        What was seen, where it holds.
    reason
        Why it is unknown.
    controls
        Controls that fail, where the signal rests on findings.
    urgent
        Why it will not wait; empty where it is as the others.
    table, raw, raw_line
        Where it was seen, and the raw record; empty where unknown.
    """

    signal: str
    title: str
    layer: Layer
    stage: Stage
    state: State
    effort: Effort
    remedy: str
    observed: str = ""
    reason: str = ""
    controls: tuple[str, ...] = ()
    urgent: str = ""
    table: str = ""
    raw: str = ""
    raw_line: int = 0


class Pattern(msgspec.Struct, frozen=True, kw_only=True):
    """One correlation that holds, or may hold, for a workload.

    Attributes
    ----------
    id, title, severity, layer
        Of the correlation.
    state
        Whether it is proven, or some of its signals are unknown.
    signals
        Signals that it rests on, in the order of the attack.
    breaks
        Those of them without which it would not hold.
    """

    id: str
    title: str
    severity: Severity
    layer: Layer
    state: State
    signals: tuple[str, ...]
    breaks: tuple[str, ...] = ()


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """All that meets on one workload.

    Attributes
    ----------
    rank
        From 1.
    kind, namespace, name, platform, pods
        The workload, with the pods of its most used image; or a namespace, with its pods.
    severity, state
        Of its worst pattern that holds, or else that may hold.
    because
        What its place rests on, in words.
    patterns
        Correlations that hold, or may hold.
    links
        Signals that they rest on, in the order of the attack.
    remedy
        Signal whose end breaks most of the patterns with least effort.
    """

    rank: int
    kind: str
    namespace: str
    name: str
    platform: bool
    pods: int
    severity: Severity
    state: State
    because: str
    patterns: tuple[Pattern, ...]
    links: tuple[Link, ...]
    remedy: str = ""

    @property
    def cut(self) -> Link | None:
        """The link that is best broken; None where nothing is proven."""
        return next((link for link in self.links if link.signal == self.remedy), None)

    @property
    def course(self) -> tuple[Link, ...]:
        """Links of the patterns that are proven; of those that are possible where none is."""
        patterns = [p for p in self.patterns if p.state is self.state]
        names = {name for pattern in patterns for name in pattern.signals}
        return tuple(link for link in self.links if link.signal in names)

    @property
    def stages(self) -> int:
        """Stages of an attack that links of its patterns were seen for."""
        return len({link.stage for link in self.course if link.state is State.HOLDS})

    @property
    def label(self) -> str:
        """Kind, namespace and name of the workload."""
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {where}{self.name}"

    def _repr_html_(self) -> str:
        return card(self, f"{self.rank}. {self.label}: {self.severity}")
