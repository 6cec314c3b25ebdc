"""Frames: views are computed again when decisions change, and parts sum up to the whole."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pyarrow as pa
import pytest

from kaudit import registry
from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.errors import EvidenceError
from kaudit.evidence import gathered
from kaudit.evidence.bundle import Evidence
from kaudit.evidence.frames import Frames
from kaudit.evidence.store import MemoryStore
from kaudit.parameters import Parameters, using
from kaudit.registry import find_control
from kaudit.source.files import FileSource
from tests.memory_source import MemorySource, Object

SECRET = """
apiVersion: v1
kind: Secret
metadata: {name: a, creationTimestamp: "2025-01-01T00:00:00Z"}
---
apiVersion: v1
kind: Pod
metadata: {name: b, creationTimestamp: "2025-03-01T00:00:00Z"}
spec: {containers: [{name: c, image: x}]}
"""


def test_other_decisions_make_other_views() -> None:
    evidence = collect(FileSource.of_text(SECRET))
    found = []
    for days in (10, 300, 10):
        with using(Parameters(secret_max_age_days=days)):
            found.append(len(assess(evidence, [find_control("KA-SEC-013")]).findings))
    assert found == [1, 0, 1]


def _pods(count: int) -> Evidence:
    objects: list[Object] = []
    for n in range(count):  # a batch ends where the kind changes
        objects.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"s{n}"}})
        objects.append(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": f"p{n}", "namespace": f"n{n % 3}"},
                "spec": {"containers": [{"name": "c", "image": f"a.example/b{n % 5}:1"}]},
            }
        )
    return collect(MemorySource(*objects))


def test_images_of_many_parts_are_those_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _pods(97)
    monkeypatch.setattr(gathered, "PART", 10)
    monkeypatch.setattr(sys.modules["kaudit.collect"], "MANY", 1)
    monkeypatch.setattr(gathered, "_GATHERED", 5)
    parted = _pods(97)
    assert parted.manifest.parts > 3
    names = ["image", "running", "namespaces", "workloads", "pods", "containers"]
    assert parted["images"][names].equals(whole["images"][names])
    assert len(whole["images"]) == 5
    assert parted["images"]["pods"].sum() == 97
    control = find_control("KA-BLD-001")
    fresh = _pods(97)  # judged before anything was looked at
    tallies = [assess(e, [control], strict=True).tallies[control.id] for e in (whole, fresh)]
    assert tallies[0] == tallies[1]


def test_frames_of_another_process_keep_the_shares_of_summed_views() -> None:
    empty = registry.TABLES["images"].empty()
    frames = Frames(MemoryStore([{}, {}], {}, None))
    frames.keep({("images", part): empty for part in range(2)})
    assert frames.apart()._pieces.keys() == frames._pieces.keys()


def test_columns_that_another_kaudit_did_not_collect_are_named() -> None:
    class Older(MemoryStore):
        def read(self, name: str, part: int | None, columns: Sequence[str] | None) -> pa.Table:
            found = super().read(name, part, columns)
            return found.drop_columns(["labels"]) if name == "pods" else found

    registry.load()
    pods = registry.TABLES["pods"]
    store = Older([{"pods": pods.arrow([])}], {}, None)
    with pytest.raises(EvidenceError, match=r"table pods lacks labels.*collect again"):
        Frames(store).get("pods")
