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
of_controls(
    "weak",
    "KA-DEP-015",
    "KA-DEP-015a",
    "KA-DEP-017",
    "KA-DEP-018",
    "KA-DEP-019",
    layer="deploy",
    stage="foothold",
    effort="one setting",
    title="It runs as root, may change its own files, or has no system-call filter",
    remedy="Run as a user of its own, with a read-only root filesystem and the default filter.",
)
of_controls(
    "permissive",
    "KA-DEP-036",
    layer="deploy",
    stage="foothold",
    effort="one setting",
    title="Its namespace enforces no Pod Security level",
    remedy="Label the namespace to enforce baseline, or restricted where its pods allow.",
)
