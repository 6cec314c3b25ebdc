"""Taking any kind away from a whole cluster turns nothing into a pass."""

import json
import shutil
from pathlib import Path

import pytest

from kaudit import registry
from kaudit.assess import assess
from kaudit.assessment import Assessment
from kaudit.collect import collect
from kaudit.demo import objects, write
from kaudit.model.words import Gap, Opinion, Reason, Status
from kaudit.registry import tables_of
from kaudit.source.files import FileSource

registry.load()
KINDS = sorted({o["kind"] for o in objects()})
READS = {
    read.kind: read.id for c in registry.COLLECTORS.values() for read in c.reads if not read.tool
}
RANK = {
    Opinion.NOT_EFFECTIVE: 0,
    Opinion.UNABLE: 0,
    Opinion.NOT_APPLICABLE: 0,
    Opinion.WITH_EXCEPTIONS: 1,
    Opinion.EFFECTIVE: 2,
}


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "dump"
    write(folder)
    return folder


def judged(folder: Path, *gaps: Gap) -> Assessment:
    evidence = collect(FileSource(folder, label="demo"), raw=False)
    evidence.manifest.gaps = (*evidence.manifest.gaps, *gaps)
    return assess(evidence, strict=True)


def statuses(assessment: Assessment) -> dict[tuple[str, ...], Status]:
    return {
        (r.control, r.kind, r.namespace, r.name, r.container): r.status
        for r in assessment.iter_results()
    }


@pytest.fixture(scope="module")
def before(dump: Path) -> Assessment:
    return judged(dump)


def without(dump: Path, folder: Path, kind: str) -> Path:
    shutil.copytree(dump, folder)
    (folder / f"{kind.lower()}.json").unlink()
    return folder


def check(before: Assessment, after: Assessment, *, refused: bool = False) -> None:
    """Compare; where reads were refused, no control does better than before either.

    A source that does not speak of a kind is judged by what it holds: a chart without
    ClusterRoleBindings is as good as its RoleBindings.
    """
    was, now = statuses(before), statuses(after)
    turned = [k for k, s in now.items() if s is Status.PASS and was.get(k) is not Status.PASS]
    assert turned == []
    assert {key[0] for key in now} == set(registry.CONTROLS)
    for control, conclusion in after.operation.items() if refused else ():
        assert RANK[conclusion.opinion] <= RANK[before.operation[control].opinion]
    for old, new in zip(before.layers, after.layers, strict=True):
        assert RANK[new.operation] <= RANK[old.operation]


@pytest.mark.parametrize("kind", [k for k in KINDS if k in READS])
def test_a_kind_that_was_refused(dump: Path, tmp_path: Path, before: Assessment, kind: str) -> None:
    gap = Gap(
        what=f"list {kind}", reason=Reason.FORBIDDEN, tables=tables_of(READS[kind]), kind=kind
    )
    check(before, judged(without(dump, tmp_path / "d", kind), gap), refused=True)


@pytest.mark.parametrize("kind", [k for k in KINDS if k in READS])
def test_a_kind_that_is_not_in_the_dump(
    dump: Path, tmp_path: Path, before: Assessment, kind: str
) -> None:
    check(before, judged(without(dump, tmp_path / "d", kind)))


@pytest.mark.parametrize(
    "kind", ["Pod", "Deployment", "ClusterRole", "RoleBinding", "NetworkPolicy", "Namespace"]
)
def test_an_object_of_each_kind_that_is_broken(
    dump: Path, tmp_path: Path, before: Assessment, kind: str
) -> None:
    folder = tmp_path / "d"
    shutil.copytree(dump, folder)
    path = folder / f"{kind.lower()}.json"
    content = json.loads(path.read_text())
    for item in content["items"][::3]:
        item["metadata"]["labels"] = "none"
    path.write_text(json.dumps(content))
    check(before, judged(folder))


@pytest.mark.parametrize("log", ["falco.jsonl", "audit.log", "tetra.json"])
def test_a_log_that_was_not_given(dump: Path, tmp_path: Path, before: Assessment, log: str) -> None:
    shutil.copytree(dump, tmp_path / "d")
    (tmp_path / "d" / "runtime" / log).unlink()
    check(before, judged(tmp_path / "d"))


def test_a_log_that_is_cut(dump: Path, tmp_path: Path, before: Assessment) -> None:
    shutil.copytree(dump, tmp_path / "d")
    path = tmp_path / "d" / "runtime" / "falco.jsonl"
    path.write_bytes(path.read_bytes()[:-4000])
    check(before, judged(tmp_path / "d"))
