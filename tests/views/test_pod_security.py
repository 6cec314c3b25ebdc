"""Every check of the Pod Security Standards, both outcomes, at the versions where it changes.

The expectations were written from the published standards and the admission plugin's release
notes, not taken from what kaudit says. ``a-b`` are minor versions, both included.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from kaudit.views.pod_security import checks_of
from tests.views.pods import LISTS, Spec, broken, judge, pod, with_container

NEWEST = 37
VERSIONS = range(NEWEST + 1)


class Case(NamedTuple):
    """A pod, and the checks that it breaks: check and first and last minor version."""

    pod: Spec
    baseline: str = ""
    restricted: str | None = None  # as at baseline


def spans(text: str, minor: int) -> set[str]:
    """Checks of a text such as ``procMount 0-34, sysctls`` that hold at a version."""
    found = set()
    for part in filter(None, text.split(", ")):
        check, _, span = part.partition(" ")
        first, _, last = (span or f"0-{NEWEST}").partition("-")
        if int(first) <= minor <= int(last or NEWEST):
            found.add(check)
    return found


def volume(source: str, value: Any = None) -> Spec:
    return pod({"volumes": [{"name": "v", source: {} if value is None else value}]})


def sysctl(name: str) -> Spec:
    return pod({"securityContext": {"sysctls": [{"name": name, "value": "1"}]}})


def refused_volume(source: str) -> Case:
    return Case(volume(source), "", "restrictedVolumes")


WINDOWS = {"os": {"name": "windows"}}
OWN_USERS = {"hostUsers": False}
SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_ODD = "container.seccomp.security.alpha.kubernetes.io/safe"
APPARMOR_SAFE = "container.apparmor.security.beta.kubernetes.io/safe"
APPARMOR_GONE = "container.apparmor.security.beta.kubernetes.io/no-such-container"

#: What is judged of a pod as such.
PODS: dict[str, Case] = {
    "safe": Case(pod()),
    "safe on windows": Case(pod(WINDOWS)),
    "host network": Case(pod({"hostNetwork": True}), "hostNamespaces"),
    "host pid": Case(pod({"hostPID": True}), "hostNamespaces"),
    "host ipc": Case(pod({"hostIPC": True}), "hostNamespaces"),
    "host namespaces said no": Case(
        pod({"hostNetwork": False, "hostPID": False, "hostIPC": False})
    ),
    # volumes
    "host path": Case(volume("hostPath", {"path": "/"}), "hostPathVolumes", "restrictedVolumes"),
    "volume without source": Case(pod({"volumes": [{"name": "v"}]})),
    "volume source of the future": Case(volume("quantumFoam")),
    **{
        f"volume {source}": Case(volume(source))
        for source in (
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
    },
    **{
        f"volume {source}": refused_volume(source)
        for source in (
            "awsElasticBlockStore",
            "azureDisk",
            "azureFile",
            "cephfs",
            "cinder",
            "fc",
            "flexVolume",
            "flocker",
            "gcePersistentDisk",
            "gitRepo",
            "glusterfs",
            "iscsi",
            "nfs",
            "photonPersistentDisk",
            "portworxVolume",
            "quobyte",
            "rbd",
            "scaleIO",
            "storageos",
            "vsphereVolume",
        )
    },
    "one bad volume among good": Case(
        pod({"volumes": [{"name": "a", "secret": {}}, {"name": "b", "nfs": {}}]}),
        "",
        "restrictedVolumes",
    ),
    # sysctls
    **{
        f"sysctl {name}": Case(sysctl(name))
        for name in (
            "kernel.shm_rmid_forced",
            "net.ipv4.ip_local_port_range",
            "net.ipv4.tcp_syncookies",
            "net.ipv4.ping_group_range",
            "net.ipv4.ip_unprivileged_port_start",
        )
    },
    "sysctl reserved ports": Case(sysctl("net.ipv4.ip_local_reserved_ports"), "sysctls 0-26"),
    "sysctl keepalive": Case(sysctl("net.ipv4.tcp_keepalive_time"), "sysctls 0-28"),
    "sysctl fin": Case(sysctl("net.ipv4.tcp_fin_timeout"), "sysctls 0-28"),
    "sysctl keepalive interval": Case(sysctl("net.ipv4.tcp_keepalive_intvl"), "sysctls 0-28"),
    "sysctl keepalive probes": Case(sysctl("net.ipv4.tcp_keepalive_probes"), "sysctls 0-28"),
    "sysctl rmem": Case(sysctl("net.ipv4.tcp_rmem"), "sysctls 0-31"),
    "sysctl wmem": Case(sysctl("net.ipv4.tcp_wmem"), "sysctls 0-31"),
    "sysctl slow start": Case(sysctl("net.ipv4.tcp_slow_start_after_idle"), "sysctls 0-36"),
    "sysctl notsent": Case(sysctl("net.ipv4.tcp_notsent_lowat"), "sysctls 0-36"),
    "sysctl unsafe": Case(sysctl("kernel.msgmax"), "sysctls"),
    "sysctl with slashes": Case(sysctl("net/ipv4/tcp_syncookies"), "sysctls"),
    # annotations
    "seccomp note unconfined": Case(
        pod(annotations={SECCOMP_POD: "unconfined"}), "seccompProfile_baseline 0-18"
    ),
    "seccomp note empty": Case(pod(annotations={SECCOMP_POD: ""}), "seccompProfile_baseline 0-18"),
    "seccomp note of a container": Case(
        pod(annotations={SECCOMP_ODD: "unconfined"}), "seccompProfile_baseline 0-18"
    ),
    "seccomp note of no container": Case(
        pod(annotations={SECCOMP_ODD[:-4] + "nobody": "unconfined"})
    ),
    "seccomp notes fine": Case(
        pod(annotations={SECCOMP_POD: "docker/default", SECCOMP_ODD: "localhost/a"})
    ),
    "seccomp note runtime": Case(pod(annotations={SECCOMP_POD: "runtime/default"})),
    "apparmor note unconfined": Case(
        pod(annotations={APPARMOR_SAFE: "unconfined"}), "appArmorProfile"
    ),
    "apparmor note of no container": Case(
        pod(annotations={APPARMOR_GONE: "unconfined"}), "appArmorProfile"
    ),
    "apparmor note runtime": Case(pod(annotations={APPARMOR_SAFE: "runtime/default"})),
    "apparmor note local": Case(pod(annotations={APPARMOR_SAFE: "localhost/a=b"})),
    "apparmor note empty": Case(pod(annotations={APPARMOR_SAFE: ""})),
    "apparmor note almost local": Case(
        pod(annotations={APPARMOR_SAFE: "localhost"}), "appArmorProfile"
    ),
    # the pod's own security context
    "pod apparmor unconfined": Case(
        pod({"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}), "appArmorProfile"
    ),
    "pod apparmor local": Case(
        pod({"securityContext": {"appArmorProfile": {"type": "Localhost"}}})
    ),
    "pod selinux type": Case(
        pod({"securityContext": {"seLinuxOptions": {"type": "spc_t"}}}), "seLinuxOptions"
    ),
    "pod selinux engine": Case(
        pod({"securityContext": {"seLinuxOptions": {"type": "container_engine_t"}}}),
        "seLinuxOptions 0-30",
    ),
    "pod selinux role": Case(
        pod({"securityContext": {"seLinuxOptions": {"role": "r"}}}), "seLinuxOptions"
    ),
    "pod seccomp unconfined": Case(
        pod({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}),
        "seccompProfile_baseline 19-",
        "seccompProfile_restricted 19-",
    ),
    "pod seccomp unset": Case(
        pod({"securityContext": {"seccompProfile": None}}), "", "seccompProfile_restricted 19-"
    ),
    "pod seccomp unset on windows": Case(
        pod({"securityContext": {"seccompProfile": None}, **WINDOWS}),
        "",
        "seccompProfile_restricted 19-24",
    ),
    "pod seccomp unconfined on windows": Case(
        pod({"securityContext": {"seccompProfile": {"type": "Unconfined"}}, **WINDOWS}),
        "seccompProfile_baseline 19-",
        "seccompProfile_restricted 19-24",
    ),
    "pod seccomp in lower case": Case(
        pod({"securityContext": {"seccompProfile": {"type": "runtimeDefault"}}}),
        "seccompProfile_baseline 19-",
        "seccompProfile_restricted 19-",
    ),
    "pod root allowed": Case(pod({"securityContext": {"runAsNonRoot": False}}), "", "runAsNonRoot"),
    "pod root unset": Case(pod({"securityContext": {"runAsNonRoot": None}}), "", "runAsNonRoot"),
    "pod root unset on windows": Case(
        pod({"securityContext": {"runAsNonRoot": None}, **WINDOWS}), "", "runAsNonRoot"
    ),
    "pod root unset with own users": Case(
        pod({"securityContext": {"runAsNonRoot": None}, **OWN_USERS}), "", "runAsNonRoot 0-34"
    ),
    "pod root allowed with own users": Case(
        pod({"securityContext": {"runAsNonRoot": False}, **OWN_USERS}), "", "runAsNonRoot 0-34"
    ),
    "pod root unset with the users of the host": Case(
        pod({"securityContext": {"runAsNonRoot": None}, "hostUsers": True}), "", "runAsNonRoot"
    ),
    "pod user 0": Case(pod({"securityContext": {"runAsUser": 0}}), "", "runAsUser 23-"),
    "pod user 0 with own users": Case(
        pod({"securityContext": {"runAsUser": 0}, **OWN_USERS}), "", "runAsUser 23-34"
    ),
    "pod user 1": Case(pod({"securityContext": {"runAsUser": 1}})),
    "pod group 0": Case(pod({"securityContext": {"runAsGroup": 0, "fsGroup": 0}})),
    "pod host process": Case(
        pod({"securityContext": {"windowsOptions": {"hostProcess": True}}}), "windowsHostProcess"
    ),
    "pod no host process": Case(
        pod({"securityContext": {"windowsOptions": {"hostProcess": False}}})
    ),
    "pod silent, every container says it": Case(
        {
            "spec": {
                "containers": [
                    {
                        "name": "c",
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "capabilities": {"drop": ["ALL"]},
                            "runAsNonRoot": True,
                            "seccompProfile": {"type": "RuntimeDefault"},
                        },
                    }
                ]
            }
        }
    ),
    "pod of nothing": Case(
        {"spec": {"containers": [{"name": "c"}]}},
        "",
        "allowPrivilegeEscalation 8-, capabilities_restricted 22-, runAsNonRoot, "
        "seccompProfile_restricted 19-",
    ),
    "os spelt otherwise": Case(
        pod({"securityContext": {"seccompProfile": None}, "os": {"name": "Windows"}}),
        "",
        "seccompProfile_restricted 19-",
    ),
}


class Odd(NamedTuple):
    """A container's security context, and what it breaks wherever the container stands."""

    context: Spec
    baseline: str = ""
    restricted: str | None = None
    spec: Spec | None = None
    rest: Spec | None = None


