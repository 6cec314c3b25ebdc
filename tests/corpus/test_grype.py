"""Real reports of Grype: what the tables say is what plain JSON says."""

from __future__ import annotations

import base64
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.collectors.test_tools import EXAMPLES
from tests.corpus.reading import broken, changed, corpus, files, given, read
from tests.shared import needs_shared

EXAMPLE = EXAMPLES / "grype" / "image.json"
FIXES = {"fixed": "fixed", "not-fixed": "not_fixed", "wont-fix": "wont_fix"}


def plain_fix(flaw: dict[str, Any]) -> str:
    state = (flaw.get("fix") or {}).get("state", "")
    return FIXES.get(state, "fixed" if flaw.get("fixedInVersion") else "unknown")


@needs_shared
@pytest.mark.parametrize("path", files("grype", "*.json"), ids=lambda p: p.name)
def test_counts_are_those_of_plain_json(path: Path) -> None:
    document = json.loads(path.read_bytes())
    matches = document["matches"]
    evidence = read("grype", path)
    assert broken(evidence) == []
    rows = evidence["vulnerabilities"]
    severities = Counter((m["vulnerability"].get("severity") or "unknown").lower() for m in matches)
    assert Counter(rows["severity"]) == severities
    assert Counter(zip(rows["package"], rows["version"], strict=True)) == Counter(
        (m["artifact"]["name"], m["artifact"]["version"]) for m in matches
    )
    assert Counter(rows["id"]) == Counter(m["vulnerability"]["id"] for m in matches)
    assert Counter(rows["fix"]) == Counter(plain_fix(m["vulnerability"]) for m in matches)
    (scan,) = evidence["image_scans"].to_dict("records")
    assert scan["findings"] == len(matches)
    assert scan["suppressed"] == 0
    target = document.get("source", {}).get("target")
    if isinstance(target, dict):
        assert scan["artifact"] == target["userInput"]
        assert scan["config_digest"] == target["imageID"]
        assert scan["manifest_digest"] == target["manifestDigest"]
        if target.get("config"):
            settings = json.loads(base64.b64decode(target["config"]))["config"]
            assert scan["image_user"] == settings.get("User", "")


@needs_shared
def test_the_database_is_told_in_both_shapes() -> None:
    rows = [
        read("grype", corpus("grype", name))["image_scans"].iloc[0]
        for name in ("image-0.71.json", "image-0.94-epss-kev-risk.json", "golden-empty.json")
    ]
    assert rows[0]["database_version"] == "5"
    assert str(rows[0]["database_built_at"]) == "2023-10-18 01:27:01+00:00"
    assert str(rows[0]["scanned_at"]).startswith("2023-10-18 11:08:28.56")
    assert rows[1]["database_version"] == "v6.0.2"
    assert str(rows[1]["database_built_at"]) == "2025-06-19 04:12:38+00:00"
    assert rows[2][["scanned_at", "database_version", "tool_version"]].isna().all()


@needs_shared
def test_credentials_of_the_image_are_named_and_not_kept(tmp_path: Path) -> None:
    evidence = read("grype", corpus("grype", "image-0.28-all-fields.json"))
    (scan,) = evidence["image_scans"].to_dict("records")
    named = {"DD_CELERY_BROKER_PASSWORD", "DD_DATABASE_PASSWORD"}
    assert named <= set(scan["env_credentials"])
    assert "defectdojo-django" not in json.dumps(list(scan["env_credentials"]))


@needs_shared
def test_exploited_and_likely_exploited() -> None:
    rows = read("grype", corpus("grype", "golden-image.json"))["vulnerabilities"]
    assert rows["known_exploited"].fillna(False).tolist() == [False, True]
    assert rows["epss"].tolist()[0] == 0.03
    rows = read("grype", corpus("grype", "image-0.94-epss-kev-risk.json"))["vulnerabilities"]
    assert rows["known_exploited"].isna().all()
    assert rows["epss"].notna().all()


def test_what_a_rule_left_out_is_a_row_that_says_so() -> None:
    evidence = read("grype", EXAMPLE)
    rows = evidence["vulnerabilities"].set_index("id")
    assert rows["suppressed"].sum() == 2
    assert rows.loc["CVE-2099-00005", "suppressed_by"] == "not reachable"
    why = "VEX: not_affected: component_not_present"
    assert rows.loc["CVE-2099-00006", "suppressed_by"] == why
    (scan,) = evidence["image_scans"].to_dict("records")
    assert (scan["findings"], scan["suppressed"]) == (4, 2)
    assert list(scan["env_credentials"]) == ["API_TOKEN"]
    assert scan["history_credentials"] == 1
    assert list(scan["covered"]) == ["lang-pkgs", "os-pkgs"]


def test_one_flaw_has_one_score_and_all_its_names() -> None:
    rows = read("grype", EXAMPLE)["vulnerabilities"].set_index("id")
    advisory = rows.loc["GHSA-aaaa-bbbb-cccc"]
    assert list(advisory["aliases"]) == ["CVE-2099-00002"]
    assert advisory["cvss_score"] == 7.5
    assert list(advisory["fixed_versions"]) == ["1.3", "2.0"]
    assert rows.loc["CVE-2099-00003", "cvss_score"] == 7.5  # told of the related one alone
    assert rows.loc["CVE-2099-00003", "severity"] == "unknown"


def test_unknown_severity_is_unknown_and_written_as_it_was(tmp_path: Path) -> None:
    document = changed(EXAMPLE, ("matches", 0, "vulnerability", "severity"), "Purple")
    rows = given("grype", document, tmp_path)["vulnerabilities"]
    row = rows[rows["id"] == "CVE-2099-00001"].iloc[0]
    assert (row["severity"], row["severity_written"]) == ("unknown", "Purple")


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("matches", 1, "vulnerability", "cvss", 1, "metrics", "baseScore"), 11, "<= 10"),
        (("matches", 1, "vulnerability", "cvss", 1, "metrics", "baseScore"), -1, ">= 0"),
        (("matches", 1, "vulnerability", "epss", 0, "epss"), 2, "<= 1"),
        (("source", "target", "imageSize"), -5, ">= 0"),
        (("source", "target", "config"), "no base64!", "base64"),
        (("descriptor", "timestamp"), "yesterday", "RFC3339"),
    ],
)
def test_numbers_out_of_range_are_told(
    path: tuple[Any, ...], value: Any, told: str, tmp_path: Path
) -> None:
    evidence = given("grype", changed(EXAMPLE, path, value), tmp_path)
    (gap,) = broken(evidence)
    assert "given.json" in gap.detail
    assert told in gap.detail
    assert len(evidence["vulnerabilities"]) == 6 - (path[0] == "matches")
