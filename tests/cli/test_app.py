"""Help, wrong usage, exit codes, completion: what holds for every command."""

import os
import pty
import re
import struct
import subprocess
import sys
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ
from typing import Any

import pytest

from kaudit import __version__
from kaudit.cli import app
from kaudit.cli.app import command
from kaudit.cli.options import Debug
from tests.test_cli import POD, run

ROOT = Path(__file__).parents[2]
COMMANDS = [
    *("collect", "tables", "verify", "trace", "assess", "pss", "compare"),
    *("who-can", "rights", "admission", "connections", "risks", "gate", "report"),
    *("demo", "lab", "rerun", "schedule", "prune"),
    *("controls", "frameworks", "rbac"),
]


def kaudit(*arguments: str, program: str = "", **more: Any) -> subprocess.CompletedProcess[str]:
    start = "import sys; from kaudit.cli import main; sys.argv[0] = sys.argv.pop(1); main()"
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    environment |= {"PYTHONPATH": str(ROOT), **more.pop("env", {})}
    line = [sys.executable, "-c", start, program or "kaudit", *arguments]
    more = {"capture_output": True} | more
    return subprocess.run(line, env=environment, text=True, check=False, **more)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pod.yaml").write_text(POD)
    return tmp_path


def test_help_lists_the_commands_by_group_and_the_exit_codes() -> None:
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    groups = re.findall(r"^(\w+):$", out, re.MULTILINE)
    assert groups == ["Evidence", "Judgement", "Reports", "Operation", "Catalogue", "Options"]
    assert re.findall(r"^  ([a-z][a-z-]+)  +[A-Z]", out, re.MULTILINE) == COMMANDS
    for line in ("0   done", "1   findings", "2   wrong usage", "3   incomplete", "context:NAME"):
        assert line in out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_describes_itself_with_examples(name: str) -> None:
    code, out, _ = run(name, "--help")
    assert code == 0
    examples = re.findall(r"^ +kaudit ([\w-]+)", out, re.MULTILINE)
    assert examples
    assert set(examples) == {name}
    assert not re.findall(r"<(str|int|path|list\[str\])>", out), "metavars say what is meant"


def test_without_a_command_the_help_is_an_error() -> None:
    code, out, err = run()
    assert (code, out) == (2, "")
    assert "Evidence:" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["asses", "x"], "there is no command 'asses' (did you mean assess?)"),
        (["zzz"], "there is no command 'zzz' (known: collect, tables,"),
        (
            ["assess", "x", "--fial-on", "high"],
            "no option --fial-on (did you mean --fail-on or --falco?)",
        ),
        (["--colour"], "there is no option --colour ("),
        (["assess"], "missing argument 'SOURCE' ("),
        (["collect", "x"], "missing option '--out'"),
        (["verify", "a", "b"], "unexpected extra argument"),
        (["tables", "x", "--limit", "many"], "invalid value for '--limit'"),
        (["assess", "x", "--as-of", "yesterday"], "invalid value for '--as-of'"),
        (["assess", "x", "--out"], "option '--out' requires an argument"),
        (["assess", "x", "--format", "jsno"], "'jsno' is no format (did you mean json?)"),
        (["frameworks", "-f", "xml"], "'xml' is no format (known: table, json, csv)"),
        (["assess", "x", "--fail-on", "hihg"], "'hihg' is no severity (did you mean high?)"),
        (["controls", "--layer", "net"], "'net' is no layer (did you mean network?)"),
        (["controls", "ka-dep-001x"], "did you mean KA-DEP-001"),
        (["pss", "x", "--level", "base"], "'base' is no level (did you mean baseline?)"),
        (["pss", "x", "--readiness", "--fail"], "--readiness refuses nothing"),
        (["frameworks", "cis-kubernets"], "did you mean cis-kubernetes?"),
        (["assess", "pod.yaml", "-P", "alowed_registries=x"], "did you mean allowed_registries?"),
        (["assess", "pod.yaml", "-P", "colour"], "'colour' is no NAME=VALUE"),
        (["assess", "x", "--secrets", "all"], "'all' is no way to read Secrets"),
        (["tables", "pod.yaml", "pod"], "there is no table 'pod' (did you mean pods,"),
        (["tables", "pod.yaml", "podz", "--dictionary"], "there is no table 'podz'"),
        (["assess", "x", "--out", "r.txt"], "a table is only printed"),
    ],
)
def test_wrong_usage_is_one_sentence_with_the_way_out(
    folder: Path, arguments: list[str], said: str
) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("kaudit: ")
    assert said.lower() in err.lower()
    assert err.count("\n") == 1


