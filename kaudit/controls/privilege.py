"""What a container may do to its node: privilege, capabilities, escalation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import over_lists
from kaudit.model.standards import BASELINE_CAPABILITIES
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

#: Capabilities that lead out of a container by themselves (capabilities(7)).
ESCAPE = frozenset(
    [
        "ALL",
        "BPF",
        "DAC_READ_SEARCH",
        "PERFMON",
        "SYS_ADMIN",
        "SYS_BOOT",
        "SYS_MODULE",
        "SYS_RAWIO",
        "SYSLOG",
    ]
)


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
        {apiVersion: v1, kind: Pod, metadata: {name: bad-regular}, spec: {containers: [
          {name: c, image: i, securityContext: {privileged: true}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-init}, spec: {containers: [{name: c, image: i}],
          initContainers: [{name: i, image: i, securityContext: {privileged: true}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-sidecar}, spec: {containers: [{name: c, image: i}],
          initContainers: [{name: s, image: i, restartPolicy: Always, securityContext: {privileged: true}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-ephemeral}, spec: {containers: [{name: c, image: i}],
          ephemeralContainers: [{name: e, image: i, securityContext: {privileged: true}}]}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-template}, spec: {template: {spec: {
          containers: [{name: c, image: i, securityContext: {privileged: true}}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-false}, spec: {containers: [
          {name: c, image: i, securityContext: {privileged: false}}]}}
    """
    return security_context["privileged"]


@control(
    "KA-DEP-010",
    layer="deploy",
    severity="high",
    applies="linux",
    expected="no capability is added beyond the baseline set",
    shows=("container_type", "capabilities_add"),
)
def capabilities_beyond_baseline(security_context: pd.DataFrame) -> pd.Series[Any]:
    """Containers add no capability beyond the baseline set.

    Capabilities outside the set that the baseline level allows reach into the kernel, the
    network of the node or other processes.

    Remedy:
        Remove the capability, or move the task to a component that may hold it.

        securityContext:
          capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-net-admin}, spec: {containers: [
          {name: c, image: i, securityContext: {capabilities: {add: [NET_ADMIN]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-prefixed}, spec: {containers: [
          {name: c, image: i, securityContext: {capabilities: {add: [cap_sys_time]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-init-all}, spec: {containers: [{name: c, image: i}],
          initContainers: [{name: i, image: i, securityContext: {capabilities: {add: [ALL]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-baseline}, spec: {containers: [
          {name: c, image: i, securityContext: {capabilities: {add: [CHOWN, NET_BIND_SERVICE]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-none}, spec: {containers: [{name: c, image: i}]}}
    """
    return over_lists(
        security_context["capabilities_add"],
        lambda names: not BASELINE_CAPABILITIES.issuperset(names),
    )


@control(
    "KA-DEP-011",
    layer="deploy",
    severity="critical",
    applies="linux",
    expected="no capability that leads out of the container",
    shows=("container_type", "capabilities_add", "host_pid", "host_network"),
)
def escape_capability(security_context: pd.DataFrame) -> pd.Series[Any]:
    """No container holds a capability that leads out of it.

    SYS_ADMIN, SYS_MODULE, DAC_READ_SEARCH and their like break out of a container by
    themselves; SYS_PTRACE does with the processes of the node, NET_ADMIN with its network.

    Remedy:
        Remove the capability. Where a node agent needs it, give it a namespace of its own.

        securityContext:
          capabilities: {drop: [ALL]}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-sys-admin}, spec: {containers: [
          {name: c, image: i, securityContext: {capabilities: {add: [SYS_ADMIN]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-everything-in-a-sidecar}, spec: {containers: [{name: c, image: i}],
          initContainers: [{name: s, image: i, restartPolicy: Always, securityContext: {capabilities: {drop: [ALL], add: [all]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-module-in-an-ephemeral}, spec: {containers: [{name: c, image: i}],
          ephemeralContainers: [{name: e, image: i, securityContext: {capabilities: {add: [CAP_SYS_MODULE]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-ptrace-with-host-pid}, spec: {hostPID: true, containers: [
          {name: c, image: i, securityContext: {capabilities: {add: [SYS_PTRACE]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-net-admin-on-host}, spec: {hostNetwork: true, containers: [
          {name: c, image: i, securityContext: {capabilities: {add: [NET_ADMIN]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-ptrace-alone}, spec: {containers: [
          {name: c, image: i, securityContext: {capabilities: {add: [SYS_PTRACE]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-net-admin-in-its-own-network}, spec: {containers: [
          {name: c, image: i, securityContext: {capabilities: {add: [NET_ADMIN]}}}]}}
    """
    added = security_context["capabilities_add"]
    alone = over_lists(added, lambda names: not ESCAPE.isdisjoint(names))
    traces = over_lists(added, lambda names: "SYS_PTRACE" in names)
    rules_network = over_lists(added, lambda names: "NET_ADMIN" in names)
    return (
        alone
        | (traces & security_context["host_pid"])
        | (rules_network & security_context["host_network"])
    )


