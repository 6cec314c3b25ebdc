"""What is printed: tables, JSON, CSV, sentences."""

import json

import pandas as pd
import pyarrow as pa
import pytest

from kaudit.console import progress, say, show_frame, show_json, show_table
from kaudit.source.events import silent

ROWS = [("a", 1, True, ["x", "y"]), ("=b\x1b[0m", None, False, [])]
HEADERS = ["name", "row_count", "good", "words"]


def printed(capfd: pytest.CaptureFixture[str]) -> str:
    out, err = capfd.readouterr()
    assert err == ""
    return out


def test_a_table(capfd: pytest.CaptureFixture[str]) -> None:
    show_table(ROWS, HEADERS, title="Two rows")
    assert printed(capfd).splitlines() == [
        "Two rows",
        "",
        " name          row count   good    words",
        " ───────────────────────────────────────",
        " a             1           true    x, y",
        " =b\\u{1b}[0m               false",
        "",
    ]


def test_numbers_stand_at_the_right(capfd: pytest.CaptureFixture[str]) -> None:
    show_table([("a", 5), ("b", 1200)], ["name", "rows"])
    assert printed(capfd).splitlines()[-3:] == [" a         5", " b      1200", ""]


def test_columns_that_find_no_room_are_set_below_each_other(
    capfd: pytest.CaptureFixture[str],
) -> None:
    heads = [f"column_{at:02}" for at in range(40)]
    show_table([[f"value{at:02}" for at in range(40)], [""] * 39 + ["last"]], heads, title="t")
    lines = printed(capfd).splitlines()
    assert [line.split() for line in lines if "value" in line] == [
        ["column", f"{at:02}", f"value{at:02}"] for at in range(40)
    ]
    assert sum(line.startswith(" column") for line in lines) == 41  # what is unset is left out


def test_a_narrow_table_wraps_and_cuts_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    cells = [" ".join(f"word{column}x{at}" for at in range(9 * column)) for column in range(1, 9)]
    show_table([cells], [f"c{column}" for column in range(1, 9)], title="t")
    out = printed(capfd)
    assert all(len(line) <= 160 for line in out.splitlines())
    assert {word for cell in cells for word in cell.split()} <= {*out.split()}


def test_markup_is_text(capfd: pytest.CaptureFixture[str]) -> None:
    show_table([("[bold red]x[/] :smile: https://a.example",)], ["name"], title="t")
    assert "[bold red]x[/] :smile: https://a.example" in printed(capfd)


def test_json(capfd: pytest.CaptureFixture[str]) -> None:
    show_table(ROWS, HEADERS, title="not printed", format="json")
    assert json.loads(printed(capfd)) == [
        {"name": "a", "row_count": 1, "good": True, "words": ["x", "y"]},
        {"name": "=b\x1b[0m", "row_count": None, "good": False, "words": []},
    ]


def test_json_is_ascii_safe_for_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    show_json({"name": "\x1b[31m\x9b"})
    assert "\x1b" not in capfd.readouterr().out


def test_csv(capfd: pytest.CaptureFixture[str]) -> None:
    show_table(ROWS, HEADERS, format="csv")
    assert printed(capfd) == (
        'name,row_count,good,words\na,1,true,"x, y"\n\'=b\\u{1b}[0m,,false,\n'
    )


def test_a_frame_with_nulls_and_lists(capfd: pytest.CaptureFixture[str]) -> None:
    columns = {
        "n": pa.array([1, None], pa.int64()),
        "t": pa.array([["a"], None], pa.list_(pa.string())),
        "at": pa.array([0, None], pa.timestamp("us", tz="UTC")),
    }
    frame = pd.DataFrame(
        {k: pd.Series(pd.array(v, dtype=pd.ArrowDtype(v.type))) for k, v in columns.items()}
    )
    show_frame(frame, format="json")
    assert json.loads(printed(capfd)) == [
        {"n": 1, "t": ["a"], "at": "1970-01-01T00:00:00Z"},
        {"n": None, "t": None, "at": None},
    ]
    show_frame(frame, format="csv")
    assert printed(capfd) == "n,t,at\n1,a,1970-01-01T00:00:00Z\n,,\n"


def test_sentences_go_to_stderr_unless_they_are_the_answer(
    capfd: pytest.CaptureFixture[str],
) -> None:
    say("a\x1b[31m\nb")
    say("answer\n\x1b", error=False, lines=True)
    assert capfd.readouterr() == ("answer\n\\u{1b}\n", "a\\u{1b}[31m\\u{a}b\n")


def test_no_progress_where_nobody_watches(capfd: pytest.CaptureFixture[str]) -> None:
    with progress() as hear:
        assert hear is silent
        hear("step", 1, 2)
    assert capfd.readouterr() == ("", "")
