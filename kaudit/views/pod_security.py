"""Pod Security Standards: every check of both levels, at every version, on whole columns.

The semantics are those of the admission plugin (kubernetes/pod-security-admission, policy/,
July 2026, up to Kubernetes 1.37): exact spellings, explicit bad values of a pod are refused
even where every container overrides them, restricted checks replace their baseline siblings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec

from kaudit.columns import arrow, assembled, over_lists, over_texts, positions, series, text_is
from kaudit.model.standards import (
    BASELINE_CAPABILITIES,
    NEWEST,
    VOLUME_SOURCES,
    safe_sysctls,
    selinux_types,
)
from kaudit.registry import view
from kaudit.remembered import remembered
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Flags: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

_PROFILES = ("RuntimeDefault", "Localhost")


class Faults(msgspec.Struct, frozen=True):
    """One check: faulty pods, and the faulty containers and volumes among them."""

    check: str
    pods: Any
    containers: Any = None
    volumes: Any = None
    probes: Any = None


@remembered
def _checked(*tables: pd.DataFrame) -> dict[tuple[str, int], Faults]:  # noqa: ARG001  the key
    """Checks that were made of tables, by name and version: views ask for the same ones."""
    return {}


class PodSecurity:
    """Tables of pods, ready to be judged at any level and version.

    Parameters
    ----------
    pods, containers, volumes, probes
        Collected tables; rows belong together by ``pod_uid``.
    """

    def __init__(
        self,
        pods: pd.DataFrame,
        containers: pd.DataFrame,
        volumes: pd.DataFrame,
        probes: pd.DataFrame,
    ) -> None:
        self.pods, self.containers, self.volumes, self.probes = pods, containers, volumes, probes
        self.pod_of_container = positions(containers["pod_uid"], pods["pod_uid"])
        self.pod_of_volume = positions(volumes["pod_uid"], pods["pod_uid"])
        self.pod_of_probe = positions(probes["pod_uid"], pods["pod_uid"])
        self.windows = _np(text_is(pods["os"], "windows"))
        self.own_users = _np((pods["host_users"] == False).fillna(False))  # noqa: E712  null differs

    def faults(self, level: str, minor: int) -> list[Faults]:
        """Judge at a level and version; one entry a check, in upstream's order of names."""
        minor = min(minor, NEWEST)
        known = _checked(self.pods, self.containers, self.volumes, self.probes)
        names = checks_of(level, minor)
        for name in names:
            if (name, minor) not in known:
                known[name, minor] = _CHECKS[name](self, name, minor)
        return [known[name, minor] for name in names]

    def of_containers(self, check: str, bad: Flags, pods: Flags | None = None) -> Faults:
        """Fault of containers, and of pods as such."""
        import numpy as np

        hit = np.bincount(self.pod_of_container[bad], minlength=len(self.pods)) > 0
        return Faults(check, hit if pods is None else hit | pods, containers=bad)

    def exempt(self, pods: Flags) -> Flags:
        """Spread a flag of pods over their containers."""
        found: Flags = pods[self.pod_of_container]
        return found


def _np(column: pd.Series[Any]) -> Flags:
    import pyarrow.compute as pc

    found: Flags = pc.fill_null(arrow(column), False).to_numpy(zero_copy_only=False)
    return found


def _set_to_other(column: pd.Series[Any], *allowed: str) -> Flags:
    """Written, and none of the allowed values."""
    return _np(column.notna()) & ~_np(text_is(column, *allowed))


def _privileged(p: PodSecurity, check: str, _: int) -> Faults:
    return p.of_containers(check, _np(p.containers["privileged"]))


def _host_namespaces(p: PodSecurity, check: str, _: int) -> Faults:
    return Faults(
        check,
        _np(p.pods["host_network"]) | _np(p.pods["host_pid"]) | _np(p.pods["host_ipc"]),
    )


def _of_volumes(p: PodSecurity, check: str, bad: Flags) -> Faults:
    import numpy as np

    hit = np.bincount(p.pod_of_volume[bad], minlength=len(p.pods)) > 0
    return Faults(check, hit, volumes=bad)


