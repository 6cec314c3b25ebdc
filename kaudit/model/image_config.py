"""Configuration of an image (opencontainers/image-spec, config.md) as scanners pass it on.

Of variables and of what was run only verdicts are kept.
"""

from __future__ import annotations

import msgspec

from kaudit.model.credential import masked, verdict
from kaudit.model.meta import Time

SOURCE, REVISION = "org.opencontainers.image.source", "org.opencontainers.image.revision"


_MASKED = "[masked]"


def _seen(text: str) -> str:
    """Variable with the verdict in the place of its value; empty where it is no credential."""
    name, _, value = text.partition("=")
    if value.startswith("[masked: "):
        return text  # of a record that was read before
    kind = verdict(name, value)
    return f"{name}=[masked: {kind}]" if kind else ""


class History(msgspec.Struct, gc=False, omit_defaults=True):
    """history[]; of what was run only a verdict is kept."""

    created_by: str | None = None

    def __post_init__(self) -> None:
        if self.created_by not in (None, _MASKED):
            self.created_by = _MASKED if masked(self.created_by or "") != self.created_by else None


class Settings(msgspec.Struct, gc=False, omit_defaults=True, rename="pascal"):
    """config; of variables, names and verdicts are kept."""

    user: str | None = None
    env: list[str] | None = None
    labels: dict[str, str | None] | None = None

    def __post_init__(self) -> None:
        if self.env:
            self.env = [seen for text in self.env if (seen := _seen(text))]
        if self.labels:
            self.labels = {k: v for k, v in self.labels.items() if k in (SOURCE, REVISION)}


class ImageConfig(msgspec.Struct, gc=False, omit_defaults=True):
    """The configuration."""

    architecture: str | None = None
    created: Time | None = None
    config: Settings | None = None
    history: list[History | None] | None = None

    @property
    def credentials(self) -> list[str]:
        """Variables whose value looks like a credential, sorted."""
        env = (self.config or Settings()).env
        return sorted(text.partition("=")[0] for text in env or ())

    @property
    def telling_steps(self) -> int:
        """Steps of the history that hold what looks like a credential."""
        return sum(bool(step and step.created_by) for step in self.history or ())
