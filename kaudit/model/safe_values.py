"""Which values of the fields of pods are the safe ones: what gives a demand its direction.

A policy accepts values or refuses them. To accept a safe one or to refuse an unsafe one is the
safe direction, the opposite the unsafe one. A value is text as policies write it: ``true``,
``>0``, ``1000-2000``, and ``*`` where it is any at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from kaudit.model.standards import (
    BASELINE_CAPABILITIES,
    NEWEST,
    VOLUME_SOURCES,
    safe_sysctls,
    selinux_types,
)

#: Any value: the field is set.
SET = "*"
#: Signs of order to those that say the same with both sides turned round.
TURNED = {"": "", ">": "<", ">=": "<=", "<": ">", "<=": ">="}
_NUMBER = re.compile(r"([<>]=?)?\s*(\d{1,18})(?:\s*-\s*\d{1,18})?", re.ASCII)
#: Whether a value is safe; None where that cannot be told.
Judge = Callable[[str], bool | None]


def direction(field: str, accepted: bool, value: str) -> bool | None:
    """Tell whether to accept (or refuse) a value of a field is the safe direction.

    Parameters
    ----------
    field
        Path of a field of a pod from ``spec``, of a container without its list.
    accepted
        The value is accepted, else refused.
    value
        The value.

    Returns
    -------
    bool or None
        None where it cannot be told, of the value or of any of the field.

    Examples
    --------
    >>> direction("spec.hostPID", True, "false"), direction("spec.hostPID", True, "true")
    (True, False)
    >>> direction("securityContext.capabilities.add[]", False, "SYS_ADMIN")
    True
    """
    name = bare(field)
    if name in _LISTED:
        safe = _LISTED[name](value)
        return safe if accepted or safe is None else (None if safe else True)
    judge = _JUDGES.get(name)
    safe = judge(value) if judge else None
    return safe if accepted or safe is None else not safe


def bare(field: str) -> str:
    """Return a field by the name that values are known by: of pods and containers alike.

    >>> bare("spec.securityContext.sysctls[].name"), bare("securityContext.capabilities.add[]")
    ('securityContext.sysctls[].name', 'securityContext.capabilities.add')
    """
    name = field.removeprefix("spec.")
    while name.endswith(("[]", "[?]")):
        name = name[: name.rindex("[")]
    return "host" if name.endswith(".host") else name


def _known(safe: Collection[str], unsafe: Collection[str]) -> Judge:
    return lambda value: True if value in safe else (False if value in unsafe else None)


def _only(safe: Collection[str]) -> Judge:
    return lambda value: value in safe


def _named(judge: Judge) -> Judge:
    """Judge names of what is always there: that it is set tells nothing."""
    return lambda value: None if value == SET else judge(value)


def _identity(value: str) -> bool | None:
    """Judge the number of a user or group: 0 is root."""
    sign, number = _number(value)
    if sign in ("<", "<="):
        return False if number <= (sign == "<") else None
    if sign is None or (sign == ">=" and not number):
        return None
    return sign == ">" or number > 0


def _port(value: str) -> bool | None:
    """Judge a port of the host: 0 is none; of others it is not told which are meant."""
    sign, number = _number(value)
    if (sign, number) in (("", 0), ("<", 1), ("<=", 0)):
        return True
    return False if value == SET or (sign, number) in ((">", 0), (">=", 1)) else None


def _number(value: str) -> tuple[str | None, int]:
    found = _NUMBER.fullmatch(value)
    return (found[1] or "", int(found[2])) if found else (None, 0)


def _path(value: str) -> bool:
    """Judge a path of the host: not all of it, nor the socket of a runtime."""
    return value.rstrip("*?") not in ("", "/") and ".sock" not in value


def _image(value: str) -> bool | None:
    """Judge an image by its digest or tag."""
    _, colon, tag = value.partition("@")[0].rpartition(":")
    return True if "@" in value else (tag != "latest" if colon else None)


_OFF, _ON = _known(["false"], ["true"]), _known(["true"], ["false"])
_PROFILE = _known(["RuntimeDefault", "Localhost"], ["Unconfined"])
_UNSET = _known([], [SET])
_CAPABILITIES = BASELINE_CAPABILITIES | {f"CAP_{name}" for name in BASELINE_CAPABILITIES}
_JUDGES: dict[str, Judge] = {
    **dict.fromkeys(("hostPID", "hostIPC", "hostNetwork", "hostUsers"), _OFF),
    **dict.fromkeys(("shareProcessNamespace", "automountServiceAccountToken"), _OFF),
    "securityContext.privileged": _OFF,
    "securityContext.allowPrivilegeEscalation": _OFF,
    "securityContext.windowsOptions.hostProcess": _OFF,
    "securityContext.runAsNonRoot": _ON,
    "securityContext.readOnlyRootFilesystem": _ON,
    "volumeMounts[].readOnly": _ON,
    **{
        f"securityContext.{name}": _identity
        for name in ("runAsUser", "runAsGroup", "fsGroup", "supplementalGroups")
    },
    "securityContext.seccompProfile.type": _PROFILE,
    "securityContext.appArmorProfile.type": _PROFILE,
    "securityContext.procMount": _known(["Default"], ["Unmasked"]),
    "securityContext.seLinuxOptions": _UNSET,
    "securityContext.sysctls": _UNSET,
    "securityContext.seLinuxOptions.user": _known([""], [SET]),
    "securityContext.seLinuxOptions.role": _known([""], [SET]),
    "securityContext.capabilities.drop": _known(["ALL", "all", "NET_RAW", "CAP_NET_RAW"], []),
    "ports[].hostPort": _port,
    "imagePullPolicy": _known(["Always"], ["IfNotPresent", "Never"]),
    "ephemeralContainers": _UNSET,
    **{f"volumes[].{name}": _known([SET], []) for name in VOLUME_SOURCES},
    "volumes[].hostPath": _UNSET,
}
#: Fields of which policies list values: to refuse safe ones too says nothing.
_LISTED: dict[str, Judge] = {
    "securityContext.capabilities.add": _only({"", *_CAPABILITIES}),
    "securityContext.sysctls[].name": _named(_only(safe_sysctls(NEWEST))),
    "securityContext.sysctls[].value": _only(()),
    "securityContext.seLinuxOptions.type": _named(_only(selinux_types(NEWEST))),
    "volumes[].hostPath.path": _named(_path),
    "volumes": _only({"", "name", *VOLUME_SOURCES}),
    "host": _only(["", "localhost", "127.0.0.1", "::1"]),
    "metadata.namespace": lambda value: value != "default",
    "image": _image,
}
