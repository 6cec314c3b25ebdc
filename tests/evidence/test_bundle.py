"""Sealed evidence: one id for one content, and every byte that changes is named."""

import hashlib
import json
import random
import shutil
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
import yaml

from kaudit.collect import collect
from kaudit.errors import EvidenceError, InputError
from kaudit.evidence.bundle import Evidence
from kaudit.evidence.manifest import seal_of
from kaudit.evidence.raw import decompressed, hashes, lines_of, over_records
from kaudit.evidence.seal import packed
from kaudit.source.files import FileSource

OBJECTS: list[dict[str, Any]] = [
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"p{n}", "namespace": "shop", "uid": f"u{n}"},
        "spec": {
            "containers": [
                {
                    "name": "c",
                    "image": "i",
                    "env": [{"name": "DB_PASSWORD", "value": "canary-7f3a"}],
                }
            ]
        },
    }
    for n in range(8)
] + [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "uid": "n"}},
    {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "s",
            "namespace": "shop",
            "uid": "s",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "canary-7f3a"},
        },
        "data": {"k": "Y2FuYXJ5LTdmM2E="},
        "stringData": {"k": "canary-7f3a"},
    },
]


def sealed(text: str, out: Path) -> Evidence:
    return collect(FileSource.of_text(text), out=out)


def whole(objects: list[dict[str, Any]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    sealed(whole(OBJECTS), tmp_path / "e")
    return tmp_path / "e"


def test_the_same_content_has_the_same_id_however_it_is_written(tmp_path: Path) -> None:
    shuffled = OBJECTS[:]
    random.Random(7).shuffle(shuffled)
    texts = [
        whole(OBJECTS),
        whole(shuffled),
        json.dumps({"items": shuffled, "kind": "List", "apiVersion": "v1"}, indent=4),
        "\n---\n".join(yaml.safe_dump(one) for one in OBJECTS),
        "\n".join(json.dumps(one) for one in shuffled),
    ]
    found = [sealed(text, tmp_path / str(n)) for n, text in enumerate(texts)]
    assert len({evidence.id for evidence in found}) == 1
    for evidence in found[1:]:
        for name in ("containers", "env", "namespaces", "pods", "secrets"):
            left, right = (e[name].drop(columns=["raw_line"]) for e in (found[0], evidence))
            assert left.equals(right), name


def test_other_content_has_another_id(tmp_path: Path, bundle: Path) -> None:
    assert sealed(whole(OBJECTS[:-1]), tmp_path / "less").id != Evidence.open(bundle).id
    changed = json.loads(whole(OBJECTS).replace('"image": "i"', '"image": "j"', 1))["items"]
    assert sealed(whole(changed), tmp_path / "other").id != Evidence.open(bundle).id


def members(bundle: Path) -> list[Path]:
    return sorted(p for p in bundle.rglob("*") if p.is_file())


def test_a_flipped_byte_anywhere_is_found_and_its_file_named(bundle: Path) -> None:
    for path in members(bundle):
        name = path.relative_to(bundle).as_posix()
        data = path.read_bytes()
        for at in (0, len(data) // 2, len(data) - 2):
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            if name == "evidence.json" and not same_meaning(path, data):
                with pytest.raises(EvidenceError):
                    Evidence.open(bundle)
            elif name != "evidence.json":
                with pytest.raises(EvidenceError, match=name.replace(".", r"\.")):
                    Evidence.open(bundle)
        path.write_bytes(data)
    Evidence.open(bundle)


def same_meaning(path: Path, data: bytes) -> bool:
    """Whether a change of the manifest changed nothing that it says."""
    try:
        return bool(json.loads(path.read_bytes()) == json.loads(data))
    except ValueError:
        return False


def test_records_that_were_exchanged_together_with_their_hash_are_found(bundle: Path) -> None:
    path = bundle / "raw" / "namespaces.jsonl.zst"
    content = decompressed(path.read_bytes()).replace(b"shop", b"shap")
    with pa.CompressedOutputStream(pa.OSFile(str(path), "wb"), "zstd") as stream:
        stream.write(content)
    manifest = json.loads((bundle / "evidence.json").read_text())
    manifest["raw"]["namespaces"]["sha256"] = hashlib.sha256(content).hexdigest()
    (bundle / "evidence.json").write_text(json.dumps(manifest))
    with pytest.raises(EvidenceError, match="its records differ"):
        Evidence.open(bundle)


def test_records_of_any_number_of_blocks_have_their_hashes() -> None:
    lines = [b"%d" % n + b"x" * (n * 37 % 5_000) for n in range(2_000)] + [b"", b"y" * 3_000_000]
    content = b"".join(line + b"\n" for line in lines)
    packed = pa.compress(content, "zstd", asbytes=True)
    each = b"".join(hashlib.sha256(line).digest() for line in lines)
    expected = hashlib.sha256(content).hexdigest(), over_records(each)
    assert hashes(packed, len(content)) == expected
    assert hashes(packed, len(content) // 2) != expected
    assert [*lines_of(packed)] == lines
    assert hashes(pa.compress(b"", "zstd", asbytes=True), 0) == (
        hashlib.sha256(b"").hexdigest(),
        over_records(b""),
    )


def test_more_than_the_manifest_tells_of_is_not_unpacked(bundle: Path) -> None:
    path = bundle / "raw" / "namespaces.jsonl.zst"
    with pa.CompressedOutputStream(str(path), "zstd") as stream:
        for _ in range(64):
            stream.write(b"a" * (1 << 22))
    tracemalloc.start()
    with pytest.raises(EvidenceError, match=r"raw/namespaces\.jsonl\.zst differs from its SHA-256"):
        Evidence.open(bundle)
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


def test_a_zip_with_a_password_cannot_be_read(bundle: Path, tmp_path: Path) -> None:
    packed(bundle, tmp_path / "e.kaudit")
    data = bytearray((tmp_path / "e.kaudit").read_bytes())
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(sign) + at] |= 1
    (tmp_path / "e.kaudit").write_bytes(data)
    with pytest.raises(EvidenceError, match=r"cannot be read: .* is encrypted"):
        Evidence.open(tmp_path / "e.kaudit")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("label", "another"),
        ("as_of", "2020-01-01T00:00:00Z"),
        ("live", True),
        ("kaudit", "0.0.1"),
        ("parts", 3),
        ("origins", []),
        ("kinds", []),
        ("gaps", []),
        ("server", {"git_version": "v1.30.0"}),
        ("server", {"git_version": "", "platform": "linux/arm64"}),
    ],
)
def test_whatever_the_manifest_says_is_sealed(bundle: Path, name: str, value: object) -> None:
    path = bundle / "evidence.json"
    manifest = json.loads(path.read_text())
    assert manifest.get(name) != value
    path.write_text(json.dumps(manifest | {name: value}))
    with pytest.raises(EvidenceError, match=r"evidence\.json: its (id|seal) is not the hash"):
        Evidence.open(bundle)


def test_words_of_gaps_and_hashes_of_origins_are_sealed(tmp_path: Path) -> None:
    broken = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "b"}, "spec": {"volumes": 3}}
    bundle = tmp_path / "e"
    sealed(whole([*OBJECTS, broken]), bundle)
    path = bundle / "evidence.json"
    for old, new in (('"detail": "', '"detail": "not '), ('"bytes": ', '"bytes": 1')):
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        with pytest.raises(EvidenceError, match="its seal is not the hash of what it says"):
            Evidence.open(bundle)
        path.write_text(text)
    assert seal_of(Evidence.open(bundle).manifest) == Evidence.open(bundle).seal


