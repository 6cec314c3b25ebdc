"""Results as CSV that spreadsheets open without running anything."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import msgspec

from kaudit.assessment import Assessment
from kaudit.registry import exporter
from kaudit.result import Result
from kaudit.text import defused

_CHUNK = 2_000


@exporter("csv", suffix=".csv")
def results_csv(assessment: Assessment) -> Iterator[bytes]:
    """Write one line a result; formulas are defused, control characters shown."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(Result.__struct_fields__)
    for number, result in enumerate(assessment.iter_results(), start=1):
        writer.writerow([defused(value) for value in msgspec.structs.astuple(result)])
        if number % _CHUNK == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()