def _host_path(p: PodSecurity, check: str, _: int) -> Faults:
    return _of_volumes(p, check, _np(text_is(p.volumes["source"], "hostPath")))


def _restricted_volumes(p: PodSecurity, check: str, _: int) -> Faults:
    return _of_volumes(p, check, ~_np(text_is(p.volumes["source"], *VOLUME_SOURCES)))


def _host_ports(p: PodSecurity, check: str, _: int) -> Faults:
    return p.of_containers(check, _np(over_lists(p.containers["host_ports"], bool)))


def _app_armor(p: PodSecurity, check: str, _: int) -> Faults:
    pods = _set_to_other(p.pods["apparmor_type"], *_PROFILES)
    noted = _np(over_lists(p.pods["apparmor_annotations"], _bad_apparmor))
    return p.of_containers(
        check, _set_to_other(p.containers["apparmor_type"], *_PROFILES), pods | noted
    )


def _bad_apparmor(annotations: list[str]) -> bool:
    values = [text.partition("=")[2] for text in annotations]
    return any(v not in ("", "runtime/default") and not v.startswith("localhost/") for v in values)


def _capabilities_baseline(p: PodSecurity, check: str, _: int) -> Faults:
    beyond = over_lists(
        p.containers["capabilities_add"], lambda names: not BASELINE_CAPABILITIES.issuperset(names)
    )
    return p.of_containers(check, _np(beyond))


def _capabilities_restricted(p: PodSecurity, check: str, minor: int) -> Faults:
    kept = ~_np(over_lists(p.containers["capabilities_drop"], lambda names: "ALL" in names))
    added = over_lists(
        p.containers["capabilities_add"], lambda names: bool(set(names) - {"NET_BIND_SERVICE"})
    )
    bad = kept | _np(added)
    return p.of_containers(check, bad & ~p.exempt(p.windows) if minor >= 25 else bad)


def _proc_mount(p: PodSecurity, check: str, minor: int) -> Faults:
    bad = _set_to_other(p.containers["proc_mount"], "Default")
    return p.of_containers(check, bad & ~p.exempt(p.own_users) if minor >= 35 else bad)


def _proc_mount_restricted(p: PodSecurity, check: str, _: int) -> Faults:
    return p.of_containers(check, _set_to_other(p.containers["proc_mount"], "Default"))


def _selinux(p: PodSecurity, check: str, minor: int) -> Faults:
    allowed = selinux_types(minor)

    def bad(table: pd.DataFrame) -> Flags:
        return (
            _set_to_other(table["selinux_type"], *allowed)
            | _set_to_other(table["selinux_user"], "")
            | _set_to_other(table["selinux_role"], "")
        )

    return p.of_containers(check, bad(p.containers), bad(p.pods))


def _bad_seccomp_annotation(column: pd.Series[Any]) -> Flags:

    return _np(
        over_texts(
            column,
            lambda v: v not in ("runtime/default", "docker/default") and v[:10] != "localhost/",
        )
    )


def _seccomp_baseline(p: PodSecurity, check: str, minor: int) -> Faults:
    if minor < 19:
        return p.of_containers(
            check,
            _bad_seccomp_annotation(p.containers["seccomp_annotation"]),
            _bad_seccomp_annotation(p.pods["seccomp_annotation"]),
        )
    return p.of_containers(
        check,
        _set_to_other(p.containers["seccomp_type"], *_PROFILES),
        _set_to_other(p.pods["seccomp_type"], *_PROFILES),
    )


def _seccomp_restricted(p: PodSecurity, check: str, minor: int) -> Faults:
    unset = _np(p.containers["seccomp_type"].isna()) & p.exempt(_np(p.pods["seccomp_type"].isna()))
    bad = unset | _set_to_other(p.containers["seccomp_type"], *_PROFILES)
    pods = _set_to_other(p.pods["seccomp_type"], *_PROFILES)
    if minor >= 25:
        bad, pods = bad & ~p.exempt(p.windows), pods & ~p.windows
    return p.of_containers(check, bad, pods)


