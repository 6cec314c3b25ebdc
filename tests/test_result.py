"""Numbers of results are kept in as few bytes as they need, and none is cut."""

import sys
from pathlib import Path

import msgspec
import pytest

from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.evidence import gathered
from kaudit.registry import find_control
from kaudit.source.files import FileSource


def pods(owner: str, many: int, first: int = 0) -> bytes:
    """A list of privileged pods of one owner."""
    by = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": f"o-{owner}"}
    items = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"{owner}-{n}",
                "namespace": "shop",
                "uid": f"u-{owner}-{n}",
                "ownerReferences": [by | {"controller": True}],
            },
            "spec": {
                "containers": [{"name": "c", "image": "i", "securityContext": {"privileged": True}}]
            },
        }
        for n in range(first, first + many)
    ]
    return msgspec.json.encode({"apiVersion": "v1", "kind": "List", "items": items})


@pytest.mark.parametrize("many", [1, 255, 256, 300])
def test_a_resource_may_have_more_rows_than_a_byte_holds(tmp_path: Path, many: int) -> None:
    file = tmp_path / "pods.json"
    file.write_bytes(pods("web", many))
    control = find_control("KA-DEP-001")
    found = assess(collect(FileSource(file), raw=False), [control], strict=True)
    [result] = list(found.iter_results())
    assert (result.name, result.rows, result.failed) == ("web", many, many)


def test_resources_of_several_parts_keep_their_counts_and_what_was_seen_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathered, "PART", 1)
    monkeypatch.setattr(sys.modules["kaudit.collect"], "MANY", 1)
    lists = [("a", 2), ("b", 3), ("a", 1), ("c", 300), ("b", 1)]
    for number, (owner, many) in enumerate(lists):
        (tmp_path / f"{number}.json").write_bytes(pods(owner, many, first=1000 * number))
    evidence = collect(FileSource(tmp_path))
    assert evidence.manifest.parts == len(lists)
    found = assess(evidence, [find_control("KA-DEP-001")], strict=True).iter_results()
    seen = [(r.name, r.rows, r.failed, r.raw_line) for r in found]
    assert seen == [("a", 3, 3, 1), ("b", 4, 4, 3), ("c", 300, 300, 7)]
