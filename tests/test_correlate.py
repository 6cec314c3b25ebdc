"""Chains of risk: what meets, what is unknown, in which order."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import pytest

from kaudit import chains
from kaudit.assess import assess
from kaudit.cases import Case, cases, collected
from kaudit.collect import collect
from kaudit.correlate import Risks, correlate
from kaudit.demo import NOW, write
from kaudit.evidence.bundle import Evidence
from kaudit.model.risk import State
from kaudit.model.words import Gap, Reason
from kaudit.registry import Read
from kaudit.source.events import Batch, Event, KindId, Listed, Progress, silent
from kaudit.source.files import FileSource
from tests.memory_source import MemorySource, evidence_of, objects

chains.load()


def risks(evidence: Evidence) -> Risks:
    return correlate(assess(evidence, strict=True))


def patterns(found: Risks, state: State = State.HOLDS) -> dict[str, list[str]]:
    return {
        chain.name: [p.id for p in chain.patterns if p.state is state]
        for chain in found.chains
        if any(p.state is state for p in chain.patterns)
    }


@pytest.mark.parametrize("id", sorted(chains.CORRELATIONS))
def test_a_correlation_keeps_its_word(id: str) -> None:
    outcomes = set()
    for case in cases(chains.CORRELATIONS[id].cases):
        found = risks(collected(case))
        proven = [p for ids in patterns(found).values() for p in ids]
        bad = case.name.startswith("bad-")
        outcomes.add(bad)
        assert (id in proven) == bad, case.name
        assert all(traced(found, collected(case)))
    assert outcomes == {True, False}


def traced(found: Risks, evidence: Evidence) -> Iterator[bool]:
    for chain in found.chains:
        for link in chain.links:
            if link.state is State.HOLDS:
                yield bool(evidence.record(link.raw, link.raw_line))
            else:
                yield bool(link.reason)


@pytest.mark.parametrize(
    "name", sorted(s.name for s in chains.SIGNALS.values() if s.function is not None)
)
def test_a_signal_keeps_its_word(name: str) -> None:
    outcomes = set()
    for case in cases(chains.SIGNALS[name].cases):
        states = risks(collected(case)).signals[name]
        holding = {
            row["name"]
            for row, holds in zip(states.places.rows, states.holds, strict=True)
            if holds
        }
        if case.name:
            outcomes.add(case.name.startswith("bad-"))
            assert bool(holding) == case.name.startswith("bad-"), case.name
            continue
        for row in states.places.rows:
            if row["name"].startswith(("bad-", "ok-")):
                outcomes.add(row["name"].startswith("bad-"))
                assert (row["name"] in holding) == row["name"].startswith("bad-"), row["name"]
    assert outcomes == {True, False}


POD = """
apiVersion: v1
kind: Pod
metadata: {name: %s, namespace: shop, labels: {app: %s}}
spec: {hostPID: %s, containers: [{name: c, image: i}]}
---
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: %s, namespace: shop}
spec: {type: LoadBalancer, selector: {app: %s}, ports: [{port: 80}]}
---
"""


def test_links_are_told_with_their_evidence_and_what_breaks_them() -> None:
    text = POD % ("web", "web", "true") + SERVICE % ("web", "web")
    found = risks(evidence_of(text))
    (chain,) = found.proven
    links = {link.signal: link for link in chain.links if link.state is State.HOLDS}
    (pattern,) = (p for p in chain.patterns if p.state is State.HOLDS)
    assert pattern.signals == pattern.breaks == ("exposed", "escapes")
    assert "Service shop/web" in links["exposed"].observed
    assert links["escapes"].controls == ("KA-DEP-002",)
    assert chain.remedy == "escapes"
    assert chain.because.startswith("critical, 2 of 5 stages, 1 pattern proven, 4 links")
    assert chain.label == "Pod shop/web"


def test_what_is_nowhere_exposed_is_no_chain() -> None:
    text = POD % ("web", "web", "true") + SERVICE % ("other", "other")
    found = risks(evidence_of(text))
    assert found.proven == ()
    assert all("exposed" not in p.signals for chain in found.chains for p in chain.patterns)


def test_proven_chains_come_before_possible_ones_and_more_links_first() -> None:
    text = (
        POD % ("a-possible", "a", "false")
        + POD % ("z-proven", "z", "true")
        + SERVICE % ("a", "a")
        + SERVICE % ("z", "z")
    )
    found = risks(evidence_of(text))
    assert [(c.rank, c.name, c.state) for c in found.chains] == [
        (1, "z-proven", State.HOLDS),
        (2, "a-possible", State.UNKNOWN),
    ]


class Lossy(MemorySource):
    """Objects, and reads that failed."""

    def __init__(self, text: str, *gaps: Gap) -> None:
        super().__init__(*objects(text))
        self.gaps = gaps

    def read(self, *args: object, **more: object) -> Iterator[Event]:
        yield from super().read(*args, **more)  # type: ignore[arg-type]
        yield from self.gaps


@pytest.mark.parametrize(
    ("kind", "signal"), [("Service", "exposed"), ("Ingress", "exposed"), ("Pod", "escapes")]
)
def test_a_failed_read_makes_a_link_unknown_and_never_absent(kind: str, signal: str) -> None:
    """With a layer's evidence taken away a chain stays, with a link that says why."""
    seen = {
        "Service": POD % ("web", "web", "true"),
        "Ingress": POD % ("web", "web", "true"),
        "Pod": POD % ("web", "web", "false") + SERVICE % ("web", "web"),
    }[kind]
    gap = Gap(what=f"list {kind}", reason=Reason.FORBIDDEN, kind=kind)
    found = risks(collect(Lossy(seen, gap)))
    chain = next(c for c in found.possible if c.name == "web")
    link = next(one for one in chain.links if one.signal == signal)
    assert link.state is State.UNKNOWN
    assert "forbidden" in link.reason


