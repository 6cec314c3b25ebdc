"""What became of each read, and where the collection is blind."""

from collections.abc import Iterator
from typing import Any

import pytest

from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Gap, Reason, Status
from kaudit.source.events import Event, Listed
from tests.memory_source import MemorySource, objects, rows

NODE = "{apiVersion: v1, kind: Node, metadata: {name: n}}"


class Cluster(MemorySource):
    """A live cluster in which some reads failed, and some kinds were listed and are empty."""

    def __init__(self, text: str, *gaps: Gap, empty: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(*objects(text), live=True)
        self.gaps, self.empty = gaps, empty

    def read(self, *args: Any, **more: Any) -> Iterator[Event]:
        yield from super().read(*args, **more)
        yield from (Listed(group, kind) for group, kind in self.empty)
        yield from self.gaps


def log(evidence: Evidence, name: str) -> dict[str, Any]:
    names = ("kind", "name", "state", "objects", "blind", "raw", "raw_line", "detail")
    found = rows(evidence, "collection_log", *names)
    return next(r for r in found if (r["kind"], r["name"]) == ("Read", name))


@pytest.mark.parametrize(
    ("reason", "blind"),
    [
        (Reason.FORBIDDEN, True),
        (Reason.UNAUTHENTICATED, True),
        (Reason.TIMEOUT, True),
        (Reason.PARTIAL, True),
        (Reason.TOO_LARGE, True),
        (Reason.ABSENT, False),
    ],
)
def test_a_read_that_failed_is_a_blind_spot_and_leads_to_its_gap(
    reason: Reason, blind: bool
) -> None:
    evidence = collect(Cluster(NODE, Gap(what="list pods", reason=reason, kind="Pod", detail="no")))
    found = log(evidence, "pods")
    assert (found["state"], found["blind"], found["detail"]) == (reason.value, blind, "no")
    assert evidence.record(found["raw"], found["raw_line"])["what"] == "list pods"
    assert evidence.origin(found["raw"], found["raw_line"])["name"] == "evidence.json"


def test_a_list_that_is_empty_was_read_and_one_that_nobody_made_was_not() -> None:
    evidence = collect(Cluster(NODE, empty=(("", "Pod"),)))
    assert (log(evidence, "pods")["state"], log(evidence, "pods")["blind"]) == ("read", False)
    assert (log(evidence, "nodes")["state"], log(evidence, "nodes")["objects"]) == ("read", 1)
    assert (log(evidence, "services")["state"], log(evidence, "services")["blind"]) == (
        "not_collected",
        True,
    )


def test_one_object_that_is_broken_is_a_blind_spot_of_its_kind() -> None:
    text = NODE + "\n---\n{apiVersion: v1, kind: Node, metadata: {name: b, labels: none}}"
    found = log(collect(Cluster(text)), "nodes")
    assert (found["state"], found["blind"], found["objects"]) == ("broken", True, 2)


def test_an_object_that_is_defined_twice_is_no_blind_spot() -> None:
    pod = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i%d}]}}"
    evidence = collect(Cluster("\n---\n".join((NODE, pod % 1, pod % 2))))
    assert [g.reason for g in evidence.gaps if g.name == "p"] == [Reason.AMBIGUOUS]
    assert (log(evidence, "pods")["state"], log(evidence, "pods")["blind"]) == ("read", False)


def test_kinds_of_one_name_are_told_apart_by_their_group() -> None:
    gap = Gap(what="list policies", reason=Reason.FORBIDDEN, kind="NetworkPolicy")
    names = rows(collect(Cluster(NODE, gap)), "collection_log", "name", "state")
    assert {r["name"] for r in names if r["state"] == "forbidden"} == {
        "networkpolicies.crd.projectcalico.org",
        "networkpolicies.networking.k8s.io",
        "networkpolicies.projectcalico.org",
    }


def test_no_refused_list_becomes_a_pass() -> None:
    gap = Gap(what="list pods", reason=Reason.FORBIDDEN, kind="Pod")
    results = list(assess(collect(Cluster(NODE, gap)), strict=True).iter_results())
    own = {r.name: r.status for r in results if r.control == "KA-RUN-021" and r.kind == "Read"}
    assert own["pods"] is Status.FAIL
    assert own["nodes"] is Status.PASS
    resting = {r.control for r in results if "list pods: forbidden" in r.reason}
    assert len(resting) > 50
    assert all(r.status is not Status.PASS for r in results if r.control in resting)
