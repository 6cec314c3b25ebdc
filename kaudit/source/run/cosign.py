"""Run cosign on images: are they signed by whom they should be.

Source: sigstore/cosign, ``cmd/cosign/errors/exit_code_lookup.go`` (10 to 13 say that no signature
counts) and ``pkg/cosign/errors.go``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from kaudit.source.run.environment import caches
from kaudit.source.run.program import Ended
from kaudit.source.run.tool import About, Machine, Target, Tool

_REFUSED = frozenset({10, 11, 12, 13})
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
        """Take a refusal for the answer that it is: no signature of the image counts."""
        if ended.code == 0:
            return True
        if ended.code not in _REFUSED and not (ended.code == 1 and _NONE.search(ended.said)):
            return False
        said = f"Verification for {target.name} --\n{ended.said}"
        ended.out.write_text(said, encoding="utf-8")
        return True
