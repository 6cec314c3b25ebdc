"""Numbers of results are kept in as few bytes as they need, and none is cut."""

from pathlib import Path

import msgspec
import pytest

from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.registry import find_control
from kaudit.source.files import FileSource


@pytest.mark.parametrize("many", [1, 255, 256, 300])
def test_a_resource_may_have_more_rows_than_a_byte_holds(tmp_path: Path, many: int) -> None:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "o"}
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"web-{n}",
                "namespace": "shop",
                "uid": f"u{n}",
                "ownerReferences": [owner | {"controller": True}],
            },
            "spec": {
                "containers": [{"name": "c", "image": "i", "securityContext": {"privileged": True}}]
            },
        }
        for n in range(many)
    ]
    file = tmp_path / "pods.json"
    file.write_bytes(msgspec.json.encode({"apiVersion": "v1", "kind": "List", "items": pods}))
    control = find_control("KA-DEP-001")
    found = assess(collect(FileSource(file), raw=False), [control], strict=True)
    [result] = list(found.iter_results())
    assert (result.name, result.rows, result.failed) == ("web", many, many)
