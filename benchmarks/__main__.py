"""Measure the budgets: ``python -m benchmarks``; ``--help`` lists the options.

A budget that is missed, or a figure of the ground truth that is not matched, makes the exit
code 1.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import Run, python, run

#: Pods to the budget of a dump to results: seconds and megabytes on two processors.
SCALE = {10_000: (2.0, 400), 100_000: (12.0, 800), 1_000_000: (90.0, 1500)}
#: The same with Trivy's and Grype's reports on its images.
SCANNED = {10_000: (10.0, 1000)}
GENERATOR = Path(__file__).parents[2] / "shared" / "tools" / "make_cluster.py"


class Measured(NamedTuple):
    """One claim: what is measured, its budgets (0: none) and figures."""

    what: str
    seconds: float
    megabytes: float
    run: Run

    @property
    def kept(self) -> bool:
        """Whether the figures are within the budgets."""
        in_time = not self.seconds or self.run.wall <= self.seconds
        return in_time and (not self.megabytes or self.run.megabytes <= self.megabytes)


def startup() -> Iterator[Measured]:
    """Yield what is paid before any work."""
    empty = run(python("-c", "pass"), times=7)
    imported = run(python("-c", "import kaudit"), times=7)
    only = Run(max(imported.wall - empty.wall, 0), imported.cpu, imported.megabytes)
    yield Measured("import kaudit", 0.15, 0, only)
    yield Measured("kaudit --help", 0.3, 0, run(python("-m", "kaudit", "--help"), times=7))


def demo(folder: Path) -> Iterator[Measured]:
    """Yield the demo report, first and again."""
    for number, (name, seconds) in enumerate((("first", 10.0), ("again", 5.0))):
        out = str(folder / f"demo-{number}")
        command = python("-m", "kaudit", "demo", "--quiet", "--out", out)
        yield Measured(f"demo report, {name}", seconds, 0, run(command))


def scale(pods: int, generator: Path, folder: Path, *, truth: bool) -> Iterator[Measured]:
    """Yield a generated cluster from dump to results, and check its ground truth."""
    dump = folder / f"{pods}-pods"
    subprocess.run(
        python(str(generator), "--pods", str(pods), "--out", str(dump)),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    command = python("-m", "kaudit", "assess", str(dump), "--quiet")
    scans = (dump / "scans").rename(folder / f"{pods}-scans")
    seconds, megabytes = SCALE.get(pods, (0.0, 0))
    yield Measured(f"{pods:,} pods, dump to results", seconds, megabytes, run(command))
    scans.rename(dump / "scans")
    seconds, megabytes = SCANNED.get(pods, (0.0, 0))
    images = sum(1 for _ in (dump / "scans" / "trivy").iterdir())
    what = f"the same with scans of {images:,} images"
    yield Measured(what, seconds, megabytes, run(command))
    if truth:
        subprocess.run(python("-m", "benchmarks.truth", str(dump)), check=True)


def main() -> int:
    """Measure what is asked for and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--pods", type=int, nargs="*", default=[10_000, 100_000], metavar="N")
    parser.add_argument("--generator", type=Path, default=GENERATOR, metavar="FILE")
    parser.add_argument("--no-truth", action="store_true", help="do not check the ground truth")
    asked = parser.parse_args()
    print(
        f"{platform.machine()}, {len(os.sched_getaffinity(0))} processors, Python "
        f"{platform.python_version()}, pandas {version('pandas')}, pyarrow {version('pyarrow')}"
    )
    found = []
    with tempfile.TemporaryDirectory(prefix="kaudit-benchmarks-") as private:
        folder = Path(private)
        claims = [startup(), demo(folder)]
        claims += [scale(n, asked.generator, folder, truth=not asked.no_truth) for n in asked.pods]
        for claim in claims:
            for one in claim:
                found.append(one)
                print(_line(one), flush=True)
    return 0 if all(one.kept for one in found) else 1


def _line(one: Measured) -> str:
    budget = f"{one.seconds:g} s" if one.seconds else ""
    budget += f", {one.megabytes:g} MB" if one.megabytes else ""
    figures = f"{one.run.wall:6.2f} s  {one.run.cpu:6.2f} s CPU  {one.run.megabytes:6.0f} MB"
    return f"{one.what:32} {figures}   {'kept' if one.kept else 'MISSED'} ({budget})"


if __name__ == "__main__":
    sys.exit(main())