def test_a_table_that_was_exchanged_and_sealed_anew_has_another_seal(bundle: Path) -> None:
    before, path = Evidence.open(bundle), bundle / "evidence.json"
    shutil.copy(bundle / "tables" / "env.parquet", bundle / "tables" / "pods.parquet")
    manifest = before.manifest
    manifest.tables["pods"] = manifest.tables["env"]
    manifest.seal = seal_of(manifest)
    path.write_bytes(msgspec.json.encode(manifest))
    after = Evidence.open(bundle)
    assert after.id == before.id
    assert after.seal != sealed(whole(OBJECTS), bundle.parent / "again").seal


def test_a_bundle_without_a_seal_is_read(bundle: Path) -> None:
    path = bundle / "evidence.json"
    manifest = json.loads(path.read_text())
    del manifest["seal"]
    path.write_text(json.dumps(manifest))
    found = Evidence.open(bundle)
    assert (found.seal, found.id) == ("", manifest["id"])


def test_what_is_read_elsewhere_has_the_same_seal_under_the_same_name(tmp_path: Path) -> None:
    found = []
    for number, name in enumerate(("one/m", "two/m", "three/other")):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "a.json").write_text(whole(OBJECTS))
        found.append(collect(FileSource(folder), out=tmp_path / f"e{number}"))
    assert len({evidence.id for evidence in found}) == 1
    assert found[0].seal == found[1].seal != found[2].seal


