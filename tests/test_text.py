"""Collected text on a page, in a cell, on a terminal."""

import csv
import io
import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaudit.text import (
    anchor,
    count,
    defused,
    meant,
    shorten,
    split_long,
    visible,
    visible_surrogates,
)

text = st.text(alphabet=st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain", "plain"),
        ("Zürich 東京 ✓ 🚀", "Zürich 東京 ✓ 🚀"),
        ("\x1b[31mred\x07", "\\u{1b}[31mred\\u{7}"),
        ("a\nb\tc\r", "a\\u{a}b\\u{9}c\\u{d}"),
        ("pay\u202etxt.exe", "pay\\u{202e}txt.exe"),
        ("\u200bzero\ufeff", "\\u{200b}zero\\u{feff}"),
        ("soft\xadhyphen\x9b0m", "soft\\u{ad}hyphen\\u{9b}0m"),
        ("\ud800\udfff", "\\u{d800}\\u{dfff}"),
        ("\ue000\U000f0000\U0010ffff", "\\u{e000}\\u{f0000}\\u{10ffff}"),
        ("\u2028\u2029", "\\u{2028}\\u{2029}"),
        ("tag\U000e0041", "tag\\u{e0041}"),
        ("o\u0301", "o\u0301"),
        ("Z" + "\u0300" * 5, "Z" + "\\u{300}" * 5),
        ("Z" + "\u0300" * 4, "Z" + "\u0300" * 4),
        ("", ""),
    ],
)
def test_what_cannot_be_seen_is_written_out(given: str, shown: str) -> None:
    assert visible(given) == shown


def test_lines_may_be_kept() -> None:
    assert visible("a\r\nb\tc\rd\x00", lines=True) == "a\nb\tc\\u{d}d\\u{0}"


@given(text)
def test_nothing_hidden_is_left_and_showing_twice_changes_nothing(given: str) -> None:
    shown = visible(given)
    shown.encode("utf-8")
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for c in shown)
    assert visible(shown) == shown


def test_only_surrogates_are_written_out_where_the_rest_is_safe() -> None:
    assert visible_surrogates("a\x1b\ud83dz") == "a\x1b\\u{d83d}z"


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+49", "'+49"),
        ("-5", "'-5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("|calc", "'|calc"),
        ("%0", "'%0"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\\u{d}=1"),
        ("\n=1", "'\n=1"),
        ("  =1", "'  =1"),
        ("\uff1d1", "'\uff1d1"),
        ("a=1", "a=1"),
        ("", ""),
        (None, None),
        (-5, -5),
        (1.5, 1.5),
        (True, True),
        (["=x"], "['=x']"),
    ],
)
def test_no_cell_is_a_formula(cell: object, safe: object) -> None:
    assert defused(cell) == safe


@given(text)
def test_cells_survive_csv_and_begin_no_formula(given: str) -> None:
    stream = io.StringIO()
    csv.writer(stream).writerow(["x", defused(given)])
    (row,) = csv.reader(io.StringIO(stream.getvalue(), newline=""))
    assert row[1] == defused(given)
    assert row[1].lstrip()[:1] not in set("=+-@|%\uff1d\uff0b\uff0d\uff20")


@pytest.mark.parametrize(
    ("given", "length", "short"),
    [
        ("abcdefghij", 10, "abcdefghij"),
        ("abcdefghij", 9, "abcd…ghij"),
        ("abcdefghij", 4, "ab…j"),
        ("abcdefghij", 1, "…"),
    ],
)
def test_long_text_loses_its_middle(given: str, length: int, short: str) -> None:
    assert shorten(given, length) == short
    assert len(short) <= length


@given(text=text, length=st.integers(1, 80))
def test_what_is_shown_of_long_text_is_its_beginning_and_its_end(text: str, length: int) -> None:
    short = shorten(text, length)
    assert len(short) <= max(length, 1)
    assert (short == text) == (len(text) <= length)
    if short != text:
        at = next(n for n in range(len(short)) if short[n] == "…" and text.startswith(short[:n]))
        assert text.endswith(short[at + 1 :])


def test_long_words_are_split_where_they_can_be() -> None:
    assert split_long("a readOnlyRootFilesystem") == [
        ["a"],
        ["read", "Only", "Root", "Filesystem"],
    ]
    assert split_long("0123456789abcdef") == [["01234567", "89abcdef"]]
    assert split_long("registry.example.com/a") == [["registry.", "example.", "com/", "a"]]


@given(st.text(alphabet=string.printable))
def test_splitting_loses_nothing(given: str) -> None:
    assert " ".join("".join(pieces) for pieces in split_long(given)) == given
    assert all(len(p) <= 15 for pieces in split_long(given) for p in pieces)


def test_things_are_counted() -> None:
    assert [count(n, "gap") for n in (0, 1, 2, 1204)] == ["0 gaps", "1 gap", "2 gaps", "1,204 gaps"]
    assert count(2, "policy", "policies") == "2 policies"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("pod", "did you mean pods or pod_context?"),
        ("nodse", "did you mean nodes?"),
        ("PODS", "did you mean pods?"),
        ("zzz", "known: pods, pod_context, nodes"),
        ("", "known: pods, pod_context, nodes"),
    ],
)
def test_what_may_be_meant(word: str, said: str) -> None:
    assert meant(word, ["pods", "pod_context", "nodes"]) == said


def test_what_may_be_meant_is_no_list_without_end() -> None:
    known = [f"control-{n}" for n in range(9)]
    said = "did you mean control-0, control-1, control-2, control-3 or control-4?"
    assert meant("control", known) == said
    assert meant("zzz", known, otherwise="kaudit controls lists all") == "kaudit controls lists all"
    assert meant("zzz", []) == "none is known"


def test_anchors_are_plain_and_never_shared() -> None:
    assert anchor("KA-DEP-001") == "KA-DEP-001"
    assert anchor("a b/ü", prefix="t-") == "t-a_20_b_2f__fc_"
    assert anchor("a", taken=["a", "a-2"]) == "a-3"


@given(text, text)
def test_two_texts_have_two_anchors(one: str, other: str) -> None:
    assert (anchor(one) == anchor(other)) == (one == other)
