"""Taking evidence away never makes anything pass."""

from pathlib import Path

import pytest

from kaudit import registry
from kaudit.assess import assess
from kaudit.cases import cases
from kaudit.collect import collect
from kaudit.model.words import Gap, Reason, Status
from kaudit.registry import tables_of
from kaudit.source.documents import Item, found_in
from kaudit.source.files import FileSource

registry.load()

KINDS = sorted({read.id for c in registry.COLLECTORS.values() for read in c.reads if not read.tool})
Verdicts = dict[tuple[str, ...], Status]


def everything() -> str:
    """All cases of all controls as one source: each in a namespace of its own stays itself."""
    texts = []
    for control in registry.CONTROLS.values():
        texts += [case.manifests for case in cases(control.cases)]
    return "\n---\n".join(texts)


def verdicts(source: FileSource, gap: Gap | None = None) -> Verdicts:
    evidence = collect(source, raw=False)
    if gap is not None:
        evidence.manifest.gaps = (*evidence.manifest.gaps, gap)
    results = assess(evidence, strict=True).iter_results()
    return {(r.control, r.kind, r.namespace, r.name, r.container): r.status for r in results}


@pytest.fixture(scope="module")
def before() -> Verdicts:
    return verdicts(FileSource.of_text(everything()))


def turned(before: Verdicts, after: Verdicts) -> list[tuple[str, ...]]:
    """Results that pass now and did not before."""
    return [k for k, s in after.items() if s is Status.PASS and before.get(k) is not Status.PASS]


@pytest.mark.parametrize("key", KINDS, ids=lambda k: ".".join(filter(None, reversed(k))))
def test_a_refused_read_turns_nothing_into_pass(key: tuple[str, str], before: Verdicts) -> None:
    gap = Gap(what=f"list {key[1]}", reason=Reason.FORBIDDEN, tables=tables_of(key), kind=key[1])
    without = "\n".join(
        bytes(item.raw).decode()
        for item in found_in(everything().encode(), yaml=True)
        if isinstance(item, Item) and (item.group, item.kind) != key
    )
    after = verdicts(FileSource.of_text(without), gap)
    assert turned(before, after) == []
    controls = {c.id for c in registry.CONTROLS.values()}
    assert {k[0] for k in after} == controls, "every control leaves a result"


@pytest.mark.parametrize("key", KINDS, ids=lambda k: ".".join(filter(None, reversed(k))))
def test_a_source_that_lacks_a_kind_turns_nothing_into_pass(
    key: tuple[str, str], before: Verdicts
) -> None:
    without = "\n".join(
        bytes(item.raw).decode()
        for item in found_in(everything().encode(), yaml=True)
        if isinstance(item, Item) and (item.group, item.kind) != key
    )
    assert turned(before, verdicts(FileSource.of_text(without))) == []


def test_a_broken_item_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / "pods.json").write_text(
        '{"apiVersion":"v1","kind":"List","items":['
        '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"i"}]}},'
        '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b"},"spec":{"containers":"none"}}]}'
    )
    evidence = collect(FileSource(tmp_path), raw=False)
    results = list(assess(evidence, [registry.find_control("KA-DEP-001")]).iter_results())
    assert [(r.name, r.status) for r in results] == [
        ("a", Status.PASS),
        ("b", Status.NOT_ASSESSED),
    ]
    assert "$.spec.containers" in results[1].reason


OWNED = """
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {template: {spec: {containers: [{name: c, image: i}]}}}}
---
{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-5d4, ownerReferences: [
  {apiVersion: apps/v1, kind: Deployment, name: web, uid: w, controller: true}]}, spec: {template: {spec: {containers: [{name: c, image: i}]}}}}
"""
POD = """
{apiVersion: v1, kind: Pod, metadata: {name: web-5d4-x7k, ownerReferences: [
  {apiVersion: apps/v1, kind: ReplicaSet, name: web-5d4, uid: r, controller: true}]}, spec: {containers: [{name: c, image: i}]}}
"""


def statuses_of_privilege(text: str, *gaps: Gap) -> dict[tuple[str, str], Status]:
    evidence = collect(FileSource.of_text(text), raw=False)
    evidence.manifest.gaps = (*evidence.manifest.gaps, *gaps)
    results = assess(evidence, [registry.find_control("KA-DEP-001")]).iter_results()
    return {(r.kind, r.name): r.status for r in results}


def test_manifests_alone_and_pods_alone_are_judged() -> None:
    deployment = OWNED.partition("---")[0]
    assert statuses_of_privilege(deployment) == {("Deployment", "web"): Status.PASS}
    assert statuses_of_privilege(POD) == {("ReplicaSet", "web-5d4"): Status.PASS}


def test_a_dump_without_its_pods_or_without_what_made_them_proves_nothing() -> None:
    without_pods = statuses_of_privilege(OWNED)
    assert without_pods == {
        ("Deployment", "web"): Status.NOT_ASSESSED,
        ("Pod", ""): Status.NOT_ASSESSED,
    }
    deployment = OWNED.partition("---")[0]
    assert Status.PASS not in statuses_of_privilege(f"{deployment}---{POD}").values()


def test_a_pod_that_cannot_be_read_costs_the_pass_of_what_made_it() -> None:
    other = "---\n{apiVersion: v1, kind: Pod, metadata: {name: db}, spec: {containers: [{name: c, image: i}]}}"
    gap = Gap(
        what="Pod web-5d4-aaa",
        reason=Reason.BROKEN,
        tables=("containers", "pods"),
        kind="Pod",
        namespace="default",
        name="web-5d4-aaa",
    )
    found = statuses_of_privilege(f"{OWNED}---{POD}{other}", gap)
    assert found["Deployment", "web"] is Status.NOT_ASSESSED
    assert found["Pod", "web-5d4-aaa"] is Status.NOT_ASSESSED
    assert found["Pod", "db"] is Status.PASS


SCANNED = """
{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}, {name: d, image: "a/c:1"}]}}
"""
SCAN = """
{"SchemaVersion": 2, "ArtifactName": "a/b:1", "ArtifactType": "container_image",
 "Results": [{"Target": "b", "Class": "os-pkgs", "Type": "debian"}]}
"""


def test_an_image_that_could_not_be_scanned_costs_itself_alone(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(SCANNED)
    (tmp_path / "scan.json").write_text(SCAN)
    gap = Gap(
        what="Trivy on docker.io/a/c:1",
        reason=Reason.UNREACHABLE,
        tables=("image_scans",),
        kind="Image",
        name="docker.io/a/c:1",
    )
    source = FileSource(tmp_path)
    after = verdicts(source, gap)
    found = {k[3]: s for k, s in after.items() if k[0] == "KA-BLD-001"}
    assert found == {"docker.io/a/b:1": Status.PASS, "docker.io/a/c:1": Status.NOT_ASSESSED}
    assert turned(verdicts(source), verdicts(source, gap)) == []
