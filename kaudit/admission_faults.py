"""Which pods fail the controls that admission can enforce, and in which kind of container.

Each fault is what the control of the same id judges; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kaudit.allow_list import outside
from kaudit.columns import arrow, flags, over_lists, positions, text_is
from kaudit.model.standards import (
    BASELINE_CAPABILITIES,
    NEWEST,
    safe_sysctls,
    selinux_types,
)
from kaudit.parameters import parameters

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from kaudit.columns import Flags

    Codes = np.ndarray[Any, np.dtype[np.uint8]]

#: Stands for a fault of the pod itself; other bits are kinds of containers.
POD = 8
_BITS = {"regular": 1, "init": 2, "sidecar": 2, "ephemeral": 4, "volume": 1}
_Test = Callable[["pd.DataFrame"], "pd.Series[Any]"]


def _added(c: pd.DataFrame, allowed: frozenset[str]) -> pd.Series[Any]:
    return over_lists(c["capabilities_add"], lambda names: not allowed.issuperset(names))


_OF_CONTAINERS: dict[str, _Test] = {
    "KA-DEP-001": lambda c: c["privileged"],
    "KA-DEP-008": lambda c: over_lists(c["host_ports"], bool) & ~c["host_network"],
    "KA-DEP-009": lambda c: c["windows_host_process"] & c["windows"],
    "KA-DEP-010": lambda c: _added(c, BASELINE_CAPABILITIES) & c["linux"],
    "KA-DEP-012": lambda c: (
        (~c["drops_all"] | _added(c, frozenset(["NET_BIND_SERVICE"]))) & c["linux"]
    ),
    "KA-DEP-014": lambda c: c["allow_privilege_escalation"] & c["linux"],
    "KA-DEP-015": lambda c: ~c["run_as_non_root"] & ~c["own_user_namespace"],
    "KA-DEP-015a": lambda c: c["user_zero"] & ~c["own_user_namespace"] & c["linux"],
    "KA-DEP-017": lambda c: ~c["read_only_root_filesystem"] & c["linux"],
    "KA-DEP-018": lambda c: text_is(c["seccomp"], "Unconfined") & c["linux"],
    "KA-DEP-019": lambda c: (
        ~text_is(c["seccomp"], "RuntimeDefault", "Localhost", "Unconfined") & c["linux"]
    ),
    "KA-DEP-020": lambda c: ~text_is(c["apparmor"], "", "RuntimeDefault", "Localhost") & c["linux"],
    "KA-DEP-021": lambda c: (
        (
            ~text_is(c["selinux_type"], *selinux_types(NEWEST))
            | (c["selinux_user"] != "")
            | (c["selinux_role"] != "")
        )
        & c["linux"]
    ),
    "KA-DEP-022": lambda c: (
        ~text_is(c["proc_mount"], "Default") & ~c["own_user_namespace"] & c["linux"]
    ),
}
_OF_RESOURCES: dict[str, _Test] = {
    "KA-DEP-028": lambda c: ~c["limits_memory"] & c["bounded"],
    "KA-DEP-029": lambda c: ~(c["requests_cpu"] & c["requests_memory"]) & c["bounded"],
    "KA-DEP-029c": lambda c: ~c["limits_cpu"] & c["bounded"],
    "KA-DEP-029d": lambda c: ~c["limits_storage"] & c["bounded"],
}
_OF_IMAGES: dict[str, _Test] = {
    "KA-BLD-007": lambda c: (
        (c["floating"] | (text_is(c["tag"], *parameters().moving_tags) & ~c["pinned"])) & c["given"]
    ),
    "KA-BLD-008": lambda c: ~c["pinned"] & c["given"],
    "KA-BLD-009": lambda c: flags(outside(c)) & c["given"],
}
_OF_VOLUMES: dict[str, _Test] = {
    "KA-DEP-005": lambda v: v["of_host"],
    "KA-DEP-024": lambda v: ~v["restricted"],
}
_OF_PODS: dict[str, _Test] = {
    "KA-DEP-002": lambda p: p["host_pid"],
    "KA-DEP-003": lambda p: p["host_ipc"],
    "KA-DEP-004": lambda p: p["host_network"],
}


def faults(
    pod_context: pd.DataFrame,
    security_context: pd.DataFrame,
    container_resources: pd.DataFrame,
    image_references: pd.DataFrame,
    pod_volumes: pd.DataFrame,
    cluster: pd.DataFrame,
) -> dict[str, Codes]:
    """Return control to a code a row of ``pod_context``: bits of what is at fault, 0: nothing."""
    import numpy as np

    uids, size = pod_context["pod_uid"], len(pod_context)
    minors = cluster["minor"].dropna()
    safe = safe_sysctls(int(minors.min()) if len(minors) else NEWEST)
    sysctls = over_lists(pod_context["sysctls"], lambda names: not safe.issuperset(names))
    found: dict[str, Codes] = {
        id: _np(test(pod_context)).astype(np.uint8) * POD for id, test in _OF_PODS.items()
    }
    found["KA-DEP-023"] = _np(sysctls & pod_context["linux"]).astype(np.uint8) * POD
    for parts, tests in (
        (security_context, _OF_CONTAINERS),
        (container_resources, _OF_RESOURCES),
        (image_references, _OF_IMAGES),
    ):
        at, bits = positions(parts["pod_uid"], uids), _bits(parts)
        for id, test in tests.items():
            bad = _np(test(parts))
            code = np.zeros(size, dtype=np.uint8)
            np.bitwise_or.at(code, at[bad], bits[bad])
            found[id] = code
    at = positions(pod_volumes["pod_uid"], uids)
    for id, test in _OF_VOLUMES.items():
        code = np.zeros(size, dtype=np.uint8)
        code[at[_np(test(pod_volumes))]] = POD
        found[id] = code
    return found


def _bits(parts: pd.DataFrame) -> Codes:
    import numpy as np

    codes = arrow(parts["container_type"]).dictionary_encode()
    of = np.array([_BITS.get(text, 1) for text in codes.dictionary.to_pylist()], dtype=np.uint8)
    return of[codes.indices.to_numpy(zero_copy_only=False)] if len(of) else of


def _np(column: pd.Series[Any]) -> Flags:
    found: Flags = arrow(column).to_numpy(zero_copy_only=False).astype(bool)
    return found
