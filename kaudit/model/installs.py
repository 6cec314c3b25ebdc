"""What the commands of an image's build do that matters: packages, pipes into shells, modes.

Package managers by their manual pages: apt-get(8), apk(8), dnf(8), pip, npm, gem, go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice

from kaudit.model.shell import SHELLS, Command, commands

_INTERPRETERS = SHELLS | {"python", "python3", "perl", "ruby", "node", "php"}
_FETCHERS = frozenset(("curl", "wget"))
#: What is fetched in the place of an argument, and the programs that run it.
_FETCHED = re.compile(r"(?:<\(|\$\(|`)\s*(?:curl|wget)\b")
_RUNS = re.compile(r"\b(?:sh|bash|ash|dash|zsh|eval|source)\b|^\s*\.\s")
_OPERATOR = re.compile(r"[|;&]")
#: Places on one line that are looked at.
_MOST = 20
_OPEN_MODE = re.compile(r"^(?:0?777|[0-7]?777|a\+rwx|ugo\+rwx|a=rwx|\+rwx|o\+w|a\+w|666|0666)$")
_PATH = re.compile(r"^(?:[./~]|[a-z+]+://)|\.(?:deb|rpm|apk|whl|tgz|tar\.gz|gem)$")
#: Commands that ask a database of flaws about the packages of a project.
_AUDITS = {
    ("npm", "audit"),
    ("yarn", "audit"),
    ("pnpm", "audit"),
    ("bundle", "audit"),
    ("bundle-audit", ""),
    ("cargo", "audit"),
    ("cargo", "deny"),
    ("composer", "audit"),
    ("pip-audit", ""),
    ("safety", "check"),
    ("safety", "scan"),
    ("govulncheck", ""),
    ("osv-scanner", ""),
    ("trivy", ""),
    ("grype", ""),
    ("snyk", "test"),
}
_UPGRADES = {
    **dict.fromkeys(("apt", "apt-get", "aptitude"), ("upgrade", "dist-upgrade", "full-upgrade")),
    "apk": ("upgrade",),
    **dict.fromkeys(("yum", "dnf", "microdnf", "zypper"), ("update", "upgrade")),
}


def facts(script: str) -> Iterator[tuple[str, str]]:
    """Yield what shell text does, and the words that say so.

    Facts are ``sudo``, ``pipe_to_shell``, ``upgrade``, ``audit``, ``unpinned_packages`` and
    ``open_mode``.

    >>> from kaudit.model.installs import facts
    >>> list(facts("apk add curl=8.1-r0 bash && curl -s https://example.com/i | sh"))
    [('unpinned_packages', 'bash'), ('pipe_to_shell', 'curl -s https://example.com/i | sh')]
    """
    fetched = ""
    for command in commands(script):
        if command.before != "|":
            fetched = ""
        if command.sudo:
            yield "sudo", command.line
        if fetched and command.program in _INTERPRETERS:
            yield "pipe_to_shell", f"{fetched} | {command.line}"
        if command.program in _FETCHERS:
            fetched = command.line
        yield from _of_packages(command)
        if command.program == "chmod" and any(_OPEN_MODE.match(w) for w in command.words[1:]):
            yield "open_mode", command.line
    for line in script.splitlines():
        for found in islice(_FETCHED.finditer(line), _MOST):
            if _RUNS.search(_OPERATOR.split(line[: found.start()])[-1]):
                yield "pipe_to_shell", line.strip()
                break


def _of_packages(command: Command) -> Iterator[tuple[str, str]]:
    program = command.program
    words = [word for word in command.words[1:] if not word.startswith("-")]
    verb = words[0] if words else ""
    if verb in _UPGRADES.get(program, ()):
        yield "upgrade", command.line
    if {(program, verb), (program, "")} & _AUDITS:
        yield "audit", command.line
    packages = _installed(command)
    if any(name.partition("=")[0] == "sudo" for name in packages):
        yield "sudo", command.line
    manager = _manager(command)
    if manager and (loose := [p for p in packages if not _PINS[manager](p)]):
        yield "unpinned_packages", " ".join(loose)


def _manager(command: Command) -> str:
    program, words = command.program, command.words
    if program in ("python", "python3") and words[1:3] == ["-m", "pip"]:
        return "pip"
    program = {"apt-get": "apt", "pip3": "pip", "microdnf": "dnf", "yum": "dnf"}.get(
        program, program
    )
    return program if program in _PINS else ""


def _installed(command: Command) -> list[str]:
    """Packages that a command names, without files, folders and variables."""
    manager = _manager(command)
    if not manager or manager not in _VERBS:
        return []
    words = command.words[3:] if command.words[1:3] == ["-m", "pip"] else command.words[1:]
    verbs, valued = _VERBS[manager]
    found: list[str] = []
    verb, skip = "", False
    for word in words:
        if skip:
            skip = False
        elif word in valued:
            skip = True
        elif word.startswith("-") or not verb:
            verb = verb or (word if not word.startswith("-") else "")
        elif word[:1] in "<>" or word.isdigit():
            break
        else:
            found.append(word)
    if verb not in verbs or (manager == "npm" and not {"-g", "--global"} & {*words}):
        return []
    return [word for word in found if not _PATH.search(word) and "$" not in word]


#: Verbs that install, and options that take a value in the next word.
_VERBS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "apt": (("install",), ("-t", "--target-release", "-o", "--option", "-c")),
    "apk": (("add",), ("-t", "--virtual", "-X", "--repository", "-p", "--root")),
    "dnf": (("install",), ("-c", "--config", "--setopt", "--repo", "--installroot")),
    "pip": (
        ("install",),
        (
            *("-r", "--requirement", "-c", "--constraint", "-e", "--editable", "-t", "--target"),
            *("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--prefix"),
        ),
    ),
    "npm": (("install", "i", "add"), ("--prefix", "--registry")),
    "gem": (("install",), ("-v", "--version", "-s", "--source")),
    "go": (("install", "get"), ("-ldflags", "-tags")),
}
#: Whether a name says which version.
_PINS: dict[str, Callable[[str], bool]] = {
    "apt": lambda name: "=" in name,
    "apk": lambda name: any(sign in name for sign in "=<>~"),
    "dnf": lambda name: bool(re.search(r"-\d", name)),
    "pip": lambda name: any(sign in name for sign in ("==", "===", "@", "~=")),
    "npm": lambda name: "@" in name[1:] and not name.endswith("@latest"),
    "gem": lambda name: ":" in name,
    "go": lambda name: "@" in name and not name.endswith("@latest"),
}
