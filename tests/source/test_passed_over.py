"""Files that a folder holds beside those that are read: evidence among them is told."""

import gzip
import zipfile
from pathlib import Path

import pytest

from kaudit.collect import collect
from kaudit.errors import InputError
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Gap
from kaudit.source.files import FileSource

POD = """apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: shop}
spec: {containers: [{name: c, image: i}]}
"""
JSON = '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"NAME"},"spec":{"containers":[]}}'
TRIVY = (
    '{"SchemaVersion": 2, "ArtifactName": "a:1", "ArtifactType": "container_image", "Results": []}'
)


def read(folder: Path) -> tuple[Evidence, list[Gap]]:
    found = collect(FileSource(folder), raw=False)
    return found, [gap for gap in found.gaps if gap.reason == "not_collected" and not gap.tables]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "m"
    path.mkdir()
    (path / "a.yaml").write_text(POD.replace("NAME", "a"))
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("deploy.yaml.tmpl", POD),
        ("pods.txt", POD),
        ("manifests", POD),
        ("x.yaml.bak", "# kept\n---\n" + POD),
        ("x.tpl", "{{- if .Values.on }}\n" + POD + "{{- end }}\n"),
        ("x.yaml.j2", "{% if on %}\r\n" + POD.replace("\n", "\r\n")),
        (".hidden.yaml", POD),
        (".deploy/x.yaml", POD),
        ("x.out", JSON),
        ("trivy.out", TRIVY),
    ],
)
def test_what_begins_like_evidence_is_told_and_read_by_its_name(
    folder: Path, name: str, text: str
) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.replace("NAME", "b").encode())
    found, (gap,) = read(folder)
    assert found["pods"]["pod"].tolist() == ["a"]
    assert gap.what == "1 file with other names"
    assert gap.failed
    assert gap.detail.startswith(f"{name}: ")
    if "{" not in text[:2]:
        assert collect(FileSource(path), raw=False)["pods"]["pod"].tolist() == ["b"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("README.md", b"# Title\n\nWrite this:\n\n```yaml\napiVersion: v1\nkind: Pod\n```\n"),
        ("NOTES", b"# apiVersion: v1\n# kind: Pod\n"),
        ("main.go", b"package main\n// apiVersion: kind:\n"),
        ("a.png", b"\x89PNG\r\n\x1a\n apiVersion: kind:"),
        ("logs.txt", b"2026-01-01 kind: Pod apiVersion: v1\n"),
        ("values", b"replicas: 3\nimage: a\n"),
        ("tsconfig.out", b'{"compilerOptions": {}}'),
        ("empty", b""),
        ("cut.gz", gzip.compress(POD.encode(), mtime=0)[:20]),
        (".git/config", b"[core]\n"),
        (".venv/lib/x.yaml", POD.encode()),
    ],
)
def test_sources_pictures_and_prose_are_no_noise(folder: Path, name: str, content: bytes) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    assert read(folder)[1] == []


def test_packed_files_are_looked_into_and_archives_are_told(folder: Path) -> None:
    (folder / "pods.txt.gz").write_bytes(gzip.compress(POD.encode(), mtime=0))
    for name in ("chart.tgz", "dump.tar.gz"):
        (folder / name).write_bytes(gzip.compress(b"x", mtime=0))
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        archive.writestr("a.yaml", POD)
    _, (likely, archives) = read(folder)
    assert (archives.what, archives.detail) == (
        "3 archives",
        "all.zip, chart.tgz, dump.tar.gz: not unpacked",
    )
    assert likely.detail.startswith("pods.txt.gz: ")


def test_many_are_counted_and_some_named(folder: Path) -> None:
    for number in range(7):
        (folder / f"p{number}.txt").write_text(POD)
    _, (gap,) = read(folder)
    assert gap.what == "7 files with other names"
    assert gap.detail.startswith("p0.txt, p1.txt, p2.txt, p3.txt, p4.txt and 2 more: ")


def test_a_folder_of_nothing_else_says_what_it_holds(folder: Path) -> None:
    (folder / "a.yaml").rename(folder / "a.yaml.tmpl")
    with pytest.raises(InputError) as fault:
        read(folder)
    assert "holds no YAML or JSON file" in str(fault.value)
    assert "a.yaml.tmpl: content like evidence" in str(fault.value)


def test_a_link_is_followed_nowhere(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text(POD)
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / ".link").symlink_to(tmp_path)
    assert read(folder)[1] == []
