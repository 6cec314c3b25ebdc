"""Signals of what a taken workload leads to: other workloads, and what those hold."""

from __future__ import annotations

from kaudit.chains import of_neighbours

of_neighbours(
    "reaches_exploitable",
    "exploitable",
    via="network",
    layer="network",
    stage="reach",
    effort="one policy",
    title="It may connect to another workload with a flaw that can be used",
    remedy="Deny traffic between namespaces by default, and allow what is needed.",
)
of_neighbours(
    "beside_stronger",
    "leads_to_admin",
    "unmanaged_secret",
    "cloud_key",
    via="node",
    layer="deploy",
    stage="reach",
    effort="a review",
    title="On its node runs another workload with more rights, or with Secrets",
    remedy="Keep what holds rights or Secrets on nodes of its own, by taints and affinity.",
)
of_neighbours(
    "enters_stronger",
    "leads_to_admin",
    "unmanaged_secret",
    "cloud_key",
    via="rights",
    layer="deploy",
    stage="reach",
    effort="fewer rights",
    title="Its rights let it enter another workload with more rights, or with Secrets",
    remedy="Take exec and the right to change pods from its service account.",
)
