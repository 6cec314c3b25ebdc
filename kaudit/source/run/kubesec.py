"""Run kubesec on manifests.

Source: controlplaneio/kubesec, ``cmd/kubesec/scan.go``: exit code 2 is a score below zero or an
object that is not valid. It loads the schemas of Kubernetes from the network unless it is given
a folder of them.
"""

from __future__ import annotations

import re
from pathlib import Path

from kaudit.source.run.program import Ended
from kaudit.source.run.tool import About, Machine, Target, Tool

#: What it says of an object whose schema it could not load; it calls the object invalid.
_NO_SCHEMA = re.compile(r'failed downloading schema(?P<why>(?:[^"\\]|\\.)*)"')
_VERSION = re.compile(r"version (\S+)")


class Kubesec(Tool):
    """kubesec, for workloads in manifests."""

    name = "kubesec"
    title = "kubesec"
    kind = "Manifest"
    get = "https://kubesec.io"
    finds = frozenset({2})

    def about(self, machine: Machine) -> About:
        """Ask for its version, which builds from source do not know."""
        said = _VERSION.search(machine.asked(["version"]).decode("utf-8", "replace"))
        return About(said[1] if said and said[1] != "unknown" else "")

    def arguments(self, target: Target) -> list[str | Path]:
        """Score the workloads of one manifest, which lies in the working folder."""
        own: list[str | Path] = ["scan", "--format", "json"]
        if self.settings.schemas:
            own += ["--schema-location", self.settings.schemas]
        return [*own, "--", target.name]

    def answers(self, target: Target, ended: Ended) -> bool:
        """Tell objects that are not valid from those whose schema could not be loaded."""
        if not super().answers(target, ended):
            return False
        found = _NO_SCHEMA.search(ended.out.read_text(encoding="utf-8", errors="replace"))
        if found is None:
            return True
        why = found["why"].rpartition(": ")[2]
        ended.said = f"failed downloading schema: {why}; a folder of them is given by --schemas"
        return False
