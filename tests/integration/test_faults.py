"""A cluster that fails in the midst of a collection: sealed, with gaps that are true, and soon."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from kaudit.errors import Unreachable
from kaudit.model.words import Reason
from kaudit.source.live import LiveSource
from kaudit.source.live_http import Patience
from tests.integration.cluster import Cluster, apiserver, running_cluster
from tests.integration.middle import PODS, QUICK, Interrupted, crowd, lost, reader, sealed
from tests.integration.relay import Relay

pytestmark = pytest.mark.timeout(120)

#: Nothing is waited for that is away.
BRIEF = msgspec.structs.replace(QUICK, silence=1.0, read=2.0)
#: What is away for some seconds is waited for.
PATIENT = msgspec.structs.replace(QUICK, read=20.0)


class Frail:
    """A cluster with a crowd of pods, whose parts can be stopped and started."""

    def __init__(self, cluster: Cluster, stack: ExitStack) -> None:
        self.cluster, self._stack = cluster, stack
        self.token = reader(cluster, "auditor")
        self.kubeconfig = cluster.kubeconfig("auditor", self.token)
        # Servers die with the thread that started them.
        self._starter = stack.enter_context(ThreadPoolExecutor(1))

    def source(self, patience: Patience = QUICK, port: int = 0) -> LiveSource:
        """Return a source; another port is that of a relay."""
        path = self.kubeconfig
        if port:
            text = path.read_text(encoding="utf-8")
            path = path.with_name("relayed.kubeconfig")
            path.write_text(text.replace(f":{self.cluster.port}", f":{port}"), encoding="utf-8")
        return LiveSource.from_context("auditor", kubeconfig=path, patience=patience)

    def kill(self) -> None:
        """Kill the API server."""
        self.cluster.server.kill()
        self.cluster.server.wait()

    def start(self) -> None:
        """Start the API server again, and go on before it is ready."""
        self._started = self._starter.submit(self._start)

    def _start(self) -> None:
        self.cluster.server = self._stack.enter_context(apiserver(self.cluster))

    def await_ready(self) -> None:
        """Wait until the API server is ready."""
        self._started.result()

    def pause(self) -> None:
        """Stop etcd in the midst of what it does."""
        self.cluster.etcd.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let etcd go on."""
        self.cluster.etcd.send_signal(signal.SIGCONT)


@pytest.fixture(scope="module")
def frail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Frail]:
    """A cluster of this module's own, with a crowd of pods."""
    with ExitStack() as stack:
        cluster = stack.enter_context(running_cluster(tmp_path_factory.mktemp("frail")))
        crowd(cluster)
        yield Frail(cluster, stack)


def once(*steps: Callable[[], object]) -> Callable[[], None]:
    """Take steps one after another."""

    def happens() -> None:
        for step in steps:
            step()

    return happens


def test_an_api_server_that_is_started_again_costs_nothing(frail: Frail, tmp_path: Path) -> None:
    source = Interrupted(frail.source(PATIENT), once(frail.kill, frail.start))
    evidence = sealed(source, tmp_path, within=60, secret=frail.token)
    frail.await_ready()
    assert lost(evidence) == []
    assert len(evidence["pods"]) == PODS


def test_an_api_server_that_stays_away_is_told_of_each_kind(frail: Frail, tmp_path: Path) -> None:
    source = Interrupted(frail.source(BRIEF), frail.kill)
    try:
        evidence = sealed(source, tmp_path, within=30, secret=frail.token)
    finally:
        frail.start()
        frail.await_ready()
    gaps = {gap.kind: gap for gap in lost(evidence)}
    assert {gap.reason for gap in gaps.values()} == {Reason.UNREACHABLE}
    assert gaps["Pod"].detail.startswith("only a part was read: ")
    assert gaps["Role"].tables
    assert 0 < len(evidence["pods"]) < PODS


def test_etcd_that_pauses_costs_nothing(frail: Frail, tmp_path: Path) -> None:
    def pause() -> None:
        frail.pause()
        threading.Timer(1.5, frail.resume).start()

    evidence = sealed(Interrupted(frail.source(PATIENT), pause), tmp_path, within=40)
    assert lost(evidence) == []
    assert len(evidence["pods"]) == PODS


