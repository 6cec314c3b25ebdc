"""Imports go one way, the public names are what they are said to be, importing is cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import kaudit

ROOT = Path(kaudit.__file__).parent

#: Module or package to its level; a module may import its own level and those below it.
LEVELS = {
    "errors": 0,
    "text": 0,
    "anew": 0,
    "beside": 0,
    "mapped": 0,
    "workshop": 0,
    "bundles": 0,
    "card": 0,
    "model": 0,
    "table": 1,
    "tables": 1,
    "collector_off": 0,
    "columns": 1,
    "groups": 1,
    "ages": 1,
    "frame": 1,
    "parameters": 1,
    "registry": 2,
    "selectors": 2,
    "network": 2,
    "entrances": 2,
    "segmentation": 2,
    "remembered": 1,
    "policy_scope": 2,
    "subjects": 2,
    "allow_list": 2,
    "source": 3,
    "evidence": 3,
    "rbac": 3,
    "collectors": 3,
    "views": 3,
    "orphans": 3,
    "spec_rows": 3,
    "engine_webhooks": 3,
    "enforcement": 3,
    "admission_faults": 3,
    "detector": 4,
    "controls": 3,
    "chains": 3,
    "signals": 3,
    "correlations": 3,
    "frameworks": 3,
    "schemas": 3,
    "limits": 4,
    "resources": 4,
    "shares": 4,
    "observations": 4,
    "result": 5,
    "waivers": 4,
    "conclude": 4,
    "catalogue": 4,
    "schedule": 5,
    "assessment": 5,
    "collection_gaps": 4,
    "collection_log": 4,
    "collect": 5,
    "assess": 6,
    "coverage": 6,
    "neighbours": 6,
    "signal_states": 6,
    "correlate": 7,
    "pss": 6,
    "compare": 6,
    "provenance": 6,
    "attached": 6,
    "connections": 6,
    "connection_changes": 6,
    "who_can": 6,
    "cases": 7,
    "dictionary": 7,
    "opening": 7,
    "rebuild": 7,
    "exporters": 7,
    "gate": 7,
    "show": 8,
    "public": 8,
    "kernel": 8,
    "template": 8,
    "report": 9,
    "demo": 9,
    "dossier": 10,
    "prune": 10,
    "rerun": 11,
    "console": 10,
    "lab": 11,
    "cli": 12,
    "__main__": 12,
    "__init__": 12,
}
#: Catalogues whose members may not import each other's catalogue, nor source and evidence.
CATALOGUES = {"collectors", "views", "controls", "signals", "correlations"}


def modules() -> list[Path]:
    return sorted(p for p in ROOT.rglob("*.py") if "__pycache__" not in p.parts)


def imported(path: Path) -> set[str]:
    """Parts of kaudit that a module imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("kaudit."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.ImportFrom) and node.module == "kaudit":
            found |= {alias.name for alias in node.names if alias.name in LEVELS}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("kaudit.")}
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    part = path.relative_to(ROOT).parts[0].removesuffix(".py")
    assert part in LEVELS, "a new module needs a level"
    above = {name for name in imported(path) if LEVELS[name] > LEVELS[part]}
    assert not above, f"{part} imports from a later level: {sorted(above)}"
    if part in CATALOGUES:
        others = imported(path) & (CATALOGUES - {part} | {"source", "evidence"})
        assert not others, f"{part} imports {sorted(others)}"


def test_public_names_are_sorted_and_there() -> None:
    assert kaudit.__all__ == sorted(kaudit.__all__)
    for name in kaudit.__all__:
        assert getattr(kaudit, name) is not None


def test_public_functions_stay_what_they_are() -> None:
    code = (
        "import kaudit as ka, kaudit.assess, kaudit.collect\n"
        "assert ka.assess is ka.assess and callable(ka.assess) and callable(ka.collect)\n"
        "from kaudit.assess import assess; from kaudit.collect import collect\n"
        "assert callable(ka.assess) and ka.assess is not assess and ka.collect is not collect"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


HEAVY = {
    "pandas",
    "pyarrow",
    "numpy",
    "matplotlib",
    "kubernetes",
    "nbformat",
    "papermill",
    "pydantic",
    "yaml",
}


@pytest.mark.parametrize(
    "code",
    [
        "import kaudit",
        "import kaudit.cli",
        "from typer.testing import CliRunner; from kaudit.cli import app; "
        "r = CliRunner().invoke(app, ['--help']); assert r.exit_code == 0, r.output",
        "from typer.testing import CliRunner; from kaudit.cli import app; "
        "r = CliRunner().invoke(app, ['assess']); assert r.exit_code == 2, r.output",
    ],
)
def test_help_and_imports_are_light(code: str) -> None:
    check = f"import sys\n{code}\nprint(sorted(set(sys.modules) & {HEAVY!r}))"
    found = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip().splitlines()[-1] == "[]"


def test_modules_are_short() -> None:
    long = {
        str(p.relative_to(ROOT)): n for p in modules() if (n := p.read_text().count("\n")) > 700
    }
    assert not long
