"""Look at what is to be released, and say whether it may be."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from kaudit import registry
from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.errors import InputError
from kaudit.evidence.bundle import Evidence
from kaudit.gate.found import findings as findings_of
from kaudit.gate.judge import Scans
from kaudit.gate.verdict import Check, Finding, Limits, Outcome, Verdict
from kaudit.model.words import Gap, Reason, Severity, Status
from kaudit.source.events import Progress, Source, silent
from kaudit.source.files import FileSource
from kaudit.source.run.scan import ScanSource
from kaudit.source.run.targets import Gathered, image, refused
from kaudit.source.run.targets import files as files_of
from kaudit.source.run.tool import Settings, Target
from kaudit.source.tools import ToolSource
from kaudit.text import visible_surrogates
from kaudit.waivers import Waiver

#: Tables that limits are held against: controls on them would judge a second time.
_LIMITED = {"image_scans", "vulnerabilities", "image_secrets", "tool_findings", "kubesec_scores"}
#: Tables that checks are made of.
_HELD = {"image_scans", "tool_reports", "signatures"}
#: Tools of the guide's pipeline; others run where they are named.
TOOLS = ("trivy", "hadolint", "kubesec")


def gate(
    images: Sequence[str] = (),
    manifests: Sequence[Path] = (),
    dockerfiles: Sequence[Path] = (),
    *,
    outputs: Sequence[tuple[str, Path]] = (),
    settings: Settings | None = None,
    limits: Limits | None = None,
    waivers: Sequence[Waiver] = (),
    ours: Mapping[str, str] = os.environ,
    progress: Progress = silent,
) -> Verdict:
    """Scan what is given, judge it, and say whether it may be released.

    Parameters
    ----------
    images, manifests, dockerfiles
        What is to be released.
    outputs
        What tools wrote already: name of the format, and file or folder.
    settings
        Which tools to run, and how.
    limits
        What is let through.
    waivers
        Accepted failures of controls.

    Raises
    ------
    InputError
        There is nothing to look at, or a file is not there.
    """
    settings, limits = settings or Settings(tools=TOOLS), limits or Limits()
    given = [_files(path) for path in manifests]
    read = [*given, *(_files(path) for path in dockerfiles)]
    sources: list[Source] = [*read, *(_output(format, path) for format, path in outputs)]
    if not sources and not images:
        raise InputError(
            "nothing to look at", hint="name an --image, a --manifest, a --dockerfile, or an output"
        )
    if settings.ignore and not images:
        hint = "give it to the tool that wrote the outputs, or a --vex document here"
        raise InputError("an ignore file is for images that are scanned here", hint=hint)
    sources += [ToolSource("exceptions", path) for path in settings.vex if outputs]
    wanted = [_image(reference) for reference in dict.fromkeys(images)]

    def then(gathered: Gathered) -> Source:
        files = [target for source in given for target in _manifests(gathered, source)]
        files += [Target("Dockerfile", _shown(path), path=path) for path in dockerfiles]
        return ScanSource([*wanted, *files], settings, ours=ours)

    evidence = collect(*sources, then=then, progress=progress)
    scans = Scans(evidence, limits)
    checks = [*_missing(evidence), *scans.checks()]
    findings = [*findings_of(evidence, scans.targets)]
    if read:
        controls, failed = _controls(evidence, limits, waivers, progress)
        checks.append(controls)
        findings += failed
    known = {check.target for check in checks}
    checks += [_unseen(target) for target in wanted if target.name not in known]
    return Verdict(
        limits=limits,
        checks=checks,
        findings=findings,
        gaps=[gap for gap in evidence.gaps if gap.failed],
    )


def _output(format: str, path: Path) -> ToolSource:
    source = ToolSource(format, path)
    if not _HELD & {t for read in source.format.reads for t in registry.tables_of(read.id)}:
        hint = "exceptions are given as --vex or --ignore-file, with an --image"
        raise InputError(f"the gate has no limit for {source.label}", where=path, hint=hint)
    return source


def _files(path: Path) -> FileSource:
    if not path.exists():
        raise InputError("there is no such file or folder", where=path)
    return FileSource(path)


def _manifests(gathered: Gathered, source: FileSource) -> Iterator[Target]:
    for target in files_of(gathered, [source]):
        if target.kind == "Manifest":
            alone = source.path.is_file()
            name = _shown(source.path) if alone else target.name
            yield msgspec.structs.replace(target, name=name)


def _shown(path: Path) -> str:
    """Name of a file as it was given, where that leads down from here; else its last part."""
    down = not path.is_absolute() and ".." not in path.parts
    return visible_surrogates(path.as_posix() if down else path.name)


def _image(reference: str) -> Target:
    """Return the image as it was asked for: pipelines build what no registry has yet."""
    found = Target("Image", reference)
    if why := refused(found):
        raise InputError(why.partition(",")[0].partition(":")[0], where=reference)
    return msgspec.structs.replace(found, digest=image(reference).digest)


def _missing(evidence: Evidence) -> Iterator[Check]:
    """Yield what could not be looked at: whatever the rest says, that is no pass."""
    for gap in evidence.gaps:
        elsewhere = gap.whole and gap.reason is Reason.PARTIAL  # owners that nobody gave
        if gap.failed and gap.tables and not elsewhere:
            yield Check(
                what="scan",
                tool=_tool(gap),
                target=gap.name or gap.what,
                outcome=Outcome.INCOMPLETE,
                why=f"{gap.reason.replace('_', ' ')}: {gap.detail}",
            )


def _tool(gap: Gap) -> str:
    title = gap.what.partition(" ")[0]
    return next((f.name for f in registry.FORMATS.values() if f.title == title), "kaudit")


def _unseen(target: Target) -> Check:
    return Check(
        what="scan",
        tool="kaudit",
        target=target.name,
        outcome=Outcome.INCOMPLETE,
        why="no tool looked at it: --tools names none that scans images",
    )


def _controls(
    evidence: Evidence, limits: Limits, waivers: Sequence[Waiver], progress: Progress
) -> tuple[Check, list[Finding]]:
    """Judge the files by the controls; those on scans are left to the limits."""
    chosen = [
        control
        for control in registry.CONTROLS.values()
        if not _LIMITED & {*registry.base_tables(control.subject, *control.needs)}
    ]
    assessment = assess(evidence, chosen, waivers=waivers, progress=progress)
    findings: list[Finding] = []
    counts: Counter[str] = Counter()
    refusing = 0
    for result in assessment.iter_results():
        if result.status != Status.FAIL:
            continue
        control = registry.CONTROLS[result.control]
        if not result.waiver:
            counts[control.severity] += 1
            refusing += limits.fail_on is not None and control.severity.rank <= limits.fail_on.rank
        findings.append(
            Finding(
                what="controls",
                tool="kaudit",
                target=evidence.label,
                rule=control.id,
                severity=control.severity,
                subject="/".join(filter(None, (result.kind, result.namespace, result.name))),
                message=control.title,
                suppressed=f"waiver {result.waiver}" if result.waiver else "",
            )
        )
    crashed = [id_ for id_, tally in assessment.tallies.items() if tally.error_]
    check = Check(
        what="controls",
        tool="kaudit",
        target=evidence.label,
        outcome=Outcome.PASS,
        counts=_ordered(counts, Severity),
        suppressed=sum(bool(f.suppressed) for f in findings),
    )
    if refusing:
        check.outcome = Outcome.FAIL
        check.why = f"{refusing} at or above {limits.fail_on}, none allowed"
    elif crashed:
        check.outcome, check.why = Outcome.INCOMPLETE, f"not judged: {', '.join(crashed)}"
    return check, findings


def _ordered(counts: Mapping[str, int], words: Iterable[str]) -> dict[str, int]:
    return {word: counts[word] for word in words if word in counts}
