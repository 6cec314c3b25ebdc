"""The environment file, the wheel's metadata and the licence agree."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
#: What conda calls a package of PyPI.
CONDA = {
    "jupyter-client": "jupyter_client",
    "kubernetes": "python-kubernetes",
    "matplotlib": "matplotlib-base",
    "nbconvert": "nbconvert-core",
}


def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return found


def test_environment_is_in_step_with_the_package() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    plain = {entry for entry in environment if isinstance(entry, str)}
    pip = next(entry["pip"] for entry in environment if isinstance(entry, dict))
    wanted = set()
    for requirement in project()["dependencies"]:
        ((name, bounds),) = re.findall(r"^([\w-]+)(.*)$", requirement)
        wanted.add(f"{CONDA.get(name, name)}{bounds}")
    from_pip = {entry for entry in pip if not entry.startswith("-e")}
    assert plain - {"pip"} - {p for p in plain if p.startswith("python>")} == wanted - from_pip
    assert from_pip <= wanted
    assert f"python{project()['requires-python']}" in plain


#: Known to type checkers alone.
FOR_TYPES = {"_typeshed"}
#: Extras whose packages are imported where something asks for them.
ASKED = ("vault",)


def test_what_is_imported_is_declared_and_the_other_way_round() -> None:
    imported = set()
    for path in (ROOT / "kaudit").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.partition(".")[0])
    homes = packages_distributions()
    foreign = imported - set(sys.stdlib_module_names) - {"kaudit", *FOR_TYPES}
    found = {homes[name][0].lower().replace("_", "-") for name in foreign}
    extras = [text for name in ASKED for text in project()["optional-dependencies"][name]]
    declared = {
        re.split(r"[^\w-]", text, maxsplit=1)[0] for text in [*project()["dependencies"], *extras]
    }
    assert found == declared


def test_every_dependency_has_a_lowest_version() -> None:
    extras = project()["optional-dependencies"].values()
    for text in (*project()["dependencies"], *(text for extra in extras for text in extra)):
        assert re.fullmatch(r"[\w-]+>=[\d.]+(,<[\d.]+)?", text, re.IGNORECASE), text


def test_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_changelog_names_the_version() -> None:
    (version,) = re.findall(r'__version__ = "([^"]+)"', (ROOT / "kaudit/__init__.py").read_text())
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()


def test_notebooks_travel_in_the_wheel() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"]["force-include"]["notebooks"] == "kaudit/notebooks"


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.name)
def test_notebooks_are_clean(path: Path) -> None:
    import json

    cells = json.loads(path.read_text())["cells"]
    code = [c for c in cells if c["cell_type"] == "code"]
    assert all(not c["outputs"] and c["execution_count"] is None for c in code)
    assert sum("parameters" in c["metadata"].get("tags", []) for c in code) == 1
    for cell in code:
        source = "".join(cell["source"])
        if "exercise" in cell["metadata"].get("tags", []):  # the control that the reader writes
            (own,) = ast.parse(source).body
            assert path.name == "explore.ipynb"
            assert isinstance(own, ast.FunctionDef)
            assert len(own.body) == 2
            continue
        assert source.count("\n") < 8
        banned = (ast.FunctionDef, ast.ClassDef, ast.For, ast.While, ast.With)
        assert not any(isinstance(node, banned) for node in ast.walk(ast.parse(source)))
