"""Settings of PodSecurity: defaults put in, exemptions named, what lies elsewhere told."""

from __future__ import annotations

from pathlib import Path

from kaudit.collect import collect
from kaudit.source.files import FileSource
from kaudit.source.tools import ToolSource
from tests.memory_source import rows

EXAMPLES = Path(__file__).parent / "outputs" / "pod-security"


def test_settings_in_a_folder() -> None:
    evidence = collect(FileSource(EXAMPLES))
    first, second = rows(evidence, "pod_security_config")
    if first["file"].endswith("json"):
        first, second = second, first
    del first["report"]
    assert first == {
        "file": "admission.yaml",
        "configured": True,
        "enforce": "baseline",
        "enforce_version": "v1.33",
        "audit": "restricted",
        "audit_version": "latest",
        "warn": "privileged",
        "warn_version": "latest",
        "exempt_usernames": ["system:serviceaccount:ci:builder"],
        "exempt_runtime_classes": [],
        "exempt_namespaces": ["kube-system", "legacy"],
        "faulty": False,
    }
    assert (second["enforce"], second["faulty"]) == ("restrictd", True)


def read(tmp_path: Path, plugins: str) -> Path:
    path = tmp_path / "a.yaml"
    path.write_text(
        "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n"
        f"plugins: {plugins}\n"
    )
    return path


def test_a_file_without_the_plugin_leaves_its_defaults(tmp_path: Path) -> None:
    evidence = collect(ToolSource("pod-security", read(tmp_path, "[]")))
    (row,) = rows(evidence, "pod_security_config")
    assert (row["configured"], row["enforce"], row["enforce_version"]) == (
        False,
        "privileged",
        "latest",
    )


def test_settings_in_another_file_are_a_gap(tmp_path: Path) -> None:
    path = read(tmp_path, "[{name: PodSecurity, path: other.yaml}]")
    evidence = collect(ToolSource("pod-security", path))
    assert rows(evidence, "pod_security_config") == []
    (gap,) = [gap for gap in evidence.gaps if "pod_security_config" in gap.tables]
    assert "other.yaml" in gap.detail
