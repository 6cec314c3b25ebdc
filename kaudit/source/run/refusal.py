"""What tools and registries say when a run fails, as a reason and a way out.

The words are those of the distribution specification (error codes), of Go's net package and
of the tools themselves.
"""

from __future__ import annotations

import re

from kaudit.errors import SourceError
from kaudit.model.credential import masked
from kaudit.model.words import Reason

_LONGEST = 280
_NETWORK = (
    r"no such host|connection refused|connection reset|i/o timeout|network is unreachable"
    r"|no route to host|deadline exceeded|TLS handshake|x509:|tls:|server misbehaving|\bEOF\b"
    r"|proxyconnect|50[0234] [A-Z]|\bdial tcp\b|registry is not reachable"
)
#: In this order: what stands first is the cause of what follows.
_MEANINGS = (
    (
        r"no space left|disk quota exceeded",
        Reason.TOOL_FAILED,
        "there is no room on the disk: free some, or move the cache with XDG_CACHE_HOME",
    ),
    (
        r"TOOMANYREQUESTS|toomanyrequests|too many requests|\b429\b|rate limit",
        Reason.UNREACHABLE,
        "the registry limits requests: log in to it (docker login), or try again later",
    ),
    (
        r"UNAUTHORIZED|\b401\b|authentication required|no basic auth credentials",
        Reason.UNAUTHENTICATED,
        "log in to the registry (docker login)",
    ),
    (
        r"DENIED|\b403\b|access denied|access to the resource is denied",
        Reason.FORBIDDEN,
        "the account may not read the image: give it the right to pull",
    ),
    (
        r"MANIFEST_UNKNOWN|NAME_UNKNOWN|manifest unknown|NAME_INVALID|\b404 Not Found",
        Reason.ABSENT,
        "the registry does not hold it under this name",
    ),
    (
        _NETWORK,
        Reason.UNREACHABLE,
        "check the name, the network and the proxy, and run it again",
    ),
)
_DATABASE = re.compile(r"\bdb\b|\bDB\b|database", re.IGNORECASE)
_OF_DATABASE = "its database cannot be used: download it anew"
#: What differs from run to run and says nothing: times, levels, our private folder.
_PASSING = re.compile(
    r"\d{4}-\d\d-\d\dT\S+\s+|\b(?:FATAL|ERROR)\s+|\[\d{4}\]\s+|\S*/kaudit-scan-[^/\s]+/\S*"
)
_NOISE = re.compile(
    r"^\s*(?:\S+\s+)?(?:INFO|WARN|WARNING|DEBUG)\b|^WARNING:|^\s*$"
    r"|^\s*[*-] (?:docker|containerd|podman)(?: error)?: "  # engines that are not here
)


def refusal(what: str, said: str, code: int) -> SourceError:
    """Turn a run that failed into an error with its reason, in words that may be shown."""
    lines = [line for line in said.splitlines() if not _NOISE.match(line)]
    last = _PASSING.sub("", "\n".join(lines[-12:]))
    words = _end_of(masked(" ".join(last.split())))
    if code < 0:
        detail = f"was ended by signal {-code}" + (f": {words}" if words else "")
        return SourceError(what, reason=Reason.TOOL_FAILED, detail=detail)
    told = f"ended with {code}" + (f": {words}" if words else " and said nothing")
    for pattern, reason, way in _MEANINGS:
        if re.search(pattern, "\n".join(lines)):
            return SourceError(what, reason=reason, detail=f"{told}; {way}")
    if _DATABASE.search(words):
        return SourceError(what, reason=Reason.TOOL_FAILED, detail=f"{told}; {_OF_DATABASE}")
    return SourceError(what, reason=Reason.TOOL_FAILED, detail=told)


def _end_of(text: str) -> str:
    """Cut text at its beginning: programs put the cause behind all that it stopped."""
    if len(text) <= _LONGEST:
        return text
    end = text[-_LONGEST:]
    return f"… {end.partition(' ')[2] or end}"
