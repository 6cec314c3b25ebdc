"""The images that later tests scan and verify are what their names say."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.engine import engine
from tests.integration.images import Images, verified
from tests.integration.vulnerabilities import OFFLINE, SEVERITIES


def scanned(images: Images, name: str, trivy_cache: Path) -> dict[str, Any]:
    command = [engine("trivy"), "image", "--cache-dir", trivy_cache, *OFFLINE, "--quiet"]
    command += ["--format", "json", images.pinned(name)]
    ended = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def advisories(report: dict[str, Any]) -> dict[str, str]:
    return {
        v["VulnerabilityID"]: v["Severity"]
        for result in report["Results"]
        for v in result.get("Vulnerabilities", ())
    }


def test_trivy_finds_what_the_database_says_and_nothing_else(
    images: Images, trivy_cache: Path
) -> None:
    report = scanned(images, "vulnerable", trivy_cache)
    assert advisories(report) == SEVERITIES
    assert report["Metadata"]["RepoDigests"] == [images.pinned("vulnerable")]
    assert advisories(scanned(images, "good", trivy_cache)) == {}


@pytest.mark.parametrize("name", ["vulnerable", "good"])
def test_grype_finds_what_trivy_finds(
    images: Images, trivy_cache: Path, grype_settings: Mapping[str, str], name: str
) -> None:
    ended = subprocess.run(
        [str(engine("grype")), f"registry:{images.pinned(name)}", "--output", "json"],
        env=os.environ | {"GRYPE_REGISTRY_INSECURE_USE_HTTP": "true"} | dict(grype_settings),
        capture_output=True,
        text=True,
        check=True,
    )
    matches = json.loads(ended.stdout)["matches"]
    found = {m["vulnerability"]["id"]: m["vulnerability"]["severity"].upper() for m in matches}
    assert found == advisories(scanned(images, name, trivy_cache))


def test_users_are_as_made(images: Images, trivy_cache: Path) -> None:
    def user(name: str) -> str:
        config: dict[str, Any] = scanned(images, name, trivy_cache)["Metadata"]["ImageConfig"]
        found: str = config["config"]["User"]
        return found

    assert user("good") == "65532:65532"
    assert user("root") == "0"


def test_cosign_accepts_what_was_signed_with_the_key_alone(images: Images) -> None:
    (signature,) = verified(images, images.pinned("signed"))
    assert signature["critical"]["image"] == {  # type: ignore[index]
        "docker-manifest-digest": images.digests["signed"]
    }
    assert verified(images, images.pinned("unsigned")) == []
    assert verified(images, images.pinned("wrongly-signed")) == []


def test_a_tag_that_moved_after_signing_names_what_nobody_signed(images: Images) -> None:
    assert images.digests["moved"] != images.signed_before
    assert verified(images, images.tagged("moved")) == []
    assert len(verified(images, f"{images.registry}/moved@{images.signed_before}")) == 1
