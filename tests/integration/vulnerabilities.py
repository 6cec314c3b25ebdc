"""A vulnerability database for Trivy: a few packages, none of it of the real world."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.integration.bolt import Buckets, bolt

#: Makes Trivy use what is here and ask nobody.
OFFLINE = (
    "--skip-db-update",
    "--skip-java-db-update",
    "--skip-check-update",
    "--offline-scan",
    "--skip-version-check",
    "--disable-telemetry",
)

#: Source package of Alpine 3.20 to advisories, and the version that mends each; none mends the last.
ADVISORIES = {
    "openssl": {"CVE-2099-0001": "3.3.9-r0", "CVE-2099-0002": "3.3.9-r0"},
    "busybox": {"CVE-2099-0003": ""},
}
SEVERITIES = {"CVE-2099-0001": "CRITICAL", "CVE-2099-0002": "MEDIUM", "CVE-2099-0003": "LOW"}
_CODES = ("UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL")


def write_database(cache: Path) -> None:
    """Write the database into a cache folder of Trivy's (``--cache-dir``)."""
    folder = cache / "db"
    folder.mkdir(parents=True)
    advised = {
        package: {cve: _json({"FixedVersion": fixed} if fixed else {}) for cve, fixed in by.items()}
        for package, by in ADVISORIES.items()
    }
    source = {"ID": "alpine", "Name": "Alpine Secdb", "URL": "https://secdb.example"}
    details = {
        cve: _json(
            {
                "Title": f"{cve}: a flaw made up for tests",
                "Description": "It stands in no list.",
                "Severity": severity,
                "VendorSeverity": {"nvd": _CODES.index(severity)},
                "PublishedDate": "2026-01-02T03:04:05Z",
                "References": [f"https://advisories.example/{cve}"],
            }
        )
        for cve, severity in SEVERITIES.items()
    }
    database: Buckets = {
        "alpine 3.20": advised,
        "data-source": {"alpine 3.20": _json(source)},
        "vulnerability": details,
    }
    (folder / "trivy.db").write_bytes(bolt(database))
    metadata = {
        "Version": 2,
        "NextUpdate": "2099-01-01T00:00:00Z",
        "UpdatedAt": "2026-01-02T03:04:05Z",
        "DownloadedAt": "2026-01-02T03:04:05Z",
    }
    (folder / "metadata.json").write_text(json.dumps(metadata), encoding="utf-8")


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
