"""Run gator on Gatekeeper's constraints.

Source: open-policy-agent/gatekeeper, ``cmd/gator/test``: exit code 1 is a violation that would be
refused, or a failure, which leaves nothing on standard output.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from kaudit.model import gator
from kaudit.source.run.objects import made_by
from kaudit.source.run.program import Ended
from kaudit.source.run.refusal import refusal
from kaudit.source.run.secrets import unjudged
from kaudit.source.run.tool import About, Machine, Target, Tool, folder_of, version_behind

_FAULTY = re.compile(
    r'\badding (?P<what>template|constraint) "(?P<name>[^"]+)"'
    r'|\bconverting unstructured "(?P<other>[^"]+)" to template'
)
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
        unknown = {(one["kind"], one["name"]) for one in unjudged(folder_of(target))}
        kept = [one for one in found or () if not (_of_secret(one) and _named(one) in unknown)]
        ended.out.write_bytes(_encode(sorted(kept, key=_encode)))
        return True

    def leave_out(self, target: Target, ended: Ended) -> str:
        """Take out the template or constraint that cannot be added, and go on without it."""
        found = _FAULTY.search(ended.said)
        if found is None or ended.code < 0:
            return ""
        what, name = found["what"] or "template", found["name"] or found["other"]
        path = folder_of(target) / "policies.yaml"
        held = [
            msgspec.json.decode(line) for line in path.read_bytes().splitlines() if line != b"---"
        ]
        kept = [one for one in held if not _is(one, what, name)]
        if what == "template":
            gone = {made_by(one).lower() for one in held if one not in kept}
            kept = [one for one in kept if one["kind"].lower() not in gone]
        if len(kept) == len(held):
            return ""
        path.write_bytes(b"".join(b"---\n" + msgspec.json.encode(one) + b"\n" for one in kept))
        why = refusal(self.title, ended.said, ended.code).detail
        return f"the {what} {name} was not evaluated: {why}"


def _of_secret(one: gator.Result) -> bool:
    return (one.violating.group, one.violating.kind) == ("", "Secret")


def _named(one: gator.Result) -> tuple[str, str]:
    return one.constraint.kind or "", one.constraint.name


def _is(one: dict[str, Any], what: str, name: str) -> bool:
    of_template = one["kind"] == "ConstraintTemplate"
    return of_template == (what == "template") and bool(one["metadata"].get("name") == name)
