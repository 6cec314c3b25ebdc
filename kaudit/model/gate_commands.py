"""Security tools by their commands, and whether what they find is an exit code.

Options and defaults are those of the tools' own ``--help``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from kaudit.model.gate import BILLS, NO, OF_TRIVY, Gate
from kaudit.model.shell import Command
from kaudit.model.workflow import Scalar

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


def of_command(command: Command, env: Mapping[str, Scalar]) -> Iterator[Gate]:
    """Yield what a command does, if it is one of a known tool, in a container or not."""
    if command.program in ("docker", "podman", "nerdctl"):
        inner = _contained(command)
        yield from of_command(inner, env) if inner else _docker(command)
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


def _trivy(command: Command, env: Mapping[str, Scalar]) -> Iterator[Gate]:
    verb = next((word for word in command.words[1:] if word in OF_TRIVY), "")
    if not verb:
        return
    code = command.option("--exit-code")
    code = code if code is not None else str(env.get("TRIVY_EXIT_CODE") or "")
    severity = command.option("--severity", "-s") or env.get("TRIVY_SEVERITY")
    format = command.option("--format", "-f") or env.get("TRIVY_FORMAT") or ""
    if format in BILLS:
        yield Gate(tool="trivy", purpose="sbom")
        return
    yield Gate(
        tool="trivy",
        purpose=OF_TRIVY[verb],
        why_not="exit code 0 whatever it finds" if code in NO else "",
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
