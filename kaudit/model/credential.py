"""Verdicts on text that may be a credential: what kind it looks like, never the text.

A verdict is all that leaves this module. Values are judged while they are decoded and are
dropped at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

_NAME = re.compile(
    r"(?:^|[_.\-])(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_\-]?key|access[_\-]?key|"
    r"(?:account|auth|batch|encryption|master|private|secret|shared|signing|ssh|storage)[_\-]?key|"
    r"azure[_\-]\w+[_\-]key|key[_\-]content|credentials?|creds?|client[_\-]?secret|bearer|jwt|"
    r"connection[_\-]?string|dsn)(?:$|[_.\-]|\d+$)",
    re.IGNORECASE,
)
_NAME_JOINED = re.compile(
    r"(?:password|passwd|apikey|secretkey|accesskey|privatekey|authtoken|accesstoken)$",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
#: Names that speak of a credential's place or handling, not of its value.
_ABOUT = re.compile(
    r"(?:^|[_.\-])(?:file|path|dir|name|ref|url|uri|endpoint|host|port|ttl|expiry|expiration|length|policy|"
    r"enabled|disabled|type|mount|header|audience|issuer|id|interval|timeout|rotation|algorithm|"
    r"count|limit|min|max|namespace|store|provider|manager|driver|format|version|role|user|username)"
    r"$",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"^(?:|true|false|yes|no|on|off|none|null|\d{1,4}|\$\(.*\)|\$\{.*\}|\{\{.*\}\}|<.*>|/.*)$",
    re.IGNORECASE | re.DOTALL,
)

#: Eight characters or more with a digit, without looking ahead: whole columns of tables are
#: searched by an engine that cannot.
_SHORT_BEARER = "|".join(rf"[A-Za-z_\-.=]{{{n}}}[0-9][\w\-.=]{{{7 - n},}}" for n in range(8))
#: A private key from its first line to its last, also where line breaks are written out; without
#: a last line, what stands behind the first in long runs.
_KEY = r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
_IN_KEY = r"[\w+/=\s\\:;,.()<>@]*"
_KEY_ENDS = (
    rf"{_IN_KEY}(?:-[A-Za-z0-9]{_IN_KEY})*-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
)
_KEY_RUNS = r"(?:(?:\\+[nr]|\s)*[A-Za-z0-9+/]{16,}={0,2})*"
#: The same in base64, as files and settings carry it: plain, PKCS #1, SEC 1, OpenSSH, encrypted,
#: DSA, PGP.
_ENCODED_KEY = (
    "LS0tLS1CRUdJTiB(?:QUklWQVRFIEtFWS|SU0EgUFJJVkFURSBLRVkt|FQyBQUklWQVRFIEtFWS"
    "|PUEVOU1NIIFBSSVZBVEUgS0VZ|FTkNSWVBURUQgUFJJVkFURSBLRVkt|EU0EgUFJJVkFURSBLRVkt"
    r"|QR1AgUFJJVkFURSBLRVkg)(?:(?:\\+[nr]|\s)*[A-Za-z0-9+/]{16,})*[A-Za-z0-9+/]*={0,2}"
)
_URL = r"\b[a-z][a-z0-9+.\-]{1,20}://[^\s/:@\"'\\]{0,%d}:[^\s/@\"'\\$]{1,%d}@"
#: Most that its user and its password have, of characters and of bytes: four make a character.
_URL_TEXT, _URL_BYTES = _URL % (64, 256), _URL % (256, 1024)
#: Kind of credential to the shape of its text. Public formats of the issuers.
SHAPES: dict[str, str] = {
    "private key": rf"{_KEY}(?:{_KEY_ENDS}|{_KEY_RUNS})|{_ENCODED_KEY}",
    "AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{50,}\b",
    "GitLab token": r"\bglpat-[A-Za-z0-9_\-]{20,}\b",
    "Slack token": r"\bxox[abeprs]-[A-Za-z0-9\-]{10,}\b",
    "Google API key": r"\bAIza[0-9A-Za-z_\-]{35}\b",
    "Stripe key": r"\b[sr]k_live_[0-9A-Za-z]{16,}\b",
    "JSON web token": r"\beyJ[A-Za-z0-9_\-]{8,}\.eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]+",
    "Vault token": r"\bhv[sbr]\.[A-Za-z0-9_\-]{20,}\b",
    "URL with password": _URL_TEXT,
    "bearer token": rf"\b[Bb]earer\s+(?:{_SHORT_BEARER}|[\w\-.=]{{16,}})",
}
_SHAPE = re.compile(
    "|".join(f"(?P<k{n}>{shape})" for n, shape in enumerate(SHAPES.values())), re.ASCII
)
SHAPE_BYTES = re.compile(
    "|".join(SHAPES.values()).replace(_URL_TEXT, _URL_BYTES).encode(), re.ASCII
)
_SHAPE_IN_BYTES = re.compile(_SHAPE.pattern.replace(_URL_TEXT, _URL_BYTES).encode(), re.ASCII)
_KINDS = list(SHAPES)
#: ``--password=…``, ``-p …``-like options and ``KEY=value`` assignments in arguments.
_OPTION = re.compile(r"(?P<name>(?:--?|\b)[A-Za-z][\w.\-]{0,80})[=:](?:\s+(?!-))?")
_VALUE = re.compile(r"\"[^\"]*\"|'[^']*'|[^\s;&|]+")


@lru_cache(maxsize=16384)
def by_name(name: str) -> bool:
    """Tell whether a name says that its value is a credential.

    >>> by_name("DB_PASSWORD"), by_name("dbPassword"), by_name("PASSWORD_FILE")
    (True, True, False)
    """
    plain = _CAMEL.sub("_", name)
    if _ABOUT.search(plain):
        return False
    return bool(_NAME.search(plain) or _NAME_JOINED.search(plain))


def by_shape(value: str) -> str:
    """Kind of credential that the text has the shape of; empty where none."""
    found = _SHAPE.search(value)
    if found is None or found.lastgroup is None:
        return ""
    return _KINDS[int(found.lastgroup[1:])]


#: What stands in every text of some shape, and more of that shape: a quick no. Each begins with
#: the same letters, which are found fast, and may stand inside a word.
_TRACES = [
    (hint, re.compile(hint + rest, re.ASCII))
    for hint, rest in (
        (b"-----BEGIN ", rb"[A-Z0-9 ]*PRIVATE KEY"),
        (b"LS0tLS1CRUdJTiB", rb"(?:QUkl|SU0E|FQyB|PUEV|FTkN|EU0E|QR1A)"),
        (b"AKIA", rb"[0-9A-Z]{16}"),
        (b"ASIA", rb"[0-9A-Z]{16}"),
        (b"gh", rb"[pousr]_[A-Za-z0-9]{36}"),
        (b"github_pat_", rb"[A-Za-z0-9_]{50}"),
        (b"k_live_", rb"[0-9A-Za-z]{16}"),
        (b"glpat-", rb"[A-Za-z0-9_\-]{20}"),
        (b"xox", rb"[abeprs]-[A-Za-z0-9\-]{10}"),
        (b"AIza", rb"[0-9A-Za-z_\-]{35}"),
        (b"eyJ", rb"[A-Za-z0-9_\-]{8,}\.eyJ"),
        (b"hv", rb"[sbr]\.[A-Za-z0-9_\-]{20}"),
        (b"://", rb"[^\s/:@\"'\\]{0,256}:[^\s/@\"'\\$]{1,1024}@"),
        (b"earer", rb"\s"),
    )
]


def hinted(data: bytes) -> bool:
    """Whether data may hold a shape at all."""
    for hint, trace in _TRACES:  # noqa: SIM110  any() costs twice as much here
        if hint in data and trace.search(data):
            return True
    return False


def by_shape_of_bytes(raw: bytes) -> str:
    """Kind of credential in JSON that is not decoded; empty where none."""
    found = _SHAPE_IN_BYTES.search(raw)
    return _KINDS[int(found.lastgroup[1:])] if found and found.lastgroup else ""


def verdict(name: str, value: str) -> str:
    """What kind of credential a named literal looks like; empty where none.

    Placeholders, switches, small numbers and file paths are none.
    """
    if shape := by_shape(value):
        return shape
    if _PLACEHOLDER.match(value.strip()):
        return ""
    if by_name(name):
        return "named as a credential"
    return _further(name, value)


def ask_further(detector: Callable[[str, str], str]) -> None:
    """Let a detector judge named literals that have no shape and no name known here."""
    global _further
    _further = detector


def _silent(name: str, value: str) -> str:  # noqa: ARG001  a detector looks at them
    return ""


_further: Callable[[str, str], str] = _silent

#: ``name: value`` and ``NAME=value`` in files, one a line, as JSON, YAML, INI or shell write it.
_ASSIGNED = re.compile(
    r"""^[ \t\-]*(?:export[ ]+)?["']?(?:[\w./\-]*:)?(?P<name>[A-Za-z_][\w.\-]{0,80})["']?[ \t]*"""
    r"""[:=][ \t]*["']?(?P<value>[^\s"'(){}\[\]$;,<>]{6,512})["']?[ \t]*,?[ \t]*(?:\#.*)?$""",
    re.MULTILINE,
)
_KEY_DATA = re.compile(r"-key-data$")
_CODE = re.compile(r"^(?:process\.env|os\.environ|config\.|self\.|this\.|vault:|ref\+|file:|env:)")
#: Larger files are not searched for names.
_FILE = 1 << 18


