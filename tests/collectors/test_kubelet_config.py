"""Configurations of kubelets: defaults put in, nothing secret kept, flags told from files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import kaudit as ka
from kaudit.collect import collect
from kaudit.model.words import Reason, Status
from kaudit.source.files import FileSource
from kaudit.source.tools import ToolSource
from tests.memory_source import evidence_of, rows

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


DECLARED = """
apiVersion: v1
kind: ConfigMap
metadata: {name: %s, namespace: %s}
data:
  kubelet: |
    apiVersion: kubelet.config.k8s.io/v1beta1
    kind: KubeletConfiguration
    authentication: {x509: {clientCAFile: /ca}}
    authorization: {mode: %s}
    staticPodURLHeader: {Authorization: [hunter2]}
"""


def statuses(evidence: ka.Evidence, control: str = "KA-RUN-016a") -> set[tuple[str, str, Status]]:
    found = ka.assess(evidence, control=control).by_control[control].results()
    return {(one.kind, one.name, one.status) for one in found}


@pytest.mark.parametrize("name", ["kubelet-config", "kubelet-config-1.23"])
def test_what_kubeadm_declares_can_fail_and_never_passes(name: str) -> None:
    weak = evidence_of(DECLARED % (name, "kube-system", "AlwaysAllow"))
    assert "hunter2" not in json.dumps(weak.record("configmaps", 1))
    (row,) = rows(weak, "kubelet_configs", "kind", "namespace", "file", "declared", "open")
    assert row == {
        "kind": "ConfigMap",
        "namespace": "kube-system",
        "file": name,
        "declared": True,
        "open": ["authorization.mode: AlwaysAllow"],
    }
    assert statuses(weak) == {("ConfigMap", name, Status.FAIL)}
    (finding,) = ka.assess(weak, control="KA-RUN-016a").by_control["KA-RUN-016a"].results()
    assert "declared: true" in finding.observed
    sound = evidence_of(DECLARED % (name, "kube-system", "Webhook"))
    assert statuses(sound) == {("ConfigMap", name, Status.NOT_ASSESSED)}


def test_what_kubeadm_declares_does_not_count_where_a_kubelet_has_told(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(DECLARED % ("kubelet-config", "kube-system", "AlwaysAllow"))
    (tmp_path / "configz.json").write_text((EXAMPLES / "configz.json").read_text())
    assert statuses(collect(FileSource(tmp_path))) == {
        ("ConfigMap", "kubelet-config", Status.NOT_APPLICABLE),
        ("KubeletConfiguration", "configz.json", Status.FAIL),
    }


@pytest.mark.parametrize(
    "text",
    [
        DECLARED % ("kubelet-config", "shop", "AlwaysAllow"),
        DECLARED % ("kubelet-config-old", "kube-system", "AlwaysAllow"),
        (DECLARED % ("kubelet-config", "kube-system", "a")).replace("  kubelet:", "  other:"),
        (DECLARED % ("kubelet-config", "kube-system", "[]")),
        (DECLARED % ("kubelet-config", "kube-system", "{")),
    ],
)
def test_what_is_no_declaration_tells_nothing(text: str) -> None:
    evidence = evidence_of(text)
    assert len(evidence["config_maps"]) == 1
    assert {status for _, _, status in statuses(evidence)} == {Status.NOT_ASSESSED}
    assert rows(evidence, "kubelet_configs") == []
