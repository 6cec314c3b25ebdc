"""A small cluster with good and bad in all five layers, for ``kaudit demo`` and for tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from kaudit.demo.objects import NOW, Json

__all__ = ["NOW", "objects", "write"]

VERSION = "v1.34.2"


def objects() -> Iterator[Json]:
    """Yield all objects of the demo, the same in every run."""
    from kaudit.demo.cluster import cluster
    from kaudit.demo.credentials import credentials
    from kaudit.demo.platform import platform
    from kaudit.demo.policies import policies
    from kaudit.demo.sensors import sensors
    from kaudit.demo.stores import stores
    from kaudit.demo.workloads import workloads

    yield from cluster()
    yield from credentials()
    yield from platform()
    yield from policies()
    yield from stores()
    yield from sensors()
    yield from workloads()


def write(folder: Path) -> None:
    """Write the demo: one List a kind, the version of the API server, and what tools wrote."""
    from kaudit.demo.scans import reports
    from kaudit.demo.sensors import logs
    from kaudit.demo.supply import files
    from kaudit.demo.verdicts import verdicts

    kinds: dict[str, list[Json]] = {}
    everything = [*objects()]
    for found in everything:
        kinds.setdefault(found["kind"], []).append(found)
    folder.mkdir(parents=True, exist_ok=True)
    for kind, items in kinds.items():
        whole = {"apiVersion": "v1", "kind": "List", "items": items}
        (folder / f"{kind.lower()}.json").write_bytes(msgspec.json.encode(whole) + b"\n")
    written = ((name, msgspec.json.encode(report) + b"\n") for name, report in reports())
    for name, content in (*written, *files(), *logs(), *verdicts(everything)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    version = {"gitVersion": VERSION, "major": "1", "minor": "34"}
    (folder / "version.json").write_bytes(msgspec.json.encode(version) + b"\n")
