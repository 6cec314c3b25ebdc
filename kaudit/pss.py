"""Engine: Pod Security Standards verdicts, and what enforcing a level would break."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from kaudit import registry
from kaudit.columns import arrow
from kaudit.errors import InputError
from kaudit.evidence.bundle import Evidence
from kaudit.evidence.frames import Frames
from kaudit.model.standards import NEWEST, pinned_minor
from kaudit.model.whole import whole
from kaudit.model.words import Gap
from kaudit.views.pod_security import Faults, PodSecurity

if TYPE_CHECKING:
    import pandas as pd

LEVELS = ("privileged", "baseline", "restricted")
TABLES = ("pods", "containers", "volumes", "probes")


class Violation(msgspec.Struct, frozen=True):
    """One check that a pod breaks: upstream's id and what was seen."""

    check: str
    message: str


class Verdict(msgspec.Struct, frozen=True):
    """Whether a pod, or the pods of a workload, would be admitted.

    Where it could not be read, ``allowed`` is None and ``gap`` says why.
    """

    kind: str
    namespace: str
    name: str
    level: str
    version: str
    allowed: bool | None
    violations: tuple[Violation, ...]
    gap: Gap | UnsetType = UNSET


def minor_of(version: str) -> int:
    """Minor version of ``latest``, ``v1.34`` or ``1.34``.

    Raises
    ------
    InputError
        The text is no version.
    """
    text = version.strip().removeprefix("v")
    if text == "latest":
        return NEWEST
    major, dot, minor = text.partition(".")
    if major != "1" or not dot or (number := whole(minor)) is None:
        raise InputError(f"{version!r} is no version", hint="write latest or v1.34")
    return number


def known_level(level: str) -> str:
    """Return the level, or raise InputError where there is none of the name."""
    if level not in LEVELS:
        raise InputError(f"{level!r} is no level", hint=f"one of {', '.join(LEVELS)}")
    return level


def _parts(evidence: Evidence) -> Iterator[Frames]:
    if evidence.manifest.parts == 1:
        yield evidence.frames
        return
    for part in range(evidence.manifest.parts):
        yield evidence.frames.of_part(part)


def _judged(frames: Frames) -> PodSecurity:
    return PodSecurity(*(frames.get(n) for n in TABLES))


def verdicts(evidence: Evidence, level: str, version: str = "latest") -> Iterator[Verdict]:
    """Judge every pod, and the pods of every workload template.

    Parameters
    ----------
    level
        ``privileged``, ``baseline`` or ``restricted``.
    version
        ``latest`` or ``v1.N``.

    Yields
    ------
    Verdict
        One a pod or template, in the order of the table ``pods``.
    """
    import numpy as np

    registry.load()
    known_level(level)
    minor = minor_of(version)
    for frames in _parts(evidence):
        judged = _judged(frames)
        faults = judged.faults(level, minor)
        broken = [np.flatnonzero(fault.pods) for fault in faults]
        messages: dict[int, list[Violation]] = {}
        for fault, rows in zip(faults, broken, strict=True):
            said = _said(judged, fault)
            for row in rows.tolist():
                messages.setdefault(row, []).append(Violation(fault.check, said(row)))
        pods = judged.pods
        names = zip(pods["kind"], pods["namespace"], pods["pod"], strict=True)
        for row, (kind, namespace, name) in enumerate(names):
            found = tuple(messages.get(row, ()))
            yield Verdict(kind, namespace, name, level, version, not found, found)


def unread(evidence: Evidence, level: str, version: str = "latest") -> Iterator[Verdict]:
    """Yield one verdict for each read of pods that failed: what they would be is not known."""
    for gap in evidence.failed_reads(*TABLES):
        yield Verdict(gap.kind, gap.namespace, gap.name, level, version, None, (), gap)


#: What each check shows of a container, volume, probe or pod.
_SHOWN: dict[str, tuple[str, tuple[str, ...]]] = {
    "allowPrivilegeEscalation": (
        "allowPrivilegeEscalation is not false",
        ("allow_privilege_escalation",),
    ),
    "appArmorProfile": ("AppArmor profile", ("apparmor_type", "apparmor_annotation")),
    "capabilities_baseline": ("capabilities added beyond the baseline set", ("capabilities_add",)),
    "capabilities_restricted": (
        "ALL is not dropped, or more than NET_BIND_SERVICE is added",
        ("capabilities_drop", "capabilities_add"),
    ),
    "hostNamespaces": ("namespaces of the node", ("host_network", "host_pid", "host_ipc")),
    "hostPathVolumes": ("hostPath volume", ("path",)),
    "hostPorts": ("host ports", ("host_ports",)),
    "hostProbesAndHostLifecycle": ("host in a probe or hook", ("probe", "host")),
    "privileged": ("privileged", ()),
    "procMount": ("procMount", ("proc_mount",)),
    "procMount_restricted": ("procMount", ("proc_mount",)),
    "restrictedVolumes": ("volume source", ("source",)),
    "runAsNonRoot": ("runAsNonRoot is not true", ("run_as_non_root",)),
    "runAsUser": ("runAsUser is 0", ("run_as_user",)),
    "seLinuxOptions": ("SELinux options", ("selinux_type", "selinux_user", "selinux_role")),
    "seccompProfile_baseline": ("seccomp profile", ("seccomp_type", "seccomp_annotation")),
    "seccompProfile_restricted": ("no allowed seccomp profile", ("seccomp_type",)),
    "sysctls": ("sysctls outside the safe list", ("sysctls",)),
    "windowsHostProcess": ("hostProcess", ("windows_host_process",)),
}


