"""Run Grype on images.

Source: anchore/grype, ``cmd/grype/cli/options`` and ``commands/db_status.go`` (0.88 is the first
with databases of schema 6, the only ones that are still made).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from kaudit.source.run.tool import About, Machine, Target, Tool


class _Said(msgspec.Struct):
    version: str = ""


class _Status(msgspec.Struct, rename="camel"):
    schema_version: str = ""
    built: datetime | None = None


class Grype(Tool):
    """Grype, for vulnerabilities in images."""

    name = "grype"
    title = "Grype"
    kind = "Image"
    minimum = (0, 88)
    get = "https://github.com/anchore/grype"
    allowed = ("GRYPE_DB_", "GRYPE_REGISTRY_")
    finds = frozenset({1, 2})
    cached = True

    def fixed(
        self,
        ours: Mapping[str, str],  # noqa: ARG002  the same everywhere
    ) -> dict[str, str]:
        """Let runs side by side leave the database alone: it was updated before them."""
        return {"GRYPE_CHECK_FOR_APP_UPDATE": "false", "GRYPE_DB_AUTO_UPDATE": "false"}

    def update(self, ours: Mapping[str, str]) -> list[str | Path]:
        """Update the database."""
        kept = ours.get("GRYPE_DB_AUTO_UPDATE", "").lower() in ("0", "false")
        return [] if kept else ["db", "update"]

    def about(self, machine: Machine) -> About:
        """Ask for version and database."""
        try:
            said = msgspec.json.decode(machine.asked(["version", "-o", "json"]), type=_Said)
        except msgspec.MsgspecError:
            return About()
        try:
            told = machine.asked(["db", "status", "-o", "json"])
            status = msgspec.json.decode(told, type=_Status)
        except msgspec.MsgspecError:
            return About(said.version)
        return About(said.version, status.schema_version, status.built)

    def arguments(self, target: Target) -> list[str | Path]:
        """Scan an image."""
        own: list[str | Path] = ["--output", "json"]
        for path in self.settings.vex:
            own += ["--vex", path]
        if self.settings.local:
            return [*own, "--from", "docker,podman,registry", "--", target.name]
        return [*own, "--", f"registry:{target.name}"]
