"""Nothing that was planted in a live cluster is kept, said or asked for again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kaudit import registry
from kaudit.collect import collect
from kaudit.registry import Read
from tests.planted import objects
from tests.source.api_server import ApiServer
from tests.source.test_live import gaps, source
from tests.test_canary import CANARY, contents
from tests.test_redactions import NAMED, leaks

registry.load()
READS: dict[tuple[str, str], Read] = {
    read.id: read for c in registry.COLLECTORS.values() for read in c.reads if not read.tool
}
#: Kinds whose names the templates of an engine make up.
OPEN = {read.group for read in READS.values() if read.open}


def served() -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """Planted objects by the path of their list, as a server that was told ``apply`` holds them."""
    found: dict[str, tuple[str, list[dict[str, Any]]]] = {}
    for one in objects():
        group, _, version = one["apiVersion"].rpartition("/")
        read = READS.get((group, one["kind"]))
        if read is None:
            assert group in OPEN
            continue
        notes = one["metadata"].setdefault("annotations", {})
        notes["kubectl.kubernetes.io/last-applied-configuration"] = json.dumps(one)
        base = f"/apis/{group}/{version}" if group else f"/api/{version}"
        found.setdefault(f"{base}/{read.plural}", (read.kind, []))[1].append(one)
    return found


@pytest.fixture
def server() -> Iterator[ApiServer]:
    api = ApiServer()
    groups: dict[str, list[dict[str, str]]] = {}
    for path, (kind, some) in served().items():
        api.add(path, kind, some)
        if path.startswith("/apis/"):
            group, version = path.split("/")[2:4]
            groups.setdefault(group, []).append(
                {"groupVersion": f"{group}/{version}", "version": version}
            )
    told = [
        {"name": name, "versions": list({v["version"]: v for v in versions}.values())}
        for name, versions in groups.items()
    ]
    api.rules["/apis"] = lambda q, n: (200, {"kind": "APIGroupList", "groups": told}, {})
    yield api
    api.close()


def test_nothing_that_was_planted_is_kept(server: ApiServer, tmp_path: Path) -> None:
    evidence = collect(source(server, secrets="metadata"), out=tmp_path / "bundle")
    files = [path for path in sorted((tmp_path / "bundle").rglob("*")) if path.is_file()]
    held = dict(one for p in files for one in contents(p.read_bytes(), p.name))
    assert leaks(held) == set()
    assert not [name for name, data in held.items() if CANARY.search(data)]
    read = {kind for path, (kind, _) in served().items() if server.calls.get(path)}
    assert read == {kind for kind, _ in served().values()}
    assert not [what for what, *_ in gaps(evidence) if "planted" in what]
    names = {table: len(evidence[table]) for table in ("pods", "secrets", "network_attachments")}
    assert names == {"pods": 3, "secrets": 3, "network_attachments": 1}
    assert evidence["mesh_policies"]["name"].tolist() == ["a"]


def test_the_server_holds_what_was_planted(server: ApiServer) -> None:
    text = json.dumps(server.lists).encode()
    held = {match.decode() for match in NAMED.findall(text)}
    assert {"cni-args", "cni-config", "user-data", "mesh-when", "assigned", "event"} <= held
    assert text.count(b"last-applied-configuration") >= len(objects()) - 2


def test_no_name_of_a_secret_place_is_in_what_is_asked_for(server: ApiServer) -> None:
    collect(source(server, secrets="metadata"), raw=False)
    assert not [r for r in server.requests if CANARY.search(repr(r).encode())]
    (accept,) = {a for _, p, _, a in server.requests if p == "/api/v1/secrets"}
    assert "PartialObjectMetadataList" in accept