@control(
    "KA-DEP-012",
    layer="deploy",
    severity="medium",
    applies="linux",
    expected="drop has ALL, add has at most NET_BIND_SERVICE",
    shows=("container_type", "capabilities_drop", "capabilities_add"),
)
def capabilities_kept(security_context: pd.DataFrame) -> pd.Series[Any]:
    r"""Containers drop all capabilities and add none but NET_BIND_SERVICE.

    The default set of a container runtime holds a dozen capabilities that most programs
    never use and that help an intruder.

    Remedy:
        Drop all, and add what a test shows to be missing.

        securityContext:
          capabilities: {drop: [ALL]}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-some-dropped}, spec: {containers: [
          {name: c, image: i, securityContext: {capabilities: {drop: [NET_RAW]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-added-back}, spec: {containers: [
          {name: c, image: i, securityContext: {capabilities: {drop: [ALL], add: [CHOWN]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-ephemeral}, spec: {
          containers: [{name: c, image: i, securityContext: {capabilities: {drop: [ALL]}}}],
          ephemeralContainers: [{name: e, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-init}, spec: {initContainers: [{name: i, image: i}],
          containers: [{name: c, image: i, securityContext: {capabilities: {drop: [ALL]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-prefix-that-runtimes-do-not-know}, spec: {containers: [
          {name: c, image: i, securityContext: {capabilities: {drop: [CAP_ALL]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-two-in-one}, spec: {containers: [
          {name: c, image: i, securityContext: {capabilities: {drop: ["X\x1fALL"]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-all}, spec: {containers: [
          {name: c, image: i, securityContext: {capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-lower-case}, spec: {containers: [
          {name: c, image: i, securityContext: {capabilities: {drop: [all]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-windows}, spec: {os: {name: windows}, containers: [
          {name: c, image: i}]}}
    """
    added = over_lists(
        security_context["capabilities_add"],
        lambda names: not {"NET_BIND_SERVICE"}.issuperset(names),
    )
    return ~security_context["drops_all"] | added


@control(
    "KA-DEP-013",
    layer="deploy",
    severity="medium",
    applies="linux",
    expected="NET_RAW is dropped, by name or with ALL, and not added",
    shows=("container_type", "capabilities_drop", "capabilities_add"),
)
def net_raw_available(security_context: pd.DataFrame) -> pd.Series[Any]:
    """Containers cannot forge packets: NET_RAW is dropped.

    NET_RAW is in the default set of containerd and Docker (CRI-O leaves it out) and allows
    ARP and DNS spoofing inside the pod network.

    Remedy:
        Drop all capabilities, or at least this one.

        securityContext:
          capabilities: {drop: [NET_RAW]}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-added}, spec: {containers: [
          {name: c, image: i, securityContext: {capabilities: {drop: [ALL], add: [NET_RAW]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-prefixed}, spec: {containers: [
          {name: c, image: i, securityContext: {capabilities: {drop: [CAP_NET_RAW]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-init}, spec: {initContainers: [{name: i, image: i}], containers: [
          {name: c, image: i, securityContext: {capabilities: {drop: [NET_RAW]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-dropped}, spec: {containers: [
          {name: c, image: i, securityContext: {capabilities: {drop: [NET_RAW]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-all-dropped}, spec: {containers: [
          {name: c, image: i, securityContext: {capabilities: {drop: [ALL]}}}]}}
    """
    dropped = over_lists(
        security_context["capabilities_drop"],
        lambda names: not {"ALL", "NET_RAW"}.isdisjoint(names),
    )
    added = over_lists(
        security_context["capabilities_add"], lambda names: not {"ALL", "NET_RAW"}.isdisjoint(names)
    )
    return ~dropped | added


@control(
    "KA-DEP-014",
    layer="deploy",
    severity="medium",
    applies="linux",
    expected="allowPrivilegeEscalation is false",
    shows=("container_type", "allow_privilege_escalation"),
)
def privilege_escalation_allowed(security_context: pd.DataFrame) -> pd.Series[Any]:
    """Containers cannot gain rights beyond those of their parent process.

    Unset means true: a set-uid program or a file with capabilities in the image lifts a
    process above the user it was started as. Privileged containers and SYS_ADMIN force it.

    Remedy:
        Set it to false on every container, init and ephemeral ones too.

        securityContext:
          allowPrivilegeEscalation: false

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-true}, spec: {containers: [
          {name: c, image: i, securityContext: {allowPrivilegeEscalation: true}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-init}, spec: {initContainers: [{name: i, image: i}],
          containers: [{name: c, image: i, securityContext: {allowPrivilegeEscalation: false}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-ephemeral}, spec: {ephemeralContainers: [{name: e, image: i}],
          containers: [{name: c, image: i, securityContext: {allowPrivilegeEscalation: false}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-forced}, spec: {containers: [
          {name: c, image: i, securityContext: {allowPrivilegeEscalation: false, capabilities: {add: [SYS_ADMIN]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-false}, spec: {containers: [
          {name: c, image: i, securityContext: {allowPrivilegeEscalation: false}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-windows}, spec: {os: {name: windows}, containers: [
          {name: c, image: i}]}}
    """
    return security_context["allow_privilege_escalation"]
