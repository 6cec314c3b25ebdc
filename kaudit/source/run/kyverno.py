"""Run kyverno on Kyverno's policies.

Source: kyverno/kyverno, ``cmd/cli/kubectl-kyverno/commands/apply``: exit code 1 is a failure of an
object, or of the run, which leaves no report on standard output.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from kaudit.model import kyverno_apply
from kaudit.source.run import kyverno_log
from kaudit.source.run.program import Ended
from kaudit.source.run.secrets import unjudged
from kaudit.source.run.tool import About, Machine, Target, Tool, folder_of, version_behind

_encode = msgspec.json.Encoder(order="sorted").encode


class Kyverno(Tool):
    """kyverno, for Kyverno's policies."""

    name = "kyverno"
    title = "kyverno apply"
    kind = "Policies"
    minimum = (1, 11)
    get = "https://kyverno.io"
    finds = frozenset({1})
    offline = True
    log = 4 << 20

    def about(self, machine: Machine) -> About:
        """Ask for its version."""
        said = machine.asked(["version"]).decode("utf-8", "replace")
        return About(version_behind("Version:", said))

    def arguments(self, target: Target) -> list[str | Path]:
        """Apply policies to all objects."""
        folder = folder_of(target)
        own = ["apply", "-v=2", "--policy-report", "--output-format=json", "--remove-color"]
        own += ["--continue-on-fail", f"--values-file={folder / 'values.yaml'}"]
        if (folder / "exceptions.yaml").is_file():
            own += [f"--exceptions={folder / 'exceptions.yaml'}"]
        followed = folder / "objects.yaml"
        objects = followed if followed.is_file() else folder.parent / "objects.yaml"
        own += [f"--resource={objects}"]
        return [*own, "--", folder / "policies.yaml"]

    def sieve(self, target: Target, run: kyverno_log.Run) -> list[str]:
        """Take out the policies that it does not load."""
        return kyverno_log.sieved(folder_of(target) / "policies.yaml", run)

    def missed(self, ended: Ended) -> list[str]:
        """Say to which objects no policy was applied."""
        return kyverno_log.missed(ended.said)

    def answers(self, target: Target, ended: Ended) -> bool:
        """Take failures for the answer that they are; put together what it prints in parts.

        The time of each result is that of the run, and is left out.
        """
        if not super().answers(target, ended):
            ended.said = kyverno_log.words(ended.said)
            return False
        unknown = {one["name"] for one in unjudged(folder_of(target))}
        heads, results, reports = [b"$ kyverno apply --policy-report\n"], [], 0
        for _, head, report in kyverno_apply.parts(ended.out.read_bytes()):
            heads.append(head)
            if isinstance(report, str):
                ended.said = f"what it printed is no report: {report}"
                return False
            if report is not None:
                reports += 1
                told = map(_timeless, report)
                results += [one for one in told if not _on_secret(one, unknown)]
        said = kyverno_apply.said_in(b"".join(heads[1:]).decode("utf-8", "replace").splitlines())
        if not reports and (ended.code or (ended.out.stat().st_size > 1 and not said.known)):
            ended.said = kyverno_log.words(ended.said) or "what it printed is no report"
            return False
        merged = {
            "kind": "ClusterReport",
            "metadata": {"name": "merged"},
            "results": sorted(results, key=_encode),
        }
        ended.out.write_bytes(b"\n".join([*heads, b"", msgspec.json.encode(merged), b""]))
        return True


def _on_secret(result: dict[str, Any], names: set[str]) -> bool:
    """Tell whether a result is of a Secret, by a policy of one of the names."""
    found = result.get("resources")
    kinds = [one.get("kind") for one in found if isinstance(one, dict)] if found else []
    return "Secret" in kinds and str(result.get("policy")).rpartition("/")[2] in names


def _timeless(raw: Any) -> dict[str, Any]:
    found = msgspec.json.decode(raw) if isinstance(raw, msgspec.Raw) else raw
    kept = found if isinstance(found, dict) else {"message": str(found)}
    kept.pop("timestamp", None)
    kept.pop("properties", None)
    return kept
