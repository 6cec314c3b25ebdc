"""Signals of the deploy layer: what a taken workload could do next."""

from __future__ import annotations

from kaudit.chains import of_controls

of_controls(
    "escapes",
    "KA-DEP-001",
    "KA-DEP-002",
    "KA-DEP-006",
    "KA-DEP-007",
    "KA-DEP-011",
    layer="deploy",
    stage="foothold",
    effort="one setting",
    title="It can get out of its container to the node",
    remedy="Take away privileged mode, host namespaces, host paths and strong capabilities.",
)
of_controls(
    "powerful",
    "KA-DEP-075",
    layer="deploy",
    stage="reach",
    effort="fewer rights",
    title="Its token leads to the rights of others",
    remedy="Bind its service account to what it needs, and mount no token that it does not use.",
)
