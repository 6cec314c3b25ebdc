"""What cosign says around the JSON that it prints: of which image, what was checked, what failed.

Text on standard error and JSON on standard output often end in one file. Sources:
sigstore/cosign, ``cmd/cosign/cli/verify`` and ``pkg/cosign/errors.go``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import msgspec

_START = re.compile(r"^[ \t]*(?=\{|\[\s*[{\]])", re.MULTILINE)
_decode = json.JSONDecoder().raw_decode
_IMAGE = re.compile(r"^Verification for (?P<image>.+?) --\s*$")
_CHECK = re.compile(r"^\s+- (?P<check>.+)$")
_COMMAND = re.compile(r"\bcosign verify\S*(?P<rest>\s.*)$")
_KEY = re.compile(r"--key[ =](?P<key><[^<>]*>://<[^<>]*>|\S+)")
_ERROR = re.compile(r"^(?:main\.go:\d+: error during command execution|Error): (?P<what>.+)$")
_REFUSED = re.compile(
    r"no (?:matching|valid) (?:signatures|attestations)|no (?:signatures|attestations) found"
    r"|none of the expected identities matched|found no valid attestations"
    r"|no matching CertificateIdentity|invalid signature when validating",
    re.IGNORECASE,
)
_KMS = re.compile(r"^(?:\w*kms|hashivault|k8s|pkcs11|<[^<>]*>)://")
_LONGEST = 400


class Printed(msgspec.Struct):
    """One JSON document, the text before it, or what is wrong with it.

    ``raw`` is empty for the text after the last document.
    """

    before: str
    raw: str = ""
    fault: str = ""


def printed(text: str) -> Iterator[Printed]:
    """Yield the JSON documents that begin a line, and the text between them.

    After a document that is broken nothing is looked for: what follows are its parts.
    """
    at = 0
    while found := _START.search(text, at):
        before, start = text[at : found.end()], found.end()
        try:
            _, at = _decode(text, start)
        except (ValueError, RecursionError) as fault:
            line = text.count("\n", 0, start) + 1
            yield Printed(before, fault=f"line {line}: the JSON ends or breaks: {fault}")
            return
        yield Printed(before, text[start:at])
    yield Printed(text[at:])


class Said:
    """What the text has said so far.

    Attributes
    ----------
    image
        Image that the verification is of, empty where none was named.
    checks
        What was checked.
    key
        ``--key`` of a command that is shown.
    refused
        Verifications that failed, in the tool's words.
    broken
        Errors that say nothing of signatures: the tool could not look.
    """

    def __init__(self) -> None:
        self.image, self.key = "", ""
        self.checks: list[str] = []
        self.refused: list[str] = []
        self.broken: list[str] = []

    @property
    def verified(self) -> bool:
        """Whether what follows has been verified."""
        return bool(self.checks)

    def read(self, text: str) -> None:
        """Take the next lines."""
        for line in text.splitlines():
            if found := _IMAGE.match(line):
                self.image, self.checks = found["image"], []
            elif found := _CHECK.match(line):
                self.checks.append(found["check"].strip())
            elif found := _ERROR.match(line):
                self._error(found["what"].strip()[:_LONGEST])
            elif found := _COMMAND.search(line):
                key = _KEY.search(found["rest"])
                self.key = key["key"] if key else ""
                last = found["rest"].split()[-1:]
                self.image = last[0] if last and not last[0].startswith("-") else ""

    def _error(self, what: str) -> None:
        """Keep an error once: cosign prints the last one twice."""
        kept = self.refused if _REFUSED.search(what) else self.broken
        if what not in kept:
            kept.append(what)

    def method(self, keyless: bool) -> str:
        """Tell ``key``, ``kms``, ``keyless`` or ``unknown``."""
        if self.key:
            return "kms" if _KMS.search(self.key) else "key"
        if any("specified public key" in check for check in self.checks):
            return "key"
        return "keyless" if keyless else "unknown"
