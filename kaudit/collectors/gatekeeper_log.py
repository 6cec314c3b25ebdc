"""Gatekeeper's log: every violation that its audit found, where a status lists but some.

Source: open-policy-agent/gatekeeper, ``website/docs/audit.md`` and ``pkg/audit/manager.go``. A
log tells of one audit after the other; the last that ended is read, else the last that began.
What the webhook refused is read with it. What the export wrote to a disk is read alike.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import msgspec

from kaudit.columns import total
from kaudit.errors import InputError
from kaudit.model import gatekeeper_log
from kaudit.model.gatekeeper_log import Event, Exported, Logged
from kaudit.model.numbered import Numbered
from kaudit.model.place import Place
from kaudit.model.taken import Content, Lost, Taken
from kaudit.model.whole import whole
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.verdicts import POLICY_VERDICTS, VERDICT_REPORTS, VerdictReportRow, VerdictRow

_EVENTS = "violation_audited|audit_started|audit_finished|constraint_audited|violation"
_SIGN = re.compile(rf'"event_?[tT]ype\\?":\s*\\?"(?:{_EVENTS})\\?"'.encode())
_WRAPPED = re.compile(rb'\{\s*"log"\s*:')
_logged = msgspec.json.Decoder(Logged).decode
_exported = msgspec.json.Decoder(Exported).decode
_wrapped = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@tool(
    "gatekeeper",
    title="Gatekeeper log",
    help="Log of Gatekeeper's audit (kubectl logs), or what its export wrote.",
    recognise=lambda content: (
        content.shape != "list"
        and not content.holds_items
        and not {"apiVersion", "kind", "metadata"} <= content.keys
        and bool(_SIGN.search(content.data))
    ),
    files=("*gatekeeper*.log", "*gatekeeper*.txt"),
)
def take_gatekeeper(content: Content) -> Iterator[Taken | Lost]:
    """Take the violations of one audit out of a log, and what the webhook refused."""
    audits = _Audits(content)
    chosen = audits.chosen
    numbered = Numbered(content.report)
    for place, line in _lines(content):
        if isinstance(line, str):
            yield Lost("Violation", f"line {place}: {line}", place)
        elif line.event_type == "violation" or (
            line.event_type == "violation_audited" and line.audit_id == chosen
        ):
            yield numbered.take("Violation", event=Event.of(line))
    if not audits.known:
        raise InputError("is no log of Gatekeeper", hint="give what kubectl logs prints of its pod")
    if audits.cut_off:
        yield Lost("Violation", "no audit ended in it: of the last, some violations may be missing")
    yield Taken("Log", msgspec.json.encode(audits.log(content.report, numbered.count)))


class _Audits:
    """What a log says of audits, before its violations are read."""

    def __init__(self, content: Content) -> None:
        self.known = False
        self._order: dict[str | None, None] = {}
        self._ended: dict[str | None, datetime | None] = {}
        self._bounded = False
        self._begun: set[str | None] = set()
        self._damaged: set[str | None] = set()
        self._stated: Counter[str | None] = Counter()
        self._found: Counter[str | None] = Counter()
        for _, line in _lines(content):
            if isinstance(line, str):
                self._damaged |= self._begun - self._ended.keys()
                continue
            if not line.event_type:
                continue
            self.known = True
            if line.event_type == "violation":
                continue
            self._order.setdefault(line.audit_id)
            self._take(line)

    def _take(self, line: Logged) -> None:
        self._bounded = self._bounded or line.event_type in ("audit_started", "audit_finished")
        if line.event_type == "audit_started":
            self._begun.add(line.audit_id)
        elif line.event_type == "audit_finished":
            self._ended[line.audit_id] = gatekeeper_log.moment(line.ts)
        elif line.event_type == "violation_audited":
            self._found[line.audit_id] += 1
        elif line.event_type == "constraint_audited":
            said = whole(str(line.constraint_violations or 0)) or 0
            self._stated[line.audit_id] = total([self._stated[line.audit_id], said])

    @property
    def chosen(self) -> str | None:
        """The last audit that ended, else the last that began."""
        ended = [audit for audit in self._order if audit in self._ended]
        return next(reversed(ended or [*self._order]), None)

    @property
    def cut_off(self) -> bool:
        """Whether audits began, and none ended."""
        return self._bounded and not self._ended

    def log(self, report: str, findings: int) -> gatekeeper_log.Log:
        """What the log says of itself."""
        chosen, stated = self.chosen, self._stated.get(self.chosen)
        read = chosen in self._begun & self._ended.keys() - self._damaged
        whole = read and stated in (None, self._found[chosen])
        return gatekeeper_log.Log(
            report=report,
            findings=findings,
            audit=chosen,
            audits=len(self._order),
            stated=stated,
            finished=whole if self._bounded else None,
            ended_at=self._ended.get(chosen),
        )


def _lines(content: Content) -> Iterator[tuple[int, Logged | str]]:
    """Yield each line of JSON, decoded, or why it cannot be; other lines say nothing."""
    if content.shape == "object" and content.data.lstrip().partition(b"\n")[0].strip() == b"{":
        try:
            yield 1, _line(content.whole)  # one message, written over several lines
        except msgspec.DecodeError as fault:
            yield 1, str(fault)
        return
    for place, line in enumerate(_opened(content), start=1):
        start = line.find(b"{")
        if start < 0:
            continue
        try:
            yield place, _line(line[start:])
        except msgspec.DecodeError as fault:
            if start == 0 or _SIGN.search(line):
                yield place, str(fault)


def _opened(content: Content) -> Iterator[bytes]:
    if content.opened is None:
        yield from content.data.splitlines()
        return
    with content.opened() as stream:
        yield from stream


def _line(text: bytes) -> Logged:
    """Decode a line of the log, one that a container runtime wrapped, or an exported message."""
    if _WRAPPED.match(text):
        inner = _wrapped(text)["log"]
        text = msgspec.json.decode(inner, type=str).encode()
    return _exported(text).logged if b'"eventType"' in text else _logged(text)


@collector(Read.of("gatekeeper", "Log", "logs", gatekeeper_log.Log), tables=(VERDICT_REPORTS,))
def gatekeeper_logs(found: gatekeeper_log.Log, at: Place) -> Iterator[Row]:
    """Yield one log."""
    yield VerdictReportRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="gatekeeper",
        verdicts=found.findings,
        run=found.audit,
        runs=found.audits,
        stated=found.stated,
        complete=found.finished,
        ended_at=found.ended_at,
    )


@collector(
    Read.of("gatekeeper", "Violation", "violations", gatekeeper_log.FoundEvent),
    tables=(POLICY_VERDICTS,),
)
def gatekeeper_violations(found: gatekeeper_log.FoundEvent, at: Place) -> Iterator[Row]:
    """Yield one violation."""
    it = found.event
    yield VerdictRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        tool="gatekeeper",
        position=found.position,
        process=it.process,
        policy_kind=it.constraint_kind,
        policy=it.constraint,
        rule="",
        result="fail",
        actions=it.actions,
        group=it.group,
        kind=it.kind,
        namespace=it.namespace,
        name=it.name,
        message=it.message,
        found_at=it.at,
    )