def test_missing_and_surplus_files_are_named(bundle: Path) -> None:
    (bundle / "tables" / "extra.parquet").write_bytes(b"x")
    with pytest.raises(EvidenceError, match=r"tables/extra\.parquet is not in the manifest"):
        Evidence.open(bundle)
    (bundle / "tables" / "extra.parquet").unlink()
    (bundle / "tables" / "pods.parquet").unlink()
    with pytest.raises(EvidenceError, match=r"tables/pods\.parquet is missing"):
        Evidence.open(bundle)


@pytest.mark.parametrize("version", ["kaudit/evidence/0", "kaudit/evidence/2", ""])
def test_another_format_is_refused(bundle: Path, version: str) -> None:
    manifest = json.loads((bundle / "evidence.json").read_text())
    manifest["format"] = version
    (bundle / "evidence.json").write_text(json.dumps(manifest))
    with pytest.raises(EvidenceError, match="use the kaudit that wrote it"):
        Evidence.open(bundle)


def test_the_zip_says_the_same(tmp_path: Path, bundle: Path) -> None:
    packed = sealed(whole(OBJECTS), tmp_path / "e.kaudit")
    folder = Evidence.open(bundle)
    assert packed.id == folder.id
    assert list(packed) == list(folder)
    assert packed["pods"].equals(folder["pods"])
    assert packed.record("pods", 1) == folder.record("pods", 1)


def test_a_zip_that_is_cut_or_leads_outside_is_refused(tmp_path: Path) -> None:
    sealed(whole(OBJECTS), tmp_path / "e.kaudit")
    data = (tmp_path / "e.kaudit").read_bytes()
    (tmp_path / "cut.kaudit").write_bytes(data[: len(data) // 2])
    with pytest.raises(EvidenceError, match="not a readable bundle"):
        Evidence.open(tmp_path / "cut.kaudit")
    shutil.copy(tmp_path / "e.kaudit", tmp_path / "out.kaudit")
    with zipfile.ZipFile(tmp_path / "out.kaudit", "a") as archive:
        archive.writestr("../../evil.txt", "x")
    with pytest.raises(EvidenceError, match="is not in the manifest"):
        Evidence.open(tmp_path / "out.kaudit")
    assert not list(tmp_path.parent.rglob("evil.txt"))


def test_no_secret_value_is_kept(tmp_path: Path, bundle: Path) -> None:
    from kaudit.evidence.raw import decompressed

    for path in members(bundle):
        data = path.read_bytes()
        content = decompressed(data) if path.suffix == ".zst" else data
        for canary in (b"canary-7f3a", b"Y2FuYXJ5LTdmM2E"):
            assert canary not in content, path.name
    evidence = Evidence.open(bundle)
    assert evidence["env"]["verdict"].unique().tolist() == ["named as a credential"]
    assert evidence["secrets"]["last_applied"].tolist() == [True]


def test_nothing_is_overwritten_or_left_behind(tmp_path: Path, bundle: Path) -> None:
    with pytest.raises(InputError, match="there is something already"):
        sealed(whole(OBJECTS), bundle)
    with pytest.raises(InputError):
        collect(FileSource.of_text("just: notes"), out=tmp_path / "none")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["e"]


@pytest.mark.parametrize("where", ["bundle", "memory"])
@pytest.mark.parametrize(
    ("raw", "line", "hint"),
    [
        *(("pods", line, "it has ") for line in (0, -1, 1_000_000)),
        *(("gaps", line, "it has ") for line in (0, -1, 1_000_000)),
        *(("pod", 1, "did you mean pods"), ("../pods", 1, "")),
    ],
)
def test_a_record_that_is_not_there_is_none(
    where: str, raw: str, line: int, hint: str, bundle: Path
) -> None:
    memory = collect(FileSource.of_text(whole(OBJECTS)))
    evidence = Evidence.open(bundle) if where == "bundle" else memory
    for method in (evidence.record, evidence.origin):
        with pytest.raises(InputError, match=f"no raw record {raw}:{line} .*{hint}"):
            method(raw, line)


def test_an_empty_table_has_the_types_of_a_full_one(tmp_path: Path, bundle: Path) -> None:
    empty = sealed(whole(OBJECTS[8:9]), tmp_path / "empty")
    full = Evidence.open(bundle)
    for name in full:
        assert empty[name].dtypes.equals(full[name].dtypes), name
