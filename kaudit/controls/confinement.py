"""What confines a container: root filesystem, seccomp, AppArmor, SELinux, /proc, sysctls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import over_lists, text_is
from kaudit.model.standards import NEWEST, safe_sysctls, selinux_types
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-009",
    layer="deploy",
    severity="high",
    applies="windows",
    expected="hostProcess is false or unset",
    shows=("container_type", "windows_host_process"),
)
def windows_host_process(security_context: pd.DataFrame) -> pd.Series[Any]:
    """No Windows container runs as a process of its node.

    A HostProcess container has the node's network, files and services.

    Remedy:
        Remove the setting; keep such agents in a namespace of their own.

        securityContext:
          windowsOptions: {hostProcess: false}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-pod}, spec: {os: {name: windows}, hostNetwork: true,
          securityContext: {windowsOptions: {hostProcess: true}}, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-container}, spec: {os: {name: windows}, containers: [
          {name: c, image: i, securityContext: {windowsOptions: {hostProcess: true}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-os-not-declared}, spec: {hostNetwork: true,
          securityContext: {windowsOptions: {hostProcess: true}}, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-init}, spec: {os: {name: windows}, containers: [{name: c, image: i}],
          initContainers: [{name: n, image: i, securityContext: {windowsOptions: {hostProcess: true}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-windows}, spec: {os: {name: windows},
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-overridden}, spec: {os: {name: windows}, securityContext: {windowsOptions: {hostProcess: true}},
          containers: [{name: c, image: i, securityContext: {windowsOptions: {hostProcess: false}}}]}}
    """
    return security_context["windows_host_process"]


@control(
    "KA-DEP-017",
    layer="deploy",
    severity="low",
    applies="linux",
    expected="readOnlyRootFilesystem is true",
    shows=("container_type", "read_only_root_filesystem"),
)
def writable_root_filesystem(security_context: pd.DataFrame) -> pd.Series[Any]:
    """Containers cannot write to their root filesystem.

    A read-only root keeps an intruder from leaving tools and from changing the program.

    Remedy:
        Set it, and mount an emptyDir where the program writes.

        securityContext:
          readOnlyRootFilesystem: true

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-init}, spec: {initContainers: [{name: i, image: i}],
          containers: [{name: c, image: i, securityContext: {readOnlyRootFilesystem: true}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-ephemeral}, spec: {ephemeralContainers: [{name: e, image: i}],
          containers: [{name: c, image: i, securityContext: {readOnlyRootFilesystem: true}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set}, spec: {containers: [
          {name: c, image: i, securityContext: {readOnlyRootFilesystem: true}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-windows}, spec: {os: {name: windows}, containers: [{name: c, image: i}]}}
    """
    return ~security_context["read_only_root_filesystem"]


@control(
    "KA-DEP-018",
    layer="deploy",
    severity="high",
    applies="linux",
    expected="the seccomp profile is not Unconfined",
    shows=("container_type", "seccomp"),
)
def seccomp_unconfined(security_context: pd.DataFrame) -> pd.Series[Any]:
    """No container switches the system-call filter off.

    Unconfined opens the whole system-call interface of the kernel, where most escapes begin.

    Remedy:
        Use the profile of the container runtime.

        securityContext:
          seccompProfile: {type: RuntimeDefault}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-container}, spec: {
          securityContext: {seccompProfile: {type: RuntimeDefault}}, containers: [
          {name: c, image: i, securityContext: {seccompProfile: {type: Unconfined}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-pod}, spec: {
          securityContext: {seccompProfile: {type: Unconfined}}, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-overridden}, spec: {
          securityContext: {seccompProfile: {type: Unconfined}}, containers: [
          {name: c, image: i, securityContext: {seccompProfile: {type: RuntimeDefault}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset}, spec: {containers: [{name: c, image: i}]}}
    """
    return text_is(security_context["seccomp"], "Unconfined")


@control(
    "KA-DEP-019",
    layer="deploy",
    severity="medium",
    applies="linux",
    expected="a seccomp profile: RuntimeDefault or Localhost",
    shows=("container_type", "seccomp"),
)
def seccomp_unset(security_context: pd.DataFrame) -> pd.Series[Any]:
    """Containers have a system-call filter.

    Unset means unconfined unless the kubelet of the node runs with seccompDefault, which a
    pod's manifest does not tell; a type that Kubernetes does not know means nothing. Unconfined
    is reported by KA-DEP-018.

    Remedy:
        Set it at the pod.

        securityContext:
          seccompProfile: {type: RuntimeDefault}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-init}, spec: {initContainers: [{name: i, image: i}],
          containers: [{name: c, image: i, securityContext: {seccompProfile: {type: RuntimeDefault}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-misspelt}, spec: {containers: [{name: c, image: i,
          securityContext: {seccompProfile: {type: runtime/default}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-pod}, spec: {
          securityContext: {seccompProfile: {type: RuntimeDefault}}, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-ephemeral}, spec: {ephemeralContainers: [{name: e, image: i}],
          containers: [{name: c, image: i, securityContext: {seccompProfile: {type: RuntimeDefault}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-annotation-without-effect, annotations: {
          seccomp.security.alpha.kubernetes.io/pod: runtime/default}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unconfined-is-reported-elsewhere}, spec: {
          securityContext: {seccompProfile: {type: Unconfined}}, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-localhost}, spec: {containers: [{name: c, image: i,
          securityContext: {seccompProfile: {type: Localhost, localhostProfile: p.json}}}]}}
    """
    known = text_is(security_context["seccomp"], "RuntimeDefault", "Localhost", "Unconfined")
    return ~known


@control(
    "KA-DEP-020",
    layer="deploy",
    severity="medium",
    applies="linux",
    expected="an AppArmor profile that is unset, RuntimeDefault or Localhost",
    shows=("container_type", "apparmor"),
)
def apparmor_unconfined(security_context: pd.DataFrame) -> pd.Series[Any]:
    """No container switches AppArmor off.

    On nodes with AppArmor the runtime's profile applies unless a pod opts out. A value that
    Kubernetes does not know names no profile, and the baseline level refuses it.

    Remedy:
        Remove the setting, by field or by annotation.

        securityContext:
          appArmorProfile: {type: RuntimeDefault}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-field}, spec: {containers: [
          {name: c, image: i, securityContext: {appArmorProfile: {type: Unconfined}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-annotation, annotations: {
          container.apparmor.security.beta.kubernetes.io/c: unconfined}},
          spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-annotation-beats-pod, annotations: {
          container.apparmor.security.beta.kubernetes.io/c: unconfined}}, spec: {
          securityContext: {appArmorProfile: {type: RuntimeDefault}}, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-pod}, spec: {securityContext: {appArmorProfile: {type: Unconfined}},
          initContainers: [{name: n, image: i}], containers: [{name: c, image: i, securityContext: {appArmorProfile: {type: RuntimeDefault}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unknown-annotation, annotations: {
          container.apparmor.security.beta.kubernetes.io/c: runtime-default}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unknown-type}, spec: {
          securityContext: {appArmorProfile: {type: runtime/default}}, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-annotations-that-are-known, annotations: {
          container.apparmor.security.beta.kubernetes.io/c: localhost/p, container.apparmor.security.beta.kubernetes.io/d: runtime/default,
          container.apparmor.security.beta.kubernetes.io/e: ""}}, spec: {
          containers: [{name: c, image: i}, {name: d, image: i}, {name: e, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-annotation-of-another, annotations: {
          container.apparmor.security.beta.kubernetes.io/d: unconfined}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-field-beats-annotation, annotations: {
          container.apparmor.security.beta.kubernetes.io/c: unconfined}}, spec: {containers: [
          {name: c, image: i, securityContext: {appArmorProfile: {type: RuntimeDefault}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset}, spec: {containers: [{name: c, image: i}]}}
    """
    return ~text_is(security_context["apparmor"], "", "RuntimeDefault", "Localhost")


@control(
    "KA-DEP-021",
    layer="deploy",
    severity="medium",
    applies="linux",
    expected="SELinux type unset or one of containers, no user, no role",
    shows=("container_type", "selinux_type", "selinux_user", "selinux_role"),
)
def selinux_options(security_context: pd.DataFrame) -> pd.Series[Any]:
    """No container leaves the SELinux domain of containers.

    Types such as spc_t are not confined; a user or role of its own changes what may be
    reached.

    Remedy:
        Remove user and role, and use one of the container types.

        securityContext:
          seLinuxOptions: {type: container_t}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-type}, spec: {containers: [
          {name: c, image: i, securityContext: {seLinuxOptions: {type: spc_t}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-role}, spec: {
          securityContext: {seLinuxOptions: {role: sysadm_r}}, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-inherited}, spec: {securityContext: {seLinuxOptions: {type: spc_t}},
          containers: [{name: c, image: i, securityContext: {seLinuxOptions: {type: container_t}}}], ephemeralContainers: [{name: e, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-replaced-as-a-whole}, spec: {securityContext: {seLinuxOptions: {user: sysadm_u, role: sysadm_r}},
          containers: [{name: c, image: i, securityContext: {seLinuxOptions: {type: container_t}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-type}, spec: {containers: [
          {name: c, image: i, securityContext: {seLinuxOptions: {type: container_engine_t, level: "s0:c1,c2"}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset}, spec: {containers: [{name: c, image: i}]}}
    """
    identity = (security_context["selinux_user"] != "") | (security_context["selinux_role"] != "")
    return ~text_is(security_context["selinux_type"], *selinux_types(NEWEST)) | identity


@control(
    "KA-DEP-022",
    layer="deploy",
    severity="medium",
    applies="linux",
    expected="procMount is Default",
    shows=("container_type", "proc_mount", "own_user_namespace"),
)
def proc_unmasked(security_context: pd.DataFrame) -> pd.Series[Any]:
    """No container sees /proc unmasked.

    The mask hides files that tell about or steer the kernel of the node. With a user
    namespace of its own a pod may do without (Pod Security Standards, baseline from v1.35).

    Remedy:
        Remove the setting.

        securityContext:
          procMount: Default

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unmasked}, spec: {containers: [
          {name: c, image: i, securityContext: {procMount: Unmasked}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-user-namespace}, spec: {hostUsers: false, containers: [
          {name: c, image: i, securityContext: {procMount: Unmasked}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset}, spec: {containers: [{name: c, image: i}]}}
    """
    masked = text_is(security_context["proc_mount"], "Default")
    return ~masked & ~security_context["own_user_namespace"]


@control(
    "KA-DEP-023",
    layer="deploy",
    severity="medium",
    applies="linux",
    expected="only safe sysctls",
    shows=("sysctls",),
)
def unsafe_sysctl(pod_context: pd.DataFrame, cluster: pd.DataFrame) -> pd.Series[Any]:
    """Pods set only sysctls that are safe.

    Others are not namespaced or not isolated: they change the node or starve its other pods.
    Which are safe grew with the versions of Kubernetes; the cluster's counts, or the newest
    where it is not known.

    Remedy:
        Remove the sysctl, or set it on the nodes that need it.

        securityContext:
          sysctls: []

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-kernel}, spec: {securityContext: {sysctls: [
          {name: kernel.msgmax, value: "1"}]}, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-one-of-two}, spec: {securityContext: {sysctls: [
          {name: net.ipv4.tcp_rmem, value: "1 2 3"}, {name: net.core.somaxconn, value: "1"}]}, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-safe}, spec: {securityContext: {sysctls: [
          {name: net.ipv4.tcp_rmem, value: "1 2 3"}]}, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-none}, spec: {containers: [{name: c, image: i}]}}
    """
    minors = cluster["minor"].dropna()
    safe = safe_sysctls(int(minors.min()) if len(minors) else NEWEST)
    return over_lists(pod_context["sysctls"], lambda names: not safe.issuperset(names))
