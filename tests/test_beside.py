"""Evidence and results do not depend on which process did the work."""

import json
import os
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest

from kaudit import beside
from kaudit.assess import assess
from kaudit.collect import Ingest, collect
from kaudit.evidence import gathered
from kaudit.evidence.bundle import Evidence
from kaudit.evidence.store import on_disk
from kaudit.source.events import Batch
from kaudit.source.files import FileSource

#: The modules; in the package, their names are those of the public functions.
COLLECT, ASSESS = sys.modules["kaudit.collect"], sys.modules["kaudit.assess"]

linux = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2,
    reason="a second process is used on Linux with two processors or more",
)


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    items = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"web-{n:03d}",
                "namespace": f"n{n % 3}",
                "uid": f"u{n}",
                "creationTimestamp": f"2026-01-{n % 28 + 1:02d}T00:00:00Z",
                "ownerReferences": [
                    {
                        "apiVersion": "apps/v1",
                        "kind": "DaemonSet",
                        "name": f"d{n % 7}",
                        "uid": "d",
                        "controller": True,
                    }
                ],
            },
            "spec": {
                "containers": [
                    {
                        "name": "c",
                        "image": f"i:{n % 5}",
                        "securityContext": {"privileged": n % 11 == 0},
                    }
                ]
            },
        }
        for n in range(90)
    ]
    items[40]["spec"] = {"containers": "none"}
    folder = tmp_path / "dump"
    folder.mkdir()
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    (folder / "pods.json").write_text(text)
    return folder


def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut everything small, so that ninety pods are many."""
    monkeypatch.setattr("kaudit.source.reading._BATCH", 8)
    monkeypatch.setattr("kaudit.source.shares._LONG", 4_000)
    monkeypatch.setattr("kaudit.source.json_windows._WINDOW", 4_000)
    monkeypatch.setattr(COLLECT, "MANY", 4)
    monkeypatch.setattr(gathered, "_GATHERED", 8)
    monkeypatch.setattr(gathered, "PART", 24)


def sealed(dump: Path, out: Path) -> Evidence:
    return collect(FileSource(dump), out=out)


def contents(evidence: Evidence) -> dict[str, object]:
    store = evidence.store
    return {
        "id": evidence.id,
        "gaps": evidence.gaps,
        "as_of": evidence.as_of,
        "raw": evidence.manifest.raw,
        "tables": {n: store.read(n, None, None).to_pylist() for n in store.names()},
        "results": list(assess(evidence).iter_results()),
    }


@linux
def test_with_and_without_a_second_process(
    dump: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch)
    with_it = contents(sealed(dump, tmp_path / "with"))
    monkeypatch.setattr(beside, "possible", lambda: False)
    monkeypatch.setattr(ASSESS, "possible", lambda: False)
    assert contents(sealed(dump, tmp_path / "without")) == with_it


@linux
def test_the_other_process_hands_over_what_it_made(tmp_path: Path) -> None:
    ours, done = os.getpid(), tmp_path / "done"

    def work(number: int) -> tuple[int, pa.Table]:
        if os.getpid() != ours:
            done.touch()
        for _ in range(3_000):  # this one waits until the other one has taken something
            if done.exists():
                break
            time.sleep(0.01)
        texts = [f"{number}-{at}" for at in range(2_000)]
        return os.getpid(), pa.table({"text": texts, "at": range(2_000)})

    found = list(beside.spread(4, work))
    assert {process for process, _ in found} - {ours}
    for number, (_, table) in enumerate(found):
        assert table["text"].to_pylist() == [f"{number}-{at}" for at in range(2_000)]
        assert table["at"].to_pylist() == list(range(2_000))


def test_tables_are_handed_over_in_files_that_leave_no_trace(tmp_path: Path) -> None:
    table = pa.table({"text": ["a", None, "b"], "texts": [["x"], [], None]})
    none = table.slice(0, 0)
    beside._store(tmp_path / "0", [table, {"again": table}, none, "words"])
    assert len(list(tmp_path.iterdir())) == 3
    loaded = beside._load(tmp_path / "0")
    assert not list(tmp_path.iterdir())
    assert loaded is not None
    first, others, empty, words = loaded[0]
    assert first.equals(table)
    assert others["again"] is first
    assert empty.equals(none)
    assert empty.schema == none.schema
    assert words == "words"


@pytest.mark.parametrize("lost", ["0", "0.1"])
def test_what_is_lost_on_its_way_is_none(lost: str, tmp_path: Path) -> None:
    beside._store(tmp_path / "0", pa.table({"text": ["a"]}))
    (tmp_path / lost).unlink()
    assert beside._load(tmp_path / "0") is None


def test_pieces_give_what_one_run_gives(
    dump: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sealed(dump, tmp_path / "whole")
    small(monkeypatch)
    pieces = sealed(dump, tmp_path / "pieces")
    assert pieces.id == whole.id
    assert pieces.manifest.raw == whole.manifest.raw
    assert pieces.manifest.parts == 4
    first, second = list(assess(pieces).iter_results()), list(assess(whole).iter_results())
    for one, other in zip(first, second, strict=True):
        assert one == other
    for name in ("pods", "containers"):
        frames = [
            e[name].sort_values(["namespace", "pod"]).reset_index(drop=True)
            for e in (whole, pieces)
        ]
        assert frames[0].equals(frames[1])


def test_every_row_leads_to_its_own_record(
    dump: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch)
    evidence = sealed(dump, tmp_path / "e")
    pods = evidence["pods"]
    for uid, raw, line in zip(pods["pod_uid"], pods["raw"], pods["raw_line"], strict=True):
        assert evidence.record(raw, line)["metadata"]["uid"] == uid
        item = evidence.origin(raw, line)["item"]
        assert f"u{item - 1}" == uid


@linux
def test_a_process_that_dies_costs_nothing(
    dump: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sealed(dump, tmp_path / "whole")
    small(monkeypatch)
    here = os.getpid()
    made = Ingest._made

    def dies(self: Ingest, batch: Batch, origin: str) -> object:
        if os.getpid() != here:
            os._exit(9)
        return made(self, batch, origin)

    monkeypatch.setattr(Ingest, "_made", dies)
    assert sealed(dump, tmp_path / "again").id == whole.id


def test_without_a_place_to_write_one_process_does_it_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError("no space left")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    assert list(beside.spread(5, lambda n: n * n)) == [0, 1, 4, 9, 16]
    table = pa.table({"a": [1]})
    assert on_disk(table).equals(table)


@linux
def test_a_computation_that_fails_elsewhere_gives_nothing() -> None:
    assert beside.forked(lambda: 6 * 7)() == 42
    assert beside.forked(lambda: 1 // 0)() is None


def test_objects_without_uid_are_numbered_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "---\n".join(
        f"{{apiVersion: v1, kind: Pod, metadata: {{name: p{n % 10}}}, spec: {{containers: [{{name: c, image: i}}]}}}}\n"
        for n in range(30)
    )
    whole = collect(FileSource.of_text(text))
    small(monkeypatch)
    pieces = collect(FileSource.of_text(text))
    assert sorted(pieces["pods"]["pod_uid"]) == sorted(whole["pods"]["pod_uid"])
    assert pieces["pods"]["pod_uid"].nunique() == 30


def test_each_ticket_is_given_to_one_alone() -> None:
    tickets = beside.Tickets(300)
    wait = beside.forked(lambda: list(tickets)) if beside.possible() else list
    mine = list(tickets)
    assert sorted([*mine, *(wait() or [])]) == list(range(300))
    assert list(tickets) == []
    tickets.close()
