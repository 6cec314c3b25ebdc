"""With any part of the evidence of a chain taken away, the pattern stays: it is never silent."""

import re

import pytest
import yaml

from kaudit import chains, registry
from kaudit.assess import assess
from kaudit.cases import Case, cases, collected
from kaudit.correlate import correlate
from kaudit.model.words import Gap, Reason

chains.load()
READS = {read.kind: read for c in registry.COLLECTORS.values() for read in c.reads if not read.tool}


def parts(manifests: str) -> list[str]:
    return [part for part in re.split(r"^---[ \t]*\n", manifests, flags=re.M) if part.strip()]


def what(part: str) -> str:
    """Kind of an object, or name of a file."""
    found = yaml.safe_load(part)
    return str(found.get("kind") or found["kaudit-file"])


def losses() -> list[tuple[str, str, str]]:
    return [
        (id, case.name, lost)
        for id, correlation in sorted(chains.CORRELATIONS.items())
        for case in cases(correlation.cases)
        if case.name.startswith("bad-")
        for lost in sorted({what(part) for part in parts(case.manifests)} - {"Pod"})
    ]


@pytest.mark.parametrize(("id", "name", "lost"), losses())
def test_what_is_taken_away_leaves_an_unknown_link(id: str, name: str, lost: str) -> None:
    case = next(c for c in cases(chains.CORRELATIONS[id].cases) if c.name == name)
    left = [part for part in parts(case.manifests) if what(part) != lost]
    evidence = collected(Case(name, "---\n".join(left)))
    if lost in READS:
        refused = Gap(
            what=f"list {READS[lost].plural}",
            reason=Reason.FORBIDDEN,
            kind=lost,
            tables=registry.tables_of(READS[lost].id),
        )
        evidence.manifest.gaps = (*evidence.manifest.gaps, refused)
    found = correlate(assess(evidence, strict=True))
    patterns = [p for chain in found.chains for p in chain.patterns if p.id == id]
    assert patterns, f"{id} is silent without {lost}"
