"""What a container may do to its node: privilege, capabilities, escalation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-001",
    layer="deploy",
    severity="critical",
    expected="privileged is false or unset",
    shows=("container_type", "privileged"),
)
def privileged_container(security_context: pd.DataFrame) -> pd.Series[Any]:
    """No container runs in privileged mode.

    A privileged container holds every capability, sees the devices of its node and is not
    confined by seccomp or AppArmor: whoever takes the container takes the node.

    Remedy:
        Drop the setting, and add back only the capabilities in use.

        securityContext:
          privileged: false
          capabilities: {drop: [ALL]}

    Cases:
        apiVersion: v1
        kind: Pod
        metadata: {name: bad-regular}
        spec: {containers: [{name: c, image: i, securityContext: {privileged: true}}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: bad-init}
        spec:
          initContainers: [{name: i, image: i, securityContext: {privileged: true}}]
          containers: [{name: c, image: i}]
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: bad-ephemeral}
        spec:
          containers: [{name: c, image: i}]
          ephemeralContainers: [{name: e, image: i, securityContext: {privileged: true}}]
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: ok-unset}
        spec: {containers: [{name: c, image: i}]}
    """
    return security_context["privileged"]
