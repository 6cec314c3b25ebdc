"""A tool that can be run: where it is, which one it is, and what it knows."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from threading import Event

import msgspec

from kaudit.errors import InputError, SourceError
from kaudit.model.words import Reason
from kaudit.source.run.environment import environment_of
from kaudit.source.run.program import Bounds, Ended, run
from kaudit.source.run.refusal import refusal

#: Bytes that a tool may print about itself, and seconds that it may take.
_ABOUT = Bounds(60.0, 1 << 20)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NUMBERS = re.compile(r"\d+(?:\.\d+)+")


class Target(msgspec.Struct, frozen=True):
    """What a tool is run on.

    Attributes
    ----------
    kind
        ``Image``, ``Dockerfile``, ``Manifest``, or ``Constraints`` or ``Policies`` of an engine.
    name
        Reference of the image, or name of the file in its source.
    digest
        Digest of an image; empty where only its tag is known.
    path
        File to read, folder of policies, or None where ``data`` is its content.
    """

    kind: str
    name: str
    digest: str = ""
    path: Path | None = None
    data: bytes = b""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever runs the tools decides.

    Attributes
    ----------
    tools
        Names of the tools; empty takes all that have something to do.
    jobs
        Runs side by side.
    seconds
        Time limit of one run.
    pins
        SHA-256 that the program of a tool must have, as ``sha256:…``.
    key
        File with the public key that signatures are checked by.
    identity, issuer
        Of the certificates that signatures are checked by, where there is no key.
    without_log
        Accept signatures by a key that no transparency log holds.
    vex, ignore
        Files of exceptions that scanners honour and report.
    schemas
        Folder of JSON schemas of Kubernetes, for kubesec; it loads them itself without.
    local
        Look for images in container engines of this machine first.
    images
        Run tools on images and files.
    policies
        Run engines on the policies that are found.
    proposed
        Files of policies to run engines on.
    """

    tools: tuple[str, ...] = ()
    jobs: int = 2
    seconds: float = 600.0
    pins: Mapping[str, str] = {}
    key: Path | None = None
    identity: str = ""
    issuer: str = ""
    without_log: bool = False
    vex: tuple[Path, ...] = ()
    ignore: Path | None = None
    schemas: Path | None = None
    local: bool = False
    images: bool = True
    policies: bool = False
    proposed: tuple[Path, ...] = ()

    @property
    def exceptions(self) -> str:
        """Stands for the content of the files of exceptions; empty where there are none."""
        paths = [*self.vex, *([self.ignore] if self.ignore else [])]
        return "".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)

    @property
    def verifies(self) -> bool:
        """Whether there is something to check signatures by."""
        return self.key is not None or bool(self.identity and self.issuer)


class About(msgspec.Struct, frozen=True):
    """What a tool says of itself."""

    version: str = ""
    database_version: str = ""
    database_built_at: datetime | None = None


class Tool(ABC):
    """One tool.

    Attributes
    ----------
    name, title
        Of its format.
    kind
        Kind of targets.
    minimum
        Oldest version that prints what is read here.
    get
        Where to get it.
    allowed
        Settings of its own that it may see (see :func:`environment_of`).
    finds
        Exit codes, beside 0, that come with a whole report.
    looks_for
        What it is told to look for, where it has a choice.
    cached
        Whether the same program and database say the same of the same image.
    offline
        Whether it is shown no way to a network.
    log
        Bytes of its log that are read, the last ones.
    """

    name: str
    title: str
    kind: str
    minimum: tuple[int, ...] = ()
    get: str
    allowed: tuple[str, ...] = ()
    finds: frozenset[int] = frozenset()
    looks_for: tuple[str, ...] = ()
    cached = False
    offline = False
    log = 32 << 10

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @abstractmethod
    def about(self, machine: Machine) -> About:
        """Ask the tool for its version and its database."""

    @abstractmethod
    def arguments(self, target: Target) -> list[str | Path]:
        """Arguments of a run on a target."""

    def update(
        self,
        ours: Mapping[str, str],  # noqa: ARG002  for tools with a database
    ) -> list[str | Path]:
        """Arguments of a run that updates the database; none where that is not wanted."""
        return []

    def fixed(
        self,
        ours: Mapping[str, str],  # noqa: ARG002  for tools with folders of their own
    ) -> dict[str, str]:
        """Settings of its own that nobody may change."""
        return {}

    def answers(
        self,
        target: Target,  # noqa: ARG002  for tools that do not name it themselves
        ended: Ended,
    ) -> bool:
        """Tell an answer, also one that nobody likes, from a failure.

        Parameters
        ----------
        ended
            How the run ended; its output may be written anew.
        """
        return ended.code == 0 or ended.code in self.finds

    def leave_out(
        self,
        target: Target,  # noqa: ARG002  for tools that one bad part stops
        ended: Ended,  # noqa: ARG002
    ) -> str:
        """Take what stopped a run out of its target, and say what; nothing where that is none."""
        return ""

    def sieve(
        self,
        target: Target,  # noqa: ARG002  for tools that pass over parts in silence
        run: Callable[[list[str | Path]], Ended],  # noqa: ARG002
    ) -> list[str]:
        """Take out of a target, before it is run on, what the tool would pass over; say what."""
        return []

    def missed(
        self,
        ended: Ended,  # noqa: ARG002  for tools that do not tell it in their answer
    ) -> list[str]:
        """Say what a run that gave an answer passed over."""
        return []


