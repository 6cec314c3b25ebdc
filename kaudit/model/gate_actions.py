"""Security tools by their actions, and whether what they find fails the step.

Inputs and defaults are those of the ``action.yml`` of each: aquasecurity/trivy-action,
anchore/scan-action, hadolint/hadolint-action, bridgecrewio/checkov-action,
docker/scout-action, controlplaneio/kubesec-action.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kaudit.model.gate import BILLS, NO, OF_TRIVY, Gate
from kaudit.model.workflow import Step


def of_action(step: Step) -> Iterator[Gate]:
    """Yield what the action of a step does, if it is a known one."""
    action = (step.uses or "").partition("@")[0].lower()
    for name, make in _ACTIONS.items():
        if action == name or action.startswith(f"{name}/"):
            yield from make(step)
            return


def _trivy(step: Step) -> Iterator[Gate]:
    kind, format = step.given("scan-type") or "image", step.given("format") or ""
    if format in BILLS:
        yield Gate(tool="trivy", purpose="sbom")
        return
    yield Gate(
        tool="trivy",
        purpose=OF_TRIVY.get(kind, "scan_files"),
        why_not="" if (step.given("exit-code") or "") not in NO else "no exit-code",
        threshold=step.given("severity"),
        sarif=format == "sarif",
    )


def _grype(step: Step) -> Iterator[Gate]:
    mild = (step.given("fail-build") or "true").lower() in NO
    yield Gate(
        tool="grype",
        purpose="scan_image" if step.given("image") else "scan_files",
        why_not="fail-build is false" if mild else "",
        threshold=step.given("severity-cutoff") or "medium",
        sarif=(step.given("output-format") or "sarif") == "sarif",
    )


def _hadolint(step: Step) -> Iterator[Gate]:
    least = step.given("failure-threshold") or "info"
    mild = (step.given("no-fail") or "false").lower() not in NO
    yield Gate(
        tool="hadolint",
        purpose="lint_dockerfile",
        why_not="no-fail" if mild else "its threshold is none" if least == "none" else "",
        threshold=least,
        sarif=step.given("format") == "sarif",
    )


def _scout(step: Step) -> Iterator[Gate]:
    if "cves" in (step.given("command") or ""):
        mild = (step.given("exit-code") or "false").lower() in NO
        yield Gate(
            tool="docker scout",
            purpose="scan_image",
            why_not="exit-code is false" if mild else "",
            threshold=step.given("only-severities"),
            sarif=step.given("sarif-file") is not None,
        )


def _build(step: Step) -> Iterator[Gate]:
    yield Gate(tool="docker", purpose="build")
    if (step.given("push") or "false").lower() not in NO:
        yield Gate(tool="docker", purpose="push")
    if (step.given("provenance") or "false").lower() not in NO:
        yield Gate(tool="docker", purpose="attest")
    if (step.given("sbom") or "false").lower() not in NO:
        yield Gate(tool="docker", purpose="sbom")


def _checkov(step: Step) -> Iterator[Gate]:
    mild = (step.given("soft_fail") or "false").lower() not in NO
    why = "soft_fail" if mild else ""
    sarif = "sarif" in (step.given("output_format") or "")
    yield Gate(tool="checkov", purpose="scan_manifests", why_not=why, sarif=sarif)


def _kubesec(step: Step) -> Iterator[Gate]:
    why = "no exit-code" if (step.given("exit-code") or "0") in NO else ""
    sarif = step.given("format") == "template"
    yield Gate(tool="kubesec", purpose="scan_manifests", why_not=why, sarif=sarif)


def _always(tool: str, purpose: str, sarif: bool = False) -> Callable[[Step], Iterator[Gate]]:
    def make(step: Step) -> Iterator[Gate]:  # noqa: ARG001
        yield Gate(tool=tool, purpose=purpose, sarif=sarif)

    return make


#: By the beginning of the action's name, the longer ones first.
_ACTIONS: dict[str, Callable[[Step], Iterator[Gate]]] = {
    "aquasecurity/trivy-action": _trivy,
    "anchore/scan-action": _grype,
    "anchore/sbom-action": _always("syft", "sbom"),
    "hadolint/hadolint-action": _hadolint,
    "docker/scout-action": _scout,
    "docker/build-push-action": _build,
    "bridgecrewio/checkov-action": _checkov,
    "controlplaneio/kubesec-action": _kubesec,
    "stackrox/kube-linter-action": _always("kube-linter", "scan_manifests"),
    "snyk/actions/docker": _always("snyk", "scan_image"),
    "snyk/actions/iac": _always("snyk", "scan_manifests"),
    "snyk/actions": _always("snyk", "scan_files"),
    "github/codeql-action/upload-sarif": _always("codeql", "upload_sarif"),
    "github/codeql-action/analyze": _always("codeql", "scan_code", sarif=True),
    "gitleaks/gitleaks-action": _always("gitleaks", "scan_secrets"),
    "trufflesecurity/trufflehog": _always("trufflehog", "scan_secrets"),
    "actions/attest-build-provenance": _always("github", "attest"),
    "actions/attest-sbom": _always("github", "attest"),
    "actions/attest": _always("github", "attest"),
    "slsa-framework/slsa-github-generator": _always("slsa-github-generator", "attest"),
}
