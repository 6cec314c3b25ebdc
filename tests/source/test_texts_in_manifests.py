"""What the text in a manifest would be by itself hides nothing of the manifest."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.taken import Content
from kaudit.model.words import Reason
from kaudit.source.files import FileSource

OUTPUTS = Path(__file__).parent.parent / "collectors" / "outputs"
TEXTS = [
    path
    for path in sorted(OUTPUTS.rglob("*"))
    if path.is_file() and path.stat().st_size < 60_000 and b"\0" not in path.read_bytes()
]
WEB = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}},
}
ENCRYPTION = {
    "apiVersion": "apiserver.config.k8s.io/v1",
    "kind": "EncryptionConfiguration",
    "resources": [{"resources": ["secrets"], "providers": [{"identity": {}}]}],
}
ADMISSION = {
    "apiVersion": "apiserver.config.k8s.io/v1",
    "kind": "AdmissionConfiguration",
    "plugins": [{"name": "PodSecurity", "configuration": {"defaults": {"enforce": "baseline"}}}],
}


def collected(path: Path, text: str) -> Evidence:
    path.write_text(text, encoding="utf-8")
    return collect(FileSource(path))


def held(text: str, name: str = "held") -> dict[str, Any]:
    """A ConfigMap that holds a text."""
    metadata = {"name": name, "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"text": text}}


def forms(text: str, name: str) -> dict[str, str]:
    """Manifests with a ConfigMap that holds a text, as people and tools write them, by file."""
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    head = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}-block, namespace: shop}}\n"
    listed, alone = held(text, f"{name}-list"), held(text, f"{name}-alone")
    return {
        f"{name}-block.yaml": f"# Source: chart\n---\n{head}data:\n  text: |2\n{lines}",
        f"{name}-list.json": json.dumps({"apiVersion": "v1", "kind": "List", "items": [listed]}),
        f"{name}-alone.json": json.dumps(alone),
    }


def test_a_config_map_may_hold_what_a_tool_writes(tmp_path: Path) -> None:
    written = set()
    for number, path in enumerate(TEXTS):
        text = "".join(c for c in path.read_text(errors="replace") if c.isprintable() or c == "\n")
        for name, content in forms(text, f"{path.parent.name}-{number}").items():
            (tmp_path / name).write_text(content, encoding="utf-8")
            written.add(name.partition(".")[0])
    evidence = collect(FileSource(tmp_path))
    assert [gap for gap in evidence.gaps if gap.reason is Reason.BROKEN] == []
    assert written - {*evidence["config_maps"]["name"]} == set()


def test_documents_of_the_api_server_are_read_among_objects(tmp_path: Path) -> None:
    documents = [ENCRYPTION, WEB, held("kind: EncryptionConfiguration"), ADMISSION]
    evidence = collected(tmp_path / "all.yaml", yaml.safe_dump_all(documents, sort_keys=False))
    assert list(evidence["encryption_config"]["provider"]) == ["identity"]
    assert list(evidence["pod_security_config"]["enforce"]) == ["baseline"]
    assert list(evidence["workloads"]["name"]) == ["web"]
    assert {origin.name for origin in evidence.manifest.origins} == {"all.yaml"}
    assert len({origin.sha256 for origin in evidence.manifest.origins}) == 1


def test_two_configurations_in_one_file_are_two_among_objects(tmp_path: Path) -> None:
    other = {**ENCRYPTION, "resources": [{"resources": ["secrets"], "providers": [{"kms": {}}]}]}
    text = yaml.safe_dump_all([ENCRYPTION, other, WEB], sort_keys=False)
    evidence = collected(tmp_path / "all.yaml", text)
    assert sorted(evidence["encryption_config"]["provider"]) == ["identity", "kms"]


def test_a_second_document_is_not_left_out_in_silence(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(yaml.safe_dump(WEB), encoding="utf-8")
    text = yaml.safe_dump_all([ENCRYPTION, ENCRYPTION], sort_keys=False)
    (tmp_path / "both.yaml").write_text(text, encoding="utf-8")
    evidence = collect(FileSource(tmp_path))
    (gap,) = (gap for gap in evidence.gaps if gap.reason is Reason.BROKEN)
    assert "holds more than one document" in gap.detail


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("apiVersion: v1\nkind: Pod\n", "Pod"),
        ("# a\n\n---\n# b\n'kind': \"Pod\"\napiVersion: v1\n---\nkind: Other\n", "Pod"),
        ("---\r\napiVersion: v1\r\nkind: Pod\r\n", "Pod"),
        ("kind: Pod\n---\napiVersion: v1\n", ""),
        ("apiVersion: v1\ndata:\n  kind: Pod\n", ""),
        ("Applying 1 policy rule(s)...\napiVersion: v1\nkind: Pod\n", ""),
        ('{"apiVersion": "v1", "kind": "Pod"}', ""),
        ("", ""),
    ],
)
def test_the_kind_of_a_manifest_stands_at_the_left_edge(text: str, kind: str) -> None:
    assert Content("a.yaml", text.encode()).kind == kind
