"""The examples in docstrings say what happens; tests/test_examples.py runs those of public names."""

import doctest
import importlib
from pathlib import Path

import pytest

import kaudit as ka

ROOT = Path(ka.__file__).parent
PUBLIC = {getattr(ka, name).__doc__ for name in ka.__all__}


def modules() -> list[str]:
    paths = [p for p in sorted(ROOT.rglob("*.py")) if ">>> " in p.read_text(encoding="utf-8")]
    return [".".join(p.relative_to(ROOT.parent).with_suffix("").parts) for p in paths]


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("name", modules())
def test_an_example_says_what_happens(name: str) -> None:
    module = importlib.import_module(name)
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for example in doctest.DocTestFinder(exclude_empty=True).find(module, name):
        if example.examples and example.docstring not in PUBLIC:
            runner.run(example, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)
