"""What the Pod Security Standards allow, as data that views and controls share.

Source: kubernetes/pod-security-admission, folder ``policy``, up to Kubernetes 1.37.
"""

from __future__ import annotations

import re

from kaudit.model.whole import whole

#: Newest minor version whose rules are known.
NEWEST = 37

#: Capabilities that the baseline level allows to add.
BASELINE_CAPABILITIES = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)

#: Minor version to the sysctls that it added to the safe list.
SYSCTLS: dict[int, tuple[str, ...]] = {
    0: (
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
    ),
    27: ("net.ipv4.ip_local_reserved_ports",),
    29: (
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
    ),
    32: ("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
    37: ("net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_notsent_lowat"),
}

#: SELinux types that the baseline level allows; ``container_engine_t`` since v1.31.
SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t")

#: Volume sources that the restricted level allows.
VOLUME_SOURCES = (
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
)


def safe_sysctls(minor: int) -> frozenset[str]:
    """Sysctls that are safe at a minor version."""
    return frozenset(name for since, names in SYSCTLS.items() if minor >= since for name in names)


def selinux_types(minor: int) -> tuple[str, ...]:
    """SELinux types that the baseline level allows at a minor version."""
    return (*SELINUX_TYPES, "container_engine_t") if minor >= 31 else SELINUX_TYPES


_VERSION = re.compile(r"v1\.(0|[1-9][0-9]*)", re.ASCII)


def pinned_minor(label: str) -> int | None:
    """Minor version that a version label names; None for ``latest`` and for what is none.

    >>> pinned_minor("v1.34"), pinned_minor("1.34"), pinned_minor("latest")
    (34, None, None)
    """
    found = _VERSION.fullmatch(label)
    return whole(found[1]) if found else None
