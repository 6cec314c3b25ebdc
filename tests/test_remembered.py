"""What was computed of columns goes with them."""

from __future__ import annotations

import pyarrow as pa

from kaudit.remembered import _FOUND, once


def test_what_was_found_of_a_column_goes_with_it() -> None:
    before = len(_FOUND)
    columns = [pa.array(["a", "b"])]
    assert once("size", columns, lambda: (2, True)) == once("size", columns, lambda: (3, True)) == 2
    assert len(_FOUND) == before + 1
    columns.clear()
    assert len(_FOUND) == before