def _said(judged: PodSecurity, fault: Faults) -> Any:
    """Return a function that says of a pod which of its parts break a check."""
    import numpy as np

    label, columns = _SHOWN[fault.check]
    parts: dict[int, list[str]] = {}
    for what, table, bad, owner, name in (
        ("container", judged.containers, fault.containers, judged.pod_of_container, "container"),
        ("volume", judged.volumes, fault.volumes, judged.pod_of_volume, "volume"),
        ("container", judged.probes, fault.probes, judged.pod_of_probe, "container"),
    ):
        if bad is None:
            continue
        rows = np.flatnonzero(bad)
        chosen = table.iloc[rows]
        shown = _values(chosen, columns)
        for pod, part, values in zip(owner[rows].tolist(), chosen[name], shown, strict=True):
            parts.setdefault(pod, []).append(f"{what} {part!r}{values}")

    def say(row: int) -> str:
        if row in parts:
            return f"{label}: " + "; ".join(parts[row])
        values = _values(judged.pods.iloc[[row]], columns)[0]
        return f"{label}: pod{values}"

    return say


def _values(rows: pd.DataFrame, columns: tuple[str, ...]) -> list[str]:
    import pandas as pd

    found = []
    kept = [c for c in columns if c in rows.columns]
    for values in rows[kept].itertuples(index=False):
        texts = []
        for name, value in zip(kept, values, strict=True):
            if hasattr(value, "tolist") or isinstance(value, list):
                texts.append(f"{name} [{', '.join(map(str, value))}]")
            elif not pd.isna(value):
                texts.append(f"{name} {value}")
        found.append(f" ({', '.join(texts)})" if texts else "")
    return found or [""] * len(rows)


def effective(level: str | None, version: str | None) -> tuple[str, int]:
    """Return what a namespace's labels enforce, as the admission plugin reads them.

    An absent level means privileged; one that cannot be parsed, empty ones too, means
    restricted; an absent or unparsable version means latest
    (kubernetes/pod-security-admission, api/helpers.go, PolicyToEvaluate).
    """
    pinned = None if version is None else pinned_minor(version)
    minor = NEWEST if pinned is None else pinned
    if level is None:
        return "privileged", minor
    return (level if level in LEVELS else "restricted"), minor


def readiness(evidence: Evidence, version: str = "latest") -> pd.DataFrame:
    """Compute what breaks if each namespace enforced baseline or restricted.

    Returns
    -------
    DataFrame
        One row a namespace and level, key (namespace, level). Columns: enforces (level in
        force now), pods, refused_pods, workloads, refused_workloads (owners, counted once),
        checks (broken checks with how many workloads break them), free (nothing breaks).
    """
    import pandas as pd

    registry.load()
    minor = minor_of(version)
    frames = []
    for part in _parts(evidence):
        judged, context = _judged(part), part.get("pod_context")
        owner = context[["namespace", "owner_kind", "owner_name", "origin"]].astype("object")
        for level in LEVELS[1:]:
            faults = judged.faults(level, minor)
            table = owner.assign(level=level, refused=False)
            for fault in faults:
                table[fault.check] = fault.pods
                table["refused"] |= fault.pods
            frames.append(table)
    everything = pd.concat(frames, ignore_index=True)
    return _by_namespace(everything, _enforced(evidence))


def _enforced(evidence: Evidence) -> dict[str, str]:
    columns = (arrow(evidence["namespaces"][c]) for c in ("name", "enforce", "enforce_version"))
    cells = zip(*(column.to_pylist() for column in columns), strict=True)
    return {name: effective(level, version)[0] for name, level, version in cells}


def _by_namespace(table: pd.DataFrame, enforced: dict[str, str]) -> pd.DataFrame:
    import pandas as pd

    checks = sorted(c for c in table.columns if c in _SHOWN)
    owner = ["namespace", "level", "owner_kind", "owner_name"]
    table[checks] = table[checks].astype("boolean").fillna(False).astype(bool)
    by_owner = table.groupby(owner, sort=True)[["refused", *checks]].max().reset_index()
    pods = table[table["origin"] == "object"].groupby(["namespace", "level"])["refused"]
    counted = pods.agg(["size", "sum"]).to_dict("index")
    rows = []
    for (namespace, level), group in by_owner.groupby(["namespace", "level"], sort=True):
        broken = group[checks].sum()
        refused = int(group["refused"].sum())
        live = counted.get((namespace, level), {"size": 0, "sum": 0})
        rows.append(
            {
                "namespace": namespace,
                "level": level,
                "enforces": enforced.get(str(namespace), "unknown"),
                "pods": int(live["size"]),
                "refused_pods": int(live["sum"]),
                "workloads": len(group),
                "refused_workloads": refused,
                "checks": [f"{name} ({int(n)})" for name, n in broken.items() if n],
                "free": refused == 0,
            }
        )
    columns = [
        "namespace",
        "level",
        "enforces",
        "pods",
        "refused_pods",
        "workloads",
        "refused_workloads",
        "checks",
        "free",
    ]
    return pd.DataFrame(rows, columns=columns)
