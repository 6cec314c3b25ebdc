"""Cases: the small manifests in a control's docstring, which are its test and its documentation.

Objects whose name starts with ``bad-`` must fail, those with ``ok-`` must not; others are
scenery. Where a control judges the cluster as a whole, a line ``# cluster: bad-NAME`` (or
``ok-``) starts a cluster of its own, and the name says what the control must find in it.

Documents behind a first line ``# in every cluster`` stand in each of them, but where a cluster
has its own of the same kind, namespace and name: so a cluster shows what it is about.

A document ``{kaudit-file: NAME, content: …}`` stands for a file beside the manifests: what a
tool wrote, or a file that a tool reads; ``lines`` in place of ``content`` is its text. A line
``# parameters: {NAME: VALUE}`` in a cluster is what the auditor has decided.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec

from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Status
from kaudit.model.yaml_stream import one
from kaudit.parameters import Parameters, parse, using
from kaudit.registry import Control
from kaudit.result import Result
from kaudit.source.events import Source
from kaudit.source.files import FileSource
from kaudit.source.tools import OutputSource

_CLUSTER = re.compile(r"^# cluster: *((?:bad|ok)-\S+)[ \t]*$", re.MULTILINE)
_SHARED = re.compile(r"# in every cluster[ \t]*\n")
_DOCUMENT = re.compile(r"^---[ \t]*\n", re.MULTILINE)
_NAMED = re.compile(r"(?:name|kaudit-file): *[\"']?((?:bad|ok)-[\w./:-]+)")
_FILE = re.compile(r"\s*\{?kaudit-file:")
_PARAMETERS = re.compile(r"^# parameters: *(\{.*\})[ \t]*$", re.MULTILINE)
#: Moment that the cases hold for.
_AS_OF = datetime(2025, 12, 1, tzinfo=UTC)


class Case(msgspec.Struct, frozen=True):
    """Manifests that form one cluster; ``name`` is empty where names tell the outcome."""

    name: str
    manifests: str


def cases(text: str) -> list[Case]:
    """Split the cases of a docstring into clusters."""
    head, *rest = _CLUSTER.split(text)
    named = zip(rest[::2], rest[1::2], strict=True)
    if shared := _SHARED.match(head):
        return [Case(name, _with(own, head[shared.end() :])) for name, own in named]
    return [*([Case("", head)] if head.strip() else []), *(Case(*one) for one in named)]


def _with(own: str, shared: str) -> str:
    """Documents of a cluster, and those of every cluster that are about something else."""
    found, others = ([d for d in _DOCUMENT.split(text) if d.strip()] for text in (own, shared))
    about = {*map(_about, found)}
    found += [d for d in others if _about(d) not in about]
    return "\n---\n".join(d.strip("\n") for d in found) + "\n"


def _about(document: str) -> tuple[str, ...]:
    """Name of a file, or kind, namespace and name of an object."""
    found = one(document.encode(), "cases")
    if file := found.get("kaudit-file"):
        return (file,)
    named = found["metadata"]
    return found["kind"], named.get("namespace", ""), named["name"]


def _sources(text: str) -> list[Source]:
    """Manifests, and the files beside them."""
    documents = _DOCUMENT.split(text)
    files = [one(d.encode(), "cases") for d in documents if _FILE.match(d)]
    manifests = "\n---\n".join(d for d in documents if not _FILE.match(d))
    found: list[Source] = (
        [FileSource.of_text(manifests, label="cases")] if manifests.strip() else []
    )
    for file in files:
        content = "\n".join(file["lines"]) if "lines" in file else file["content"]
        data = content.encode() if isinstance(content, str) else msgspec.json.encode(content)
        found.append(OutputSource(file["kaudit-file"], data))
    return found


def collected(case: Case) -> Evidence:
    """Collect the evidence of a case."""
    return collect(*_sources(case.manifests), as_of=_AS_OF)


def _decisions(text: str) -> Parameters:
    """What the auditor of a case has decided."""
    found = _PARAMETERS.search(text)
    return parse(one(found[1].encode(), "cases") if found else {})


def _traced(result: Result, evidence: Evidence) -> bool:
    return bool(result.raw) and bool(evidence.record(result.raw, result.raw_line))


def faults(control: Control) -> list[str]:
    """Run a control on its cases; say of each case what is not as its name promises."""
    found: list[str] = []
    outcomes: set[bool] = set()
    for case in cases(control.cases):
        evidence = collected(case)
        with using(_decisions(case.manifests)):
            results = list(assess(evidence, [control], strict=True).iter_results())
        failures = [r for r in results if r.status is Status.FAIL]
        failed = {r.name for r in failures}
        found += [f"{r.name}: leads to no raw record" for r in failures if not _traced(r, evidence)]
        if case.name:
            bad = case.name.startswith("bad-")
            outcomes.add(bad)
            if bool(failed) != bad:
                found.append(f"{case.name}: {'nothing fails' if bad else f'fails: {failed}'}")
            continue
        judged = {r.name for r in results if r.status in (Status.FAIL, Status.PASS)}
        named = set(_NAMED.findall(case.manifests))
        outcomes |= {name.startswith("bad-") for name in named}
        for name in sorted(named):
            if name.startswith("bad-") and name not in failed:
                found.append(f"{name}: does not fail")
            if name.startswith("ok-") and name in failed:
                found.append(f"{name}: fails")
        if strays := sorted(failed - named):
            found.append(f"scenery fails: {strays}")
        if not judged:
            found.append("nothing is judged")
    if outcomes != {True, False}:
        found.append("there must be bad- and ok- cases")
    return found