def _sysctls(p: PodSecurity, check: str, minor: int) -> Faults:
    safe = safe_sysctls(minor)
    return Faults(
        check, _np(over_lists(p.pods["sysctls"], lambda names: not safe.issuperset(names)))
    )


def _windows_host_process(p: PodSecurity, check: str, _: int) -> Faults:
    return p.of_containers(
        check, _np(p.containers["windows_host_process"]), _np(p.pods["windows_host_process"])
    )


def _host_probes(p: PodSecurity, check: str, _: int) -> Faults:
    import numpy as np

    bad = _set_to_other(p.probes["host"], "")
    hit = np.bincount(p.pod_of_probe[bad], minlength=len(p.pods)) > 0
    return Faults(check, hit, probes=bad)


def _escalation(p: PodSecurity, check: str, minor: int) -> Faults:
    import pyarrow.compute as pc

    allowed = arrow(p.containers["allow_privilege_escalation"])
    bad: Flags = pc.fill_null(allowed, True).to_numpy(zero_copy_only=False)
    return p.of_containers(check, bad & ~p.exempt(p.windows) if minor >= 25 else bad)


def _run_as_non_root(p: PodSecurity, check: str, minor: int) -> Faults:
    import pyarrow.compute as pc

    of_pod = arrow(p.pods["run_as_non_root"])
    said_no = pc.fill_null(pc.invert(of_pod), False).to_numpy(zero_copy_only=False)
    said_yes = pc.fill_null(of_pod, False).to_numpy(zero_copy_only=False)
    own = arrow(p.containers["run_as_non_root"])
    own_no = pc.fill_null(pc.invert(own), False).to_numpy(zero_copy_only=False)
    unset = own.is_null().to_numpy(zero_copy_only=False)
    bad = own_no | (unset & ~p.exempt(said_yes))
    if minor >= 35:
        bad, said_no = bad & ~p.exempt(p.own_users), said_no & ~p.own_users
    return p.of_containers(check, bad, said_no)


def _run_as_user(p: PodSecurity, check: str, minor: int) -> Faults:
    bad, pods = _np(p.containers["run_as_user"] == 0), _np(p.pods["run_as_user"] == 0)
    if minor >= 35:
        bad, pods = bad & ~p.exempt(p.own_users), pods & ~p.own_users
    return p.of_containers(check, bad, pods)


_Check: TypeAlias = Callable[[PodSecurity, str, int], Faults]

#: Check of the baseline level to the minor version it begins with.
_BASELINE: dict[str, tuple[int, _Check]] = {
    "appArmorProfile": (0, _app_armor),
    "capabilities_baseline": (0, _capabilities_baseline),
    "hostNamespaces": (0, _host_namespaces),
    "hostPathVolumes": (0, _host_path),
    "hostPorts": (0, _host_ports),
    "hostProbesAndHostLifecycle": (34, _host_probes),
    "privileged": (0, _privileged),
    "procMount": (0, _proc_mount),
    "seLinuxOptions": (0, _selinux),
    "seccompProfile_baseline": (0, _seccomp_baseline),
    "sysctls": (0, _sysctls),
    "windowsHostProcess": (0, _windows_host_process),
}
#: Check of the restricted level to its first minor version and the check it replaces.
_RESTRICTED: dict[str, tuple[int, str, _Check]] = {
    "allowPrivilegeEscalation": (8, "", _escalation),
    "capabilities_restricted": (22, "capabilities_baseline", _capabilities_restricted),
    "procMount_restricted": (35, "procMount", _proc_mount_restricted),
    "restrictedVolumes": (0, "hostPathVolumes", _restricted_volumes),
    "runAsNonRoot": (0, "", _run_as_non_root),
    "runAsUser": (23, "", _run_as_user),
    "seccompProfile_restricted": (19, "seccompProfile_baseline", _seccomp_restricted),
}
_CHECKS: dict[str, _Check] = {
    **{name: check for name, (_, check) in _BASELINE.items()},
    **{name: check for name, (_, _, check) in _RESTRICTED.items()},
}


