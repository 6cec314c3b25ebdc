"""Rights in registries: who may pull, push and delete, and where that cannot be told."""

from pathlib import Path

import pandas as pd
import pytest

from kaudit.collect import collect
from kaudit.model.words import Reason
from kaudit.source.tools import ToolSource

EXAMPLES = Path(__file__).parent / "outputs" / "registry-access"
RIGHTS = ["pulls", "pushes", "deletes", "administers"]


def rights(path: Path) -> dict[str, str]:
    """Kind and rights of each place, by first letters."""
    found = collect(ToolSource("registry-access", path))["registry_grants"]
    rows = found.astype(object).where(found.notna(), None).to_dict("records")
    return {
        row["place"]: f"{row['subject_kind']} "
        + "".join("?" if row[r] is None else r[:2] if row[r] else "" for r in RIGHTS)
        for row in rows
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "projects.json",
            {"shop/** to anonymous": "anonymous pu", "team/** to anonymous": "anonymous "},
        ),
        ("members.json", {"project 2 to ann": "user pupude", "project 2 to readers": "group pu"}),
        ("robots.json", {"** to robot$ci": "robot pupu"}),
        (
            "zot.json",
            {
                "** to charlie": "user pupu",
                "** to everyone": "everyone pu",
                "** to anonymous": "anonymous pu",
                "tmp/** to everyone": "everyone pupu",
                "** to admin": "user pupudead",
                "** to platform": "group pupudead",
            },
        ),
        ("config.yml", {"** to anonymous": "anonymous pupude"}),
        (
            "ecr.json",
            {
                "shop/api to arn:aws:iam::111122223333:root": "account pu",
                "shop/api to *": "everyone pupudead",
            },
        ),
        (
            "google.json",
            {
                "unknown to allUsers": "anonymous pu",
                "unknown to ci@shop.iam.gserviceaccount.com": "account pupu",
                "unknown to dev@example.com": "group pupu",
                "unknown to ann@example.com": "user ????",
            },
        ),
    ],
)
def test_rights(name: str, expected: dict[str, str]) -> None:
    assert rights(EXAMPLES / name) == expected


def test_a_condition_and_an_end() -> None:
    ecr = collect(ToolSource("registry-access", EXAMPLES / "ecr.json"))["registry_grants"]
    assert ecr["conditional"].tolist() == [False, True]
    evidence = collect(ToolSource("registry-access", EXAMPLES / "robots.json"))
    robot = evidence["registry_grants"]
    assert robot["expires_at"][0] == pd.Timestamp(1_790_000_000, unit="s", tz="UTC")
    assert "hunter22" not in str(evidence["records"].to_dict())


@pytest.mark.parametrize(
    ("text", "rights_of_all"),
    [
        ("version: 0.1\nstorage: {}\nauth: {htpasswd: {realm: a}}\n", "everyone pupu"),
        ("version: 0.1\nstorage: {}\nauth: {token: {realm: a}}\n", "everyone ????"),
        ("version: 0.1\nstorage: {maintenance: {readonly: {enabled: true}}}\n", "anonymous pu"),
        ("version: 0.1\nstorage: {}\nproxy: {remoteurl: a}\n", "anonymous pu"),
    ],
)
def test_distribution(text: str, rights_of_all: str, tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text(text)
    assert list(rights(tmp_path / "config.yml").values()) == [rights_of_all]


@pytest.mark.parametrize(
    "text",
    [
        '[{"entity_name": "ann", "role_id": null}]',
        '[{"permissions": [], "level": "system", "name": null}]',
        '{"repositoryName": "a", "policyText": "{"}',
        '{"repositoryName": "a", "policyText": "{\\"Statement\\": [{\\"Effect\\": \\"Allow\\"}]}"}',
        '{"bindings": [{"members": [7], "role": "roles/storage.admin"}]}',
        "[7]",
    ],
)
def test_what_cannot_be_told_is_a_gap(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    evidence = collect(ToolSource("registry-access", tmp_path / "a.json"))
    gaps = [gap for gap in evidence.gaps if gap.reason is Reason.BROKEN]
    assert len(gaps) == 1
    assert gaps[0].tables == ("registry_grants",)
