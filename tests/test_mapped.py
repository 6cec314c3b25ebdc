"""Tables in files are there as long as anybody holds them, also where what was read is let go."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from kaudit import mapped


def written(path: Path, table: pa.Table) -> pa.Table:
    """Return a table that lies in a file without a name."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table)
    found = mapped.mapped(str(path))
    path.unlink()
    return found


def test_what_is_let_go_is_read_again(tmp_path: Path) -> None:
    table = pa.table({"a": list(range(10_000)), "b": ["x"] * 10_000, "c": [["y"], None] * 5_000})
    found = written(tmp_path / "t", table)
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


def resident() -> int:
    """Bytes of this process that are in memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) << 10


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc tells of memory")
def test_what_is_let_go_leaves_memory(tmp_path: Path) -> None:
    numbers = np.arange(8 << 20)  # 64 MB
    found = written(tmp_path / "t", pa.table({"a": numbers}))
    assert (found["a"].to_numpy() == numbers).all()
    looked_at = resident()
    mapped.let_go()
    assert looked_at - resident() > numbers.nbytes // 2
    assert (found["a"].to_numpy() == numbers).all()