def test_hostile_arguments_are_shown_harmless() -> None:
    for arguments in (["\x1b[31mx"], ["assess", "--\x1b[31mx"], ["assess", "\x1b[31mx"]):
        code, _, err = run(*arguments)
        assert code == 2
        assert "\x1b" not in err


def test_a_bug_says_so_and_has_an_exit_code_of_its_own() -> None:
    @command("Catalogue", "crash")
    def crash(debug: Debug = False) -> None:
        raise ZeroDivisionError("so it is")

    try:
        code, out, err = run("crash")
        traced = run("crash", "--debug")
    finally:
        app.registered_commands.pop()
    assert (code, out) == (70, "")
    expected = "this is a bug in kaudit (ZeroDivisionError: so it is); --debug shows where"
    assert err == f"kaudit: {expected}\n"
    assert traced[0] == 70
    assert "Traceback" in traced[2]
    assert traced[2].endswith(err)


def test_debug_adds_the_traceback(folder: Path) -> None:
    done = kaudit("assess", "nowhere", "--debug")
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert "kaudit.errors.InputError: nowhere: there is no such file" in done.stderr


def test_version() -> None:
    assert run("--version") == (0, f"kaudit {__version__}\n", "")


def test_as_a_plugin_of_kubectl() -> None:
    done = kaudit("controls", "--help", program="/usr/local/bin/kubectl-kaudit")
    assert done.stdout.startswith("Usage: kubectl kaudit controls ")


def test_a_reader_that_has_gone_ends_it_quietly(folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = kaudit(
        "controls", "--format", "json", capture_output=False, stdout=writing, stderr=subprocess.PIPE
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def on_a_terminal(folder: Path, *arguments: str, columns: int = 80, **environment: str) -> str:
    """What a terminal receives on stdout and stderr."""
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    settings = {"TERM": "xterm-256color", **environment}
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "-m", "kaudit", *arguments],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
        | {"PYTHONPATH": str(ROOT)}
        | settings,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    received = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not data:
            break
        received += data
    os.close(ours)
    assert process.wait() == 0, received
    return received.decode()


def test_colours_and_progress_are_for_terminals_alone(folder: Path) -> None:
    shown = on_a_terminal(folder, "assess", "pod.yaml")
    assert "\x1b[1;37;41mcritical" in shown
    assert "\x1b[?25l" in shown, "progress hides the cursor"
    plain = on_a_terminal(folder, "assess", "pod.yaml", "--quiet", NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*[34][0-9]m", plain)
    for environment in ({}, {"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}):
        piped = kaudit("assess", "pod.yaml", env=environment)
        assert "critical" in piped.stdout
        assert "\x1b" not in piped.stdout + piped.stderr


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_a_terminal_of_any_width_is_not_overrun(folder: Path, columns: int) -> None:
    shown = on_a_terminal(folder, "assess", "pod.yaml", "--quiet", columns=columns, NO_COLOR="1")
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).split("\r\n")
    assert max(map(len, lines)) <= columns
    assert any("KA-DEP-001" in line for line in lines)


def completions(line: str) -> list[str]:
    """What bash is offered for a line whose last word is incomplete."""
    words = line.split(" ")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "_KAUDIT_COMPLETE": "complete_bash",
        "COMP_WORDS": "\n".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    start = "import sys; from kaudit.cli import main; sys.argv[0] = 'kaudit'; main()"
    done = subprocess.run(
        [sys.executable, "-c", start], env=environment, capture_output=True, text=True
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("kaudit fr", ["frameworks"]),
        ("kaudit assess x --fail-on h", ["high"]),
        ("kaudit assess x --format ", ["table", "csv", "json", "junit", "sarif"]),
        ("kaudit controls KA-DEP-001", ["KA-DEP-001"]),
        ("kaudit frameworks cis-k", ["cis-kubernetes"]),
        ("kaudit tables x service_a", ["service_accounts"]),
        ("kaudit report x -P allowed", ["allowed_registries="]),
        ("kaudit pss x --level r", ["restricted"]),
    ],
)
def test_completion(line: str, offered: list[str]) -> None:
    assert sorted(completions(line)) == sorted(offered)
