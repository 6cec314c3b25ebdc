"""Files that two processes share tell what one reading of them tells, in the same order."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kaudit import beside
from kaudit.model import event_fold
from kaudit.model.pod import Pod
from kaudit.registry import Read
from kaudit.source import files, json_windows, shares
from kaudit.source.events import Batch, Begin, Event, Listed
from kaudit.source.files import FileSource

POD = Read("", "Pod", "pods", Pod)


def pod(number: int) -> dict[str, Any]:
    meta = {"name": f"p{number}", "uid": f"u{number}", "labels": {"a": '"},{"apiVersion'}}
    owner = [{"apiVersion": "v1", "kind": "Node"}, {"apiVersion": "v1", "kind": "Node"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta | {"ownerReferences": owner}}


def alert(number: int) -> str:
    fields = {"k8s.pod.name": f"p{number % 3}", "evt.type": "open"}
    told = {"rule": "r", "priority": "Notice", "output_fields": fields}
    return json.dumps(told | {"time": f"2026-01-01T00:00:{number:02d}Z"})


@pytest.fixture
def dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(json_windows, "_WINDOW", 1_000)
    monkeypatch.setattr(files, "LARGE", 2_000)
    monkeypatch.setattr(shares, "_LONG", 2_000)
    monkeypatch.setattr(shares, "_SMALL", 500)
    monkeypatch.setattr(event_fold, "SINGLE", 5)
    items: list[Any] = [pod(n) for n in range(60)]
    items[33] = {"metadata": {"name": "of no kind"}}
    listed = {"apiVersion": "v1", "kind": "List", "items": items}
    whole = json.dumps(listed, separators=(",", ":"))
    (tmp_path / "a.jsonl").write_text("\n".join(map(alert, range(12))))
    (tmp_path / "b.json").write_text(whole)
    (tmp_path / "c.jsonl").write_text("\n".join(map(alert, range(20))))
    (tmp_path / "d.json").write_text(whole[: len(whole) // 2])
    (tmp_path / "e.json").write_text(whole[:9_000] + "?" + whole[9_000:])
    (tmp_path / "f.yaml").write_text(json.dumps(pod(1)) + "\n---\n{a: 1}\n---\n[")
    (tmp_path / "g.json").write_text(json.dumps(listed | {"kind": "PodList", "items": []}))
    (tmp_path / "h.json").write_text("\n".join(map(alert, range(9))))
    (tmp_path / "i.json").write_text("{}")
    for number in range(9):
        (tmp_path / f"k{number}.json").write_text(json.dumps(pod(number)))
    return tmp_path


def told(source: FileSource) -> list[Any]:
    """Everything that a source tells; batches by their items."""
    events: list[Event] = list(source.read({("", "Pod"): POD}))
    found: list[Any] = []
    for event in events:
        if isinstance(event, Batch):
            about = event.group, event.version, event.kind, event.origin
            items = [i if isinstance(i, msgspec.Struct) else bytes(i) for i in event.items]
            found += [(*about, *each) for each in zip(items, event.positions, strict=True)]
        elif isinstance(event, Begin):
            found.append((event.number, msgspec.json.encode(event.origin)))
        else:
            found.append(event)
    return found


def kept(batch: Batch, name: str) -> Batch:
    batch.items = [i if isinstance(i, msgspec.Struct) else bytes(i) for i in batch.items]
    return batch


@pytest.mark.parametrize("alone", [True, False])
def test_shared_files_tell_the_same(
    dump: Path, monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    if alone:
        monkeypatch.setattr(beside, "possible", lambda: False)
    source = FileSource(dump)
    source.make = kept
    found = told(source)
    assert found == told(FileSource(dump))
    assert any(isinstance(event, Listed) for event in found)
    assert len(found) > 150


def test_a_process_that_does_without_pandas_makes_its_first_array() -> None:
    script = (
        "import sys; from kaudit.source.shares import _without_pandas; _without_pandas();"
        "import pyarrow as pa; print(pa.array([1]).to_pylist(), 'pandas' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["[1]", "False"]


def test_a_failure_is_raised_here(dump: Path) -> None:
    def fails(batch: Batch, name: str) -> Batch:
        raise ZeroDivisionError(name)

    source = FileSource(dump)
    source.make = fails
    with pytest.raises(ZeroDivisionError):
        told(source)
