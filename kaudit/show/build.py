"""The build layer in the audit report: what is known, and in one place what is not."""

from __future__ import annotations

from kaudit.assessment import Assessment
from kaudit.show import blocks as b
from kaudit.show.images import fix_plan, images, reconciliation, vulnerabilities
from kaudit.show.supply import dockerfiles, pipelines, trust

#: Table that must have rows, what it is of, and the sections that rest on it.
_SECTIONS = (
    ("image_scans", "scans of images", (images, vulnerabilities, fix_plan, reconciliation)),
    ("signatures", "verified signatures", (trust,)),
    ("dockerfiles", "Dockerfiles", (dockerfiles,)),
    ("pipelines", "workflows", (pipelines,)),
)


def build(assessment: Assessment) -> b.Stack:
    """Sections on images, signatures, Dockerfiles and pipelines, as far as evidence goes."""
    parts: list[b.Block] = []
    missing = []
    for table, what, sections in _SECTIONS:
        if len(assessment.evidence[table]):
            parts += [section(assessment) for section in sections]
        else:
            missing.append(what)
    if missing:
        text = (
            "`kaudit collect --help` lists the options that add what tools wrote; `--scan` runs "
            "the scanners."
        )
        parts.append(b.Callout(b.Tone.INFO, f"Not in the evidence: {', '.join(missing)}", text))
    return b.Stack(tuple(parts))
