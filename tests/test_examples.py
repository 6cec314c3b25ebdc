"""The examples in the docstrings of the public names run, and say what happens."""

import doctest
import inspect
from pathlib import Path

import pytest

import kaudit as ka
from kaudit.dossier import demo_evidence

MANIFESTS = """
{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: web}, spec: {containers: [{name: c, image: i}]}}
---
{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: leader, namespace: web}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("examples")
    demo_evidence(found / "demo.kaudit")
    (found / "manifests").mkdir()
    (found / "manifests" / "all.yaml").write_text(MANIFESTS)
    return found


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("name", [name for name in ka.__all__ if name != "show"])
def test_examples_say_what_happens(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    text = inspect.getdoc(getattr(ka, name)) or ""
    assert "\nExamples\n--------\n" in text
    scope = {"ka": ka, "__name__": "__main__"}
    example = doctest.DocTestParser().get_doctest(text, scope, name, None, None)
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(example, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)
