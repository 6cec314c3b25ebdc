"""Configuration of an image (opencontainers/image-spec, config.md) as scanners pass it on.

Of variables and of what was run only verdicts are kept.
"""

from __future__ import annotations

import msgspec

from kaudit.model.credential import masked, verdict
from kaudit.model.meta import Time

SOURCE, REVISION = "org.opencontainers.image.source", "org.opencontainers.image.revision"


class History(msgspec.Struct, gc=False, omit_defaults=True):
    """history[]; of what was run only a verdict is kept."""

    created_by: str | None = None

    def __post_init__(self) -> None:
        if self.created_by is not None:
            self.created_by = "[masked]" if masked(self.created_by) != self.created_by else None


class Settings(msgspec.Struct, gc=False, omit_defaults=True, rename="pascal"):
    """config; of variables, names and verdicts are kept."""

    user: str | None = None
    env: list[str] | None = None
    labels: dict[str, str | None] | None = None

    def __post_init__(self) -> None:
        if self.env:
            pairs = (text.partition("=") for text in self.env)
            found = [(name, verdict(name, value)) for name, _, value in pairs]
            self.env = [f"{name}={kind}" for name, kind in found if kind]
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
