"""Real outputs are known by their content, and each by one format alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaudit import registry
from kaudit.source.tools import content_of
from tests.corpus.reading import corpus, files
from tests.shared import needs_shared

registry.load()
#: Beginning of a path to the format; what begins otherwise is of none of them.
FORMATS = {
    "cosign/rekor-": "cosign",
    "cosign/simple-": "cosign",
    "cosign/tree-": "cosign",
    "cosign/verify-attestation-": "attestation",
    "cosign/verify-": "cosign",
    "cosign/": "attestation",
    "falco/": "falco",
    "gatekeeper/audit-log-event-invalid.json": "gatekeeper",  # no JSON, but it says what it is
    "gatekeeper/export-violation.json": "gatekeeper",
    "gatekeeper/gator-test-": "gator",
    "gatekeeper/": "",  # objects of the API
    "grype/golden-image.sarif": "sarif",
    "grype/": "grype",
    "hadolint/generated-2.15.1-clean.json": "",  # an empty list says nothing of itself
    "hadolint/generated-2.15.1-three": "sarif",
    "hadolint/": "hadolint",
    "kubernetes/audit-event-empty": "",  # an object with a number for a kind
    "kubernetes/audit-": "kubernetes-audit",
    "kubesec/": "kubesec",
    "kyverno/apply-mutate-two.txt": "kyverno",
    "kyverno/apply-psa-fail.txt": "kyverno",
    "kyverno/": "",  # objects of the API
    "peers/kube-bench-text-output.txt": "",
    "peers/kube-bench-": "kube-bench",
    "peers/kube-hunter-": "kube-hunter",
    "peers/kube-linter-": "kube-linter",
    "peers/kubeaudit.jsonl": "kubeaudit",
    "peers/kubescape-": "kubescape",
    "peers/polaris-": "polaris",
    "peers/popeye-": "popeye",
    "peers/sarif-": "sarif",
    "peers/sbom-": "sbom",
    "peers/vex-": "sbom",
    "tetragon/": "tetragon",
    "trivy/image-alpine-3.10.sarif": "sarif",
    "trivy/repo-trivy-0.15.sarif": "sarif",
    "trivy/legacy-null-document.json": "",
    "trivy/": "trivy",
    "trivy-operator/all-reports-in-dict.json": "trivy-operator",
    "trivy-operator/": "",  # objects of the API, read as manifests
}
OURS = sorted(set(FORMATS.values()) - {""})
FOLDERS = (
    "cosign",
    "falco",
    "tetragon",
    "gatekeeper",
    "grype",
    "hadolint",
    "kubesec",
    "kyverno",
    "peers",
    "trivy",
    "trivy-operator",
    "kubernetes",
)
PATHS = [path for folder in FOLDERS for path in files(folder, "*.*")]


@needs_shared
@pytest.mark.parametrize("path", PATHS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_each_output_is_of_one_format(path: Path) -> None:
    content, _ = content_of(path.name, path)
    known = [f.name for f in registry.FORMATS.values() if f.recognise(content)]
    name = path.relative_to(corpus()).as_posix()
    expected = next((f for start, f in FORMATS.items() if name.startswith(start)), "")
    assert [one for one in known if one in OURS] == ([expected] if expected else [])
    assert len(known) <= 1
