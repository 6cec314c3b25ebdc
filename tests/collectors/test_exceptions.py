"""Exceptions from scanning: what is let pass, why, for how long, and where."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Reason
from kaudit.source.files import FileSource
from kaudit.source.tools import ToolSource

EXAMPLES = Path(__file__).parent / "outputs" / "exceptions"


def rows(evidence: Evidence) -> list[dict[str, object]]:
    found = evidence["scan_exceptions"]
    rows: list[dict[str, object]] = pa.Table.from_pandas(found, preserve_index=False).to_pylist()
    return rows


def example(name: str) -> list[dict[str, object]]:
    return rows(collect(ToolSource("exceptions", EXAMPLES / name)))


def written(tmp_path: Path, name: str, text: str) -> Evidence:
    path = tmp_path / name
    path.write_text(text)
    return collect(ToolSource("exceptions", path))


def test_openvex() -> None:
    first, second = example("openvex.json")
    assert (first["id"], first["status"], first["owner"]) == (
        "CVE-2099-00001",
        "not_affected",
        "Team Shop",
    )
    assert first["justification"] == "vulnerable_code_not_in_execute_path"
    assert first["scope"] == ["pkg:oci/web@sha256:00 > pkg:deb/debian/zlib@1.2"]
    assert (second["id"], second["status"]) == ("CVE-2099-00002", "under_investigation")
    assert second["created_at"] == pd.Timestamp("2024-06-01T10:00:00Z")


def test_trivyignore() -> None:
    first, second, third = example(".trivyignore")
    assert first["reason"] == "not reachable from the network; owner: team-web"
    assert (first["owner"], first["expires_at"]) == (
        "team-web",
        pd.Timestamp("2025-01-01", tz="UTC"),
    )
    assert (second["reason"], second["expires_at"]) == ("one day", None)
    assert (third["id"], third["reason"], third["position"]) == ("generic-rule", None, 5)


def test_trivyignore_yaml() -> None:
    first, second, third = example(".trivyignore.yaml")
    assert first["scope"] == ["usr/lib/zlib", "pkg:deb/debian/zlib@1.2"]
    assert first["expires_at"] == pd.Timestamp("2025-01-01", tz="UTC")
    assert [row["section"] for row in (first, second, third)] == [
        "vulnerability",
        "misconfiguration",
        "secret",
    ]


def test_rules_of_grype() -> None:
    first, second = example(".grype.yaml")
    assert first["scope"] == ["package=zlib", "version=1.2", "type=deb"]
    assert first["owner"] == "team-web"
    assert (second["id"], second["scope"]) == ("*", ["fix-state=wont-fix"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".trivyignore", "CVE-2099-00001 exp:soon\n"),
        (
            ".trivyignore",
            "CVE-2099-00001\n# why\n  # only a comment\nCVE-2099-00002 exp:2025-13-01\n",
        ),
        (
            ".trivyignore.yaml",
            "vulnerabilities:\n  - id: CVE-2099-00001\n    expired_at: tomorrow\n",
        ),
        (".trivyignore.yaml", "vulnerabilities:\n  - CVE-2099-00001\n"),
        (".trivyignore.yaml", "vulnerabilities:\n  - paths: [a]\n"),
        (".grype.yaml", "ignore:\n  - vulnerability: [1]\n"),
        (".grype.yaml", "ignore: {vulnerability: a}\n"),
        (".grype.yaml", "ignore: [\n"),
        ("vex.json", '{"@context": "a", "statements": [{"status": 1}]}'),
    ],
)
def test_an_entry_that_cannot_be_read_is_a_gap(tmp_path: Path, name: str, text: str) -> None:
    gaps = [g for g in written(tmp_path, name, text).gaps if g.reason is Reason.BROKEN]
    assert [gap.tables for gap in gaps] == [("scan_exceptions",)]


def test_a_file_that_lets_nothing_pass_is_no_gap(tmp_path: Path) -> None:
    evidence = written(tmp_path, ".trivyignore", "# nothing\n")
    assert [gap for gap in evidence.gaps if gap.reason is Reason.BROKEN] == []
    assert len(evidence["scan_exceptions"]) == 0


def test_they_are_found_in_a_folder_with_manifests(tmp_path: Path) -> None:
    for path in EXAMPLES.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "values.yaml").write_text("ignore: [a]\nimage: {tag: '1'}\n")
    (tmp_path / "secrets.yaml").write_text("secrets: {a: b}\n")
    (tmp_path / "pod.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n")
    evidence = collect(FileSource(tmp_path))
    assert evidence["scan_exceptions"]["format"].value_counts().to_dict() == {
        "trivyignore": 3,
        "trivyignore.yaml": 3,
        "openvex": 2,
        "grype": 2,
    }