def checks_of(level: str, minor: int) -> list[str]:
    """Names of the checks of a level at a version, sorted.

    >>> checks_of("privileged", 34), "hostPathVolumes" in checks_of("restricted", 34)
    ([], False)
    """
    if level == "privileged":
        return []
    found = {name for name, (since, _) in _BASELINE.items() if minor >= since}
    if level == "restricted":
        later = {n: replaces for n, (since, replaces, _) in _RESTRICTED.items() if minor >= since}
        found = (found - {*later.values()}) | later.keys()
    return sorted(found)


class PodSecurityRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of the pod")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
    origin: Annotated[str, doc("object: a Pod object; template: what a controller would make")]
    owner_kind: Annotated[str, doc("kind of the topmost known owner")]
    owner_name: Annotated[str, doc("name of the topmost known owner")]
    level: Annotated[str, doc("strictest level that it satisfies at the cluster's version")]
    baseline: Annotated[bool, doc("satisfies the baseline level")]
    restricted: Annotated[bool, doc("satisfies the restricted level")]
    violations: Annotated[list[str], doc("checks of both levels that it breaks, sorted")]


POD_SECURITY = Table(
    "pod_security",
    PodSecurityRow,
    grain="one pod or pod template, judged by the Pod Security Standards",
    key=("namespace", "pod", "pod_uid"),
    resource=Resource("owner_kind", name="owner_name"),
    pods=True,
)


@view(POD_SECURITY)
def pod_security(
    pods: pd.DataFrame,
    containers: pd.DataFrame,
    volumes: pd.DataFrame,
    probes: pd.DataFrame,
    pod_context: pd.DataFrame,
    cluster: pd.DataFrame,
) -> pd.DataFrame:
    """Judge pods at the version of the cluster, or the newest where it is not known."""
    import numpy as np
    import pyarrow as pa

    minors = cluster["minor"].dropna()
    minor = int(minors.iloc[0]) if len(minors) else NEWEST
    judged = PodSecurity(pods, containers, volumes, probes)
    by_level = {level: judged.faults(level, minor) for level in ("baseline", "restricted")}
    bad = {level: _any(faults, len(pods)) for level, faults in by_level.items()}
    broken = {f.check: f.pods for faults in by_level.values() for f in faults}
    violations = _lists(broken, len(pods))
    level = np.where(
        bad["baseline"], "privileged", np.where(bad["restricted"], "baseline", "restricted")
    )
    at = positions(pods["pod_uid"], pod_context["pod_uid"])
    copied = ["raw", "raw_line", "pod_uid", "namespace", "pod", "origin"]
    found: dict[str, Any] = {name: pods[name] for name in copied}
    for name in ("owner_kind", "owner_name"):
        found[name] = series(arrow(pod_context[name]).take(pa.array(at)), pods)
    found |= {
        "level": series(pa.array(level.tolist(), pa.string()), pods),
        "baseline": series(~bad["baseline"], pods),
        "restricted": series(~bad["restricted"] & ~bad["baseline"], pods),
        "violations": series(violations, pods),
    }
    return assembled(pods, found, POD_SECURITY.names)


def _any(faults: list[Faults], size: int) -> Flags:
    import numpy as np

    found = np.zeros(size, dtype=bool)
    for fault in faults:
        found |= fault.pods
    return found


def _lists(broken: dict[str, Flags], size: int) -> Any:
    """Lists of the checks that each pod breaks; each combination is written once."""
    import numpy as np
    import pyarrow as pa

    names = sorted(broken)
    code = np.zeros(size, dtype=np.int64)
    for bit, name in enumerate(names):
        code |= broken[name].astype(np.int64) << bit
    seen, back = np.unique(code, return_inverse=True)
    texts = [[n for bit, n in enumerate(names) if value >> bit & 1] for value in seen.tolist()]
    return pa.array(texts, pa.list_(pa.string())).take(pa.array(back))
