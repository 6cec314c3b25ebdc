"""GitHub Actions workflows as they are written (docs.github.com, workflow syntax).

Values that look like credentials are replaced by what kind they look like.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import field

from kaudit.model.credential import by_shape, masked, verdict

_EXPRESSION = re.compile(r"\$\{\{[^}]*\}\}")
Scalar = str | int | float | bool | None


class Written(msgspec.Struct, gc=False, omit_defaults=True, rename="kebab"):
    """Base: names with hyphens."""


def _safe(pairs: dict[str, Scalar] | None) -> dict[str, Scalar] | None:
    return pairs and {name: _safe_value(name, value) for name, value in pairs.items()}


def _safe_value(name: str, value: Scalar) -> Scalar:
    if not isinstance(value, str) or value.startswith(MASKED):
        return value
    # What an expression gives is not written in the file; what stands beside it is.
    beside = _EXPRESSION.sub("", value)
    kind = verdict(name, value) if beside == value else by_shape(beside)
    return f"{MASKED}{kind}]" if kind else masked(value)


MASKED = "[masked: "


class Step(Written):
    """jobs.ID.steps[]."""

    name: str | None = None
    uses: str | None = None
    run: str | None = None
    shell: str | None = None
    if_: Scalar = field(default=None, name="if")
    with_: dict[str, Scalar] | None = field(default=None, name="with")
    env: dict[str, Scalar] | None = None
    continue_on_error: Scalar = None

    def __post_init__(self) -> None:
        self.with_, self.env = _safe(self.with_), _safe(self.env)
        if self.run:
            self.run = "\n".join(masked(line) for line in self.run.splitlines())

    def given(self, name: str) -> str | None:
        """Text of an input, None where it is not given."""
        value = (self.with_ or {}).get(name)
        return None if value is None else str(value).strip()


class Head(Written):
    """What a workflow says beside its jobs."""

    name: str | None = None
    triggers: list[str] = []
    permissions: str | dict[str, str | None] | None = None
    env: dict[str, Scalar] | None = None

    def __post_init__(self) -> None:
        self.env = _safe(self.env)


class Job(Written):
    """jobs.ID without its steps."""

    name: str | None = None
    uses: str | None = None
    permissions: str | dict[str, str | None] | None = None
    env: dict[str, Scalar] | None = None
    continue_on_error: Scalar = None

    def __post_init__(self) -> None:
        self.env = _safe(self.env)


class Workflow(Written, kw_only=True):
    """Record of one workflow."""

    report: str
    file: str
    head: Head
    jobs: int
    steps: int


class FoundStep(Written, kw_only=True):
    """Record of one step; a job that calls another workflow has the one step 0."""

    report: str
    file: str
    head: Head
    job_id: str
    job: Job
    position: int
    number: int
    step: Step


def triggers(written: Any) -> list[str]:
    """Events of ``on``: one name, a list of them, or a mapping by name.

    >>> from kaudit.model.workflow import triggers
    >>> triggers({"push": None, "pull_request": {"branches": ["main"]}})
    ['pull_request', 'push']
    """
    if isinstance(written, str):
        return [written]
    if isinstance(written, (list, dict)):
        return sorted(str(name) for name in written)
    return []


def writes(permissions: str | dict[str, str | None] | None) -> list[str]:
    """Scopes that may be written, sorted; ``*`` stands for all."""
    if isinstance(permissions, str):
        return ["*"] if permissions == "write-all" else []
    return sorted(name for name, level in (permissions or {}).items() if level == "write")
