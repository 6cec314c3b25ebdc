"""Events of the API, in both groups."""

from __future__ import annotations

from kaudit.collect import collect
from kaudit.source.files import FileSource

TEXT = """
apiVersion: v1
kind: Event
metadata: {name: a, namespace: shop}
involvedObject: {kind: Pod, name: cart-1, namespace: shop, uid: u}
reason: BackOff
message: "cannot start: --password=hunter2222"
type: Warning
count: 7
firstTimestamp: 2026-01-01T00:00:00Z
lastTimestamp: 2026-01-01T01:00:00Z
source: {component: kubelet, host: node-1}
---
apiVersion: events.k8s.io/v1
kind: Event
metadata: {name: b, namespace: shop}
regarding: {kind: Pod, name: cart-2, namespace: shop}
reason: Scheduled
note: assigned
eventTime: "2026-01-01T00:00:00.000000Z"
series: {count: 3, lastObservedTime: "2026-01-01T02:00:00.000000Z"}
reportingController: default-scheduler
"""


def test_events_of_both_groups_are_rows() -> None:
    evidence = collect(FileSource.of_text(TEXT))
    old, new = evidence["cluster_events"].to_dict("records")
    assert (old["object_name"], old["count"], old["node"]) == ("cart-1", 7, "node-1")
    assert "hunter2222" not in old["message"]
    assert "hunter2222" not in str(evidence.record("events", 1))
    assert (new["object_name"], new["count"], new["component"]) == (
        *("cart-2", 3),
        "default-scheduler",
    )
    assert new["last_at"].hour == 2
    assert len(evidence["events"]) == 0
