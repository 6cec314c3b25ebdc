"""Run gator on Gatekeeper's constraints.

Source: open-policy-agent/gatekeeper, ``cmd/gator/test``: exit code 1 is a violation that would be
refused, or a failure, which leaves nothing on standard output.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from kaudit.model import gator
from kaudit.source.run.program import Ended
from kaudit.source.run.tool import About, Machine, Target, Tool, folder_of, version_behind

_results = msgspec.json.Decoder(list[gator.Result] | None).decode
_encode = msgspec.json.Encoder(order="sorted").encode


class Gator(Tool):
    """gator, for Gatekeeper's constraints."""

    name = "gator"
    title = "gator"
    kind = "Constraints"
    minimum = (3, 11)
    get = "https://open-policy-agent.github.io/gatekeeper"
    finds = frozenset({1})
    offline = True

    def about(self, machine: Machine) -> About:
        """Ask for its version."""
        said = machine.asked(["version"]).decode("utf-8", "replace")
        return About(version_behind("GitVersion:", said))

    def arguments(self, target: Target) -> list[str | Path]:
        """Test all objects; there are no operands."""
        folder = folder_of(target)
        files = [folder / "policies.yaml", folder.parent / "objects.yaml"]
        return ["test", "--output", "json", *(f"--filename={path}" for path in files)]

    def answers(self, target: Target, ended: Ended) -> bool:
        """Take violations for the answer that they are, in an order that is always the same."""
        if not super().answers(target, ended):
            return False
        try:
            found = _results(ended.out.read_bytes())
        except msgspec.MsgspecError as fault:
            ended.said = ended.said or f"what it printed is no list of violations: {fault}"
            return False
        ended.out.write_bytes(_encode(sorted(found or [], key=_encode)))
        return True
