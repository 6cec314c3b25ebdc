"""Which security tools a step of a pipeline runs, and whether what they find stops it.

Defaults are those of the actions and programs: aquasecurity/trivy-action, anchore/scan-action,
hadolint/hadolint-action, bridgecrewio/checkov-action, docker/scout-action,
controlplaneio/kubesec-action (``action.yml`` of each) and the tools' own ``--help``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import msgspec

from kaudit.model.shell import Command, commands
from kaudit.model.workflow import Scalar, Step

_IMAGES = {
    "trivy": "trivy",
    "grype": "grype",
    "syft": "syft",
    "hadolint": "hadolint",
    "kubesec": "kubesec",
    "checkov": "checkov",
    "kube-linter": "kube-linter",
    "kube-score": "kube-score",
    "cosign": "cosign",
}
_NO = ("", "0", "false", "no", "none")
_REGARDLESS = frozenset(("true", ":", "echo", "exit", "printf"))
_PIPEFAIL = re.compile(r"^\s*set\s+-\S*o\s+pipefail|^\s*set\s+.*-o\s+pipefail", re.MULTILINE)
_GO_ON = re.compile(r"^\s*set\s+\+e\b", re.MULTILINE)


class Gate(msgspec.Struct, kw_only=True):
    """One use of a tool.

    Attributes
    ----------
    tool
        ``trivy``, ``grype``, …
    purpose
        ``scan_image``, ``scan_files``, ``scan_code``, ``scan_manifests``, ``scan_secrets``,
        ``lint_dockerfile``, ``sign``, ``verify``, ``attest``, ``sbom``, ``build``, ``push``
        or ``upload_sarif``.
    why_not
        Why its findings do not stop the pipeline; empty where they do.
    threshold
        Severities, or the least one, that it is told to look at.
    sarif
        Writes SARIF.
    """

    tool: str
    purpose: str
    why_not: str = ""
    threshold: str | None = None
    sarif: bool = False


def gates(step: Step, env: Mapping[str, Scalar]) -> Iterator[Gate]:
    """Yield what a step runs; ``env`` is what its workflow, its job and itself set."""
    if step.uses:
        action = step.uses.partition("@")[0].lower()
        for name, make in _ACTIONS.items():
            if action == name or action.startswith(f"{name}/"):
                yield from make(step)
                return
        return
    script = step.run or ""
    found = list(commands(script))
    careless = "set +e goes on after faults" if _GO_ON.search(script) else ""
    pipefail = bool(_PIPEFAIL.search(script)) or "pipefail" in (step.shell or "")
    pipefail = pipefail or step.shell == "bash"
    for at, command in enumerate(found):
        following = found[at + 1] if at + 1 < len(found) else None
        lost = careless
        if command.after == "||" and following and following.program in _REGARDLESS:
            if following.words[:2] != ["exit", "1"]:
                lost = f"|| {following.line}"
        elif command.after == "|" and not pipefail:
            lost = "its exit status is lost in a pipe"
        for gate in _of_command(command, env):
            gate.why_not = gate.why_not or (lost if gate.purpose in STOPPING else "")
            yield gate


#: Purposes whose findings should stop a pipeline; those of code scanning become alerts, and
#: rules of the repository, which no file tells, stop on them.
STOPPING = frozenset(
    ("scan_image", "scan_files", "scan_manifests", "scan_secrets", "lint_dockerfile", "verify")
)


def _of_command(command: Command, env: Mapping[str, Scalar]) -> Iterator[Gate]:
    if command.program in ("docker", "podman", "nerdctl"):
        inner = _contained(command)
        yield from _of_command(inner, env) if inner else _docker(command)
        return
    make = _PROGRAMS.get(command.program)
    if make:
        yield from make(command, env)


def _contained(command: Command) -> Command | None:
    """Return what ``docker run IMAGE …`` runs, where the image is that of a known tool."""
    if "run" not in command.words[1:3]:
        return None
    for at, word in enumerate(command.words):
        name = word.partition("@")[0].rpartition("/")[2].partition(":")[0]
        if name in _IMAGES and not word.startswith("-"):
            rest = command.words[at + 1 :]
            rest = rest[1:] if rest[:1] == [name] else rest
            return Command([name, *rest], command.before, command.after)
    return None


def _docker(command: Command) -> Iterator[Gate]:
    words = command.words[1:]
    if words[:2] == ["scout", "cves"]:
        stops = command.option("--exit-code", "-e") is not None
        yield Gate(
            tool="docker scout",
            purpose="scan_image",
            why_not="" if stops else "no --exit-code",
            threshold=command.option("--only-severity"),
            sarif=command.option("--format") == "sarif",
        )
    elif words[:1] == ["build"] or words[:2] in (["buildx", "build"], ["image", "build"]):
        yield Gate(tool=command.program, purpose="build")
        if "--push" in words:
            yield Gate(tool=command.program, purpose="push")
    elif words[:1] == ["push"] or words[:2] == ["image", "push"]:
        yield Gate(tool=command.program, purpose="push")


_OF_TRIVY = {
    "image": "scan_image",
    "i": "scan_image",
    "sbom": "scan_image",
    "config": "scan_manifests",
    "conf": "scan_manifests",
    "k8s": "scan_manifests",
    "kubernetes": "scan_manifests",
    **dict.fromkeys(("fs", "filesystem", "repo", "repository", "rootfs"), "scan_files"),
}


def _trivy(command: Command, env: Mapping[str, Scalar]) -> Iterator[Gate]:
    verb = next((word for word in command.words[1:] if word in _OF_TRIVY), "")
    if not verb:
        return
    code = command.option("--exit-code")
    code = code if code is not None else str(env.get("TRIVY_EXIT_CODE") or "")
    severity = command.option("--severity", "-s") or env.get("TRIVY_SEVERITY")
    format = command.option("--format", "-f") or env.get("TRIVY_FORMAT") or ""
    if format in ("cyclonedx", "spdx", "spdx-json"):
        yield Gate(tool="trivy", purpose="sbom")
        return
    yield Gate(
        tool="trivy",
        purpose=_OF_TRIVY[verb],
        why_not="exit code 0 whatever it finds" if code in _NO else "",
        threshold=str(severity) if severity else None,
        sarif=format == "sarif",
    )


def _grype(command: Command, env: Mapping[str, Scalar]) -> Iterator[Gate]:
    operands = [word for word in command.words[1:] if not word.startswith("-")]
    if not operands or operands[0] in ("db", "version", "completion", "explain"):
        return
    least = command.option("--fail-on", "-f") or env.get("GRYPE_FAIL_ON_SEVERITY")
    scheme = operands[0].partition(":")[0]
    yield Gate(
        tool="grype",
        purpose="scan_files" if scheme in ("dir", "file", ".") else "scan_image",
        why_not="" if least else "no --fail-on",
        threshold=str(least) if least else None,
        sarif=(command.option("--output", "-o") or "").startswith("sarif"),
    )


def _hadolint(command: Command, env: Mapping[str, Scalar]) -> Iterator[Gate]:
    least = command.option("--failure-threshold", "-t")
    mild = "--no-fail" in command.words or env.get("HADOLINT_NOFAIL") in (True, 1, "1", "true")
    why = "--no-fail" if mild else "its threshold is none" if least == "none" else ""
    sarif = command.option("--format", "-f") == "sarif"
    yield Gate(
        tool="hadolint", purpose="lint_dockerfile", why_not=why, threshold=least, sarif=sarif
    )


def _kubesec(command: Command, env: Mapping[str, Scalar]) -> Iterator[Gate]:  # noqa: ARG001
    if "scan" in command.words:
        mild = command.option("--exit-code") == "0"
        why = "exit code 0 whatever it finds" if mild else ""
        yield Gate(tool="kubesec", purpose="scan_manifests", why_not=why)


def _cosign(command: Command, env: Mapping[str, Scalar]) -> Iterator[Gate]:  # noqa: ARG001
    verb = next((word for word in command.words[1:] if not word.startswith("-")), "")
    purpose = {
        "sign": "sign",
        "sign-blob": "sign",
        "attest": "attest",
        "attach": "attest",
        "verify": "verify",
        "verify-attestation": "verify",
    }.get(verb)
    if purpose:
        yield Gate(tool="cosign", purpose=purpose)


def _snyk(command: Command, env: Mapping[str, Scalar]) -> Iterator[Gate]:  # noqa: ARG001
    words = command.words[1:]
    if "test" not in words:
        return
    kinds = {"container": "scan_image", "iac": "scan_manifests", "code": "scan_code"}
    yield Gate(
        tool="snyk",
        purpose=kinds.get(words[0], "scan_files"),
        threshold=command.option("--severity-threshold"),
        sarif="--sarif" in words,
    )


def _checkov(command: Command, env: Mapping[str, Scalar]) -> Iterator[Gate]:  # noqa: ARG001
    mild = bool({"--soft-fail", "-s"} & {*command.words})
    sarif = command.option("--output", "-o") == "sarif"
    why = "--soft-fail" if mild else ""
    yield Gate(tool="checkov", purpose="scan_manifests", why_not=why, sarif=sarif)


def _stops(
    tool: str, purpose: str, *verbs: str
) -> Callable[[Command, Mapping[str, Scalar]], Iterator[Gate]]:
    """Programs whose findings are their exit code."""

    def make(command: Command, env: Mapping[str, Scalar]) -> Iterator[Gate]:  # noqa: ARG001
        if not verbs or {*verbs} & {*command.words[1:]}:
            yield Gate(tool=tool, purpose=purpose)

    return make


_PROGRAMS: dict[str, Callable[[Command, Mapping[str, Scalar]], Iterator[Gate]]] = {
    "trivy": _trivy,
    "grype": _grype,
    "hadolint": _hadolint,
    "kubesec": _kubesec,
    "cosign": _cosign,
    "snyk": _snyk,
    "checkov": _checkov,
    "kube-linter": _stops("kube-linter", "scan_manifests", "lint"),
    "kube-score": _stops("kube-score", "scan_manifests", "score"),
    "conftest": _stops("conftest", "scan_manifests", "test", "verify"),
    "gitleaks": _stops("gitleaks", "scan_secrets", "detect", "git", "dir", "protect"),
    "semgrep": _stops("semgrep", "scan_code", "ci"),
    "syft": _stops("syft", "sbom"),
    "buildah": _stops("buildah", "build", "bud", "build"),
    "kaudit": _stops("kaudit", "scan_image", "gate"),
}


def _action_trivy(step: Step) -> Iterator[Gate]:
    kind, format = step.given("scan-type") or "image", step.given("format") or ""
    if format in ("cyclonedx", "spdx", "spdx-json", "github"):
        yield Gate(tool="trivy", purpose="sbom")
        return
    yield Gate(
        tool="trivy",
        purpose=_OF_TRIVY.get(kind, "scan_files"),
        why_not="" if (step.given("exit-code") or "") not in _NO else "no exit-code",
        threshold=step.given("severity"),
        sarif=format == "sarif",
    )


def _action_grype(step: Step) -> Iterator[Gate]:
    mild = (step.given("fail-build") or "true").lower() in _NO
    yield Gate(
        tool="grype",
        purpose="scan_image" if step.given("image") else "scan_files",
        why_not="fail-build is false" if mild else "",
        threshold=step.given("severity-cutoff") or "medium",
        sarif=(step.given("output-format") or "sarif") == "sarif",
    )


def _action_hadolint(step: Step) -> Iterator[Gate]:
    least = step.given("failure-threshold") or "info"
    mild = (step.given("no-fail") or "false").lower() not in _NO
    yield Gate(
        tool="hadolint",
        purpose="lint_dockerfile",
        why_not="no-fail" if mild else "its threshold is none" if least == "none" else "",
        threshold=least,
        sarif=step.given("format") == "sarif",
    )


def _action_scout(step: Step) -> Iterator[Gate]:
    if "cves" in (step.given("command") or ""):
        mild = (step.given("exit-code") or "false").lower() in _NO
        yield Gate(
            tool="docker scout",
            purpose="scan_image",
            why_not="exit-code is false" if mild else "",
            threshold=step.given("only-severities"),
            sarif=step.given("sarif-file") is not None,
        )


def _action_build(step: Step) -> Iterator[Gate]:
    yield Gate(tool="docker", purpose="build")
    if (step.given("push") or "false").lower() not in _NO:
        yield Gate(tool="docker", purpose="push")
    if (step.given("provenance") or "false").lower() not in _NO:
        yield Gate(tool="docker", purpose="attest")
    if (step.given("sbom") or "false").lower() not in _NO:
        yield Gate(tool="docker", purpose="sbom")


def _action_checkov(step: Step) -> Iterator[Gate]:
    mild = (step.given("soft_fail") or "false").lower() not in _NO
    why = "soft_fail" if mild else ""
    sarif = "sarif" in (step.given("output_format") or "")
    yield Gate(tool="checkov", purpose="scan_manifests", why_not=why, sarif=sarif)


def _action_kubesec(step: Step) -> Iterator[Gate]:
    why = "no exit-code" if (step.given("exit-code") or "0") in _NO else ""
    sarif = step.given("format") == "template"
    yield Gate(tool="kubesec", purpose="scan_manifests", why_not=why, sarif=sarif)


def _always(tool: str, purpose: str, sarif: bool = False) -> Callable[[Step], Iterator[Gate]]:
    def make(step: Step) -> Iterator[Gate]:  # noqa: ARG001
        yield Gate(tool=tool, purpose=purpose, sarif=sarif)

    return make


#: By the beginning of the action's name, the longer ones first.
_ACTIONS: dict[str, Callable[[Step], Iterator[Gate]]] = {
    "aquasecurity/trivy-action": _action_trivy,
    "anchore/scan-action": _action_grype,
    "anchore/sbom-action": _always("syft", "sbom"),
    "hadolint/hadolint-action": _action_hadolint,
    "docker/scout-action": _action_scout,
    "docker/build-push-action": _action_build,
    "bridgecrewio/checkov-action": _action_checkov,
    "controlplaneio/kubesec-action": _action_kubesec,
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
