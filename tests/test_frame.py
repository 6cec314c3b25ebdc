"""Frames show no control character, whatever is cut from them, and stay frames in all else."""

import io
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import kaudit as ka
from kaudit import registry
from kaudit.collect import collect
from kaudit.errors import InputError
from kaudit.frame import Frame, Values
from kaudit.source.files import FileSource
from kaudit.table import frame

HOSTILE = "a\x1b[2J\x1b]0;owned\x07\x9b31m\u202eb"
SHOWN = r"a\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}b"
FORBIDDEN = {"\x1b", "\x07", "\x9b", "\u202e"}


def clean(text: str) -> bool:
    return not FORBIDDEN & set(text)


@pytest.fixture(scope="module")
def evidence() -> ka.Evidence:
    """A pod whose every free text is hostile."""
    escaped = HOSTILE.encode("unicode_escape").decode().replace("\\x", "\\u00")
    pod = (
        '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "%s", "namespace": "%s"}, '
        '"spec": {"containers": [{"name": "%s", "image": "%s", "securityContext": '
        '{"privileged": true}}]}}' % ((escaped,) * 4)
    )
    return collect(FileSource.of_text(pod, label="hostile"))


@pytest.fixture
def hostile() -> Frame:
    return Frame(
        {
            "text": pd.array([HOSTILE, "plain"], dtype="string[pyarrow]"),
            "word": pd.Categorical([HOSTILE, "k"]),
            HOSTILE: [1, 2],
        }
    )


