"""What security contexts and resources say alike of a pod and of a container."""

from __future__ import annotations

from typing import Protocol

from kaudit.model.container import Resources
from kaudit.model.quantity import number, whole
from kaudit.model.security_context import PodSecurityContext, SecurityContext


class Confined(Protocol):
    """Columns of a row that both fill; they are null until then."""

    run_as_non_root: bool | None
    run_as_user: int | None
    run_as_group: int | None
    seccomp_type: str | None
    seccomp_profile: str | None
    apparmor_type: str | None
    selinux_type: str | None
    selinux_user: str | None
    selinux_role: str | None
    windows_host_process: bool | None
    cpu_request_cores: float | None
    cpu_limit_cores: float | None
    memory_request_bytes: int | None
    memory_limit_bytes: int | None


def confine(row: Confined, context: SecurityContext | PodSecurityContext) -> None:
    """Put in what both kinds of security contexts have."""
    row.run_as_non_root = context.run_as_non_root
    row.run_as_user, row.run_as_group = context.run_as_user, context.run_as_group
    if seccomp := context.seccomp_profile:
        row.seccomp_type, row.seccomp_profile = seccomp.type, seccomp.localhost_profile
    if apparmor := context.app_armor_profile:
        row.apparmor_type = apparmor.type
    if selinux := context.se_linux_options:
        row.selinux_type, row.selinux_user = selinux.type, selinux.user
        row.selinux_role = selinux.role
    if windows := context.windows_options:
        row.windows_host_process = windows.host_process


def bound(row: Confined, resources: Resources) -> None:
    """Put in the requests and limits that a pod can have too."""
    if requests := resources.requests:
        row.cpu_request_cores = number(requests.get("cpu"))
        row.memory_request_bytes = whole(requests.get("memory"))
    if limits := resources.limits:
        row.cpu_limit_cores = number(limits.get("cpu"))
        row.memory_limit_bytes = whole(limits.get("memory"))
