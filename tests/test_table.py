"""Tables: declared once, the same dtypes full and empty, faults named."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaudit.errors import RegistryError
from kaudit.table import Column, Resource, Row, Table, Trace, doc, frame


class Colour(StrEnum):
    RED = "red"


class ThingRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("where")]
    name: Annotated[str, doc("what")]
    count: Annotated[int | None, doc("how many")] = None
    share: Annotated[float | None, doc("how much")] = None
    good: Annotated[bool, doc("whether")] = False
    words: Annotated[list[str], doc("which")]
    at: Annotated[datetime | None, doc("when")] = None
    colour: Annotated[Colour | None, doc("of an enum")] = None


THINGS = Table(
    "things", ThingRow, grain="one thing", key=("namespace", "name"), resource=Resource("=Thing")
)


def thing(name: str, line: int = 1, **more: Any) -> ThingRow:
    return ThingRow(raw="things", raw_line=line, namespace="n", name=name, words=[], **more)


def test_columns_are_as_declared_the_trace_last() -> None:
    assert [c.name for c in THINGS.columns] == [
        *("namespace", "name", "count", "share", "good", "words", "at", "colour"),
        *("raw", "raw_line"),
    ]
    assert THINGS.columns[2] == Column("count", "integer", True, "how many")
    assert [c.kind for c in THINGS.columns] == [
        *("text", "text", "integer", "number", "flag", "texts", "time", "text"),
        *("text", "integer"),
    ]
    assert [c.name for c in THINGS.columns if c.nullable] == ["count", "share", "at", "colour"]


def test_schema() -> None:
    assert THINGS.schema.field("at") == pa.field("at", pa.timestamp("us", tz="UTC"))
    assert THINGS.schema.field("words") == pa.field("words", pa.list_(pa.string()), nullable=False)


def test_full_and_empty_frames_have_the_same_dtypes() -> None:
    moment = datetime(2026, 5, 31, 12, tzinfo=UTC)
    full = frame(THINGS.arrow([thing("a", count=2, at=moment, colour=Colour.RED), thing("b")]))
    assert list(full.dtypes) == list(THINGS.empty().dtypes)
    assert list(full.columns) == list(THINGS.empty().columns)
    assert len(THINGS.empty()) == 0
    assert full["count"].isna().tolist() == [False, True]
    assert full["at"][0] == pd.Timestamp(moment)
    assert full["colour"][0] == "red"
    THINGS.check(full)
    THINGS.check(THINGS.empty())


def test_rows_are_sorted_by_key_and_then_by_trace() -> None:
    rows = [thing("b", 1), thing("a", 9), thing("a", 2)]
    found = THINGS.sorted(THINGS.arrow(rows)).to_pylist()
    assert [(r["name"], r["raw_line"]) for r in found] == [("a", 2), ("a", 9), ("b", 1)]


def test_computed_columns_are_brought_to_the_table() -> None:
    rows = [thing("a", 1, count=2), thing("b", 2)]
    whole = THINGS.arrow(rows)
    computed = {name: whole[name] for name in reversed(whole.column_names)} | {
        "count": pa.array([2, None], pa.int32()),
        "words": pa.array([[], []], pa.list_(pa.null())),
        "surplus": pa.array([1, 2]),
    }
    assert THINGS.fitted(computed).equals(whole)
    assert THINGS.fitted(pa.table(computed)).equals(whole)


def test_a_computed_column_without_values_where_they_must_be_is_refused() -> None:
    whole = THINGS.arrow([thing("a")])
    computed = {name: whole[name] for name in whole.column_names} | {"good": pa.nulls(1)}
    with pytest.raises(ValueError, match="good"):
        THINGS.fitted(computed)


def test_a_number_that_no_column_holds_is_refused() -> None:
    with pytest.raises((OverflowError, pa.ArrowInvalid)):
        THINGS.arrow([thing("a", count=2**63)])


def test_faults_of_a_frame_are_all_named() -> None:
    data = frame(THINGS.arrow([thing("a"), thing("b")]))
    data["good"] = pd.Series([True, None], dtype=pd.ArrowDtype(pa.bool_()))
    data = data.drop(columns="share").assign(extra=1)
    with pytest.raises(RegistryError) as fault:
        THINGS.check(data)
    assert str(fault.value) == (
        "table things: column share is missing; column extra is not declared; "
        "column good has 1 nulls but is declared non-null"
    )


class NoSentence(Row):
    name: str


class NoKind(Row):
    name: Annotated[dict[str, str], doc("what")]


class Good(Row):
    name: Annotated[str, doc("what")]


@pytest.mark.parametrize(
    ("row", "more", "said"),
    [
        (NoSentence, {}, "column name has no sentence"),
        (NoKind, {}, "is no column kind"),
        (Good, {"key": ("id",)}, "table t: no such columns: \\['id'\\]"),
        (Good, {"resource": Resource("kind")}, "\\['kind', 'namespace'\\]"),
    ],
)
def test_malformed_declarations(row: type[Row], more: dict[str, Any], said: str) -> None:
    with pytest.raises(RegistryError, match=said):
        _ = Table("t", row, **{"grain": "g", "key": ("name",)} | more).columns


ROWS = st.lists(
    st.builds(
        ThingRow,
        raw=st.just("things"),
        raw_line=st.integers(1, 3),
        namespace=st.sampled_from(["", "a", "b"]),
        name=st.text(max_size=3),
        count=st.none() | st.integers(0, 2),
        share=st.none() | st.sampled_from([0.0, -0.0, 1.5]),
        good=st.booleans(),
        words=st.lists(st.sampled_from(["", "x"]), max_size=2),
        at=st.none() | st.just(datetime(2026, 5, 31, tzinfo=UTC)),
        colour=st.none() | st.just(Colour.RED),
    ),
    max_size=5,
)


@given(rows=ROWS, repeated=st.integers(1, 3))
def test_columns_hold_what_the_rows_hold(rows: list[ThingRow], repeated: int) -> None:
    found = THINGS.arrow(rows * repeated)
    assert found.schema == THINGS.schema
    for column in THINGS.schema.names:
        told = [getattr(row, column) for row in rows * repeated]
        assert found[column].to_pylist() == told
        assert [str(value) for value in found[column].to_pylist()] == [str(v) for v in told]
