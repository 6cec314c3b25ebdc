"""The recipes of the README: what they run is there, and what can be run here is run."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from kaudit.cli import app
from kaudit.schedule.cron import checked
from tests.test_readme import MANIFEST, README, ROOT, block, kaudit

DIGEST = "sha256:" + "a" * 64


def fenced(language: str, beginning: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    (only,) = [str(text) for text in found if text.startswith(beginning)]
    return only


def commands(shell: str) -> list[str]:
    """Commands of kaudit in lines of shell, parsed as kaudit would parse them."""
    found = []
    for command in re.split(r"&&|\||\n|;", shell):
        words = shlex.split(command)
        if words[:1] != ["kaudit"]:
            continue
        program: Any = get_command(app)
        context = program.make_context("kaudit", words[1:2])
        sub = program.get_command(context, words[1])
        assert sub is not None, command
        sub.make_context(words[1], words[2:])
        found.append(words[1])
    return found


def test_a_command_that_is_not_there_is_found() -> None:
    with pytest.raises(Exception, match="No such option"):
        commands("kaudit collect x -o y --not-there")
    with pytest.raises(Exception, match="kaudit nothing"):
        commands("kaudit nothing")


def test_in_the_cluster(tmp_path: Path) -> None:
    lines = block("test: schedule")
    (line,) = [line for line in lines if line.startswith("kaudit ")]
    command, _, file = line.partition(" > ")
    arguments = command.removeprefix("kaudit ").replace("$DIGEST", DIGEST).replace('"', "")
    done = kaudit(tmp_path, arguments)
    assert done.returncode == 0, done.stderr
    assert f"kubectl apply -f {file}" in lines
    kinds = {document["kind"] for document in yaml.safe_load_all(done.stdout)}
    assert {"CronJob", "NetworkPolicy", "PersistentVolumeClaim"} <= kinds


def test_cron(tmp_path: Path) -> None:
    """The line is run as cron would run it, on manifests instead of a cluster."""
    line = fenced("crontab", "0 3 ").strip()
    fields = line.split(maxsplit=5)
    assert checked(" ".join(fields[:5])) == "0 3 * * *"
    assert "%" not in fields[5].replace(r"\%", ""), "cron ends the command at a bare %"
    command = fields[5].replace(r"\%", "%")
    assert commands(command) == ["collect", "report", "prune"]
    (tmp_path / "audits").mkdir()
    (tmp_path / "web.yaml").write_text(MANIFEST)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "kaudit"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kaudit "$@"\n')
    program.chmod(0o755)
    for theirs, ours in (
        ("/srv/audits", tmp_path / "audits"),
        ("context:production", "../web.yaml"),
    ):
        assert theirs in command
        command = command.replace(theirs, str(ours))
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": path}
    done = subprocess.run(
        ["/bin/sh", "-c", command], env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    evidence, report = sorted((tmp_path / "audits").iterdir(), key=lambda path: -len(path.name))
    assert evidence.name == f"{report.name}.kaudit"
    assert (report / "audit.html").is_file()


def test_github_actions() -> None:
    workflow = yaml.safe_load(fenced("yaml", "name: audit"))
    (cron,) = workflow[True]["schedule"]  # YAML 1.1 takes the key for a truth value
    checked(cron["cron"])
    assert workflow["permissions"] == {"contents": "read"}
    steps = workflow["jobs"]["audit"]["steps"]
    for step in steps:
        assert ("uses" in step) != ("run" in step)
        assert "uses" not in step or re.search(r"@[0-9a-f]{40}$", step["uses"])
    used = [name for step in steps for name in commands(step.get("run", ""))]
    assert used == ["collect", "report", "assess"]
    upload = steps[-1]
    assert upload["with"]["path"] == "report"


class _Operator:
    """Stands for an operator of Airflow."""

    made: dict[str, str]

    def __init__(self, task_id: str, bash_command: str) -> None:
        self.made[task_id] = bash_command

    def __rshift__(self, other: object) -> object:
        return other


class _Dag:
    """Stands for a DAG of Airflow; its arguments are those that Airflow 3 knows."""

    def __init__(
        self,
        dag_id: str,
        *,
        schedule: str,
        start_date: object,
        catchup: bool,
        max_active_runs: int,
        dagrun_timeout: object,
    ) -> None:
        checked(schedule)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


def test_airflow(monkeypatch: pytest.MonkeyPatch) -> None:
    text = fenced("python", "from datetime")
    operator: Any = type("BashOperator", (_Operator,), {"made": {}})
    stubs = {
        "airflow.providers.standard.operators.bash": {"BashOperator": operator},
        "airflow.sdk": {"DAG": _Dag},
    }
    for name, content in stubs.items():
        module = types.ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)
    imported = [n.module for n in ast.walk(ast.parse(text)) if isinstance(n, ast.ImportFrom)]
    assert imported == ["datetime", *stubs]
    for name in ("airflow", "airflow.providers", "airflow.providers.standard"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(
        sys.modules, "airflow.providers.standard.operators", types.ModuleType("operators")
    )
    exec(compile(text, "README.md", "exec"), {})
    for task, command in operator.made.items():
        shown = {"collect": "collect", "report": "report", "gate": "assess", "prune": "prune"}
        assert commands(command.replace("{{ ds }}", "2026-01-01")) == [shown[task]]
    assert list(operator.made) == ["collect", "report", "gate", "prune"]