CUTS: dict[str, Callable[[Frame], Any]] = {
    "itself": lambda f: f,
    "columns": lambda f: f[["text", "word"]],
    "rows": lambda f: f[f["text"] != "plain"],
    "column": lambda f: f["text"],
    "category": lambda f: f["word"],
    "row": lambda f: f.iloc[0],
    "loc": lambda f: f.loc[[0], ["text"]],
    "head": lambda f: f.head(1),
    "copy": lambda f: f.copy(),
    "merge": lambda f: f.merge(pd.DataFrame({"text": [HOSTILE], "more": [HOSTILE]})),
    "assign": lambda f: f.assign(new=f["text"]),
    "sort": lambda f: f.sort_values("text"),
    "index": lambda f: f.set_index("text"),
    "reset": lambda f: f.set_index("text").reset_index(),
    "turned": lambda f: f.T,
    "dropped": lambda f: f.drop_duplicates("text"),
    "groups": lambda f: f.groupby("text").size(),
    "aggregate": lambda f: f.groupby("text").agg(n=("text", "size")),
    "counts": lambda f: f["text"].value_counts(),
    "all counts": lambda f: f[["text", "word"]].value_counts(),
    "words": lambda f: f["text"].str.upper(),
    "column described": lambda f: f["text"].describe(),
    "to frame": lambda f: f["text"].to_frame(),
    "types": lambda f: f.dtypes,
    "concat": lambda f: pd.concat([f, f]),
    "pickled": lambda f: pickle.loads(pickle.dumps(f)),
    "query": lambda f: f.query("text != 'plain'"),
    "pivot": lambda f: f.pivot_table(index="text", columns="word", aggfunc="size", observed=True),
    "group counts": lambda f: f.groupby("word", observed=True)["text"].value_counts(),
    "named": lambda f: f.rename(columns={"text": HOSTILE}),
    "crosstab": lambda f: f.groupby(["text", "word"], observed=True).size().unstack(),
    "applied": lambda f: f["text"].map(lambda t: t + HOSTILE),
    "exploded": lambda f: f["text"].map(lambda t: [t, t]).explode(),
    "largest": lambda f: f.nlargest(1, HOSTILE),
    "mode": lambda f: f["text"].mode(),
    "described": lambda f: f.describe(include="all"),
    "joined": lambda f: f.set_index("text").join(Frame({"x": [1]}, index=[HOSTILE])),
    "melt": lambda f: f[["text", "word"]].melt(),
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_whatever_is_cut_from_a_frame_shows_itself_safely(
    hostile: Frame, cut: Callable[[Frame], Any]
) -> None:
    found = cut(hostile)
    assert isinstance(found, Frame | Values)
    for text in (repr(found), str(found), found.to_string()):
        assert clean(text)
    if isinstance(found, Frame):
        assert clean(found._repr_html_() or "")
        assert clean(found.to_html())


def test_a_control_character_is_written_out_and_the_value_stays(hostile: Frame) -> None:
    with pd.option_context("display.max_colwidth", None):
        assert SHOWN in repr(hostile)
        assert SHOWN in repr(hostile["text"])
        assert SHOWN in (hostile._repr_html_() or "")
    assert hostile["text"].iloc[0] == HOSTILE
    assert HOSTILE in hostile.columns


def test_lines_of_a_frame_stay_lines(hostile: Frame) -> None:
    assert len(repr(hostile[["text"]]).splitlines()) == 3


def test_what_is_written_to_a_stream_or_file_is_shown_too(hostile: Frame, tmp_path: Path) -> None:
    stream = io.StringIO()
    assert hostile.to_string(stream) is None
    assert hostile["text"].to_string(tmp_path / "text") is None
    for text in (stream.getvalue(), (tmp_path / "text").read_text("utf-8")):
        assert clean(text)
        assert r"\u{1b}" in text


def test_what_became_of_findings_is_shown_safely(evidence: ka.Evidence) -> None:
    judged = ka.assess(evidence, control="KA-DEP-001")
    found = ka.compare(judged, judged).frame
    assert [*found["name"]] == [HOSTILE]
    assert clean(repr(found[["name"]]))


def test_a_styler_escapes() -> None:
    script = "<script>alert(1)</script>"
    found = Frame({script: [script, HOSTILE], "n": [1, 2]}).set_index(script, drop=False)
    page = found.style.to_html()
    assert "<script" not in page
    assert clean(page)
    assert ">1</td>" in page


def test_a_name_with_dollars_is_no_formula() -> None:
    assert "tex2jax_ignore" in (Frame({"a": ["$x$"]})._repr_html_() or "")


def test_a_frame_is_equal_written_and_read_as_any_other(hostile: Frame, tmp_path: Path) -> None:
    plain = pd.DataFrame(hostile)
    assert hostile.equals(plain)
    assert plain.equals(hostile)
    pd.testing.assert_frame_equal(pd.DataFrame(hostile), plain)
    hostile.to_parquet(tmp_path / "f.parquet")
    assert pd.read_parquet(tmp_path / "f.parquet")["text"].iloc[0] == HOSTILE
    assert hostile.to_csv() == plain.to_csv()


def test_tables_and_views_are_frames(evidence: ka.Evidence) -> None:
    for name in evidence:
        assert isinstance(evidence[name], Frame), name
        assert clean(repr(evidence[name])), name
        assert clean(evidence[name]._repr_html_()), name  # type: ignore[operator]
    assert r"\u{1b}" in repr(evidence["containers"][["image"]])
    assert isinstance(evidence.tables(), Frame)


def test_frames_of_an_assessment_are_safe(evidence: ka.Evidence) -> None:
    a = ka.assess(evidence)
    for name in ("findings", "results", "unassessed", "summary", "conclusions", "gaps"):
        found = getattr(a, name)
        assert isinstance(found, Frame), name
        assert clean(repr(found)), name
        for column in found:
            assert clean(repr(found[column])), column
            if found[column].dtype != object:  # lists are in Python's own hands
                assert clean(repr(found[column].unique())), column
    assert (a.findings["namespace"] == HOSTILE).any()
    assert isinstance(ka.controls(), Frame)


def test_changing_a_table_changes_no_evidence(evidence: ka.Evidence) -> None:
    pods = evidence["pods"]
    pods["namespace"] = "mine"
    assert (evidence["pods"]["namespace"] == HOSTILE).all()


def test_an_unknown_table_is_told_by_its_near_names(evidence: ka.Evidence) -> None:
    with pytest.raises(InputError, match="did you mean pods"):
        evidence["pod"]


def test_a_table_of_100_000_rows_shows_at_once() -> None:
    registry.load()
    base = frame(registry.TABLES["containers"].arrow([])).reindex(range(100_000))
    base["image"] = pd.Series([HOSTILE] * 100_000, dtype=base["image"].dtype)
    found = Frame(base)
    begun = time.perf_counter()
    repr(found)
    found._repr_html_()
    repr(found["image"])
    assert time.perf_counter() - begun < 0.5
