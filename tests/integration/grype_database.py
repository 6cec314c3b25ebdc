"""The same made-up flaws as a database for Grype: SQLite, schema 6.1 of its own tables.

Table and column names are those that Grype 0.116 declares in its package ``grype/db/v6``.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.integration.vulnerabilities import ADVISORIES, SEVERITIES

_SCHEMA, _MODEL = (6, 1, 9), 6
_BUILT = "2026-01-02 03:04:05+00:00"
_TABLES = """
CREATE TABLE blobs (id integer PRIMARY KEY, value text NOT NULL);
CREATE TABLE db_metadata (build_timestamp datetime, model integer, revision integer, addition integer);
CREATE TABLE providers (id text PRIMARY KEY, version text, processor text, date_captured datetime,
  input_digest text);
CREATE TABLE vulnerability_handles (id integer PRIMARY KEY, name text, status text,
  published_date datetime, modified_date datetime, withdrawn_date datetime, provider_id text,
  blob_id integer);
CREATE TABLE vulnerability_aliases (name text, alias text, PRIMARY KEY (name, alias));
CREATE TABLE affected_package_handles (id integer PRIMARY KEY, vulnerability_id integer,
  operating_system_id integer, package_id integer, blob_id integer);
CREATE TABLE unaffected_package_handles (id integer PRIMARY KEY, vulnerability_id integer,
  operating_system_id integer, package_id integer, blob_id integer);
CREATE TABLE operating_systems (id integer PRIMARY KEY, name text, release_id text,
  major_version text, minor_version text, label_version text, codename text, channel text,
  eol_date datetime, eoas_date datetime);
CREATE TABLE operating_system_specifier_overrides (alias text, version text, version_pattern text,
  codename text, channel text, replacement text, replacement_major_version text,
  replacement_minor_version text, replacement_label_version text, replacement_channel text,
  rolling numeric, applicable_client_db_schemas text);
CREATE TABLE packages (id integer PRIMARY KEY, ecosystem text, name text);
CREATE TABLE package_specifier_overrides (ecosystem text, replacement_ecosystem text);
CREATE TABLE architecture_aliases (alias text PRIMARY KEY, canonical text);
CREATE TABLE affected_cpe_handles (id integer PRIMARY KEY, vulnerability_id integer,
  cpe_id integer, blob_id integer);
CREATE TABLE unaffected_cpe_handles (id integer PRIMARY KEY, vulnerability_id integer,
  cpe_id integer, blob_id integer);
CREATE TABLE cpes (id integer PRIMARY KEY, part text, vendor text, product text, edition text,
  language text, software_edition text, target_hardware text, target_software text, other text);
CREATE TABLE package_cpes (cpe_id integer, package_id integer, PRIMARY KEY (cpe_id, package_id));
CREATE TABLE known_exploited_vulnerability_handles (id integer PRIMARY KEY, cve text, blob_id integer);
CREATE TABLE epss_handles (id integer PRIMARY KEY, cve text, epss real, percentile real);
CREATE TABLE epss_metadata (date datetime);
CREATE TABLE cwe_handles (id integer PRIMARY KEY, cve text, cwe text, source text, type text);
"""


def write_grype_database(cache: Path) -> Mapping[str, str]:
    """Write the database into a cache folder; return the settings that make Grype use it."""
    folder = cache / str(_MODEL)
    folder.mkdir(parents=True)
    with sqlite3.connect(folder / "vulnerability.db") as database:
        database.executescript(_TABLES)
        _fill(database)
    database.close()
    imported = {"digest": "xxh64:0", "client_version": "v6.1.9"}
    (folder / "import.json").write_text(json.dumps(imported), encoding="utf-8")
    return {
        "GRYPE_CHECK_FOR_APP_UPDATE": "false",
        "GRYPE_DB_AUTO_UPDATE": "false",
        "GRYPE_DB_CACHE_DIR": str(cache),
        "GRYPE_DB_REQUIRE_UPDATE_CHECK": "false",
        "GRYPE_DB_VALIDATE_AGE": "false",
        "GRYPE_DB_VALIDATE_BY_HASH_ON_START": "false",
    }


def _fill(database: sqlite3.Connection) -> None:
    add = database.execute
    add("INSERT INTO db_metadata VALUES (?, ?, ?, ?)", (_BUILT, *_SCHEMA))
    add("INSERT INTO providers VALUES ('alpine', '1', 'tests', ?, 'sha256:0')", (_BUILT,))
    add(
        "INSERT INTO operating_systems (id, name, release_id, major_version, minor_version,"
        " label_version, codename, channel) VALUES (1, 'alpine', 'alpine', '3', '20', '', '', '')"
    )
    for package, (name, advised) in enumerate(ADVISORIES.items(), 1):
        add("INSERT INTO packages VALUES (?, 'apk', ?)", (package, name))
        for flaw, fixed in advised.items():
            severity = SEVERITIES[flaw].lower()
            told = {"id": flaw, "severities": [{"scheme": "CHML", "value": severity, "rank": 1}]}
            number = add(
                "INSERT INTO vulnerability_handles (name, status, provider_id, blob_id)"
                " VALUES (?, 'active', 'alpine', ?)",
                (flaw, _blob(database, told)),
            ).lastrowid
            fix = {"version": fixed, "state": "fixed"} if fixed else {"state": "not-fixed"}
            limit = f"< {fixed}" if fixed else ""
            held = {"ranges": [{"version": {"type": "apk", "constraint": limit}, "fix": fix}]}
            add(
                "INSERT INTO affected_package_handles"
                " (vulnerability_id, operating_system_id, package_id, blob_id)"
                " VALUES (?, 1, ?, ?)",
                (number, package, _blob(database, held)),
            )


def _blob(database: sqlite3.Connection, value: Any) -> int | None:
    return database.execute("INSERT INTO blobs (value) VALUES (?)", (json.dumps(value),)).lastrowid
