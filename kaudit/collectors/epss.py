"""EPSS: how probable it is that a flaw is exploited, as FIRST's daily file or API tells.

Source: first.org/epss: ``epss_scores-YYYY-MM-DD.csv.gz`` with a comment as its first line, and
the answers of ``api.first.org/data/v1/epss``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import exploits
from kaudit.model.numbered import elements, members
from kaudit.model.place import Place
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.supply import EXPLOIT_SCORES, ExploitScoreRow

_HEAD = re.compile(rb"^(?:#[^\n]*\n)?cve,epss,percentile\r?$", re.MULTILINE)
_MODEL = re.compile(rb"model_version:(?P<model>[^,\s]+)")
_DAY = re.compile(rb"score_date:(?P<day>\d{4}-\d{2}-\d{2})")
_LINE = re.compile(rb"(?P<cve>CVE-\d{4}-\d{4,19}),(?P<epss>[\d.eE+-]+),(?P<percentile>[\d.eE+-]+)")
_encode = msgspec.json.Encoder().encode


def _recognise(content: Content) -> bool:
    if content.shape == "object":
        start = content.data[: 1 << 12]
        return {"status", "total", "data"} <= content.keys and b'"epss"' in start
    return content.shape == "text" and bool(_HEAD.match(content.data[:400]))


@tool(
    "epss",
    title="EPSS",
    help="EPSS scores: FIRST's daily file (CSV, packed or not), or answers of its API.",
    recognise=_recognise,
    files=("epss*.csv*",),
)
def take_epss(content: Content) -> Iterator[Taken | Lost]:
    """Take out each score."""
    if content.shape == "object":
        yield from _of_api(content)
        return
    data = content.whole
    head = _HEAD.match(data[:400])
    if head is None:
        raise InputError("is no file of EPSS scores")
    model, day = _MODEL.search(head[0]), _DAY.search(head[0])
    about = {"report": content.report, "model": model["model"].decode() if model else None}
    before = _encode(about)[:-1] + b',"score":{"cve":"'
    after = b',"date":"' + day["day"] + b'"}}' if day else b"}}"
    first = data.count(b"\n", 0, head.end()) + 2
    for number, line in enumerate(data[head.end() :].lstrip(b"\r\n").split(b"\n"), start=first):
        line = line.rstrip(b"\r")
        if found := _LINE.fullmatch(line):
            cve, epss, percentile = found.groups()
            raw = b'%b%b","epss":%b,"percentile":%b%b' % (before, cve, epss, percentile, after)
            yield Taken("Score", raw, number)
        elif line:
            yield Lost("Score", f"{line[:60].decode('utf-8', 'replace')!r} is no score", number)


def _of_api(content: Content) -> Iterator[Taken | Lost]:
    parts, rest = content.parted("data[]")
    long = [Raw(part.raw) for part in parts]
    held = members(rest.data)
    if not held.keys() >= {"data", "total"}:
        raise InputError("is no answer of the EPSS API")
    for number, raw in enumerate(long or elements(held["data"]), start=1):
        try:
            score = msgspec.convert(msgspec.json.decode(raw), exploits.Score, strict=False)
        except ValueError as fault:
            yield Lost("Score", str(fault), number)
        else:
            record = {"report": content.report, "score": score}
            yield Taken("Score", _encode(record), number)


@collector(Read.of("epss", "Score", "scores", exploits.FoundScore), tables=(EXPLOIT_SCORES,))
def exploit_scores(found: exploits.FoundScore, at: Place) -> Iterator[Row]:
    """Yield one score."""
    it = found.score
    yield ExploitScoreRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        cve=it.cve,
        score=it.epss,
        percentile=it.percentile,
        scored_at=exploits.moment(it.day),
        model=found.model,
    )