class Machine:
    """Where tools run: our environment, a private folder, and the sign to stop."""

    def __init__(self, folder: Path, stop: Event, ours: Mapping[str, str]) -> None:
        self.folder, self.stop, self.ours = folder, stop, ours
        self.home = folder / "home"
        self.home.mkdir()
        self.program = Path()
        self._environment: dict[str, str] = {}

    def of(self, tool: Tool) -> Machine:
        """Return the machine of one tool, its program found.

        Raises
        ------
        SourceError
            It is not here.
        """
        found = shutil.which(tool.name, path=self.ours.get("PATH"))
        if found is None:
            detail = f"{tool.name} is not on the PATH; get it from {tool.get}"
            raise SourceError(tool.title, reason=Reason.TOOL_MISSING, detail=detail)
        folder = self.folder / tool.name
        folder.mkdir()
        machine = Machine(folder, self.stop, self.ours)
        machine.program = Path(os.path.realpath(found))
        online = not tool.offline
        allowed = environment_of(self.ours, machine.home, tool.allowed, online=online)
        machine._environment = allowed | tool.fixed(self.ours)
        return machine

    def run(
        self,
        arguments: list[str | Path],
        out: Path,
        *,
        bounds: Bounds = _ABOUT,
        within: Path | None = None,
    ) -> Ended:
        """Run the program of the tool."""
        return run(
            [self.program, *arguments],
            environment=self._environment,
            folder=within or self.home,
            out=out,
            bounds=bounds,
            stop=self.stop,
        )

    def asked(self, arguments: list[str | Path]) -> bytes:
        """Return what the program prints about itself; nothing where it fails."""
        ended = self.run(arguments, self.folder / "about")
        return b"" if ended.code else ended.out.read_bytes()

    def digest(self) -> str:
        """SHA-256 of the program, as ``sha256:…``."""
        with self.program.open("rb") as stream:
            return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


class Ready(msgspec.Struct):
    """A tool that was found, is what it should be, and is new enough."""

    tool: Tool
    machine: Machine
    digest: str
    about: About
    warning: str = ""


def made_ready(tool: Tool, machine: Machine) -> Ready:
    """Find a tool, check it, and let it update its database.

    Raises
    ------
    SourceError
        It is missing, is another program than the pinned one, is too old, or cannot be read.
    """
    own = machine.of(tool)
    try:
        digest = own.digest()
    except OSError as fault:
        detail = f"its program cannot be read: {fault.strerror}"
        raise SourceError(tool.title, reason=Reason.TOOL_FAILED, detail=detail) from None
    pin = tool.settings.pins.get(tool.name, digest)
    if pin != digest:
        detail = f"its program has the digest {digest}, and {pin} is pinned: it was not run"
        raise SourceError(tool.title, reason=Reason.TOOL_FAILED, detail=detail)
    warning = ""
    if update := tool.update(machine.ours):
        warning = _updated(tool, own, update)
    about = tool.about(own)
    if tool.minimum and numbers(about.version) < tool.minimum:
        least = ".".join(map(str, tool.minimum))
        said = about.version or "of no version that it tells"
        detail = f"is {said}, and {least} is needed; get it from {tool.get}"
        raise SourceError(tool.title, reason=Reason.TOOL_FAILED, detail=detail)
    return Ready(tool, own, digest, about, warning)


def _updated(tool: Tool, machine: Machine, update: list[str | Path]) -> str:
    """Let a tool update its database; say why that failed, for the older one may do."""
    try:
        ended = machine.run(update, machine.folder / "update", bounds=Bounds(tool.settings.seconds))
    except SourceError as fault:
        return fault.detail
    return refusal(tool.title, ended.said, ended.code).detail if ended.code else ""


def numbers(version: str) -> tuple[int, ...]:
    """Numbers of a version: ``v0.74.0-rc1`` is (0, 74, 0)."""
    found = _NUMBERS.search(version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def version_behind(word: str, said: str) -> str:
    """Version that stands behind a word at the beginning of a line; empty where none does."""
    line = next((line for line in said.splitlines() if line.strip().startswith(word)), "")
    version = line.partition(word)[2].strip()
    return version if numbers(version) else ""


def folder_of(target: Target) -> Path:
    """Folder that the policies of a target lie in."""
    if target.path is None:
        raise InputError("policies lie in a folder", where=target.name)
    return target.path


def pinned(given: Mapping[str, str]) -> dict[str, str]:
    """Check pins of the command line.

    Raises
    ------
    InputError
        One is no SHA-256.
    """
    for name, pin in given.items():
        if not _DIGEST.fullmatch(pin):
            raise InputError(f"{pin!r} is no digest", hint=f"write {name}=sha256:<64 digits>")
    return dict(given)