def test_etcd_that_pauses_for_ever_is_told_of_each_kind(frail: Frail, tmp_path: Path) -> None:
    source = Interrupted(frail.source(BRIEF), frail.pause)
    try:
        evidence = sealed(source, tmp_path, within=40, secret=frail.token)
    finally:
        frail.resume()
    gaps = {gap.kind: gap for gap in lost(evidence)}
    assert {gap.reason for gap in gaps.values()} <= {Reason.TIMEOUT, Reason.UNREACHABLE}
    assert "nothing was answered for" in gaps["StorageClass"].detail


def test_slow_answers_are_waited_for(frail: Frail, tmp_path: Path) -> None:
    with Relay(frail.cluster.port, delay=0.05) as relay:
        evidence = sealed(frail.source(port=relay.port), tmp_path, within=60)
    assert lost(evidence) == []
    assert len(evidence["pods"]) == PODS


def test_a_server_too_slow_to_speak_with_is_one_error(frail: Frail, tmp_path: Path) -> None:
    begun = time.monotonic()
    with (
        Relay(frail.cluster.port, delay=3) as relay,
        pytest.raises(Unreachable, match="read the version: timeout"),
    ):
        sealed(frail.source(BRIEF, relay.port), tmp_path, within=30)
    assert time.monotonic() - begun < 30
    assert not [*tmp_path.iterdir()]


def test_answers_that_are_cut_are_asked_for_again(frail: Frail, tmp_path: Path) -> None:
    patience = msgspec.structs.replace(QUICK, page=PODS)
    with Relay(frail.cluster.port, cut={0: 20_000, 1: 9_000, 3: 4_000}) as relay:
        evidence = sealed(frail.source(patience, relay.port), tmp_path, within=30)
    assert relay.connections >= 5
    assert lost(evidence) == []
    assert len(evidence["pods"]) == PODS


def test_answers_that_are_always_cut_are_gaps(frail: Frail, tmp_path: Path) -> None:
    """What is small arrives, what is large never does."""
    patience = msgspec.structs.replace(BRIEF, page=PODS)
    with Relay(frail.cluster.port, cut=dict.fromkeys(range(10_000), 25_000)) as relay:
        evidence = sealed(frail.source(patience, relay.port), tmp_path, within=40)
    gaps = {gap.kind: gap.reason for gap in lost(evidence)}
    assert gaps["ClusterRole"] is Reason.UNREACHABLE
    assert "StorageClass" not in gaps


TIGHT = """
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: PriorityLevelConfiguration
metadata: {name: tight}
spec:
  type: Limited
  limited:
    nominalConcurrencyShares: 0
    lendablePercent: 0
    borrowingLimitPercent: 0
    limitResponse: {type: Reject}
---
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: FlowSchema
metadata: {name: tight}
spec:
  priorityLevelConfiguration: {name: tight}
  matchingPrecedence: 2
  rules:
    - subjects: [{kind: ServiceAccount, serviceAccount: {namespace: crowd, name: auditor}}]
      resourceRules:
        - {verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], clusterScope: true}
"""


@pytest.fixture
def squeezed(frail: Frail) -> Iterator[None]:
    """The account has one seat of the server, and no queue."""
    frail.cluster.kubectl("apply", "--validate=false", "-f", "-", given=TIGHT)
    yield
    frail.cluster.kubectl("delete", "--wait=false", "-f", "-", given=TIGHT)


@pytest.mark.usefixtures("squeezed")
def test_a_server_with_little_room_is_asked_again(frail: Frail, tmp_path: Path) -> None:
    patience = msgspec.structs.replace(QUICK, tries=20, longest_pause=0.1)
    evidence = sealed(frail.source(patience), tmp_path, within=40)
    assert lost(evidence) == []
    assert len(evidence["pods"]) == PODS


@pytest.mark.usefixtures("squeezed")
def test_a_server_without_room_is_told_of_each_kind(frail: Frail, tmp_path: Path) -> None:
    over = threading.Event()

    def occupy() -> None:
        while not over.is_set():
            frail.cluster.request("GET", "/api/v1/pods", token=frail.token)

    patience = msgspec.structs.replace(BRIEF, tries=1)
    with ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            pool.submit(occupy)
        try:
            evidence = sealed(frail.source(patience), tmp_path, within=40)
        finally:
            over.set()
    gaps = lost(evidence)
    assert gaps
    assert {gap.reason for gap in gaps} == {Reason.UNREACHABLE}
    assert all("429 Too Many Requests" in gap.detail for gap in gaps)
