"""Taking a kind away from a generated cluster of 1,000 pods turns nothing into a pass."""

import shutil
from pathlib import Path

import pytest

from kaudit import registry
from kaudit.assess import assess
from kaudit.assessment import Assessment
from kaudit.collect import collect
from kaudit.model.words import Gap, Reason
from kaudit.registry import Read, tables_of
from kaudit.source.files import FileSource
from tests.shared import needs_shared
from tests.test_mutation import check

registry.load()
READS = {
    read.plural: read for c in registry.COLLECTORS.values() for read in c.reads if not read.tool
}
#: Kinds of the dump by the table that they feed first: one kind a table is taken away.
PLURALS = (
    *("pods", "deployments", "replicasets", "cronjobs", "namespaces", "nodes", "services"),
    *("ingresses", "networkpolicies", "serviceaccounts", "roles", "rolebindings"),
    *("clusterroles", "clusterrolebindings", "configmaps", "secrets", "resourcequotas"),
)


def judged(folder: Path, *gaps: Gap) -> Assessment:
    evidence = collect(FileSource(folder, label="cluster"), raw=False)
    evidence.manifest.gaps = (*evidence.manifest.gaps, *gaps)
    return assess(evidence, strict=True)


@pytest.fixture(scope="module")
def before(cluster_1k: Path) -> Assessment:
    return judged(cluster_1k)


def gap(read: Read) -> Gap:
    return Gap(
        what=f"list {read.plural}",
        reason=Reason.FORBIDDEN,
        tables=tables_of(read.id),
        kind=read.kind,
    )


@needs_shared
@pytest.mark.parametrize("plural", PLURALS)
def test_a_kind_that_was_refused(
    cluster_1k: Path, tmp_path: Path, before: Assessment, plural: str
) -> None:
    folder = tmp_path / "dump"
    left_out = shutil.ignore_patterns(f"{plural}.json", "scans", "events", "*reports.json")
    shutil.copytree(cluster_1k, folder, ignore=left_out)
    check(before, judged(folder, gap(READS[plural])), refused=True)


@needs_shared
@pytest.mark.parametrize("plural", ["pods", "namespaces", "rolebindings", "serviceaccounts"])
def test_a_kind_that_is_not_in_the_dump(
    cluster_1k: Path, tmp_path: Path, before: Assessment, plural: str
) -> None:
    folder = tmp_path / "dump"
    left_out = shutil.ignore_patterns(f"{plural}.json", "scans", "events", "*reports.json")
    shutil.copytree(cluster_1k, folder, ignore=left_out)
    check(before, judged(folder))
