"""What outsiders rely on has the shape that its schema says."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from kaudit.cli import app

SOURCE = """
{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i, securityContext: {privileged: true}}]}}
---
{apiVersion: batch/v1, kind: CronJob, metadata: {name: j}, spec: {schedule: "0 0 * * *", jobTemplate: {spec: {template: {spec: {containers: [{name: c, image: i}]}}}}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: broken}, spec: {containers: none}}
"""


def schema(name: str) -> dict[str, Any]:
    return json.loads((files("kaudit.schemas") / f"{name}-v1.json").read_text("utf-8"))


@pytest.fixture
def source(tmp_path: Path) -> str:
    path = tmp_path / "some.yaml"
    path.write_text(SOURCE)
    return str(path)


def said(*arguments: str) -> Any:
    done = CliRunner().invoke(
        app,
        [*arguments, "--format", "json", "--quiet"][: None if arguments[0] != "controls" else -1],
    )
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["results", "controls", "pss", "report"])
def test_schemas_are_schemas(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))
    assert schema(name)["$id"] == f"kaudit/{name}/v1"


def test_results(source: str) -> None:
    found = said("assess", source)
    Draft202012Validator(schema("results")).validate(found)
    assert {r["status"] for r in found["results"]} >= {
        "pass",
        "fail",
        "not_assessed",
        "not_applicable",
    }
    assert len(found["gaps"]) > 1


def test_verdicts(source: str) -> None:
    found = said("pss", source, "--level", "restricted")
    Draft202012Validator(schema("pss")).validate(found)
    assert {(v["kind"], v["name"], v["allowed"]) for v in found} >= {
        ("Pod", "p", False),
        ("CronJob", "j", False),
    }


def test_catalogue() -> None:
    found = said("controls")
    Draft202012Validator(schema("controls")).validate(found)
    assert len(found) >= 160


@pytest.mark.parametrize(
    "change",
    [{"status": "ok"}, {"severity": "urgent"}, {"fingerprint": "x"}, {"rows": -1}, {"extra": 1}],
)
def test_a_result_of_another_shape_is_refused(source: str, change: dict[str, Any]) -> None:
    found = said("assess", source)
    found["results"][0] |= change
    assert not Draft202012Validator(schema("results")).is_valid(found)
