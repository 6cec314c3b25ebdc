"""SARIF 2.1.0 as it arrives (OASIS Static Analysis Results Interchange Format).

Help texts, snippets, code flows and fixes are not declared: they are long, or they quote
what must not be kept.
"""

from __future__ import annotations

import math
import re

import msgspec
from msgspec import Raw, field

from kaudit.model.credential import masked
from kaudit.model.meta import Int
from kaudit.model.moment import moment

_PLACE = re.compile(r"\{(\d{1,3})\}")


class _Part(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """Base: fields in SARIF's spelling."""


class Text(_Part):
    """multiformatMessageString."""

    text: str | None = None

    def __post_init__(self) -> None:
        self.text = masked(self.text) if self.text else None


class Message(Text):
    """message of a result: its text, or the id of one of the rule's."""

    id: str | None = None
    arguments: list[str] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.arguments = [masked(text) for text in self.arguments] if self.arguments else None

    def filled(self, texts: dict[str, Text | None] | None) -> str | None:
        """The text, with the arguments in their places."""
        named = (texts or {}).get(self.id or "")
        text = self.text or (named.text if named else None)
        given = self.arguments or []

        def argument(found: re.Match[str]) -> str:
            place = int(found[1])
            return given[place] if place < len(given) else found[0]

        return _PLACE.sub(argument, text) if text and given else text


class Properties(_Part):
    """properties of a rule or of a result, as GitHub's code scanning reads them."""

    security_severity: str | float | None = field(default=None, name="security-severity")
    tags: list[str] | None = None

    def __post_init__(self) -> None:
        if self.security_severity in ("", None):
            self.security_severity = None
        elif not 0 <= (score := float(self.security_severity or 0)) <= 10 or math.isnan(score):
            raise ValueError(f"security-severity {self.security_severity} is none of 0 to 10")

    @property
    def score(self) -> float | None:
        """The security severity as a number."""
        return None if self.security_severity is None else float(self.security_severity)


class Defaults(_Part):
    """defaultConfiguration of a rule."""

    level: str | None = None


class Rule(_Part):
    """reportingDescriptor."""

    id: str = ""
    name: str | None = None
    short_description: Text | None = None
    full_description: Text | None = None
    message_strings: dict[str, Text | None] | None = None
    help_uri: str | None = None
    default_configuration: Defaults | None = None
    properties: Properties | None = None


class ComponentReference(_Part):
    """toolComponentReference; without an index it is the driver."""

    index: Int | None = None


class RuleReference(_Part):
    """reportingDescriptorReference."""

    id: str | None = None
    index: Int | None = None
    tool_component: ComponentReference | None = None


class Pointer(_Part):
    """Of a result only what leads to its rule."""

    rule_id: str | None = None
    rule_index: Int | None = None
    rule: RuleReference | None = None

    @property
    def named(self) -> str:
        """Id of the rule; empty where only its place is given."""
        return self.rule_id or (self.rule.id if self.rule else None) or ""

    @property
    def place(self) -> tuple[int, int]:
        """Component, 0 for the driver, and place of the rule in it; -1 where none is given."""
        reference = self.rule or RuleReference()
        index = self.rule_index if self.rule_index is not None else reference.index
        component = reference.tool_component.index if reference.tool_component else None
        return (0 if component is None else component + 1), (-1 if index is None else index)


class Artifact(_Part):
    """artifactLocation."""

    uri: str | None = None


class Region(_Part):
    """region."""

    start_line: Int | None = None


class Physical(_Part):
    """physicalLocation."""

    artifact_location: Artifact | None = None
    region: Region | None = None


class Location(_Part):
    """locations[]."""

    physical_location: Physical | None = None


class Suppression(_Part):
    """suppressions[]."""

    status: str | None = None


class Result(Pointer):
    """runs[].results[]."""

    level: str | None = None
    kind: str | None = None
    message: Message | None = None
    locations: list[Location] | None = None
    suppressions: list[Suppression] | None = None
    baseline_state: str | None = None
    properties: Properties | None = None


class FoundResult(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of one result, with its rule."""

    report: str
    position: int
    tool: str
    rule: Rule | None = None
    result: Result


class Invocation(_Part):
    """invocations[]."""

    execution_successful: bool | None = None
    start_time_utc: str | None = None
    end_time_utc: str | None = None

    def __post_init__(self) -> None:
        moment(self.start_time_utc)
        moment(self.end_time_utc)


class Run(_Part):
    """runs[] without rules and results."""

    invocations: list[Invocation] | None = None


class Report(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of one run."""

    report: str
    tool: str
    version: str | None = None
    run: Run
    findings: int = 0
    rules: int | None = None
    silent: bool = False


class Component(_Part):
    """toolComponent, its rules unread."""

    name: str | None = None
    version: str | None = None
    semantic_version: str | None = None
    rules: list[Raw] | None = None


class Program(_Part):
    """tool."""

    driver: Component = field(default_factory=Component)
    extensions: list[Component] | None = None


class Held(_Part):
    """A run, its results unread; null or none: the tool did not get so far."""

    tool: Program = field(default_factory=Program)
    results: list[Raw] | None = None
    invocations: Raw = field(default_factory=lambda: Raw(b"null"))


class Log(_Part):
    """The file."""

    version: str | None = None
    runs: list[Raw] | None = None
