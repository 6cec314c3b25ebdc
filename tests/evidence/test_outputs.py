"""Files that are written whole or not at all, and places that only take what is written."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kaudit.evidence.seal import replace_file

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes and pipes are those of Unix")


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(pipe.read_bytes)
        replace_file(pipe, [b"a", b"b"])
        assert read.result(10) == b"ab"
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


def test_our_own_output_is_written_to(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    link = tmp_path / "stdout"
    link.symlink_to("/dev/fd/1")
    replace_file(link, [b"answer"])
    assert capfdbinary.readouterr().out == b"answer"
    assert link.is_symlink()


def test_who_may_read_it_is_what_the_user_lets(tmp_path: Path) -> None:
    new, older = tmp_path / "new", tmp_path / "older"
    older.touch(0o600)
    before = os.umask(0o027)
    try:
        for path in (new, older):
            replace_file(path, [b"x"])
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o777 for path in (new, older)] == [0o640, 0o600]
