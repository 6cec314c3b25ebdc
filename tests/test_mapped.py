"""Tables in files are there as long as anybody holds them, also where what was read is let go."""

from pathlib import Path

import pyarrow as pa

from kaudit import mapped


def test_what_is_let_go_is_read_again(tmp_path: Path) -> None:
    table = pa.table({"a": list(range(10_000)), "b": ["x"] * 10_000, "c": [["y"], None] * 5_000})
    path = tmp_path / "t"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table)
    found = mapped.mapped(str(path))
    path.unlink()
    assert found.equals(table)
    mapped.let_go()
    assert found.equals(table)
    known = len(mapped._MAPPED)
    column = found["b"]
    del found
    assert len(mapped._MAPPED) == known, "a column holds the file"
    mapped.let_go()
    assert column.equals(table["b"])
    del column
    assert len(mapped._MAPPED) == known - 1
