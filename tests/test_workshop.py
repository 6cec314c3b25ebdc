"""Where reports are built: two at once, mounts, runs that were killed."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from kaudit import report
from kaudit.errors import InputError
from kaudit.workshop import Workshop, is_left

MARK = json.dumps({"schema": "kaudit/report/v1"})


def made(folder: Path, text: str) -> Path:
    (folder / "tables").mkdir(parents=True)
    (folder / "tables" / "a.csv").write_text(text)
    (folder / report.MARK).write_text(MARK)
    return folder


def told(out: Path) -> str:
    assert report.is_report(out)
    return (out / "tables" / "a.csv").read_text()


def test_two_of_the_same_report_at_once(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with report._workshop(out) as one, report._workshop(out) as other:
        assert one != other
        report._publish(made(one / "x", "one"), out)
        report._publish(made(other / "x", "other"), out)
    assert told(out) == "other"
    assert list(tmp_path.iterdir()) == [out]


def test_what_came_into_the_folder_meanwhile_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with report._workshop(out) as folder:
        out.mkdir()
        (out / "mine").touch()
        with pytest.raises(InputError, match="no report"):
            report._publish(made(folder / "x", "new"), out)
    assert [p.name for p in tmp_path.rglob("*")] == ["out", "mine"]


def test_a_report_whose_place_is_interrupted_in_being_taken_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = made(tmp_path / "out", "older")
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        if target == out and self.name == "x":
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), report._workshop(out) as folder:
        report._publish(made(folder / "x", "new"), out)
    assert told(out) == "older"
    assert list(tmp_path.iterdir()) == [out]


def test_what_killed_runs_have_left_goes_or_is_put_back(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (tmp_path / ".out.abc.partial").mkdir()
    (tmp_path / ".out.abc.partial" / "half").touch()
    made(tmp_path / ".out.old", "older")
    with report._workshop(out) as folder:
        assert sorted(p.name for p in tmp_path.iterdir()) == sorted([folder.name, "out"])
    assert told(out) == "older"


def test_what_is_left_in_a_mount_is_in_nobodys_way(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / ".out.abc.partial").mkdir(parents=True)
    report._check_folder(out)
    shop = Workshop(out, "out")
    assert [p for p in out.iterdir() if not is_left(p, "out")] == []
    assert list(out.iterdir()) == [shop.folder]
    shop.release()


@pytest.mark.parametrize("error", [errno.EBUSY, errno.EXDEV])
def test_a_mount_is_filled_and_filled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    rename = Path.rename

    def busy(self: Path, target: Path) -> Path:
        if out in (self, target):
            raise OSError(error, os.strerror(error))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", busy)
    for text in ("one", "two"):
        with report._workshop(out) as folder:
            report._publish(made(folder / "x", text), out)
        assert told(out) == text
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.csv", "out", report.MARK, "tables"]


def test_a_mount_without_room_keeps_the_report_that_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = made(tmp_path / "out", "older")
    (tmp_path / "new").mkdir()

    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(report, "_exchanged", lambda *_: False)
    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(OSError, match="No space left") as fault:
        report._publish(made(tmp_path / "new" / "x", "new"), out)
    assert fault.value.errno == errno.ENOSPC
    assert told(out) == "older"
    assert sorted(p.name for p in out.iterdir()) == [report.MARK, "tables"]


def test_what_a_run_that_is_alive_builds_stays(tmp_path: Path) -> None:
    first = Workshop(tmp_path, "report")
    (first.folder / "half").touch()
    second = Workshop(tmp_path, "report")
    assert (first.folder / "half").exists()
    first.release()
    second.release()
    assert list(tmp_path.iterdir()) == []
