"""Databases that are larger than a page, and empty ones, are read by a program that knows bbolt."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.integration.bolt import bolt
from tests.integration.engine import engine
from tests.integration.vulnerabilities import OFFLINE, write_database

INSTALLED = "P:p{0}\nV:1-r0\nA:x86_64\no:s{0}\n\n"


@pytest.mark.parametrize("packages", [1, 500])
def test_every_bucket_is_found(tmp_path: Path, packages: int) -> None:
    write_database(tmp_path / "cache")
    advised = {f"s{n}": {f"CVE-2099-{n:04}": b"{}"} for n in range(packages)}
    details = {f"CVE-2099-{n:04}": b'{"Title": "%d"}' % n for n in range(packages)}
    written = bolt({"alpine 3.20": advised, "vulnerability": details, "empty": {}})
    (tmp_path / "cache" / "db" / "trivy.db").write_bytes(written)
    root = tmp_path / "root"
    (root / "lib" / "apk" / "db").mkdir(parents=True)
    (root / "etc").mkdir()
    (root / "etc" / "alpine-release").write_text("3.20.1\n")
    (root / "etc" / "os-release").write_text("ID=alpine\nVERSION_ID=3.20.1\n")
    listed = "".join(INSTALLED.format(n) for n in range(packages))
    (root / "lib" / "apk" / "db" / "installed").write_text(listed)
    command = [engine("trivy"), "rootfs", "--cache-dir", tmp_path / "cache", *OFFLINE]
    command += ["--quiet", "--format", "json", root]
    ended = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True)
    (result,) = json.loads(ended.stdout)["Results"]
    titles = {v["VulnerabilityID"]: v["Title"] for v in result["Vulnerabilities"]}
    assert titles == {f"CVE-2099-{n:04}": str(n) for n in range(packages)}
