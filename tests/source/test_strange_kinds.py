"""Objects with containers, of kinds that nothing reads, are told: they are no pass."""

import json
from pathlib import Path
from typing import Any

from kaudit.collect import collect
from kaudit.model.words import Reason
from kaudit.source.files import FileSource

SPEC = {"template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}}


def object_of(group: str, kind: str, name: str, spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop"}
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": metadata, "spec": spec}


def test_what_runs_of_a_strange_kind_is_told(tmp_path: Path) -> None:
    for number in range(3):
        item = object_of("apps.kruise.io", "CloneSet", f"s{number}", SPEC)
        (tmp_path / f"{number}.json").write_text(json.dumps(item, indent=number or None))
    others = [
        object_of("apps", "Deployment", "web", SPEC),
        object_of("example.com", "Note", "text", {"text": json.dumps(SPEC)}),
        object_of("example.com", "Note", "empty", {"containers": []}),
        object_of("constraints.gatekeeper.sh", "K8sOwn", "own", {"containers": [{"name": "c"}]}),
    ]
    (tmp_path / "z.json").write_text(
        json.dumps({"kind": "List", "apiVersion": "v1", "items": others})
    )
    evidence = collect(FileSource(tmp_path))
    (gap,) = (gap for gap in evidence.gaps if gap.reason is Reason.NOT_COLLECTED)
    assert (gap.what, gap.tables) == ("CloneSet.apps.kruise.io", ())
    assert gap.detail.startswith("3 objects with containers, of a kind that is not known")
    assert len(evidence["workloads"]) == 1
