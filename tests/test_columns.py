"""Operations on whole columns."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaudit.columns import (
    SEPARATOR,
    alike,
    any_in_lists,
    any_of,
    arrow,
    assembled,
    counted,
    empty,
    first_set,
    flags,
    gathered,
    kept_labels,
    listing,
    looked_up,
    matched,
    named,
    over_lists,
    over_texts,
    owned,
    pairs,
    plain_rows,
    positions,
    records,
    series,
    short_ids,
    sorted_lists,
    text_is,
)
from kaudit.table import frame

TEXTS = pa.list_(pa.string())


def column(values: Sequence[object], kind: pa.DataType | None = None) -> pd.Series:
    array = pa.array(values, kind or pa.string())
    return pd.Series(pd.array(array, dtype=pd.ArrowDtype(array.type)))


def listed(found: pd.Series) -> list[object]:
    return list(arrow(found).to_pylist())


def test_arrow_is_one_chunk() -> None:
    array = pa.chunked_array([["a"], ["b"]])
    found = arrow(pd.Series(pd.array(array, dtype=pd.ArrowDtype(pa.string()))))
    assert isinstance(found, pa.StringArray)
    assert found.to_pylist() == ["a", "b"]


def test_series_takes_the_index_of_another() -> None:
    like = pd.DataFrame({"x": [1, 2]}, index=[7, 9])
    assert list(series(np.array([True, False]), like).index) == [7, 9]
    assert series(pa.array([1, None]), like).isna().tolist() == [False, True]


def test_positions() -> None:
    keys, among = column(["b", None, "z", "a"]), column(["a", "b", "b"])
    assert positions(keys, among).tolist() == [1, -1, -1, 0]
    assert positions(column([None]), column([None, "a"])).tolist() == [-1], "null names nothing"
    assert positions(column([]), among).tolist() == []
    assert positions(keys, column([])).tolist() == [-1, -1, -1, -1]


_WORDS = st.sampled_from([None, "", "a", "b", "c"])


@given(st.lists(_WORDS, max_size=3), st.lists(_WORDS, max_size=30))
def test_the_first_of_many_is_found_as_that_of_few(
    keys: list[str | None], among: list[str | None]
) -> None:
    wanted = [-1 if key is None or key not in among else among.index(key) for key in keys]
    assert positions(column(keys), column(among)).tolist() == wanted


@given(
    st.lists(st.tuples(_WORDS, _WORDS), max_size=3),
    st.lists(st.tuples(_WORDS, _WORDS), max_size=30),
)
def test_rows_match_in_all_columns(
    keys: list[tuple[str | None, str | None]], among: list[tuple[str | None, str | None]]
) -> None:
    wanted = [-1 if None in key or key not in among else among.index(key) for key in keys]
    left, right = ([column([row[n] for row in rows]) for n in (0, 1)] for rows in (keys, among))
    assert matched(left, right).tolist() == wanted


def test_looked_up() -> None:
    frame = pd.DataFrame({"v": column([10, 20], pa.int64())})
    like = pd.DataFrame({"x": [0, 0, 0]}, index=[5, 6, 7])
    found = looked_up(frame, np.array([1, -1, 0]), "v", like)
    assert listed(found) == [20, None, 10]
    assert list(found.index) == [5, 6, 7]


def test_flags_and_first_set() -> None:
    truth = column([True, None, False], pa.bool_())
    assert listed(flags(truth)) == [True, False, False]
    assert listed(flags(truth, True)) == [True, True, False]
    assert listed(first_set(column(["a", None, None]), column(["b", "c", None]))) == [
        *("a", "c", None)
    ]


def test_tests_on_text_have_no_nulls() -> None:
    words = column(["a", "A", "", None])
    assert listed(text_is(words, "a", "b")) == [True, False, False, False]
    assert listed(text_is(words)) == [False] * 4
    assert listed(empty(words)) == [False, False, True, True]
    assert listed(listing(column(["a,b", "ab", "", None]), "b", "c")) == [True, False, False, False]


def test_texts_are_computed_once_each() -> None:
    seen: list[str] = []

    def length(text: str) -> int:
        seen.append(text)
        return len(text)

    found = over_texts(column(["aa", None, "b", "aa"]), length, unset=-1, type_=pa.int64())
    assert listed(found) == [2, -1, 1, 2]
    assert sorted(seen) == ["aa", "b"]


def test_lists_are_computed_once_each() -> None:
    seen: list[list[str]] = []

    def size(words: list[str]) -> int:
        seen.append(words)
        return len(words)

    lists = column([["a", "b"], None, [], [""], ["a", "b"], ["", ""]], TEXTS)
    assert listed(over_lists(lists, size, pa.int64())) == [2, 0, 0, 1, 2, 2]
    assert sorted(seen) == [[], [""], ["", ""], ["a", "b"]]


@given(st.lists(st.lists(st.text(alphabet="ab\x1f", max_size=3), max_size=3), max_size=5))
def test_no_text_passes_for_two(lists: list[list[str]]) -> None:
    found = over_lists(column(lists, TEXTS), len, pa.int64())
    assert listed(found) == [len(words) for words in lists]


def test_any_in_lists() -> None:
    lists = column([["a", "b"], [], None, ["b", "b"], ["c"]], TEXTS)
    asked: list[str] = []

    def test(text: str) -> bool:
        asked.append(text)
        return text == "b"

    assert listed(any_in_lists(lists, test)) == [True, False, False, True, False]
    assert sorted(asked) == ["a", "b", "c"]
    assert listed(any_in_lists(column([], TEXTS), bool)) == []


def test_kept_labels_asks_for_each_key_once() -> None:
    labels = column([["app=a", "tier=x"], [], None, ["app=b", "bare", "app=a=c"]], TEXTS)
    asked: list[str] = []

    def keep(key: str) -> bool:
        asked.append(key)
        return key in ("app", "bare")

    kept = [["app=a"], [], [], ["app=b", "bare", "app=a=c"]]
    assert kept_labels(labels, keep).to_pylist() == kept
    assert sorted(asked) == ["app", "bare", "tier"]
    assert kept_labels(labels, str.isupper).to_pylist() == [[], [], [], []]
    assert kept_labels(column([], TEXTS), keep).to_pylist() == []


def test_keys_and_places_are_computed_once_for_the_same_columns() -> None:
    frame = pd.DataFrame({"a": column(["x", "y"]), "b": column(["1", None])})
    other = pd.DataFrame({"a": column(["y", "x"]), "b": column(["1", "1"])})
    keys = pairs(frame["a"], frame["b"])
    assert pairs(frame["a"], frame["b"]) is keys
    assert pairs(frame["b"], frame["a"]) is not keys
    at = positions(frame["a"], other["a"])
    assert positions(frame.copy()["a"], other["a"]) is at
    assert at.tolist() == [1, 0]
    assert positions(keys, pairs(other["a"], other["b"])).tolist() == [1, -1]


def test_counted_and_named() -> None:
    keys, among = column(["a", "b", "a", None, "z"]), column(["a", "c", "b"])
    assert counted(keys, among).tolist() == [2, 0, 1]
    assert named(keys, among).tolist() == [True, False, True]
    assert counted(column([]), among).tolist() == [0, 0, 0]
    twice = column(["a", "c", "a", None])
    assert named(keys, twice).tolist() == [True, False, True, False]


def test_pairs() -> None:
    found = pairs(column(["a", None]), column(["b", "c"]))
    assert found.to_pylist() == [f"a{SEPARATOR}b", None]


def test_assembled_has_the_order_and_the_index() -> None:
    like = pd.DataFrame({"x": [1]}, index=[3])
    found = assembled(like, {"b": column(["2"]).set_axis([3]), "a": like["x"]}, ["a", "b"])
    assert list(found.columns) == ["a", "b"]
    assert list(found.index) == [3]


def test_owned_follows_pods_by_uid() -> None:
    context = pd.DataFrame(
        {
            "pod_uid": column(["u1", "u2"]),
            "origin": column(["object", "template"]),
            "owner_kind": column(["Pod", "Deployment"]),
            "owner_name": column(["p", "d"]),
            "platform": column([False, True], pa.bool_()),
        }
    )
    found = owned(pd.DataFrame({"pod_uid": column(["u2", "u9"])}), context)
    assert {name: listed(values) for name, values in found.items()} == {
        "origin": ["template", None],
        "owner_kind": ["Deployment", None],
        "owner_name": ["d", None],
        "platform": [True, None],
    }


def test_gathered() -> None:
    keys, texts = column(["b", "a", "b", None, "z"]), column(["1", "2", "3", "4", "5"])
    assert listed(gathered(keys, texts, column(["a", "b", "c"]))) == [["2"], ["1", "3"], []]
    assert listed(gathered(keys, texts, column([], pa.string()))) == []


def test_any_of() -> None:
    a, b = column([True, False], pa.bool_()), column([False, False], pa.bool_())
    assert listed(any_of([b, a, b])) == [True, False]
    assert listed(any_of([b])) == [False, False]
    with pytest.raises(ValueError, match="not enough values"):
        any_of([])


def test_ids_of_containers_are_cut_to_what_all_sensors_tell() -> None:
    long = "0123456789abcdef"
    written = [f"containerd://{long}", f"cri-o://{long}", long, "short", None]
    ids = pd.Series(written, dtype=pd.ArrowDtype(pa.string()))
    assert short_ids(ids).to_pylist() == ["0123456789ab"] * 3 + [None, None]


def test_lists_are_sorted_without_what_is_empty() -> None:
    lists = pa.chunked_array([[["b", "", "a", None], None], [[]]], pa.list_(pa.string()))
    assert sorted_lists(lists).to_pylist() == [["a", "b"], [], []]


@given(
    st.lists(
        st.tuples(
            st.none() | st.text("a,\x1f", max_size=2),
            st.none() | st.lists(st.text("a,\x1f", max_size=2), max_size=2),
        ),
        max_size=12,
    )
)
def test_rows_that_are_alike_have_one_number(
    rows: list[tuple[str | None, list[str] | None]],
) -> None:
    texts = pa.array([text for text, _ in rows], pa.string())
    lists = pa.array([some for _, some in rows], pa.list_(pa.string()))
    numbers, first = alike(texts, lists)
    known: dict[tuple[str | None, tuple[str, ...]], int] = {}
    plain = [(text, tuple(some or ())) for text, some in rows]
    assert numbers.tolist() == [known.setdefault(row, len(known)) for row in plain]
    assert first.tolist() == [plain.index(row) for row in known]


@given(st.lists(st.none() | st.datetimes(timezones=st.just(UTC))))
def test_moments_are_those_that_arrow_tells(moments: list[datetime | None]) -> None:
    values = pa.array(moments, pa.timestamp("us", "UTC"))
    table = frame(pa.table({"at": values}))
    assert [row["at"] for row in records(table)] == moments
    assert [*plain_rows(table, "at")] == [(one,) for one in values.to_pylist()]
