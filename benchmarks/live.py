"""Measure a collection from a live API server: ``python -m benchmarks.live``.

It needs the real programs of the tests (``python -m tests.integration.engines --tier 1``).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import pytest

from benchmarks.measure import Run, python, run
from tests.integration.cluster import Cluster, running_cluster
from tests.integration.load import load

#: Budget of 20,000 pods: seconds and megabytes on two processors.
LIVE = (60.0, 500)


def collected(cluster: Cluster, out: Path) -> Run:
    """Seal the evidence of a cluster and return what that took."""
    os.environ["KUBECONFIG"] = str(cluster.admin)
    try:
        return run(python("-m", "kaudit", "collect", "context:admin", "-o", str(out), "--quiet"))
    finally:
        del os.environ["KUBECONFIG"]


def main() -> int:
    """Fill a cluster, measure, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("--pods", type=int, default=20_000, metavar="N")
    asked = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="kaudit-benchmarks-") as private:
            taken = _measured(Path(private), asked.pods)
    except pytest.skip.Exception as missing:
        sys.exit(str(missing))
    seconds, megabytes = LIVE
    kept = taken.wall < seconds and taken.megabytes < megabytes
    print(
        f"live collection {taken.wall:6.2f} s  {taken.cpu:6.2f} s CPU  {taken.megabytes:6.0f} MB"
        f"   {'kept' if kept else 'MISSED'} ({seconds:g} s, {megabytes} MB)"
    )
    return 0 if kept else 1


def _measured(folder: Path, pods: int) -> Run:
    (folder / "cluster").mkdir()
    with running_cluster(folder / "cluster") as cluster:
        begun = time.perf_counter()
        load(cluster, pods)
        print(f"{pods:,} pods made in {time.perf_counter() - begun:.0f} s", flush=True)
        return collected(cluster, folder / "bundle")


if __name__ == "__main__":
    sys.exit(main())
