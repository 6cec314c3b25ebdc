"""What the options of a command name: evidence, decisions, an assessment."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kaudit.errors import InputError

if TYPE_CHECKING:
    from kaudit.assessment import Assessment
    from kaudit.cli.options import Decisions
    from kaudit.evidence.bundle import Evidence
    from kaudit.model.words import Gap
    from kaudit.parameters import Parameters
    from kaudit.source.run.tool import Settings


def utc(moment: datetime | None) -> datetime | None:
    """Take a time of the command line for UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None else None


def read(
    sources: Sequence[str],
    *,
    quiet: bool,
    as_of: datetime | None = None,
    secrets: str = "none",
    out: Path | None = None,
    raw: bool = False,
    kinds: Sequence[str] = (),
    outputs: Sequence[tuple[str, Path]] = (),
    scan: Settings | None = None,
    vault: str = "",
) -> Evidence:
    """Open or collect evidence, with progress on a terminal."""
    from kaudit.console import progress
    from kaudit.opening import evidence_of

    with progress(quiet=quiet) as hear:
        return evidence_of(
            sources,
            out=out,
            raw=raw,
            as_of=utc(as_of),
            secrets=secrets,
            kinds=kinds,
            outputs=outputs,
            scan=scan,
            vault=vault,
            progress=hear,
        )


def quoted(sources: Sequence[str]) -> str:
    """Return a source as a command that leads on names it."""
    return shlex.quote(sources[0]) if len(sources) == 1 else "SOURCE"


def say_failed(gaps: Sequence[Gap], sources: Sequence[str], *, quiet: bool, most: int = 5) -> None:
    """Say on stderr what could not be read: it is judged nowhere, and is no pass."""
    from kaudit.console import say

    failed = [gap for gap in gaps if gap.failed and not quiet]
    for gap in failed[:most]:
        why = f" ({gap.detail})" if gap.detail else ""
        say(f"gap: {gap.what}: {gap.reason.replace('_', ' ')}{why}")
    if len(failed) > most:
        say(f"gap: {len(failed) - most} more; kaudit tables {quoted(sources)} --gaps lists all")


def unread(gaps: Sequence[Gap]) -> list[str]:
    """Say what could not be read, for those who keep rows without what stands on stderr."""
    from kaudit.limits import said

    return [said(gap) for gap in gaps]


def decided(decisions: Decisions) -> Parameters:
    """Read decisions of a file, and those given as NAME=VALUE, which come first."""
    from kaudit.parameters import parse

    values = _written(decisions.parameters) if decisions.parameters else {}
    for text in decisions.parameter or ():
        name, sign, value = text.partition("=")
        if not sign:
            raise InputError(f"{text!r} is no NAME=VALUE")
        values[name.strip()] = value.strip()
    return parse(values)


def _written(file: Path) -> dict[str, Any]:
    from kaudit.model.yaml_stream import one

    try:
        content = one(file.read_bytes(), str(file))
    except OSError as fault:
        raise InputError(f"cannot be read: {fault.strerror}", where=file) from None
    if not isinstance(content, dict):
        hint = "each line is NAME: VALUE, such as secret_max_age_days: 30"
        raise InputError("holds no decisions", where=file, hint=hint)
    return {str(name): value for name, value in content.items()}


def judged(
    evidence: Evidence,
    controls: Sequence[str] | None,
    framework: str,
    waivers: Path | None,
    chosen: Parameters,
    *,
    quiet: bool,
) -> Assessment:
    """Judge evidence by the chosen controls."""
    from kaudit import registry
    from kaudit.assess import assess
    from kaudit.console import progress
    from kaudit.parameters import using
    from kaudit.waivers import load_waivers

    registry.load()
    wanted = [registry.find_control(c) for c in controls or ()] or list(registry.CONTROLS.values())
    if framework:
        from kaudit.catalogue import framework as known
        from kaudit.catalogue import references

        name = known(framework).id
        wanted = [c for c in wanted if name in references(c)]
    accepted = load_waivers(waivers) if waivers else ()
    with using(chosen), progress(quiet=quiet) as hear:
        return assess(evidence, wanted, waivers=accepted, progress=hear)
