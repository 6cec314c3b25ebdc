"""Run Hadolint on Dockerfiles.

Source: hadolint/hadolint, ``src/Hadolint/Lint.hs``: exit code 1 is a finding, a Dockerfile that
cannot be parsed, or one that is not there; with ``--no-fail`` it is the last alone.
"""

from __future__ import annotations

from pathlib import Path

from kaudit.source.run.tool import About, Machine, Target, Tool, numbers


class Hadolint(Tool):
    """Hadolint, for Dockerfiles; what comments in them switch off is found all the same."""

    name = "hadolint"
    title = "Hadolint"
    kind = "Dockerfile"
    minimum = (2, 10)
    get = "https://github.com/hadolint/hadolint"
    finds = frozenset({1})

    def about(self, machine: Machine) -> About:
        """Ask for its version."""
        said = machine.asked(["--version"]).decode("utf-8", "replace")
        return About(".".join(map(str, numbers(said))))

    def arguments(self, target: Target) -> list[str | Path]:
        """Lint one Dockerfile, which lies in the working folder under its own name."""
        return ["--no-fail", "--format", "json", "--disable-ignore-pragma", "--", target.name]
