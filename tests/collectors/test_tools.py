"""What holds for every format of tools: hostile content, and nothing lost without a word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kaudit import registry
from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.taken import Content, Lost, Taken
from kaudit.model.words import Reason
from kaudit.source import tools
from kaudit.source.tools import ToolSource, recognised

registry.load()
#: One folder a format, with small outputs in its shapes.
EXAMPLES = Path(__file__).parent / "outputs"
FILES = sorted(path for path in EXAMPLES.rglob("*") if path.is_file())
JSON = [path for path in FILES if path.suffix in (".json", ".sarif")]
TEXT = [path for path in FILES if path not in JSON]
#: Pieces of text that mean something to a parser.
SIGNS = ["\n", "\\\n", "{", "[", "}", '"', "'", ": ", "- ", "&a ", "*a", "<<EOF", "#", "$", "${A"]
each_format = pytest.mark.parametrize("format", sorted(registry.FORMATS))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.just([None]),
    st.just([{}]),
    st.just({"a": None}),
    st.just("<script>alert(1)</script>"),
    st.just("=1+1\x1b[31m"),
)


def collected(path: Path) -> Evidence:
    return collect(ToolSource(path.parent.name, path))


def taken(path: Path, data: bytes) -> int:
    """Count the records that a format takes out of content."""
    content = Content(path.name, data, "0" * 16)
    return sum(isinstance(t, Taken) for t in registry.FORMATS[path.parent.name].take(content))


def lost(path: Path, data: bytes) -> list[Lost]:
    """What a format finds that it cannot read."""
    content = Content(path.name, data, "0" * 16)
    found = registry.FORMATS[path.parent.name].take(content)
    return [one for one in found if isinstance(one, Lost)]


@each_format
def test_every_format_has_examples(format: str) -> None:
    assert [path for path in FILES if path.parent.name == format], "give a small output of it"


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_examples_are_read_whole_and_known_by_themselves(path: Path) -> None:
    evidence = collected(path)
    assert [gap for gap in evidence.gaps if gap.reason is Reason.BROKEN] == []
    assert len(evidence["records"]) == taken(path, path.read_bytes())
    content = Content(path.name, path.read_bytes())
    assert registry.FORMATS[path.parent.name].recognise(content)
    others = [f.name for f in registry.FORMATS.values() if f.recognise(content)]
    assert others == [path.parent.name]


@pytest.mark.parametrize("path", JSON, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_what_is_too_large_to_hold_is_read_alike(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = collected(path)
    monkeypatch.setattr(tools, "LARGE", 16)
    parted = collected(path)
    assert parted.gaps == whole.gaps
    for name in {*whole.store.names()} - {"records"}:
        left, right = (
            e.table(name).drop(columns=["raw_line", "position"], errors="ignore")
            for e in (whole, parted)
        )
        order = [c for c in left.columns if left[c].dtype.kind != "O"]
        assert sorted(map(repr, left[order].itertuples(index=False))) == sorted(
            map(repr, right[order].itertuples(index=False))
        ), name


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a copy of a document with something else at a place."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(value[path[0]], path[1:], new)
    return copy


@pytest.mark.parametrize("path", JSON, ids=lambda p: f"{p.parent.name}/{p.name}")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_anywhere_is_a_row_a_gap_or_one_error(
    path: Path, tmp_path: Path, data: st.DataObject
) -> None:
    document = json.loads(path.read_bytes())
    place = data.draw(st.sampled_from(places(document)))
    text = json.dumps(put(document, place, data.draw(VALUES))).encode()
    odd = tmp_path / path.parent.name / path.name
    odd.parent.mkdir(exist_ok=True)
    odd.write_bytes(text)
    evidence = collected(odd)
    broken = [gap for gap in evidence.gaps if gap.reason is Reason.BROKEN]
    if any(gap.what.endswith(f"output {path.name}") for gap in broken):
        return  # told of the whole file
    assert len(evidence["records"]) + len(broken) == taken(odd, text) + len(lost(odd, text))


@st.composite
def mangled(draw: st.DrawFn, text: str) -> str:
    """Text of which a part is gone, or is something else, once or twice."""
    for _ in range(draw(st.integers(1, 2))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 40)))
        put_in = draw(st.one_of(st.just(""), st.text(max_size=6), st.sampled_from(SIGNS)))
        text = text[:start] + put_in + text[end:]
    return text


@pytest.mark.parametrize("path", TEXT, ids=lambda p: f"{p.parent.name}/{p.name}")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_text_is_rows_gaps_or_one_error(
    path: Path, tmp_path: Path, data: st.DataObject
) -> None:
    text = data.draw(mangled(path.read_text())).encode("utf-8", "replace")
    odd = tmp_path / path.parent.name / path.name
    odd.parent.mkdir(exist_ok=True)
    odd.write_bytes(text)
    evidence = collected(odd)
    broken = [gap for gap in evidence.gaps if gap.reason is Reason.BROKEN]
    if any(gap.what.endswith(f"output {path.name}") for gap in broken):
        return  # told of the whole file
    if recognised(Content(path.name, text)) in (None, registry.FORMATS[path.parent.name]):
        assert len(evidence["records"]) + len(broken) == taken(odd, text) + len(lost(odd, text))


@pytest.mark.parametrize("path", JSON, ids=lambda p: f"{p.parent.name}/{p.name}")
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_cut_off_is_told(path: Path, tmp_path: Path, data: st.DataObject) -> None:
    whole = path.read_bytes().strip()
    short = tmp_path / path.parent.name / path.name
    short.parent.mkdir(exist_ok=True)
    short.write_bytes(whole[: data.draw(st.integers(1, len(whole) - 1))])
    evidence = collected(short)
    assert [gap for gap in evidence.gaps if gap.reason is Reason.BROKEN]


@pytest.mark.parametrize("format", sorted({path.parent.name for path in JSON}))
@pytest.mark.parametrize(
    "text",
    [b"", b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>", b"\x00\xff\xfe", b"[[[["],
    ids=["empty", "html", "binary", "brackets"],
)
def test_what_is_no_output_is_a_gap(format: str, text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(text)
    evidence = collect(ToolSource(format, path))
    (gap,) = (g for g in evidence.gaps if g.reason is Reason.BROKEN)
    assert "a.json" in gap.what
    assert gap.tables


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_a_raw_record_is_read_again_as_it_stands(path: Path) -> None:
    models = {r.raw: r.model for c in registry.COLLECTORS.values() for r in c.reads}
    evidence = collected(path)
    for raw, line in evidence["records"][["raw", "raw_line"]].itertuples(index=False):
        kept = evidence.record(raw, line)
        again = msgspec.json.decode(msgspec.json.encode(kept), type=models[raw])
        assert msgspec.json.decode(msgspec.json.encode(again)) == kept
