"""What a podSecurity rule of Kyverno looks at: the checks of a level of Pod Security.

Source: kyverno/kyverno, its documentation of podSecurity, and kubernetes/pod-security-admission
for the fields of each check.
"""

from __future__ import annotations

from typing import Any

from kaudit.model.policy_text import CONTAINER_FIELDS
from kaudit.model.reads import UNKNOWN, Reads

#: Check as Kyverno names it, to the fields that it reads at any level.
_BASELINE: dict[str, tuple[str, ...]] = {
    "HostProcess": ("securityContext.windowsOptions.hostProcess",),
    "Host Namespaces": ("spec.hostIPC", "spec.hostNetwork", "spec.hostPID"),
    "Privileged Containers": ("securityContext.privileged",),
    "Capabilities": ("securityContext.capabilities.add",),
    "HostPath Volumes": ("spec.volumes[].hostPath",),
    "Host Ports": ("ports[].hostPort",),
    "AppArmor": ("securityContext.appArmorProfile.type",),
    "SELinux": ("securityContext.seLinuxOptions.type",),
    "/proc Mount Type": ("securityContext.procMount",),
    "Seccomp": ("securityContext.seccompProfile.type",),
    "Sysctls": ("spec.securityContext.sysctls[].name",),
}
_RESTRICTED: dict[str, tuple[str, ...]] = {
    "Volume Types": ("spec.volumes[]",),
    "Privilege Escalation": ("securityContext.allowPrivilegeEscalation",),
    "Running as Non-root": ("securityContext.runAsNonRoot",),
    "Running as Non-root user": ("securityContext.runAsUser",),
    "Capabilities": ("securityContext.capabilities.drop",),
}
#: Those that pods can set for all of their containers: both places are looked at.
_INHERITED = (
    *("appArmorProfile", "runAsNonRoot", "runAsUser", "seLinuxOptions", "seccompProfile"),
    "windowsOptions",
)
#: Fields that the restricted level demands to be set, by check.
_DEMANDED = {
    "Privilege Escalation": "securityContext.allowPrivilegeEscalation",
    "Running as Non-root": "securityContext.runAsNonRoot",
    "Capabilities": "securityContext.capabilities.drop",
    "Seccomp": "securityContext.seccompProfile.type",
}


def reads_of(rule: Any) -> Reads:
    """Return what it looks at; a check that is excluded as a whole is not looked at."""
    if not isinstance(rule, dict) or rule.get("level") not in ("baseline", "restricted"):
        return UNKNOWN
    left_out = set()
    for one in rule.get("exclude") or ():
        if not isinstance(one, dict):
            return UNKNOWN
        if not one.get("images") and not one.get("restrictedField"):
            left_out.add(str(one.get("controlName")))
    fields, strict = set[str](), rule["level"] == "restricted"
    for checks in (_BASELINE, _RESTRICTED) if strict else (_BASELINE,):
        for name, read in checks.items():
            fields |= set() if name in left_out else {*read}
    fields |= {f"spec.{field}" for field in fields if field.split(".")[1] in _INHERITED}
    demanded = {field for name, field in _DEMANDED.items() if strict and name not in left_out}
    return Reads(
        fields=tuple(sorted(fields)),
        lists=CONTAINER_FIELDS,
        required=tuple(sorted(demanded)),
        safe=tuple(sorted(fields)),
    )
