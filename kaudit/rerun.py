"""Engine: a report is made anew from what it was made from, and compared file by file.

Nothing of the report is executed: kaudit's own notebook of that name runs, with the parameters
and inputs that the report holds. The tables of its evidence, or of a bundle, are made anew from
the raw records.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from itertools import zip_longest
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec

from kaudit import __version__
from kaudit.anew import Compared, State
from kaudit.dossier import BASELINE, EVIDENCE, WAIVERS, audit_report
from kaudit.errors import EvidenceError, InputError
from kaudit.evidence.bundle import Evidence
from kaudit.rebuild import rebuilt
from kaudit.report import MARK, hashes, is_report
from kaudit.source.events import Progress, silent
from kaudit.source.open import is_bundle

__all__ = ["Rerun", "rerun"]

_INPUTS = (EVIDENCE, WAIVERS, BASELINE)
#: Formats of which a line can be named.
_TEXTS = {".html", ".ipynb", ".csv", ".json", ".yaml"}
_OWN = re.compile(r"([a-z]+)\.ipynb")


class Rerun(msgspec.Struct, frozen=True, tag_field="schema", tag="kaudit/rerun/v1"):
    """How a report, or a bundle, compares with the one that was made anew.

    Attributes
    ----------
    notebook
        That ran; empty for a bundle.
    evidence
        Id of the evidence that both rest on.
    kaudit
        Version that made it anew.
    identical
        Whether every file is the same.
    files
        All files of both, in the order of their names; of a report also the tables in its
        evidence, below the name of that.
    """

    notebook: str
    evidence: str
    kaudit: str
    identical: bool
    files: list[Compared]


def rerun(report: Path, *, out: Path | None = None, progress: Progress = silent) -> Rerun:
    """Make a report anew, or the tables of a bundle, and compare.

    Parameters
    ----------
    report
        Its folder, or a bundle.
    out
        Where to keep the report that is made; None keeps nothing.
    progress
        Told which records are read, and which cell runs.

    Returns
    -------
    Rerun

    Raises
    ------
    InputError
        It is neither, it was made by a notebook that is not kaudit's, its parameters cannot
        be read, ``out`` lies in it, or is given for a bundle.
    EvidenceError
        What the report was made from was changed, or is not there.
    """
    if is_bundle(str(report)):
        if out is not None:
            raise InputError("what is made of a bundle is not kept", hint="leave out --out")
        evidence = Evidence.open(report, verify=True)
        files = rebuilt(evidence, progress=progress)
        return _found("", evidence, files)
    if not is_report(report):
        raise InputError(
            "it is no report", where=report, hint="name the folder of one, or a bundle"
        )
    if out is not None and out.resolve().is_relative_to(report.resolve()):
        raise InputError("what is made anew would change the report", where=out)
    mark = json.loads((report / MARK).read_text("utf-8"))
    sealed = {str(name): str(sha256) for name, sha256 in _table(mark.get("files")).items()}
    there = hashes(report)
    match = _OWN.fullmatch(str(mark.get("notebook")))
    if match is None or match[0] not in there:
        raise InputError("it was made by no notebook of kaudit", where=report / MARK)
    for name in _INPUTS:
        if there.get(name) != sealed.get(name):
            what = f"{name} is not what the report was made from"
            raise EvidenceError(what, where=report)
    evidence = Evidence.open(report / EVIDENCE, verify=True)
    given = _parameters(report / match[0])
    with tempfile.TemporaryDirectory(prefix="kaudit-") as private:
        folder = out or Path(private) / "report"
        audit_report(
            [str(report / EVIDENCE)],
            folder,
            notebook=match[1],
            pdf=f"{match[1]}.pdf" in sealed,
            waivers=report / WAIVERS if WAIVERS in sealed else None,
            baseline=str(report / BASELINE) if BASELINE in sealed else "",
            progress=progress,
            **given,
        )
        made = hashes(folder)
        names = sorted({*there, *sealed, *made})
        files = [
            _compared(name, report, folder, there.get(name), sealed.get(name), made.get(name))
            for name in names
        ]
    inner = rebuilt(evidence, progress=progress)
    files += [msgspec.structs.replace(f, name=f"{EVIDENCE}/{f.name}") for f in inner]
    return _found(match[0], evidence, sorted(files, key=attrgetter("name")))


def _found(notebook: str, evidence: Evidence, files: list[Compared]) -> Rerun:
    same = all(file.state is State.SAME for file in files)
    return Rerun(notebook, evidence.id, __version__, same, files)


def _compared(
    name: str, report: Path, folder: Path, there: str | None, sealed: str | None, made: str | None
) -> Compared:
    if there is None:
        return Compared(name, State.MISSING)
    state = State.SAME
    if sealed is None and made is None:
        state = State.FOREIGN
    elif there != sealed:
        state = State.ALTERED
    elif made is None:
        state = State.NOT_MADE
    elif there != made:
        state = State.DIFFERENT
    line = 0
    if made not in (None, there) and Path(name).suffix in _TEXTS:
        line = _first(report / name, folder / name)
    return Compared(name, state, line, there)


def _first(one: Path, other: Path) -> int:
    """First line in which two files differ."""
    with one.open("rb") as first, other.open("rb") as second:
        lines = enumerate(zip_longest(first, second), start=1)
        return next(number for number, (mine, yours) in lines if mine != yours)


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _parameters(notebook: Path) -> dict[str, Any]:
    """Parameters that a report was made with, as its engine takes them."""
    from kaudit.parameters import parse

    try:
        metadata = _table(json.loads(notebook.read_text("utf-8"))).get("metadata")
    except (ValueError, RecursionError):
        raise InputError("it cannot be read as a notebook", where=notebook) from None
    given = _table(_table(_table(metadata).get("papermill")).get("parameters"))
    title, frameworks = given.get("title", ""), given.get("frameworks", [])
    if not isinstance(title, str) or not isinstance(frameworks, list):
        raise InputError("its parameters cannot be read", where=notebook)
    decided = parse(_table(given.get("decisions")))
    return {"title": title, "frameworks": tuple(map(str, frameworks)), "parameters": decided}
