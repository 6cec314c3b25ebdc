"""Reports are found among the lines around them; half of one is none."""

import contextlib
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kaudit import registry
from kaudit.errors import SourceError
from kaudit.model.taken import Content
from kaudit.model.words import Reason
from kaudit.source.run import output
from kaudit.source.run.output import clean
from tests.source.run.fake import REPORT

TEXT = json.dumps(REPORT, indent=1)


def cleaned(tmp_path: Path, text: str) -> object:
    registry.load()
    path = tmp_path / "out.json"
    path.write_text(text)
    clean(registry.FORMATS["trivy"], path)
    return json.loads(path.read_text())


@pytest.mark.parametrize(
    "before",
    [
        "",
        "2026-01-02 INFO starting\n",
        "[0000] WARN something\n[info] {not json\n",
        '{"level": "info", "msg": "hello"}\n[]\n',
        "\x1b[31mcolour\x1b[0m {}\n",
    ],
)
@pytest.mark.parametrize("after", ["", "\n", "\ndone in 3 s\n", '\n{"level": "info"}\n'])
def test_lines_around_a_report(tmp_path: Path, before: str, after: str) -> None:
    assert cleaned(tmp_path, before + TEXT + after) == REPORT


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "printed nothing"),
        (" \n", "printed nothing"),
        (TEXT[: len(TEXT) // 2], "cut off or damaged"),
        ("INFO hello\n" + TEXT[:-3], "no report of Trivy"),
        ("<html><body>502 Bad Gateway</body></html>", "no report of Trivy"),
        ('{"message": "made up"}', "no report of Trivy"),
        ("[" * 100_000, "cut off or damaged"),
    ],
)
def test_what_is_no_report(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(SourceError, match=why) as fault:
        cleaned(tmp_path, text)
    assert fault.value.reason is Reason.BROKEN


@settings(max_examples=200)
@given(
    before=st.one_of(
        st.binary(max_size=60), st.text('{}[]"\\n 0e-.,:', max_size=40).map(str.encode)
    ),
    middle=st.sampled_from([b"", TEXT.encode(), TEXT.encode()[:-9], b"[]", b"null", b"{}"]),
    after=st.binary(max_size=60),
)
@example(before=b"\xff\xfe", middle=TEXT.encode()[:-9], after=b"")
@example(before=b"\xef\xbb\xbf", middle=TEXT.encode()[:-9], after=b"")
def test_any_bytes_are_a_report_or_a_fault(before: bytes, middle: bytes, after: bytes) -> None:
    registry.load()
    format = registry.FORMATS["trivy"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "out.json")
        path.write_bytes(before + middle + after)
        with contextlib.suppress(SourceError):
            clean(format, path)
            found = path.read_bytes()
            assert found in (b"[]", b"null") or format.recognise(Content("", found))
            json.loads(found)


def test_lines_before_a_report_that_is_too_large_to_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "LARGE", 16)
    assert cleaned(tmp_path, "INFO one\nINFO two\n" + TEXT) == REPORT
    assert cleaned(tmp_path, TEXT) == REPORT
