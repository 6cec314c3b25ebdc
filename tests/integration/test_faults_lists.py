"""A cluster that changes while it is listed: what was told stays true, and is told once."""

from __future__ import annotations

import base64
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Reason
from kaudit.source.live import LiveSource
from tests.integration.cluster import Cluster, running_cluster
from tests.integration.middle import PODS, QUICK, Interrupted, crowd, lost, pod, sealed

pytestmark = pytest.mark.timeout(90)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of this module's own."""
    with running_cluster(tmp_path_factory.mktemp("busy")) as cluster:
        yield cluster


@pytest.fixture
def names(busy: Cluster) -> Iterator[list[str]]:
    """Names of a crowd of pods, which is gone after the test."""
    yield crowd(busy)
    pods = "/api/v1/namespaces/crowd/pods"
    busy.request("DELETE", pods, {"gracePeriodSeconds": 0})


def until(met: Callable[[], bool], within: float = 30) -> None:
    end = time.monotonic() + within
    while not met():
        assert time.monotonic() < end
        time.sleep(0.05)


def source(cluster: Cluster) -> LiveSource:
    return LiveSource.from_context("admin", kubeconfig=cluster.admin, patience=QUICK)


def change(cluster: Cluster, names: list[str]) -> None:
    """Replace the last pod, delete the one before, and add one between and one at the end."""
    pods = "/api/v1/namespaces/crowd/pods"
    for name in names[-2:]:
        answer = cluster.request("DELETE", f"{pods}/{name}", {"gracePeriodSeconds": 0})
        assert answer.status == HTTPStatus.OK
    for name in (f"{names[-3]}-new", names[-1], "z-new"):
        assert cluster.request("POST", pods, pod(name)).status == HTTPStatus.CREATED


def compact(cluster: Cluster) -> None:
    """Let etcd forget all but the present, and tell the API server as another one would."""
    key = base64.b64encode(b"compact_rev_key").decode()
    revision = int(ask(cluster, "range", {"key": key})["header"]["revision"])
    value = base64.b64encode(str(revision).encode()).decode()
    ask(cluster, "put", {"key": key, "value": value})
    ask(cluster, "compaction", {"revision": revision, "physical": True})


def ask(cluster: Cluster, what: str, body: dict[str, Any]) -> Any:
    """Send a request to etcd's gateway."""
    data = json.dumps(body).encode()
    request = urllib.request.Request(f"{cluster.etcd_url}/v3/kv/{what}", data)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def told(evidence: Evidence) -> list[str]:
    return sorted(evidence["pods"]["pod"])


def pages(cluster: Cluster, since: int) -> list[dict[str, Any]]:
    """Answered requests for pods of the whole cluster."""
    events = cluster.audited()[since:]
    return [e for e in events if e["requestURI"].startswith("/api/v1/pods?")]


def test_changes_between_pages_are_not_seen(
    busy: Cluster, names: list[str], tmp_path: Path
) -> None:
    before = len(busy.audited())
    happens = Interrupted(source(busy), lambda: change(busy, names))
    evidence = sealed(happens, tmp_path, within=30)
    assert lost(evidence) == []
    assert told(evidence) == names
    assert len(pages(busy, before)) == PODS // QUICK.page
    (origin,) = [o for o in evidence.manifest.origins if o.name == "/api/v1/pods"]
    assert (origin.pages, origin.items) == (PODS // QUICK.page, PODS)
    newer = busy.request("GET", "/api/v1/pods?limit=1").body["metadata"]["resourceVersion"]
    assert int(origin.resource_version) < int(newer)


def test_a_place_that_expired_is_found_again(
    busy: Cluster, names: list[str], tmp_path: Path
) -> None:
    def forget() -> None:
        first = busy.request("GET", "/api/v1/pods?limit=1").body["metadata"]["continue"]
        change(busy, names)
        compact(busy)
        place = f"/api/v1/pods?limit=1&continue={first}"
        until(lambda: busy.request("GET", place).status == HTTPStatus.GONE)

    before = len(busy.audited())
    evidence = sealed(Interrupted(source(busy), forget), tmp_path, within=60)
    assert HTTPStatus.GONE in {e["responseStatus"]["code"] for e in pages(busy, before)}
    (gap,) = lost(evidence)
    assert (gap.what, gap.reason) == ("list pods", Reason.PARTIAL)
    assert "objects may be of different moments" in gap.detail
    now = {item["metadata"]["name"] for item in busy.request("GET", "/api/v1/pods").body["items"]}
    assert set(told(evidence)) == now
    assert len(told(evidence)) == len(now)


CRD: dict[str, Any] = {
    "metadata": {"name": "globalnetworkpolicies.crd.projectcalico.org"},
    "spec": {
        "group": "crd.projectcalico.org",
        "scope": "Cluster",
        "names": {"kind": "GlobalNetworkPolicy", "plural": "globalnetworkpolicies"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "x-kubernetes-preserve-unknown-fields": True,
                    }
                },
            }
        ],
    },
}
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_POLICIES = "/apis/crd.projectcalico.org/v1/globalnetworkpolicies"


@pytest.fixture
def kind(busy: Cluster) -> None:
    """A kind of somebody else's is served."""
    assert busy.request("POST", _CRDS, CRD).status == HTTPStatus.CREATED
    until(lambda: busy.request("GET", f"{_POLICIES}?limit=1").status == HTTPStatus.OK)


@pytest.mark.usefixtures("kind")
def test_a_kind_that_vanishes_after_discovery_is_a_gap(busy: Cluster, tmp_path: Path) -> None:
    def vanish() -> None:
        busy.request("DELETE", f"{_CRDS}/{CRD['metadata']['name']}")
        until(lambda: busy.request("GET", _POLICIES).status == HTTPStatus.NOT_FOUND)

    class Hindered(LiveSource):
        """Between discovery and lists something happens."""

        def _lists(self, *given: Any) -> Iterator[Any]:
            vanish()
            return super()._lists(*given)

    hindered = Hindered.from_context("admin", kubeconfig=busy.admin, patience=QUICK)
    evidence = sealed(hindered, tmp_path, within=30)
    (gap,) = lost(evidence)
    assert (gap.kind, gap.reason) == ("GlobalNetworkPolicy", Reason.ABSENT)
    assert gap.tables
