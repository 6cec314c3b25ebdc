"""Chains planted in a generated cluster of 1,000 pods: all found, those that go all the way first."""

import shutil
from pathlib import Path

import pytest

from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.correlate import Risks, correlate
from kaudit.model.risk import State
from kaudit.source.files import FileSource
from tests.planted_chains import Chain, plant
from tests.shared import needs_shared

pytestmark = needs_shared
Planted = tuple[list[Chain], Risks]


@pytest.fixture(scope="module")
def planted(cluster_1k: Path, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    folder = tmp_path_factory.mktemp("planted") / "dump"
    shutil.copytree(cluster_1k, folder)
    truth = plant(folder)
    evidence = collect(FileSource(folder, label="planted"), raw=False)
    return truth, correlate(assess(evidence, strict=True))


def test_every_planted_chain_is_found_with_its_patterns(planted: Planted) -> None:
    truth, found = planted
    proven = {
        chain.label: {p.id for p in chain.patterns if p.state is State.HOLDS}
        for chain in found.chains
    }
    for chain in truth:
        assert chain.patterns <= proven[chain.label], chain.label


def test_nothing_is_ranked_above_those_that_go_all_the_way(planted: Planted) -> None:
    truth, found = planted
    whole = {chain.label for chain in truth if chain.whole}
    assert {chain.label for chain in found.chains[: len(whole)]} == whole
    first = found.chains[0]
    assert {link.layer.value for link in first.links} >= {"build", "deploy", "network", "secrets"}
    assert first.because.startswith("critical, 5 of 5 stages, a flaw that is exploited")


def test_what_was_there_before_is_found_as_before(cluster_1k: Path, planted: Planted) -> None:
    """Planting takes nothing away: every chain of the cluster itself is still proven."""
    before = correlate(assess(collect(FileSource(cluster_1k), raw=False)))
    own = {chain.label for chain in before.proven}
    after = {c.label for c in planted[1].proven if "planted-" not in c.label}
    assert own <= after