def test_every_layer_that_is_missing_is_counted_as_unknown() -> None:
    case = Case("", POD % ("web", "web", "true") + SERVICE % ("web", "web"))
    found = risks(collected(case))
    told = {s["signal"]: s for s in found.document()["signals"]}
    assert told["exploitable"]["unknown"] == 1
    assert told["exposed"] == {
        "signal": "exposed",
        "title": "The internet reaches it",
        "layer": "network",
        "holds": 1,
        "unknown": 0,
    }


class Without(FileSource):
    """A dump of which some files are not there, and some kinds may not be listed."""

    def __init__(self, path: Path, kinds: tuple[str, ...], folder: str) -> None:
        super().__init__(path)
        self.kinds, self.folder = kinds, folder

    def files(self) -> tuple[list[tuple[str, Path]], list[tuple[str, str]]]:
        found, skipped = super().files()
        kept = [one for one in found if not self.folder or not one[0].startswith(self.folder)]
        assert bool(self.folder) == (len(kept) < len(found))
        return kept, skipped

    def read(self, wanted: Mapping[KindId, Read], progress: Progress = silent) -> Iterator[Event]:
        for event in super().read(wanted, progress):
            if not isinstance(event, Batch | Listed) or event.kind not in self.kinds:
                yield event
        for kind in self.kinds:
            yield Gap(what=f"list {kind}", reason=Reason.FORBIDDEN, kind=kind)


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("demo") / "dump"
    write(found)
    return found


@pytest.mark.parametrize(
    ("layer", "kinds", "folder", "signal", "reason"),
    [
        ("build", (), "scans/", "exploitable", "no scan of it"),
        ("deploy", ("ClusterRole", "ClusterRoleBinding"), "", "leads_to_admin", "forbidden"),
        ("runtime", (), "runtime/", "alerted", "not in source"),
        ("network", ("Service", "Ingress", "Gateway", "HTTPRoute"), "", "exposed", "forbidden"),
        ("secrets", ("Secret", "ExternalSecret"), "", "stale_secret", "forbidden"),
    ],
)
def test_without_a_layer_the_chain_stays_and_says_what_is_missing(
    dump: Path, layer: str, kinds: tuple[str, ...], folder: str, signal: str, reason: str
) -> None:
    source = Without(dump, kinds, folder)
    found = risks(collect(source, as_of=datetime.fromisoformat(NOW), raw=False))
    chain = next(c for c in found.chains if c.label == "StatefulSet legacy/erp")
    link = next(one for one in chain.links if one.signal == signal)
    assert (link.layer.value, link.state) == (layer, State.UNKNOWN)
    assert reason in link.reason
    assert {p.state for p in chain.patterns if signal in p.signals} >= {State.UNKNOWN}
    held = {one.layer.value for one in chain.links if one.state is State.HOLDS}
    assert held >= {"build", "deploy", "runtime", "network", "secrets"} - {layer}


def test_the_demo_tells_one_story_over_all_layers(tmp_path: Path) -> None:
    write(tmp_path / "dump")
    evidence = collect(FileSource(tmp_path / "dump"), as_of=datetime.fromisoformat(NOW), raw=False)
    first, second, *_ = risks(evidence).chains
    assert first.label == "StatefulSet legacy/erp"
    proven = {p.id for p in first.patterns if p.state is State.HOLDS}
    assert {"KA-RSK-001", "KA-RSK-002", "KA-RSK-010", "KA-RSK-012"} <= proven
    held = {link.layer.value for link in first.links if link.state is State.HOLDS}
    assert held == {"build", "deploy", "runtime", "network", "secrets"}
    assert first.remedy == "exposed"
    assert len([p for p in second.patterns if p.state is State.HOLDS]) < len(proven)
