"""Rules of a maintained detector, asked about literals that our own shapes do not know.

detect-secrets knows the formats of many more issuers than :mod:`kaudit.model.credential`, and
measures entropy. Only its rules on strings are used: it writes nothing, and never asks an issuer
whether a credential is good. It is imported when the first literal looks long and mixed enough
to be worth it. What it says is kept by a digest of the literal, so that a text is looked at once
however many pods repeat it, and no text is kept.
"""

from __future__ import annotations

import re
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    _Rules = tuple[tuple[str, Callable[[str], Iterable[str]]], ...]

#: Literals and lines that are shorter hold no credential of an issuer.
_SHORTEST, _LONGEST = 20, 4096
#: Lines of one text that are looked at.
_LINES = 5_000
_RUN = re.compile(r"[A-Za-z0-9+/_\-.=]{20}")
_WHOLE = re.compile(r"[A-Za-z0-9+/_\-]{24,200}={0,2}")
_MIXED = tuple(re.compile(some) for some in ("[a-z]", "[A-Z]", "[0-9]"))
_HEX = re.compile(r"[0-9a-fA-F\-]+")
#: Bits a character from which base64 text is random; the detector's own default.
_RANDOM = 4.5
#: Names of random text that everybody may read.
_PUBLIC = re.compile(
    r"(?:checksum|digest|hash|sha\d*|fingerprint|public|cert(?:ificate)?s?|ca(?:_?bundle)?|crt|pem|"
    r"commit|revision|version|id|uid|uuid|image|etag|nonce|integrity)$",
    re.IGNORECASE,
)
#: Its rules that we have better ones for, or that are no credential.
_LEFT_OUT = {"BasicAuthDetector", "PrivateKeyDetector", "IPPublicDetector", "JwtTokenDetector"}


@cache
def _rules() -> tuple[_Rules, Callable[[str], float]]:
    """Names and tests of its rules on text, and its measure of entropy."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.plugins.base import RegexBasedDetector
    from detect_secrets.plugins.high_entropy_strings import Base64HighEntropyString

    known: dict[str, Any] = get_mapping_from_secret_type_to_class()
    found = []
    for name, rule in sorted(known.items()):
        if issubclass(rule, RegexBasedDetector) and rule.__name__ not in _LEFT_OUT:
            found.append((name, rule().analyze_string))
    return tuple(found), Base64HighEntropyString(_RANDOM).calculate_shannon_entropy


class Detector:
    """Says what kind of credential a named literal looks like; remembers by digest."""

    def __init__(self) -> None:
        self._said: dict[bytes, str] = {}

    def __call__(self, name: str, value: str) -> str:
        """Kind of credential; empty where none."""
        if len(value) < _SHORTEST or not _RUN.search(value):
            return ""
        key = blake2b(f"{name}\x00{value}".encode("utf-8", "surrogatepass"), digest_size=16)
        digest = key.digest()
        if digest not in self._said:
            self._said[digest] = _kind(name, value)
        return self._said[digest]


def _kind(name: str, value: str) -> str:
    lines = value.splitlines()[:_LINES]
    worth = (line for line in lines if _SHORTEST <= len(line) <= _LONGEST and _RUN.search(line))
    rules, entropy = _rules()
    for line in worth:
        text = line if len(lines) > 1 else f'{name}="{line}"'
        for kind, analyze in rules:
            if any(True for _ in analyze(text)):
                return kind
    return "random text" if len(lines) == 1 and _random(name, value, entropy) else ""


def _random(name: str, value: str, entropy: Callable[[str], float]) -> bool:
    text = value.strip()
    if not _WHOLE.fullmatch(text) or _HEX.fullmatch(text) or _PUBLIC.search(name):
        return False
    if text.startswith(("sha256-", "sha384-", "sha512-", "ssh-", "/")) or text.count("/") > 3:
        return False
    return all(some.search(text) for some in _MIXED) and entropy(text) > _RANDOM
