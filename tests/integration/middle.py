"""Collect from a cluster while something happens to it, and look at what was sealed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Any

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Gap, Reason
from kaudit.registry import Read
from kaudit.source.events import Batch, Event, KindId, Progress, silent
from kaudit.source.live import LiveSource
from kaudit.source.live_http import Patience
from tests.integration.cluster import Cluster
from tests.test_canary import contents

#: As the default, but that tests have less time, and that a list of theirs has many pages.
QUICK = Patience(
    connect=1, read=3, tries=3, pause=0.05, longest_pause=0.5, per_second=500, burst=500, page=25
)
#: Pods of the cluster that things happen to: a dozen pages.
PODS = 300


class Interrupted:
    """A live source, in the midst of whose first list of pods something happens."""

    live = True

    def __init__(self, inner: LiveSource, happens: Callable[[], object], kind: str = "Pod") -> None:
        self.label, self.as_of = inner.label, inner.as_of
        self._inner, self._happens, self._kind = inner, happens, kind

    def read(self, wanted: Mapping[KindId, Read], progress: Progress = silent) -> Iterator[Event]:
        """Read the source."""
        waiting = True
        for event in self._inner.read(wanted, progress):
            self.as_of = self._inner.as_of  # what the server says
            yield event
            if waiting and isinstance(event, Batch) and event.kind == self._kind:
                waiting = False
                self._happens()


def sealed(
    source: LiveSource | Interrupted, folder: Path, *, within: float, secret: str = ""
) -> Evidence:
    """Collect in so many seconds; return a whole bundle that does not hold the secret."""
    begun = time.monotonic()
    collect(source, out=folder / "bundle")
    assert time.monotonic() - begun < within
    assert [path.name for path in folder.iterdir()] == ["bundle"]
    for path in (folder / "bundle").rglob("*"):
        if secret and path.is_file():
            assert not [
                n for n, d in contents(path.read_bytes(), path.name) if secret.encode() in d
            ]
    return Evidence.open(folder / "bundle")


def lost(evidence: Evidence) -> list[Gap]:
    """Gaps that are failures."""
    return [g for g in evidence.gaps if g.failed and g.reason is not Reason.NOT_COLLECTED]


def pod(name: str, namespace: str = "crowd") -> dict[str, Any]:
    """Return a small pod."""
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [{"name": "c", "image": "registry.example.org/c:1"}]},
    }


def crowd(cluster: Cluster, namespace: str = "crowd", pods: int = PODS) -> list[str]:
    """Make a namespace with pods; return their names."""
    cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    names = [f"p{number:05}" for number in range(pods)]

    def make(name: str) -> None:
        path = f"/api/v1/namespaces/{namespace}/pods"
        answer = cluster.request("POST", path, pod(name, namespace))
        assert answer.status == HTTPStatus.CREATED, answer.body

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, names))
    return names


def reader(cluster: Cluster, name: str) -> str:
    """Make a service account that may list everything; return a token of it."""
    token = cluster.token("crowd", name)
    role = {
        "metadata": {"name": name},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["list"]}],
    }
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "crowd"}],
    }
    for plural, body in (("clusterroles", role), ("clusterrolebindings", binding)):
        answer = cluster.request("POST", f"/apis/{_RBAC}/v1/{plural}", body)
        assert answer.status == HTTPStatus.CREATED, answer.body
    return token


_RBAC = "rbac.authorization.k8s.io"
