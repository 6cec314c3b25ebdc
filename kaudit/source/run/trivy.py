"""Run Trivy on images.

Source: aquasecurity/trivy, ``pkg/flag`` (0.54 is the first whose cache can be kept in memory:
runs side by side would wait for each other's file).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from kaudit.source.run.tool import About, Machine, Target, Tool


class _Database(msgspec.Struct, rename="pascal"):
    version: int = 0
    updated_at: datetime | None = None


class _Said(msgspec.Struct):
    version: str = msgspec.field(default="", name="Version")
    database: _Database | None = msgspec.field(default=None, name="VulnerabilityDB")


class Trivy(Tool):
    """Trivy, for vulnerabilities and credentials in images."""

    name = "trivy"
    title = "Trivy"
    kind = "Image"
    minimum = (0, 54)
    get = "https://trivy.dev"
    allowed = (
        "TRIVY_CACHE_DIR",
        "TRIVY_DB_REPOSITORY",
        "TRIVY_JAVA_DB_REPOSITORY",
        "TRIVY_SKIP_DB_UPDATE",
        "TRIVY_SKIP_JAVA_DB_UPDATE",
        "TRIVY_OFFLINE_SCAN",
        "TRIVY_USERNAME",
        "TRIVY_PASSWORD",
        "TRIVY_REGISTRY_TOKEN",
        "TRIVY_INSECURE",
    )
    finds = frozenset({1})
    looks_for = ("vuln", "secret")
    cached = True

    def fixed(
        self,
        ours: Mapping[str, str],  # noqa: ARG002  the same everywhere
    ) -> dict[str, str]:
        """Ask nobody but registries."""
        return {"TRIVY_SKIP_VERSION_CHECK": "true", "TRIVY_DISABLE_TELEMETRY": "true"}

    def update(self, ours: Mapping[str, str]) -> list[str | Path]:
        """Download the database once, so that runs side by side need not."""
        kept = ours.get("TRIVY_SKIP_DB_UPDATE", "").lower() in ("1", "true")
        return [] if kept else ["image", "--download-db-only", "--no-progress"]

    def about(self, machine: Machine) -> About:
        """Ask for version and database."""
        try:
            said = msgspec.json.decode(machine.asked(["version", "--format", "json"]), type=_Said)
        except msgspec.MsgspecError:
            return About()
        database = said.database
        if database is None:
            return About(said.version)
        return About(said.version, str(database.version), database.updated_at)

    def arguments(self, target: Target) -> list[str | Path]:
        """Scan an image; the database is there already."""
        own: list[str | Path] = ["image", "--format", "json"]
        own += ["--scanners", ",".join(self.looks_for)]
        own += ["--exit-code", "0", "--no-progress", "--skip-db-update"]
        own += ["--cache-backend", "memory"]
        if not self.settings.local:
            own += ["--image-src", "remote"]
        if self.settings.ignore:
            own += ["--ignorefile", self.settings.ignore]
        for path in self.settings.vex:
            own += ["--vex", path]
        if self.settings.vex or self.settings.ignore:
            own += ["--show-suppressed"]
        return [*own, "--", target.name]
