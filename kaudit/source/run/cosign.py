"""Run cosign on images: are they signed by whom they should be.

Source: sigstore/cosign, ``cmd/cosign/errors/exit_codes.go`` (10, 12 and 13 say that no signature
counts; 11 that there is no image) and ``pkg/cosign/errors.go``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from kaudit.source.run.environment import caches
from kaudit.source.run.program import Ended
from kaudit.source.run.tool import About, Machine, Target, Tool

_REFUSED = frozenset({10, 12, 13})
#: What it says where there are signatures, and none is by the key or identity.
_NONE = re.compile(r"^Error: .*\bno (matching )?(signatures|attestations)\b", re.MULTILINE)


class _Said(msgspec.Struct, rename="camel"):
    git_version: str = ""


class Cosign(Tool):
    """cosign, for signatures of images."""

    name = "cosign"
    title = "cosign"
    kind = "Image"
    minimum = (2, 0)
    get = "https://github.com/sigstore/cosign"
    allowed = ("COSIGN_REPOSITORY", "SIGSTORE_", "TUF_")

    def fixed(self, ours: Mapping[str, str]) -> dict[str, str]:
        """Keep the roots of trust between runs."""
        root = caches(ours) / "kaudit" / "sigstore"
        return {"TUF_ROOT": ours.get("TUF_ROOT") or str(root)}

    def about(self, machine: Machine) -> About:
        """Ask for its version."""
        try:
            said = msgspec.json.decode(machine.asked(["version", "--json"]), type=_Said)
        except msgspec.MsgspecError:
            return About()
        return About(said.git_version)

    def arguments(self, target: Target) -> list[str | Path]:
        """Verify the signatures of an image."""
        chosen = self.settings
        own: list[str | Path] = ["verify", "--output", "json"]
        if chosen.key is not None:
            own += ["--key", chosen.key]
            own += ["--insecure-ignore-tlog=true"] if chosen.without_log else []
        else:
            own += ["--certificate-identity", chosen.identity]
            own += ["--certificate-oidc-issuer", chosen.issuer]
        return [*own, "--", target.name]

    def answers(self, target: Target, ended: Ended) -> bool:
        """Take a refusal for the answer that it is: no signature of the image counts.

        What is kept is what a terminal would show: the command, what was checked, and the JSON.
        """
        refused = ended.code in _REFUSED or (ended.code == 1 and bool(_NONE.search(ended.said)))
        if ended.code and not refused:
            return False
        by = f"--key {self.settings.key.name}" if self.settings.key else "--certificate-identity"
        shown = [f"cosign verify {by} {target.name}", f"Verification for {target.name} --"]
        # Of the rest only whole kinds of lines: registries may say anything in between.
        kept = "Error: " if refused else ("The following checks ", "  - ")
        shown += [line for line in ended.said.splitlines() if line.startswith(kept)]
        json = "" if refused else ended.out.read_text(encoding="utf-8", errors="replace")
        ended.out.write_text("\n".join([*shown, json]), encoding="utf-8")
        return True
