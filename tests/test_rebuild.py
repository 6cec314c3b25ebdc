"""Tables follow from raw records: they are made again, and what does not follow is named."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from kaudit.anew import Compared, State
from kaudit.collect import collect
from kaudit.errors import EvidenceError
from kaudit.evidence import gathered
from kaudit.evidence.bundle import Evidence
from kaudit.evidence.facts import OF_COLLECTION
from kaudit.evidence.manifest import content_id, seal_of
from kaudit.evidence.raw import over_records
from kaudit.rebuild import rebuilt
from kaudit.source.files import FileSource
from tests import planted
from tests.shared import shared
from tests.source.api_server import ApiServer
from tests.source.test_live import source
from tests.test_cli import POD, run
from tests.test_schemas import check

SAMPLE = Path(__file__).parents[1] / "reports" / "sample" / "evidence.kaudit"


def unlike(evidence: Evidence) -> list[Compared]:
    """What was not made again, of all tables that there are."""
    found = rebuilt(evidence)
    there = {f"tables/{name}.parquet" for name in {*evidence.store.names()} - OF_COLLECTION}
    assert {f.name for f in found if f.state is not State.MISSING} == there
    assert [f.name for f in found] == sorted(f.name for f in found)
    return [f for f in found if f.state is not State.SAME]


def test_every_table_of_the_sample_follows_from_its_records() -> None:
    evidence = Evidence.open(SAMPLE)
    assert unlike(evidence) == []
    for name in {*evidence.store.names()} - OF_COLLECTION:
        assert evidence.store.rows(name) or name not in evidence.manifest.tables


def test_credentials_that_were_masked_change_no_table(tmp_path: Path) -> None:
    folder = planted.write(tmp_path / "cluster")
    assert unlike(collect(FileSource(folder), out=tmp_path / "e")) == []


@pytest.mark.parametrize("name", ["kubernetes-goat", "argo-cd", "online-boutique"])
def test_applications(name: str, tmp_path: Path) -> None:
    assert unlike(collect(FileSource(shared("apps", name)), out=tmp_path / "e.kaudit")) == []


@pytest.mark.parametrize("part", [gathered.PART, 300])
def test_clusters_of_one_part_and_of_several(
    cluster_1k: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr(gathered, "PART", part)
    evidence = collect(FileSource(cluster_1k), out=tmp_path / "e")
    assert (evidence.manifest.parts > 1) is (part == 300)
    monkeypatch.setattr(gathered, "PART", 450)  # cut elsewhere
    assert unlike(evidence) == []


@pytest.fixture
def server() -> Iterator[ApiServer]:
    api = ApiServer()
    for path, kind, meta in (
        ("/api/v1/pods", "Pod", {}),
        ("/api/v1/secrets", "Secret", {}),
        ("/api/v1/namespaces", "Namespace", {"namespace": None}),
    ):
        entry = {"metadata": {"name": "a", "namespace": "shop", "uid": kind, **meta}}
        api.add(path, kind, [entry | ({"spec": {"containers": []}} if kind == "Pod" else {})])
    yield api
    api.close()


@pytest.mark.parametrize("secrets", ["none", "metadata"])
def test_a_cluster_of_which_only_metadata_were_asked(
    server: ApiServer, tmp_path: Path, secrets: str
) -> None:
    evidence = collect(source(server, secrets=secrets), out=tmp_path / "e")
    assert len(evidence["secrets"]) == (secrets == "metadata")
    assert unlike(evidence) == []


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "pod.yaml").write_text(
        "---\n".join(POD.replace("name: p", f"name: {n}") for n in "abc")
    )
    collect(FileSource(tmp_path / "pod.yaml"), out=tmp_path / "e")
    return tmp_path / "e"


def sealed_anew(bundle: Path) -> Evidence:
    """Give a bundle the hashes, the id and the seal of what it holds: any forger can."""
    path = bundle / "evidence.json"
    manifest = Evidence.open(bundle, verify=False).manifest
    for name, part in [*manifest.tables.items()]:
        file = bundle / "tables" / f"{name}.parquet"
        if not file.exists():
            del manifest.tables[name]
            continue
        part.sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    for name, part in manifest.raw.items():
        packed = (bundle / "raw" / f"{name}.jsonl.zst").read_bytes()
        lines = pa.input_stream(pa.BufferReader(packed), compression="zstd").read()
        part.sha256 = hashlib.sha256(lines).hexdigest()
        part.rows = lines.count(b"\n")
        each = [hashlib.sha256(line).digest() for line in lines.split(b"\n")[:-1]]
        part.records = over_records(b"".join(each))
    manifest.id = content_id(manifest)
    manifest.seal = seal_of(manifest)
    path.write_bytes(msgspec.json.encode(manifest))
    return Evidence.open(bundle)


def table(name: str, change: Callable[[pa.Table], pa.Table]) -> Callable[[Path], None]:
    def forge(bundle: Path) -> None:
        path = bundle / "tables" / f"{name}.parquet"
        pq.write_table(change(pq.read_table(path)), path)

    return forge


def column(name: str, value: Any, row: int) -> Callable[[pa.Table], pa.Table]:
    def change(found: pa.Table) -> pa.Table:
        at = found.schema.get_field_index(name)
        mask = pa.array([number == row for number in range(found.num_rows)])
        new = pc.if_else(mask, pa.scalar(value, found.schema.field(at).type), found.column(at))
        return found.set_column(at, found.schema.field(at), new)

    return change


def record(name: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    def forge(bundle: Path) -> None:
        path = bundle / "raw" / f"{name}.jsonl.zst"
        lines = pa.input_stream(pa.BufferReader(path.read_bytes()), compression="zstd").read()
        assert old in lines
        with pa.CompressedOutputStream(str(path), "zstd") as stream:
            stream.write(lines.replace(old, new, 1))

    return forge


def lost(path: str) -> Callable[[Path], None]:
    return lambda bundle: (bundle / path).unlink()


@pytest.mark.parametrize(
    ("forge", "named"),
    [
        (table("containers", column("privileged", False, 1)), [("containers", "different", 2)]),
        (table("pods", column("host_network", True, 2)), [("pods", "different", 3)]),
        (table("pods", lambda found: found.slice(1)), [("pods", "different", 1)]),
        (table("pods", lambda found: found.slice(0, 2)), [("pods", "different", 3)]),
        (
            table("pods", lambda found: pa.concat_tables([found, found.slice(2)])),
            [("pods", "different", 4)],
        ),
        (table("pods", lambda found: found.drop_columns(["node"])), [("pods", "different", 1)]),
        (lost("tables/containers.parquet"), [("containers", "missing", 0)]),
        (
            record("pods", b'"privileged":true', b'"privileged":false'),
            [("containers", "different", 1)],
        ),
    ],
)
def test_what_does_not_follow_is_named(
    bundle: Path, forge: Callable[[Path], None], named: list[tuple[str, str, int]]
) -> None:
    assert unlike(Evidence.open(bundle)) == []
    forge(bundle)
    with pytest.raises(EvidenceError):
        Evidence.open(bundle)
    found = [(f.name, f.state, f.line) for f in unlike(sealed_anew(bundle))]
    assert found == [(f"tables/{name}.parquet", state, row) for name, state, row in named]


def test_a_table_that_nobody_makes_is_named(bundle: Path) -> None:
    path = bundle / "tables" / "old.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    manifest = json.loads((bundle / "evidence.json").read_text())
    manifest["tables"]["old"] = manifest["tables"]["pods"]
    (bundle / "evidence.json").write_text(json.dumps(manifest))
    found = unlike(sealed_anew(bundle))
    assert [(f.name, f.state) for f in found] == [("tables/old.parquet", State.NOT_MADE)]
    assert found[0].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("new", [b"", b"[]", b"[" * 9_999])
def test_a_record_that_is_none_is_one_error(bundle: Path, new: bytes) -> None:
    record("pods", b'{"', new + b'["')(bundle)
    with pytest.raises(EvidenceError, match=r"raw/pods\.jsonl\.zst: line 1: "):
        rebuilt(sealed_anew(bundle))


def test_the_command(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run("rerun", "e")
    assert (code, out) == (0, "")
    assert err.startswith("the tables are reproduced by kaudit ")
    assert run("rerun", "e", "--out", "x")[0] == 2
    assert not (tmp_path / "x").exists()
    table("pods", column("pod", "\x1b[2J", 0))(bundle)
    assert run("rerun", "e")[0] == 2  # altered: its hashes tell
    sealed_anew(bundle)
    code, out, err = run("rerun", "e")
    assert code == 1
    assert ["tables/pods.parquet", "different"] in [line.split()[:2] for line in out.splitlines()]
    assert "the tables are NOT reproduced" in err
    code, out, _ = run("rerun", "e", "--format", "json")
    assert code == 1
    check("rerun", json.loads(out))
