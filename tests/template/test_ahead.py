"""What is set ahead changes no byte of the PDF, and no fault of it is heard of."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import nbformat
import pytest

from kaudit.template.ahead import Ahead
from kaudit.template.document import read
from kaudit.template.pdf import paper, paper_so_far, report_pdf
from kaudit.template.typesetter import Typesetter

HERE = Path(__file__).parent


@pytest.fixture(params=["typical", "hostile"])
def cells(request: pytest.FixtureRequest) -> list[Any]:
    return list(nbformat.read(HERE / f"{request.param}.ipynb", as_version=4).cells)


@pytest.fixture
def typesetter() -> Iterator[Typesetter]:
    with closing(Typesetter()) as found:
        yield found


def test_a_typesetter_that_knows_the_beginning_writes_the_same(
    cells: list[Any], typesetter: Typesetter
) -> None:
    whole = read({"cells": cells})
    for end in (1, len(cells) // 2, len(cells)):
        typesetter.learn(paper_so_far(read({"cells": cells[:end]})))
    assert typesetter.pdf(paper(whole)) == report_pdf(whole)


def long() -> Any:
    words = nbformat.v4.new_output("display_data", {"text/plain": "word " * 10_000})
    return nbformat.v4.new_code_cell("", outputs=[words])


def test_cells_are_set_once_there_are_enough(cells: list[Any]) -> None:
    whole = read({"cells": cells})
    with Ahead(idle=False) as ahead:
        for cell in (*cells, long(), cells[0]):
            ahead.begun(cell, 0.5)
        while not ahead._typesetter:
            time.sleep(0.01)
        assert ahead.typesetter().pdf(paper(whole)) == report_pdf(whole)


def test_a_cell_is_done_only_when_the_next_has_begun() -> None:
    with Ahead(idle=False) as ahead:
        ahead.begun(nbformat.v4.new_markdown_cell("Few words"), 0.5)
        ahead.begun(long(), 0.5)
        ahead.end()
        assert ahead._typesetter is None


def test_nothing_is_begun_once_it_is_over() -> None:
    ahead = Ahead(idle=False)
    ahead.begun(long(), 0.5)
    ahead.begun(long(), 0.5)
    ahead.over()
    with ahead:
        ahead.end()
        assert ahead._typesetter is None


def test_nothing_is_begun_when_the_whole_is_nearly_there() -> None:
    with Ahead(idle=False) as ahead:
        ahead.begun(long(), 0.5)
        ahead.begun(long(), 0.9)
        ahead.end()
        assert ahead._typesetter is None


def test_where_it_is_idle_nothing_is_set() -> None:
    with Ahead(idle=True) as ahead:
        ahead.begun(long(), 0.5)
        ahead.begun(long(), 0.5)
        ahead.end()
        assert ahead._typesetter is None


def test_a_fault_is_left_to_who_sets_the_whole() -> None:
    whole = read({"cells": []})
    with Ahead(idle=False) as ahead:
        ahead.begun({"cell_type": "code", "outputs": [{"data": {"text/plain": "x" * 30_000}}]}, 0.5)
        ahead.begun({}, 0.5)
        assert ahead.typesetter().pdf(paper(whole)) == report_pdf(whole)
