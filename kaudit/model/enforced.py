"""Which controls a rule demands, by the fields that it reads and what it compares them with."""

from __future__ import annotations

from collections.abc import Collection

#: Field of a pod or container to the controls that judge it.
CONTROLS: dict[str, tuple[str, ...]] = {
    "securityContext.privileged": ("KA-DEP-001",),
    "spec.hostPID": ("KA-DEP-002",),
    "spec.shareProcessNamespace": ("KA-DEP-002a",),
    "spec.hostIPC": ("KA-DEP-003",),
    "spec.hostNetwork": ("KA-DEP-004",),
    "spec.volumes[].hostPath": ("KA-DEP-005",),
    "ports[].hostPort": ("KA-DEP-008",),
    "securityContext.windowsOptions.hostProcess": ("KA-DEP-009",),
    "securityContext.capabilities.add": ("KA-DEP-010", "KA-DEP-011"),
    "securityContext.capabilities.drop": ("KA-DEP-012", "KA-DEP-013"),
    "securityContext.allowPrivilegeEscalation": ("KA-DEP-014",),
    "securityContext.runAsNonRoot": ("KA-DEP-015",),
    "securityContext.runAsUser": ("KA-DEP-015a",),
    "securityContext.runAsGroup": ("KA-DEP-016",),
    "spec.securityContext.fsGroup": ("KA-DEP-016a",),
    "spec.securityContext.supplementalGroups": ("KA-DEP-016a",),
    "securityContext.readOnlyRootFilesystem": ("KA-DEP-017",),
    "securityContext.seccompProfile": ("KA-DEP-018", "KA-DEP-019"),
    "securityContext.appArmorProfile": ("KA-DEP-020",),
    "securityContext.seLinuxOptions": ("KA-DEP-021",),
    "securityContext.procMount": ("KA-DEP-022",),
    "spec.securityContext.sysctls": ("KA-DEP-023",),
    "spec.hostUsers": ("KA-DEP-026",),
    "spec.runtimeClassName": ("KA-DEP-027",),
    "resources.limits.memory": ("KA-DEP-028",),
    "resources.requests": ("KA-DEP-029",),
    "resources.limits.cpu": ("KA-DEP-029c",),
    "resources.limits.ephemeral-storage": ("KA-DEP-029d",),
    "livenessProbe": ("KA-DEP-035a",),
    "readinessProbe": ("KA-DEP-035b",),
}


#: Controls that fail where the field is not set: a rule that lets that pass is not theirs.
_OF_PRESENCE = {
    *("KA-DEP-012", "KA-DEP-013", "KA-DEP-014", "KA-DEP-015", "KA-DEP-017", "KA-DEP-019"),
    *("KA-DEP-028", "KA-DEP-029", "KA-DEP-029c", "KA-DEP-029d", "KA-DEP-035a", "KA-DEP-035b"),
}


def controls_of(
    fields: Collection[str], compares: Collection[str], required: Collection[str] | None = None
) -> list[str]:
    """Return the controls, sorted.

    Rules of other matters look at images too, to leave some out: an image tells only where
    nothing else does. ``required`` are the fields whose absence is refused, where that is known.
    """
    found: set[str] = set()
    for field in fields:
        for name in (field, field.removeprefix("spec.")):
            for known, controls in CONTROLS.items():
                if name == known or name.startswith((f"{known}.", f"{known}[")):
                    lenient = required is not None and field not in required
                    found |= set(controls) - (_OF_PRESENCE if lenient else set())
    if not found and "image" in fields:
        found = _of_images(compares)
    return sorted(found)


def _of_images(compares: Collection[str]) -> set[str]:
    """Controls of images: digest, tag, else where they come from."""
    if "digest" in compares:
        return {"KA-BLD-008"}
    return {"KA-BLD-007"} if "latest" in compares else {"KA-BLD-009"}
