"""What a builder tells of all that it gathered, also of what waits on disk."""

import sys
from typing import Any

import pytest

from kaudit.collect import Ingest, collect
from kaudit.evidence import gathered
from kaudit.source.events import Source
from tests.memory_source import MemorySource, objects


def pods(count: int) -> str:
    return "---".join(
        f"\n{{apiVersion: v1, kind: Pod, metadata: {{name: p{n}}},"
        f' spec: {{containers: [{{name: c, image: "a/{n % 3}:1"}}]}}}}\n'
        for n in range(count)
    )


@pytest.mark.parametrize("part", [2, 20_000])
def test_distinct_values_of_all_parts(monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    monkeypatch.setattr(gathered, "PART", part)
    monkeypatch.setattr(gathered, "_GATHERED", part)
    found: list[Any] = []

    def then(ingest: Ingest) -> Source:
        found.extend(ingest.distinct("containers", "image", "image_id"))
        found.extend(ingest.alone(["pods"]))
        return MemorySource(*objects("{apiVersion: v1, kind: Namespace, metadata: {name: n}}"))

    evidence = collect(*(MemorySource(o) for o in objects(pods(9))), then=then)
    assert sorted(found[:-1]) == [("a/0:1", None), ("a/1:1", None), ("a/2:1", None)]
    assert found[-1] == "memory"
    assert len(evidence["containers"]) == 9
    assert evidence["namespaces"]["name"].tolist() == ["n"]


@pytest.mark.parametrize(("many", "part"), [(1, 1), (3, 4), (4, 3), (500, 20_000)])
def test_many_small_batches_give_what_one_large_gives(
    monkeypatch: pytest.MonkeyPatch, many: int, part: int
) -> None:
    together = objects(pods(11))
    apart: list[Any] = []
    for number, pod in enumerate(together):
        apart += [
            pod,
            *objects(f"{{apiVersion: v1, kind: Namespace, metadata: {{name: n{number}}}}}"),
        ]
    large = collect(MemorySource(*together))
    monkeypatch.setattr(sys.modules["kaudit.collect"], "MANY", many)
    monkeypatch.setattr(gathered, "PART", part)
    small = collect(MemorySource(*apart))
    for name in ("pods", "containers", "volumes", "env"):
        found = small[name].sort_values("pod_uid", ignore_index=True)  # a part is sorted apart
        assert found.equals(large[name].sort_values("pod_uid", ignore_index=True))
    parts = small.manifest.parts
    assert (parts > 1) is (part < 11)
    uids = []
    for number in range(parts):
        held = [small.store.read(n, number, ["pod_uid"])["pod_uid"] for n in ("pods", "containers")]
        assert held[0].to_pylist() == held[1].to_pylist()
        uids += held[0].to_pylist()
    assert len({*uids}) == len(uids) == 11


def test_tables_that_wait_on_disk_are_what_those_in_memory_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = [f"n{n * 7 % 10}" for n in range(10)]
    text = "---".join(
        f"\n{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}\n" for name in names
    )
    sources = [MemorySource(found) for found in objects(text)]
    held = collect(*sources).store.read("namespaces", None, None)
    monkeypatch.setattr(gathered, "_GATHERED", 1)
    monkeypatch.setattr(gathered, "LARGE", held.nbytes // 3)
    spilled = collect(*sources).store.read("namespaces", None, None)
    assert spilled.equals(held)
    assert spilled["name"].to_pylist() == sorted(names)
