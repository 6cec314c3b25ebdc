"""Measure millions of events into the table: ``python -m benchmarks.events``.

The logs are those of the generator, 3 GB and more for five million; that every figure of its
ground truth is met is checked in the same run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import python, run

#: Budget of five million events: seconds and megabytes on two processors.
EVENTS = (90.0, 1000)
_GENERATOR = Path(__file__).parents[2] / "shared" / "tools" / "make_cluster.py"


def main() -> int:
    """Make the logs, measure, compare, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.events", description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000, metavar="N")
    parser.add_argument("--dump", type=Path, help="one that was made before")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kaudit-benchmarks-") as private:
        dump = asked.dump or Path(private, "dump")
        if asked.dump is None:
            made = ["--pods", "5000", "--events", str(asked.events), "--out", str(dump)]
            subprocess.run([sys.executable, str(_GENERATOR), *made], check=True)
        bundle = Path(private, "bundle")
        logs = [f"--{name}={dump / 'events' / name}.jsonl" for name in ("falco", "tetragon")]
        taken = run(python("-m", "kaudit", "collect", *logs, "-o", str(bundle), "--quiet"))
        wrong = _wrong(dump, bundle)
    seconds, megabytes = EVENTS
    kept = taken.wall < seconds and taken.megabytes < megabytes
    print(
        f"events {taken.wall:6.2f} s  {taken.cpu:6.2f} s CPU  {taken.megabytes:6.0f} MB"
        f"   {'kept' if kept else 'MISSED'} ({seconds:g} s, {megabytes} MB)"
    )
    for line in wrong:
        print(line)
    return 0 if kept and not wrong else 1


def _wrong(dump: Path, bundle: Path) -> list[str]:
    """Say which figures differ from those that the generator knows."""
    from kaudit.evidence.bundle import Evidence

    counts: dict[str, int] = json.loads((dump / "truth.json").read_text())["counts"]
    events = Evidence.open(bundle, verify=False)["events"]
    found: dict[str, int] = {}
    for sensor, columns in {
        "falco": {"rule": "rule", "priority": "priority_told"},
        "tetragon": {"type": "type", "policy": "rule"},
    }.items():
        rows = events[events["sensor"] == sensor]
        found[f"events.{sensor}"] = int(rows["count"].sum())
        for name, column in columns.items():
            for value, count in rows.groupby(column)["count"].sum().items():
                found[f"events.{sensor}.{name}.{value}"] = int(count)
    return [
        f"{name}: {count:,}, and {counts.get(name, 0):,} is right"
        for name, count in found.items()
        if counts.get(name, 0) != count
    ]


if __name__ == "__main__":
    sys.exit(main())
