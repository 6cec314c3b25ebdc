"""Security contexts of containers and pods as they arrive on the wire (core v1, up to 1.37)."""

from __future__ import annotations

from kaudit.model.meta import Int, Part


class Capabilities(Part):
    """securityContext.capabilities."""

    add: list[str] | None = None
    drop: list[str] | None = None


class Profile(Part):
    """seccompProfile, appArmorProfile."""

    type: str | None = None
    localhost_profile: str | None = None


class SELinux(Part):
    """seLinuxOptions."""

    type: str | None = None
    user: str | None = None
    role: str | None = None
    level: str | None = None


class WindowsOptions(Part):
    """windowsOptions."""

    host_process: bool | None = None
    run_as_user_name: str | None = None


class SecurityContext(Part):
    """A container's securityContext."""

    privileged: bool | None = None
    allow_privilege_escalation: bool | None = None
    read_only_root_filesystem: bool | None = None
    run_as_non_root: bool | None = None
    run_as_user: Int | None = None
    run_as_group: Int | None = None
    proc_mount: str | None = None
    capabilities: Capabilities | None = None
    seccomp_profile: Profile | None = None
    app_armor_profile: Profile | None = None
    se_linux_options: SELinux | None = None
    windows_options: WindowsOptions | None = None


class Sysctl(Part):
    """securityContext.sysctls[]."""

    name: str = ""
    value: str | None = None


class PodSecurityContext(Part):
    """A pod's securityContext."""

    run_as_non_root: bool | None = None
    run_as_user: Int | None = None
    run_as_group: Int | None = None
    fs_group: Int | None = None
    supplemental_groups: list[int] | None = None
    supplemental_groups_policy: str | None = None
    sysctls: list[Sysctl] | None = None
    seccomp_profile: Profile | None = None
    app_armor_profile: Profile | None = None
    se_linux_options: SELinux | None = None
    windows_options: WindowsOptions | None = None