def capabilities(add: list[str] | None = None, drop: list[str] | None = None) -> Spec:
    return {"capabilities": {"add": add or [], "drop": ["ALL"] if drop is None else drop}}


def probe(place: str, handler: str, host: str) -> Spec:
    action = {handler: {"port": 1, "host": host}}
    return {"lifecycle": {place: action}} if place in ("preStop", "postStart") else {place: action}


UNSET: Spec = {"securityContext": {"runAsNonRoot": None}}
NO_PROFILE: Spec = {"securityContext": {"seccompProfile": None}}
HOST = "hostProbesAndHostLifecycle 34-"

#: What is judged of a container, whatever its type.
CONTAINERS: dict[str, Odd] = {
    "safe": Odd({}),
    "privileged": Odd({"privileged": True}, "privileged"),
    "not privileged": Odd({"privileged": False}),
    "escalation unset": Odd({"allowPrivilegeEscalation": None}, "", "allowPrivilegeEscalation 8-"),
    "escalation": Odd({"allowPrivilegeEscalation": True}, "", "allowPrivilegeEscalation 8-"),
    "escalation on windows": Odd(
        {"allowPrivilegeEscalation": None}, "", "allowPrivilegeEscalation 8-24", WINDOWS
    ),
    "adds binding": Odd(capabilities(["NET_BIND_SERVICE"])),
    "adds of the baseline": Odd(capabilities(["CHOWN"]), "", "capabilities_restricted 22-"),
    "adds beyond": Odd(
        capabilities(["CHOWN", "SYS_ADMIN"]),
        "capabilities_baseline",
        "capabilities_baseline 0-21, capabilities_restricted 22-",
    ),
    "adds raw packets": Odd(
        capabilities(["NET_RAW"]),
        "capabilities_baseline",
        "capabilities_baseline 0-21, capabilities_restricted 22-",
    ),
    "adds in lower case": Odd(
        capabilities(["net_bind_service"]),
        "capabilities_baseline",
        "capabilities_baseline 0-21, capabilities_restricted 22-",
    ),
    "adds with prefix": Odd(
        capabilities(["CAP_CHOWN"]),
        "capabilities_baseline",
        "capabilities_baseline 0-21, capabilities_restricted 22-",
    ),
    "adds all": Odd(
        capabilities(["ALL"]),
        "capabilities_baseline",
        "capabilities_baseline 0-21, capabilities_restricted 22-",
    ),
    "adds beyond on windows": Odd(
        capabilities(["SYS_ADMIN"]),
        "capabilities_baseline",
        "capabilities_baseline 0-21, capabilities_restricted 22-24",
        WINDOWS,
    ),
    "drops nothing": Odd({"capabilities": None}, "", "capabilities_restricted 22-"),
    "drops some": Odd(capabilities(drop=["NET_RAW"]), "", "capabilities_restricted 22-"),
    "drops all in lower case": Odd(capabilities(drop=["all"]), "", "capabilities_restricted 22-"),
    "drops nothing on windows": Odd(
        {"capabilities": None}, "", "capabilities_restricted 22-24", WINDOWS
    ),
    "proc default": Odd({"procMount": "Default"}),
    "proc unmasked": Odd(
        {"procMount": "Unmasked"}, "procMount", "procMount 0-34, procMount_restricted 35-"
    ),
    "proc unmasked with own users": Odd(
        {"procMount": "Unmasked"},
        "procMount 0-34",
        "procMount 0-34, procMount_restricted 35-",
        OWN_USERS,
    ),
    "user 0": Odd({"runAsUser": 0}, "", "runAsUser 23-"),
    "user 0 with own users": Odd({"runAsUser": 0}, "", "runAsUser 23-34", OWN_USERS),
    "user 0 on windows": Odd({"runAsUser": 0}, "", "runAsUser 23-", WINDOWS),
    "root allowed": Odd({"runAsNonRoot": False}, "", "runAsNonRoot"),
    "root allowed with own users": Odd({"runAsNonRoot": False}, "", "runAsNonRoot 0-34", OWN_USERS),
    "no root though the pod is silent": Odd({"runAsNonRoot": True}, "", "runAsNonRoot", UNSET),
    "apparmor unconfined": Odd({"appArmorProfile": {"type": "Unconfined"}}, "appArmorProfile"),
    "apparmor default": Odd({"appArmorProfile": {"type": "RuntimeDefault"}}),
    "selinux of containers": Odd({"seLinuxOptions": {"type": "container_t", "level": "s0"}}),
    "selinux init": Odd({"seLinuxOptions": {"type": "container_init_t"}}),
    "selinux kvm": Odd({"seLinuxOptions": {"type": "container_kvm_t"}}),
    "selinux engine": Odd(
        {"seLinuxOptions": {"type": "container_engine_t"}}, "seLinuxOptions 0-30"
    ),
    "selinux empty": Odd({"seLinuxOptions": {"type": "", "user": "", "role": ""}}),
    "selinux other": Odd({"seLinuxOptions": {"type": "unconfined_t"}}, "seLinuxOptions"),
    "selinux user": Odd({"seLinuxOptions": {"user": "system_u"}}, "seLinuxOptions"),
    "selinux role": Odd({"seLinuxOptions": {"role": "sysadm_r"}}, "seLinuxOptions"),
    "seccomp unconfined": Odd(
        {"seccompProfile": {"type": "Unconfined"}},
        "seccompProfile_baseline 19-",
        "seccompProfile_restricted 19-",
    ),
    "seccomp local": Odd({"seccompProfile": {"type": "Localhost", "localhostProfile": "p"}}),
    "seccomp though the pod is silent": Odd(
        {"seccompProfile": {"type": "RuntimeDefault"}},
        "",
        "seccompProfile_restricted 19-",
        NO_PROFILE,
    ),
    "seccomp unconfined on windows": Odd(
        {"seccompProfile": {"type": "Unconfined"}},
        "seccompProfile_baseline 19-",
        "seccompProfile_restricted 19-24",
        WINDOWS,
    ),
    "host process": Odd({"windowsOptions": {"hostProcess": True}}, "windowsHostProcess"),
    "host process of windows": Odd(
        {"windowsOptions": {"hostProcess": True}}, "windowsHostProcess", None, WINDOWS
    ),
    "no host process": Odd({"windowsOptions": {"hostProcess": False}}),
    "host port": Odd(
        {}, "hostPorts", rest={"ports": [{"containerPort": 1}, {"containerPort": 2, "hostPort": 2}]}
    ),
    "no host port": Odd({}, rest={"ports": [{"containerPort": 1, "hostPort": 0}]}),
    **{
        f"{place} by {handler}": Odd({}, HOST, rest=probe(place, handler, "127.0.0.1"))
        for place in ("livenessProbe", "readinessProbe", "startupProbe", "postStart", "preStop")
        for handler in ("httpGet", "tcpSocket")
    },
    "probe without host": Odd({}, rest=probe("livenessProbe", "httpGet", "")),
}


