"""Read the pins, and tell where each program lies in the cache."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from functools import cache
from pathlib import Path

import msgspec

_HERE = Path(__file__).parent


class _Pin(msgspec.Struct, forbid_unknown_fields=True):
    """One Go module of ``pins.toml``."""

    tier: int
    module: str
    programs: dict[str, str]
    variables: dict[str, str] = {}
    experiment: str = ""
    left_aside: str = ""


class Program(msgspec.Struct, frozen=True):
    """One program, and how it is built.

    Attributes
    ----------
    source
        Folder with go.mod and go.sum.
    package
        Import path of its main package.
    link
        Variables set at link time.
    experiment
        Value of GOEXPERIMENT.
    left_aside
        Why it cannot be built; empty where it can.
    path
        Where it lies when built: another folder for other pins.
    """

    name: str
    tier: int
    version: str
    source: Path
    package: str
    link: tuple[str, ...]
    experiment: str
    left_aside: str
    path: Path


def cache_folder() -> Path:
    """Folder of all built programs and their logs."""
    named = os.environ.get("KAUDIT_ENGINES")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named) if named else Path(base) / "kaudit-engines"


@cache
def programs() -> dict[str, Program]:
    """Every pinned program by its name, in the order of the pins."""
    text = (_HERE / "pins.toml").read_text(encoding="utf-8")
    pins = msgspec.convert(tomllib.loads(text), dict[str, _Pin])
    found = [program for name, pin in pins.items() for program in _programs(name, pin)]
    return {program.name: program for program in found}


def _programs(folder: str, pin: _Pin) -> list[Program]:
    source = _HERE / "modules" / folder
    key = hashlib.sha256(msgspec.json.encode([pin.variables, pin.experiment]))
    for name in ("go.mod", "go.sum"):
        if not pin.left_aside:
            key.update((source / name).read_bytes())
    version = "" if pin.left_aside else _version(source / "go.mod", pin.module)
    return [
        Program(
            name=name,
            tier=pin.tier,
            version=version,
            source=source,
            package=f"{pin.module}/{package}".rstrip("/"),
            link=tuple(f"{k}={v.format(version=version)}" for k, v in pin.variables.items()),
            experiment=pin.experiment,
            left_aside=pin.left_aside,
            path=cache_folder() / f"{folder}-{key.hexdigest()[:12]}" / name,
        )
        for name, package in pin.programs.items()
    ]


def _version(file: Path, module: str) -> str:
    """Version at which a go.mod requires a module."""
    pattern = rf"^(?:require)?\s+{re.escape(module)} (v\S+)"
    found = re.search(pattern, file.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise ValueError(f"{file} does not require {module}")
    return found[1]
