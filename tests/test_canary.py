"""No secret value that was planted in a cluster reaches any output, whatever its form."""

from __future__ import annotations

import base64
import io
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pypdf import PdfReader
from pypdf.generic import StreamObject

from tests.shared import needs_shared, shared

ROOT = Path(__file__).parents[1]
PLAIN = "CANARY-HAND-0123456789abcdef"
CODED = base64.b64encode(PLAIN.encode()).decode()
#: A canary as it is, and as base64 (once and twice) from any byte on.
CANARY = re.compile(rb"CANARY-|Q0FOQVJZ|NBTkFSW|DQU5BUl|UTBGT1FWSl")
#: What goes wrong while a value is at hand: faults must not quote it.
BROKEN = f"""
{{apiVersion: v1, kind: Secret, metadata: {{name: a}}, stringData: {{password: {PLAIN}}}}}
---
{{apiVersion: v1, kind: Secret, metadata: {{name: b}}, stringData: {PLAIN}}}
---
{{apiVersion: v1, kind: Secret, metadata: {{name: c, labels: [{PLAIN}]}}, data: {{k: {CODED}}}}}
---
{{apiVersion: v1, kind: ConfigMap, metadata: {{name: d}}, data: {{password: [{PLAIN}]}}}}
---
{{apiVersion: v1, kind: Pod, metadata: {{name: e}}, spec: {{containers: [{{name: c, image: i,
  env: [{{name: DB_PASSWORD, value: {{a: {PLAIN}}}}}], args: ["--password={PLAIN}"]}}]}}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: f}}
stringData:
  password: {PLAIN}
 bad: [{PLAIN}
"""


def contents(data: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """Yield what a file holds: its bytes, and what is packed in them."""
    yield name, data
    if name.endswith((".kaudit", ".zip", ".xlsx")):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield from contents(archive.read(member), f"{name}/{member}")
    elif name.endswith(".zst"):
        with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
            yield f"{name} unpacked", stream.read()
    elif name.endswith(".parquet"):
        yield f"{name} decoded", repr(pq.read_table(pa.BufferReader(data)).to_pylist()).encode()
    elif name.endswith(".pdf"):
        reader = PdfReader(io.BytesIO(data))
        for number in range(1, len(reader.xref[0]) if 0 in reader.xref else 0):
            found = reader.get_object(number)
            if isinstance(found, StreamObject):
                yield f"{name} object {number}", found.get_data()
        text = "\n".join(page.extract_text() for page in reader.pages)
        yield f"{name} text", text.encode()


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a generated cluster with canaries, and faulty objects with more of them."""
    folder = tmp_path_factory.mktemp("canary") / "dump"
    tool = shared("tools", "make_cluster.py")
    options = [
        "--pods",
        "100",
        "--seed",
        "3",
        "--secret-values",
        "canary",
        "--manifests",
        "templates",
    ]
    command = [sys.executable, str(tool), "--out", str(folder), *options]
    subprocess.run(command, check=True, capture_output=True)
    (folder / "broken.yaml").write_text(BROKEN)
    return folder


def kaudit(*arguments: str | Path, code: int = 0) -> bytes:
    """Run kaudit; return all that it said."""
    done = subprocess.run(
        [sys.executable, "-m", "kaudit", *map(str, arguments), "--debug"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


@needs_shared
def test_no_canary_is_anywhere(planted: Path, tmp_path: Path) -> None:
    packed = tmp_path / "e.kaudit"
    said = {
        "collect": kaudit("collect", planted, "-o", packed),
        "collect into a folder": kaudit("collect", planted, "-o", tmp_path / "bundle"),
        "report": kaudit("report", packed, "-o", tmp_path / "report"),
        "assess as csv": kaudit("assess", planted, "-f", "csv"),
        "assess": kaudit("assess", packed, "--all"),
        "gaps": kaudit("tables", packed, "--gaps", "-f", "json"),
    }
    kaudit("assess", packed, "-f", "json", "-o", tmp_path / "results.json")
    for table in ("config_map_keys", "env", "containers"):
        said[table] = kaudit("tables", packed, table, "--limit", "0")
    lone = tmp_path / "lone.yaml"
    lone.write_text(BROKEN.rpartition("---")[2])
    said["an error"] = kaudit("assess", lone, code=2)
    lone.unlink()

    files = [path for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    outputs = [*said.items(), *((str(p.relative_to(tmp_path)), p.read_bytes()) for p in files)]
    searched = [one for name, data in outputs for one in contents(data, name)]
    leaks = {name: found[0] for name, data in searched if (found := CANARY.search(data))}
    assert leaks == {}
    forms = {name.rpartition(" ")[2] for name, _ in searched}
    assert {"unpacked", "decoded", "text"} <= forms
    assert any(" object " in name for name, _ in searched)
    assert len(searched) > 200


@needs_shared
def test_the_search_finds_what_is_planted(planted: Path) -> None:
    known = {path.name for path in planted.rglob("*.*") if CANARY.search(path.read_bytes())}
    assert {"pods.json", "secrets.json", "configmaps.json"} <= known
    for skip in range(3):
        assert CANARY.search(base64.b64encode(b"x" * skip + PLAIN.encode()))