def _containers() -> dict[str, Case]:
    return {
        f"{kind} container: {name}": Case(
            with_container(odd.context, kind, odd.rest, odd.spec), odd.baseline, odd.restricted
        )
        for name, odd in CONTAINERS.items()
        for kind in LISTS
    }


ALL = {**PODS, **_containers()}


@pytest.fixture(scope="module")
def judged() -> Any:
    return judge([case.pod for case in ALL.values()])


@pytest.mark.parametrize("level", ["baseline", "restricted"])
@pytest.mark.parametrize("minor", VERSIONS)
def test_every_case_at_every_version(judged: Any, level: str, minor: int) -> None:
    found = dict(zip(ALL, broken(judged, level, minor), strict=True))
    wanted = {
        name: spans(
            case.baseline if level == "baseline" or case.restricted is None else case.restricted,
            minor,
        )
        for name, case in ALL.items()
    }
    assert {n: v for n, v in found.items() if v != wanted[n]} == {
        n: v for n, v in wanted.items() if v != found[n]
    }


def test_privileged_allows_everything(judged: Any) -> None:
    assert broken(judged, "privileged", NEWEST) == [set()] * len(ALL)


def test_versions_beyond_the_newest_are_judged_as_the_newest(judged: Any) -> None:
    for level in ("baseline", "restricted"):
        assert broken(judged, level, 99) == broken(judged, level, NEWEST)


def test_cases_show_every_check_both_ways(judged: Any) -> None:
    refused: set[str] = set()
    for minor in VERSIONS:
        for level in ("baseline", "restricted"):
            refused |= set().union(*broken(judged, level, minor))
    assert len(refused) == 19
    assert refused == {
        check
        for minor in VERSIONS
        for level in ("baseline", "restricted")
        for check in checks_of(level, minor)
    }
    assert set() in broken(judged, "restricted", NEWEST)
