"""Run tools on images and files, and read what they print as if it were given as files.

A run that gives no answer is a gap of its image or file, with the reason and the way out. It is
noted in the table ``tool_runs`` beside those that gave one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Event as Flag

import msgspec

from kaudit.errors import InputError, SourceError
from kaudit.model.taken import Content
from kaudit.model.tool_run import SCHEMA, ToolRun
from kaudit.model.words import Gap, Reason
from kaudit.registry import FORMATS, Read, load
from kaudit.source.events import Begin, Event, KindId, Origin, Progress, Source, silent
from kaudit.source.run.cache import Cache
from kaudit.source.run.cosign import Cosign
from kaudit.source.run.environment import caches
from kaudit.source.run.gator import Gator
from kaudit.source.run.grype import Grype
from kaudit.source.run.hadolint import Hadolint
from kaudit.source.run.kubesec import Kubesec
from kaudit.source.run.kyverno import Kyverno
from kaudit.source.run.objects import Objects
from kaudit.source.run.output import clean
from kaudit.source.run.patience import Patience
from kaudit.source.run.policies import laid_out, policies_in
from kaudit.source.run.program import Bounds
from kaudit.source.run.refusal import refusal
from kaudit.source.run.targets import Gathered, refused, registry_of, targets
from kaudit.source.run.tool import Machine, Ready, Settings, Target, Tool, made_ready
from kaudit.source.run.trivy import Trivy
from kaudit.source.tools import content_of, taken, unread
from kaudit.text import meant

TOOLS: Mapping[str, type[Tool]] = {
    tool.name: tool for tool in (Trivy, Grype, Cosign, Hadolint, Kubesec, Gator, Kyverno)
}

#: Kinds of targets that are one file, which is laid where its tool starts.
_FILES = ("Dockerfile", "Manifest")


def known(names: Sequence[str]) -> tuple[str, ...]:
    """Check names of tools.

    Raises
    ------
    InputError
        There is no such tool, or it cannot be read yet.
    """
    load()
    able = [name for name in TOOLS if name in FORMATS]
    for name in names:
        if name not in able:
            raise InputError(f"no tool is named {name!r}", hint=meant(name, able))
    return tuple(names)


def after(
    sources: Sequence[Source], settings: Settings, objects: Objects | None = None
) -> Callable[[Gathered], Source]:
    """Return what makes a source of the images and files that were found in others.

    Parameters
    ----------
    objects
        Where objects of the sources are laid down for engines of policies.
    """
    proposed = policies_in(settings.proposed) if settings.proposed else None

    def scan(gathered: Gathered) -> Source:
        found = targets(gathered, sources) if settings.images else []
        gaps: list[Gap] = []
        if objects is not None and settings.policies:
            of_cluster, left_out = laid_out(objects, None)
            found, gaps = [*found, *of_cluster], [*gaps, *left_out]
        if objects is not None and proposed is not None:
            of_file, left_out = laid_out(objects, proposed)
            found, gaps = [*found, *of_file], [*gaps, *left_out]
        return ScanSource(found, settings, gaps=gaps)

    return scan


class _Job(msgspec.Struct):
    """One tool and what it is run on, or why it cannot be."""

    tool: Tool
    ready: Ready | SourceError
    target: Target
    number: int


class _Done(msgspec.Struct):
    """What came of a job: a file with the output, or the fault; and what had to be left out."""

    out: Path | None = None
    fault: SourceError | None = None
    lost: list[str] = []


class ScanSource:
    """Runs tools, side by side, and yields what they print.

    Parameters
    ----------
    targets
        Images and files.
    settings
        Which tools, and how.
    ours
        The environment that we run in.
    cache
        Folder of earlier outputs; by default in the cache of whoever runs this.
    gaps
        What the tools are not run on, and why.
    """

    live = False

    def __init__(
        self,
        targets: Sequence[Target],
        settings: Settings,
        *,
        ours: Mapping[str, str] = os.environ,
        cache: Path | None = None,
        gaps: Sequence[Gap] = (),
    ) -> None:
        self.targets, self.settings, self.ours = targets, settings, ours
        self.label = "scan"
        self.as_of: datetime | None = None
        self._cache = Cache(cache or caches(ours) / "kaudit" / "scans")
        self._gaps = gaps
        self._stop = Flag()
        self._patience = Patience()

    def read(
        self,
        wanted: Mapping[KindId, Read],  # noqa: ARG002  a tool's output is wanted whole
        progress: Progress = silent,
    ) -> Iterator[Event]:
        """Yield what the tools print, tool by tool in the order of the targets."""
        load()
        yield from self._gaps
        self._cache.prune()
        with tempfile.TemporaryDirectory(prefix="kaudit-scan-") as name:
            machine = Machine(Path(name), self._stop, self.ours)
            jobs: list[_Job] = []
            for tool in self._tools():
                found = [target for target in self.targets if target.kind == tool.kind]
                if not found:
                    continue
                progress(f"{tool.name}: version and database", 0, None)
                ready = _ready(tool, machine)
                if isinstance(ready, Ready) and ready.warning:
                    yield _outdated(ready)
                jobs += [_Job(tool, ready, t, len(jobs) + n) for n, t in enumerate(found)]
            yield from self._all(jobs, Path(name), progress)

    def _tools(self) -> list[Tool]:
        chosen = known(self.settings.tools) or tuple(
            name
            for name in TOOLS
            if name in FORMATS and (name != Cosign.name or self.settings.verifies)
        )
        return [TOOLS[name](self.settings) for name in TOOLS if name in chosen]

    def _all(self, jobs: list[_Job], folder: Path, progress: Progress) -> Iterator[Event]:
        notes: list[ToolRun] = []
        with ThreadPoolExecutor(max(1, self.settings.jobs)) as pool:
            try:
                futures = [pool.submit(self._one, job, folder) for job in jobs]
                for job, future in zip(jobs, futures, strict=True):
                    progress(f"{job.tool.name} {job.target.name}", job.number, len(jobs))
                    done = future.result()
                    note = _note(job)
                    yield from _events(job, done, note)
                    notes.append(note)
                    if done.out is not None:
                        done.out.unlink(missing_ok=True)
            except BaseException:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
                raise
        progress(self.label, len(jobs), len(jobs))
        yield from _noted(notes, len(jobs))

    def _one(self, job: _Job, folder: Path) -> _Done:
        """Run one tool on one target, unless its output is kept already."""
        if isinstance(job.ready, SourceError):
            return _Done(fault=job.ready)
        if why := refused(job.target):
            return _Done(fault=SourceError(job.tool.title, reason=Reason.BROKEN, detail=why))
        out = folder / f"{job.number}.json"
        kept = self._cache.path(job.ready, job.target)
        if self._cache.fetch(kept, out):
            return _Done(out)
        registry = registry_of(job.target)
        if registry and (spent := self._patience.spent(job.tool.title, registry)):
            return _Done(fault=spent)
        done = self._tried(job.ready, job.target, folder / f"on-{job.number}", out)
        self._patience.note(job.tool.title, registry, done.fault)
        if done.fault is None:
            self._cache.keep(kept, out)
        return done

    def _tried(self, ready: Ready, target: Target, within: Path, out: Path) -> _Done:
        done = _Done()
        try:
            self._run(ready, target, within, out, done)
        except SourceError as fault:
            done.fault = fault
        except OSError as fault:
            detail = f"there is no room for its files: {fault.strerror}"
            done.fault = SourceError(ready.tool.title, reason=Reason.TOOL_FAILED, detail=detail)
        else:
            done.out = out
        return done

    def _run(self, ready: Ready, target: Target, within: Path, out: Path, done: _Done) -> None:
        tool, format = ready.tool, FORMATS[ready.tool.name]
        within.mkdir()
        if target.kind in _FILES:
            _laid(target, within)
        run = partial(
            ready.machine.run,
            out=out,
            bounds=Bounds(self.settings.seconds, log=tool.log),
            within=within,
        )
        done.lost += tool.sieve(target, run)
        while True:
            ended = run(tool.arguments(target))
            if tool.answers(target, ended):
                done.lost += tool.missed(ended)
                break
            left_out = tool.leave_out(target, ended)
            if not left_out:
                shutil.rmtree(within, ignore_errors=True)
                raise refusal(tool.title, ended.said, ended.code)
            done.lost.append(left_out)
        shutil.rmtree(within, ignore_errors=True)
        try:
            clean(format, out)
        except SourceError:
            if ended.code:  # it means a finding only where there is a report
                raise refusal(tool.title, ended.said, ended.code) from None
            raise


def _ready(tool: Tool, machine: Machine) -> Ready | SourceError:
    try:
        return made_ready(tool, machine)
    except SourceError as fault:
        return fault


def _laid(target: Target, folder: Path) -> None:
    """Put a file under its own name where nothing else lies that a tool could read."""
    path = folder / target.name
    path.parent.mkdir(parents=True, exist_ok=True)
    if target.path is None:
        path.write_bytes(target.data)
    else:
        shutil.copyfile(target.path, path)


def _outdated(ready: Ready) -> Gap:
    """Gap of a database that could not be updated; its age is told by the runs."""
    return Gap(
        what=f"update of the database of {ready.tool.title}",
        reason=Reason.PARTIAL,
        detail=f"{ready.warning}; the database that is there was used",
    )


def _note(job: _Job) -> ToolRun:
    ready, target = job.ready, job.target
    note = ToolRun(
        tool=job.tool.name,
        kind=target.kind,
        target=target.name,
        outcome="failed",
        digest=target.digest or None,
        looked_for=list(job.tool.looks_for),
    )
    if isinstance(ready, Ready):
        note.version = ready.about.version or None
        note.program_digest = ready.digest
        note.database_version = ready.about.database_version or None
        note.database_built_at = ready.about.database_built_at
    return note


def _events(job: _Job, done: _Done, note: ToolRun) -> Iterator[Event]:
    """Yield what an output holds, or the gap that it leaves."""
    format, target = FORMATS[job.tool.name], job.target
    for said in done.lost:
        yield _gap(job, unread(format, target.name, said, part=True, reason=Reason.PARTIAL))
    if done.out is None:
        fault = done.fault or SourceError(format.title, reason=Reason.TOOL_FAILED)
        note.reason, note.detail = fault.reason, fault.detail
        yield _gap(job, unread(format, target.name, fault.detail, reason=Reason(fault.reason)))
        return
    content, origin = content_of(f"{format.name} {target.name}", done.out)
    origin.format, origin.verb = format.name, "run"
    # Tools say the same of many files, as of all those without a fault: each counts.
    content.report = _stands_for(target, origin)
    note.outcome, note.report = "done", content.report
    yield Begin(job.number, origin)
    for event in taken(format, content, job.number):
        if isinstance(event, Gap):
            note.outcome, note.reason, note.detail = "failed", event.reason, event.detail
            yield _gap(job, event)
        else:
            yield event


def _stands_for(target: Target, origin: Origin) -> str:
    text = f"{target.kind}\0{target.name}\0{origin.sha256}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _gap(job: _Job, gap: Gap) -> Gap:
    kind = job.target.kind if job.target.kind == "Image" else "File"
    what = f"{job.tool.title} on {job.target.name}"
    return msgspec.structs.replace(gap, what=what, kind=kind, name=job.target.name)


def _noted(notes: list[ToolRun], number: int) -> Iterator[Event]:
    """Yield the notes on the runs, as a file of them would be read."""
    format = FORMATS["runs"]
    data = msgspec.json.encode({"schema": SCHEMA, "runs": notes})
    content = Content("runs", data, hashlib.sha256(data).hexdigest()[:16])
    yield Begin(number, Origin(name="runs", format=format.name, verb="run"))
    yield from taken(format, content, number)
