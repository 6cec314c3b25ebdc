"""Which controls a rule demands, by the fields that it reads and what it compares them with.

Read statically: what parameters of a template hold is not kept, so a rule that is given
parameters is taken to use them for what its code is made for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from kaudit.model.kinds import pods_among
from kaudit.model.safe_values import bare

#: Field of a pod or container, and what is below it, to the controls that it decides.
_FIELDS: dict[str, tuple[str, ...]] = {
    "securityContext.privileged": ("KA-DEP-001",),
    "spec.hostPID": ("KA-DEP-002",),
    "spec.shareProcessNamespace": ("KA-DEP-002a",),
    "spec.hostIPC": ("KA-DEP-003",),
    "spec.hostNetwork": ("KA-DEP-004",),
    "ports[].hostPort": ("KA-DEP-008",),
    "securityContext.windowsOptions.hostProcess": ("KA-DEP-009",),
    "securityContext.capabilities.add": ("KA-DEP-010", "KA-DEP-011"),
    "securityContext.allowPrivilegeEscalation": ("KA-DEP-014",),
    "securityContext.runAsNonRoot": ("KA-DEP-015",),
    "securityContext.runAsUser": ("KA-DEP-015a",),
    "securityContext.runAsGroup": ("KA-DEP-016",),
    "securityContext.fsGroup": ("KA-DEP-016a",),
    "securityContext.supplementalGroups": ("KA-DEP-016a",),
    "securityContext.readOnlyRootFilesystem": ("KA-DEP-017",),
    "securityContext.seccompProfile": ("KA-DEP-018", "KA-DEP-019"),
    "securityContext.appArmorProfile": ("KA-DEP-020",),
    "securityContext.seLinuxOptions": ("KA-DEP-021",),
    "securityContext.procMount": ("KA-DEP-022",),
    "securityContext.sysctls": ("KA-DEP-023",),
    "spec.hostUsers": ("KA-DEP-026",),
    "spec.runtimeClassName": ("KA-DEP-027",),
    "resources.limits.memory": ("KA-DEP-028",),
    "resources.requests": ("KA-DEP-029",),
    "resources.limits.cpu": ("KA-DEP-029c",),
    "resources.limits.ephemeral-storage": ("KA-DEP-029d",),
    "spec.topologySpreadConstraints": ("KA-DEP-035c",),
    "spec.automountServiceAccountToken": ("KA-DEP-074a",),
    "imagePullPolicy": ("KA-BLD-021",),
    "spec.imagePullSecrets": ("KA-BLD-021a",),
    **{f"metadata.labels{name}": ("KA-DEP-034",) for name in (".team", ".owner")},
}
#: Controls that any value does for, of those that fields decide.
_OF_ANY_VALUE = {
    *("KA-DEP-027", "KA-DEP-028", "KA-DEP-029", "KA-DEP-029c", "KA-DEP-029d", "KA-DEP-034"),
    *("KA-DEP-035a", "KA-DEP-035b", "KA-DEP-035c", "KA-BLD-021a"),
}
#: Controls that fail where the field is not set: a rule that lets that pass is not theirs.
_OF_PRESENCE = _OF_ANY_VALUE | {
    *("KA-DEP-012", "KA-DEP-013", "KA-DEP-014", "KA-DEP-015", "KA-DEP-017", "KA-DEP-019"),
    "KA-DEP-074a",
}
_PROBES = {"livenessProbe": "KA-DEP-035a", "readinessProbe": "KA-DEP-035b"}
_DROP = "securityContext.capabilities.drop"
_PATH = "spec.volumes[].hostPath"
_MOUNTED = "volumeMounts[].readOnly"
_SAFE_VOLUMES = {"spec.volumes[].configMap", "spec.volumes[].emptyDir", "spec.volumes[].secret"}


class Demand(msgspec.Struct, frozen=True):
    """Controls that a rule demands, and those of which it cannot be told, sorted."""

    certain: list[str]
    possible: list[str]


def demand(
    fields: Collection[str],
    compares: Collection[str],
    required: Collection[str] | None,
    safe: Collection[str],
    unsafe: Collection[str],
) -> Demand:
    """Return the controls.

    Parameters
    ----------
    fields
        Fields that the rule reads.
    compares
        What it compares with, in words of :class:`kaudit.model.reads.Reads`.
    required
        Fields whose absence it refuses; None where that cannot be told: controls that rest on
        it are then only possible.
    safe
        Fields of which it demands safe values; of others that have values that are not, controls
        are only possible.
    unsafe
        Fields of which it demands a value that is not safe: their controls it does not demand.
    """
    certain, possible, opposed = set[str](), set[str](), set[str]()
    good, bad = set(map(bare, safe)), set(map(bare, unsafe))
    for field in fields:
        for id in _of_field(field, fields, compares):
            judged = bare(_MOUNTED if field == _PATH and id == "KA-DEP-006" else field)
            if judged in bad:
                opposed.add(id)
            if id in _OF_PRESENCE and required is not None and field not in required:
                continue
            told = id not in _OF_PRESENCE or required is not None
            told = told and (id in _OF_ANY_VALUE or judged in good)
            (certain if told else possible).add(id)
    if not certain and not possible and "image" in fields:
        for id in _of_images(compares):
            of_tag = id != "KA-BLD-009"  # a registry is only ever noted as one that is demanded
            (possible if of_tag and "image" not in good else certain).add(id)
            opposed |= {id} if of_tag and "image" in bad else set()
    certain -= opposed
    return Demand(sorted(certain), sorted(possible - certain - opposed))


def demand_on_pods(
    read: Mapping[str, Any], kinds: Collection[str], *, judges: bool = True
) -> Demand:
    """Return the controls that a rule demands of pods: none where it could not be read.

    Parameters
    ----------
    read
        Columns ``reads_known``, ``fields``, ``compares``, ``required_fields``, ``safe_fields``
        and ``unsafe_fields``.
    kinds
        Kinds that it is for.
    judges
        Whether it refuses anything, rather than changing it.
    """
    if not (read["reads_known"] and judges and pods_among(kinds)):
        return Demand([], [])
    return demand(
        read["fields"],
        read["compares"],
        read["required_fields"],
        read["safe_fields"],
        read["unsafe_fields"],
    )


def _of_field(field: str, fields: Collection[str], compares: Collection[str]) -> set[str]:
    """Controls that one field decides, among the others that the rule reads."""
    found: set[str] = set()
    for name in {field, field.removeprefix("spec.")}:
        for known, ids in _FIELDS.items():
            if _below(name, known):
                found |= {*ids}
        for probe, id in _PROBES.items():
            if _below(name, probe):
                found.add("KA-DEP-025" if name.endswith(".host") else id)
        if name.endswith(".host") and _below(name, "lifecycle"):
            found.add("KA-DEP-025")
    if _below(field, _DROP):
        of_all = {"KA-DEP-012", "KA-DEP-013"}
        found |= of_all if "all" in compares or "net_raw" not in compares else {"KA-DEP-013"}
    return found | _of_volumes(field, fields, compares) | _of_place(field, compares)


def _of_volumes(field: str, fields: Collection[str], compares: Collection[str]) -> set[str]:
    if field == _PATH:
        return {"KA-DEP-006"} if _MOUNTED in fields else {"KA-DEP-005"}
    if _below(field, _PATH):
        return {"KA-DEP-007"} if "socket" in compares else {"KA-DEP-006"}
    listed = field in ("spec.volumes[]", "spec.volumes[][]")
    named = field in _SAFE_VOLUMES and _SAFE_VOLUMES.issubset(fields)
    return {"KA-DEP-024"} if listed or named else set()


def _of_place(field: str, compares: Collection[str]) -> set[str]:
    if field == "spec.ephemeralContainers":
        return {"KA-RUN-008"}
    return {"KA-DEP-031"} if field == "metadata.namespace" and "default" in compares else set()


def _of_images(compares: Collection[str]) -> set[str]:
    """Controls of images, which rules of other matters look at too, to leave some out."""
    ids = {"digest": "KA-BLD-008", "latest": "KA-BLD-007", "registry": "KA-BLD-009"}
    return {id for word, id in ids.items() if word in compares}


def _below(name: str, known: str) -> bool:
    return name == known or name.startswith((f"{known}.", f"{known}["))
