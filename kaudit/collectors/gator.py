"""gator: which objects violate which constraints, without a cluster.

Source: open-policy-agent/gatekeeper, ``cmd/gator/test``: a list of violations, or null where
there is none; with ``--stats`` it stands below ``results``. As YAML each is parted in two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import gator
from kaudit.model.numbered import Numbered, listed, members, streamed
from kaudit.model.place import Place
from kaudit.model.taken import Content, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.verdicts import POLICY_VERDICTS, VERDICT_REPORTS, VerdictReportRow, VerdictRow

_MEMBERS = {"target", "constraint", "violatingObject"}
_BEGINS = re.compile(
    rb"\A(?:results:\n)?\s*- result:\n\s+target: .*\n(?:.*\n)*?\s+constraint:\n\s+object:"
)


def _recognise(content: Content) -> bool:
    if content.shape == "list":
        return content.keys >= _MEMBERS
    if content.shape == "object":
        return content.keys == {"results", "stats"}
    return content.shape == "text" and bool(_BEGINS.match(content.data))


@tool(
    "gator",
    title="gator",
    help="Violations that gator finds (gator test -o json or yaml).",
    recognise=_recognise,
)
def take_gator(content: Content) -> Iterator[Taken]:
    """Take the violations apart."""
    numbered = Numbered(content.report)
    for result in _results(content):
        yield numbered.take("Result", result=result)
    yield numbered.whole()


def _results(content: Content) -> Iterator[Any]:
    if content.shape == "null":
        return
    if content.shape == "list":
        yield from (Raw(raw) for raw in streamed(content))
    elif content.shape == "object":
        parts, rest = content.parted("results[]")
        yield from (Raw(part.raw) for part in parts)
        found = members(rest.data)
        if "results" not in found:
            raise InputError("is no output of gator test", hint="run it with -o json")
        yield from listed(found["results"])
    else:
        yield from map(_whole, _of_yaml(content))


def _of_yaml(content: Content) -> list[Any]:
    from kaudit.model.yaml_stream import one  # YAML is slow to import

    if not content.data.strip():
        raise InputError("is empty", hint="gator test -o json prints null where it finds nothing")
    found = one(content.whole, content.name)
    if isinstance(found, dict) and "results" in found:
        found = found["results"] or []
    if not isinstance(found, list):
        raise InputError("is no output of gator test", hint="run it with -o json")
    return found


def _whole(entry: Any) -> Any:
    """Put together what YAML parts: the result, and the object; names are in small letters."""
    if not isinstance(entry, dict) or not isinstance(entry.get("result"), dict):
        return entry
    result = entry["result"]
    constraint = result.get("constraint")
    if isinstance(constraint, dict) and "object" in constraint:
        constraint = constraint["object"]
    return {
        "target": result.get("target"),
        "msg": result.get("msg"),
        "constraint": constraint,
        "enforcementAction": result.get("enforcementaction"),
        "scopedEnforcementActions": result.get("scopedenforcementactions"),
        "violatingObject": entry.get("violatingObject"),
    }


@collector(Read.of("gator", "Report", "reports", gator.Report), tables=(VERDICT_REPORTS,))
def gator_reports(found: gator.Report, at: Place) -> Iterator[Row]:
    """Yield one run; it does not say what it was run on."""
    yield VerdictReportRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="gator",
        verdicts=found.findings,
    )


@collector(Read.of("gator", "Result", "results", gator.FoundResult), tables=(POLICY_VERDICTS,))
def gator_results(found: gator.FoundResult, at: Place) -> Iterator[Row]:
    """Yield one violation."""
    it = found.result
    yield VerdictRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="gator",
        position=found.position,
        process="test",
        policy_kind=it.constraint.kind or "",
        policy=it.constraint.name,
        rule="",
        result="fail",
        actions=it.actions,
        group=it.violating.group,
        kind=it.violating.kind or "",
        namespace=it.violating.metadata.namespace or "",
        name=it.violating.name,
        message=it.msg,
    )
