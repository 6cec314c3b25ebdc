"""A live cluster and a dump of it are the same evidence; each page is asked for once, in time.

The large one takes some minutes and is asked for by how many pods it shall have:
``KAUDIT_SCALE=20000 pytest tests/integration/test_scale.py``.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from benchmarks.live import LIVE, collected
from kaudit import registry
from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.source.files import FileSource
from kaudit.source.live import LiveSource
from kaudit.source.live_http import Patience
from tests.integration.cluster import Cluster, running_cluster
from tests.integration.load import load
from tests.integration.middle import QUICK, lost

PODS = 300
MANY = int(os.environ.get("KAUDIT_SCALE", "0"))
#: What no dump tells: of the cluster itself, and of what the account may do. And where each
#: record was read, and how, which is another place and way by nature.
ASIDE = {"access", "cluster", "reads", "records"}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """An empty cluster."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    with running_cluster(folder) as found:
        yield found


def dumped(cluster: Cluster, path: Path) -> Evidence:
    """Return the evidence of what kubectl dumps of all kinds that are read and served."""
    registry.load()
    served = set(cluster.kubectl("api-resources", "-o", "name", "--verbs=list").split())
    reads = {
        read.raw
        for c in registry.COLLECTORS.values()
        for read in c.reads
        if not read.metadata and not read.tool
    }
    # Without being asked kubectl leaves managedFields out, which date a change (changed_at).
    asked = ("get", ",".join(sorted(reads & served)), "-A", "-o", "json", "--show-managed-fields")
    path.write_text(cluster.kubectl(*asked), encoding="utf-8")
    return collect(FileSource(path), out=path.with_suffix(".kaudit"))


def differing(live: Evidence, dump: Evidence) -> list[str]:
    """Names of the tables, and of the raw records, that differ."""
    names = {*live.store.names(), *dump.store.names()} - ASIDE
    tables = [name for name in sorted(names) if not live.table(name).equals(dump.table(name))]
    mine, theirs = live.manifest.raw, dump.manifest.raw
    return tables + [name for name in sorted({*mine, *theirs}) if mine[name] != theirs[name]]


def asked_once(cluster: Cluster, live: Evidence, page: int) -> None:
    """Each list was asked for page by page, and none twice."""
    asked: Counter[str] = Counter()
    for event in cluster.audited():
        if event["userAgent"].startswith("kaudit/") and event["verb"] == "list":
            asked[urlsplit(event["requestURI"]).path] += 1
    origins = {o.name: max(1, math.ceil(o.items / page)) for o in live.manifest.origins}
    assert asked == origins


def test_a_live_cluster_and_its_dump_are_the_same(cluster: Cluster, tmp_path: Path) -> None:
    load(cluster, PODS)
    patience = msgspec.structs.replace(QUICK, page=40)
    source = LiveSource.from_context("admin", kubeconfig=cluster.admin, patience=patience)
    live = collect(source, out=tmp_path / "bundle")
    assert lost(live) == []
    assert len(live["pods"]) == PODS
    asked_once(cluster, live, patience.page)
    assert differing(live, dumped(cluster, tmp_path / "dump.json")) == []


@pytest.mark.skipif(not MANY, reason="takes minutes: set KAUDIT_SCALE to the number of pods")
@pytest.mark.timeout(900)
def test_many_pods(cluster: Cluster, tmp_path: Path) -> None:
    load(cluster, MANY)
    taken = collected(cluster, tmp_path / "bundle")
    live = Evidence.open(tmp_path / "bundle")
    assert lost(live) == []
    assert len(live["pods"]) == MANY
    asked_once(cluster, live, Patience().page)
    assert differing(live, dumped(cluster, tmp_path / "dump.json")) == []
    seconds, megabytes = LIVE
    assert taken.wall < seconds
    assert taken.megabytes < megabytes
