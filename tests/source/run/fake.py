"""Programs that stand in for tools, and behave as badly as tools do."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

#: What every stand-in does before its own part: it answers for its version.
_HEAD = """#!{python} -IS
import json, os, signal, subprocess, sys, time
arguments = sys.argv[1:]
if arguments[:1] == ["version"]:
    print(json.dumps({about}))
    raise SystemExit
if "--download-db-only" in arguments:
    {update}
target = arguments[-1]
report = {report}
report["ArtifactName"] = target
"""
ABOUT = {
    "Version": "v0.99.0",
    "VulnerabilityDB": {"Version": 2, "UpdatedAt": "2026-01-02T03:04:05Z"},
}
REPORT: dict[str, Any] = {
    "SchemaVersion": 2,
    "ArtifactType": "container_image",
    "Results": [
        {
            "Target": "made up",
            "Class": "os-pkgs",
            "Type": "alpine",
            "Vulnerabilities": [
                {
                    "VulnerabilityID": "CVE-2099-0001",
                    "PkgName": "libx",
                    "InstalledVersion": "1",
                    "Severity": "CRITICAL",
                }
            ],
        }
    ],
}


def program(
    folder: Path,
    body: str = "print(json.dumps(report))",
    *,
    name: str = "trivy",
    about: dict[str, Any] = ABOUT,
    update: str = "sys.exit()",
) -> Path:
    """Write a stand-in whose body may use ``target`` and ``report``."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    head = _HEAD.format(
        python=sys.executable, about=about, report=json.loads(json.dumps(REPORT)), update=update
    )
    path.write_text(head + body + "\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def at_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder that is all the home there is, with the program on the path."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    program(folder / "bin")