def inside(text: str) -> str:
    r"""What kind of credential a file holds in one of its lines; empty where none is seen.

    >>> inside("database:\n  password: hunter22\n"), inside("server-tokens: on-all\n")
    ('named as a credential', '')
    >>> inside("//registry.npmjs.example/:_authToken=0123456789\n")
    'named as a credential'
    """
    for found in _ASSIGNED.finditer(text[:_FILE]):
        name, value = found["name"].lstrip("_"), found["value"]
        if _PLACEHOLDER.match(value) or _CODE.match(value):
            continue
        if by_name(name) or (_KEY_DATA.search(name) and value.startswith("LS0tLS1CRUdJTi")):
            return "named as a credential"
    return ""


def masked(text: str) -> str:
    """Replace what looks like a credential in a command line or annotation.

    >>> masked("--user=ann --password=hunter22")
    '--user=ann --password=[masked: named as a credential]'
    >>> masked("cannot run: --password=hunter22")
    'cannot run: --password=[masked: named as a credential]'
    >>> masked("https://store.example/?token=hunter22")
    'https://store.example/?token=[masked: named as a credential]'
    >>> masked("cannot log in: password=hunter22")
    'cannot log in: password=[masked: named as a credential]'
    """
    if len(text) < 8:
        return text
    if _SHAPE.search(text):
        text = _SHAPE.sub(lambda m: f"[masked: {_KINDS[int((m.lastgroup or 'k0')[1:])]}]", text)
    if "=" in text or ":" in text:
        text = _without_named_values(text)
    return text


def _without_named_values(text: str) -> str:
    """Mask values whose name says that they are credentials; of others, what stands in them."""
    parts, at = [], 0
    while found := _OPTION.search(text, at):
        parts.append(text[at : found.end()])
        at = found.end()
        value = _VALUE.match(text, at) if by_name(found["name"].lstrip("-")) else None
        if value is None:
            continue
        bare = value[0].strip("\"'")
        kept = bare.startswith("[masked") or _PLACEHOLDER.match(bare)
        parts.append(value[0] if kept else "[masked: named as a credential]")
        at = value.end()
    return "".join((*parts, text[at:]))


def masked_arguments(arguments: list[str]) -> list[str]:
    """Mask a command line: shapes, options with ``=``, and values after a naming option."""
    shown = [masked(a) for a in arguments]
    for at, option in enumerate(shown[:-1]):
        follows = shown[at + 1]
        named = option.startswith("-") and "=" not in option and by_name(option.lstrip("-"))
        plain = follows.startswith(("-", "[masked")) or _PLACEHOLDER.match(follows)
        if named and not plain:
            shown[at + 1] = "[masked: named as a credential]"
    return shown
