"""Ways from a container to its node.

They are named as KubeHound names them (DataDog/KubeHound, docs/reference/attacks), in small
letters. What a container cannot know of itself, such as the user of its image, is a condition.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

_KERNEL = ("/", "/proc", "/proc/sys", "/proc/sys/kernel")
_LOGS = ("/", "/var", "/var/log")
_KEYS = re.compile(r"/(?:etc|home|proc|root|(?:root|home/[^/]+)/\.ssh)?")
_PODS = "/var/lib/kubelet/pods"
_ROOT = "if its image runs as root"


class Confines(msgspec.Struct, frozen=True):
    """What holds a container, or does not.

    Attributes
    ----------
    user
        User that it is set to run as; None: the image's.
    mounts
        Paths of the node that it sees; those with ``+`` in front it writes, those with ``=``
        too, where what is written there matters; ``!`` is the socket of a runtime.
    """

    privileged: bool
    host_pid: bool
    capabilities: tuple[str, ...]
    apparmor: str
    user: int | None
    mounts: tuple[str, ...]


class Way(msgspec.Struct, frozen=True, order=True):
    """One way out, and what it takes beside; no condition: nothing."""

    kind: str
    condition: str = ""


def ways(held: Confines) -> list[Way]:
    """Find the ways out of a container, sorted."""
    return sorted({*_by_privilege(held), *_by_mounts(held)})


def _by_privilege(held: Confines) -> Iterator[Way]:
    added = {name.removeprefix("CAP_") for name in held.capabilities}
    every = held.privileged or "ALL" in added
    if every or "SYS_MODULE" in added:
        yield Way("ce_module_load")
    if held.privileged:
        yield Way("ce_priv_mount")
        if held.host_pid:
            yield Way("ce_nsenter")
    elif held.host_pid and (every or added >= {"SYS_PTRACE", "SYS_ADMIN"}):
        free = held.apparmor == "Unconfined"
        yield Way("ce_sys_ptrace", "" if free else "if AppArmor does not confine it")


def _by_mounts(held: Confines) -> Iterator[Way]:
    as_root = "" if held.user == 0 or held.privileged else _ROOT
    may_be_root = held.privileged or not held.user
    for text in held.mounts:
        mark, path = text[0], text[1:]
        if mark == "!":
            yield Way("exploit_containerd_sock", as_root)
        if mark in "=!" and path:
            yield Way("exploit_host_write", as_root)
        if mark in "=+" and path in _KERNEL and may_be_root:
            yield Way("ce_umh_core_pattern", as_root)
        if mark in "=+" and path in _LOGS and may_be_root:
            yield Way("ce_var_log_symlink", as_root)
        if mark == "-" and _KEYS.fullmatch(path):
            yield Way("exploit_host_read", "if keys lie there that let one in")
        if path == "/" or _PODS.startswith(f"{path}/") or f"{path}/".startswith(f"{_PODS}/"):
            yield Way("exploit_host_traverse", as_root)


def marked(path: str, *, writable: bool, sensitive: bool, socket: bool) -> str:
    """Return a mount as :class:`Confines` has it."""
    if socket:
        return f"!{path}"
    if not writable:
        return f"-{path}"
    return f"={path}" if sensitive else f"+{path}"


def read(text: str) -> Way:
    """Return a way of its text."""
    kind, _, condition = text.partition(" ")
    return Way(kind, condition)


def texts(found: Sequence[Way]) -> list[str]:
    """Write ways as ``kind condition``."""
    return [f"{way.kind} {way.condition}".rstrip() for way in found]
