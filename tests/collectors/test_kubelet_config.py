"""Configurations of kubelets: defaults put in, nothing secret kept, flags told from files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kaudit.collect import collect
from kaudit.model.words import Reason
from kaudit.source.files import FileSource
from kaudit.source.tools import ToolSource
from tests.memory_source import rows

EXAMPLES = Path(__file__).parent / "outputs" / "kubelet"
KEPT = ("file", "effective", "open", "soft")


def test_files_and_configz_in_a_folder() -> None:
    evidence = collect(FileSource(EXAMPLES))
    assert sorted(rows(evidence, "kubelet_configs", *KEPT), key=lambda row: str(row["file"])) == [
        {
            "file": "config.yaml",
            "effective": False,
            "open": ["authentication.anonymous.enabled: true"],
            "soft": ["tlsCertFile, tlsPrivateKeyFile: unset", "seccompDefault: not true"],
        },
        {
            "file": "configz.json",
            "effective": True,
            "open": ["readOnlyPort: 10255"],
            "soft": ["podPidsLimit: none"],
        },
    ]


def test_headers_with_credentials_are_not_kept() -> None:
    evidence = collect(ToolSource("kubelet", EXAMPLES / "config.yaml"))
    (row,) = evidence["kubelet_configs"][["raw", "raw_line"]].itertuples(index=False)
    assert b"hunter2" not in json.dumps(evidence.record(*row)).encode()


def test_one_among_other_documents_of_kubeadm(tmp_path: Path) -> None:
    (tmp_path / "kubeadm.yaml").write_text(
        "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n---\n"
        "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nreadOnlyPort: 1\n"
        "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
    )
    evidence = collect(FileSource(tmp_path))
    (row,) = rows(evidence, "kubelet_configs", "file", "open")
    assert row["file"] == "kubeadm.yaml"
    assert row["open"] == ["authentication.x509.clientCAFile: unset", "readOnlyPort: 1"]
    assert list(evidence["namespaces"]["name"]) == ["shop"]


@pytest.mark.parametrize(
    "text",
    [
        '{"kubeletconfig": []}',
        '{"kind": "Other"}',
        '{"kubeletconfig": {"readOnlyPort": "open"}}',
        '{"kubeletconfig": {"featureGates": {"a": "b"}}}',
        '{"kubeletconfig": {"podPidsLimit": 1e30}}',
    ],
)
def test_what_is_no_configuration_is_a_gap(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    evidence = collect(ToolSource("kubelet", path))
    assert rows(evidence, "kubelet_configs") == []
    assert [gap for gap in evidence.gaps if gap.reason is Reason.BROKEN]
