"""What namespaces enforce of the Pod Security Standards, and what that did to a pod.

The checks are those of the level and the version that the namespace enforces, by its labels or
by the defaults of the API server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kaudit.columns import arrow, records
from kaudit.enforcement import Case, Outcome
from kaudit.model.admission_causes import CHECKS, DENIED
from kaudit.model.standards import NEWEST, pinned_minor
from kaudit.policy_scope import CONTROLLER_USERS
from kaudit.views.pod_security import PodSecurity, checks_of

if TYPE_CHECKING:
    import pandas as pd

_PSS = "PodSecurity"
_ENFORCE = "metadata.labels pod-security.kubernetes.io/"
_CONFIG = "PodSecurityConfiguration"
#: Columns of namespaces that tell since when a label may be set.
TIMES = ("created_at", "changed_at")


class Levels:
    """What namespaces enforce of the Pod Security Standards, by level and version."""

    def __init__(
        self,
        namespaces: pd.DataFrame,
        namespace_security: pd.DataFrame,
        cluster: pd.DataFrame,
        pod_security_config: pd.DataFrame,
    ) -> None:
        minors = cluster["minor"].dropna()
        given = records(pod_security_config)
        self.runtimes = {name for one in given for name in one["exempt_runtime_classes"]}
        self.users = {name for one in given for name in one["exempt_usernames"]}
        versions = {one["enforce_version"] for one in given}
        default = versions.pop() if len(versions) == 1 else None
        self.newest = int(minors.iloc[0]) if len(minors) else NEWEST
        self.of: dict[str, dict[str, Any]] = {}
        times = {row["name"]: row for row in records(namespaces)}
        for row in records(namespace_security):
            row |= {name: times.get(row["name"], {}).get(name) for name in TIMES}
            row["minor"] = self._minor(default if row["by_default"] else row["enforce_version"])
            row["checks"] = checks_of(row["enforces"], row["minor"])
            self.of[row["name"]] = row

    def _minor(self, label: str | None) -> int:
        pinned = pinned_minor(label) if label else None
        return self.newest if pinned is None else min(pinned, NEWEST)

    def covers(self, own: dict[str, Any], level: str, checks: Sequence[str]) -> bool:
        """Whether a level has any of the checks, at the version that the namespace names."""
        return not own["exempt"] and not {*checks}.isdisjoint(checks_of(level, own["minor"]))

    def broken(self, judged: PodSecurity, pods: pd.DataFrame) -> dict[str, Any]:
        """Check to whether each pod breaks it at the level that its own namespace enforces."""
        import numpy as np

        spaces = arrow(pods["namespace"]).dictionary_encode()
        names = spaces.dictionary.to_pylist()
        of_pod = spaces.indices.to_numpy(zero_copy_only=False)
        found: dict[str, Any] = {}
        wanted = {(n["enforces"], n["minor"]) for n in self.of.values() if n["checks"]}
        for level, minor in sorted(wanted):
            here = np.array([self._is(name, level, minor) for name in names], dtype=bool)
            mask = here[of_pod] if len(names) else np.zeros(0, dtype=bool)
            if mask.any():
                for fault in judged.faults(level, minor):
                    zero = np.zeros(len(pods), dtype=bool)
                    found[fault.check] = found.get(fault.check, zero) | (fault.pods & mask)
        return found

    def _is(self, name: str, level: str, minor: int) -> bool:
        own = self.of.get(name)
        return own is not None and (own["enforces"], own["minor"]) == (level, minor)

    def outcome(self, case: Case, refused: bool) -> Outcome | None:
        """What the label of the namespace did; None where it does not speak of the control."""
        own, checks = self.of.get(case.pod.namespace), CHECKS.get(case.control)
        if own is None or checks is None:
            return None

        def found(cause: str, clause: str) -> Outcome:
            return Outcome(cause, _PSS, f"Namespace {own['name']}", clause)

        if refused and own["exempt"]:
            return found("exempt_namespace", f"{_CONFIG} exemptions.namespaces")
        if refused and case.runtime in self.runtimes:
            return found("exception", f"{_CONFIG} exemptions.runtimeClasses: {case.runtime}")
        if refused:
            cause, clause = _aged(own, case)
            if cause == DENIED and self._may_be_user(case):
                return found("unknown", f"{_CONFIG} exemptions.usernames; who made it is not told")
            return found(cause, clause)
        for mode in ("audit", "warn"):
            level = own[mode]
            if level in ("baseline", "restricted") and self.covers(own, level, checks):
                return found("audit_only", f"{_ENFORCE}{mode}: {level}")
        return None

    def holes(self) -> list[str]:
        """What the configuration leaves out of every level."""
        named = {"runtimeClasses": self.runtimes, "usernames": self.users}
        return [
            f"{_CONFIG} exemptions.{name}: {', '.join(sorted(some))}"
            for name, some in named.items()
            if some
        ]

    def _may_be_user(self, case: Case) -> bool:
        """Whether an exempt user may have made it; of controllers the users are known."""
        if case.owner is None:
            return bool(self.users)
        return not self.users.isdisjoint(CONTROLLER_USERS)


def _aged(own: dict[str, Any], case: Case) -> tuple[str, str]:
    """Tell by times: when a label was set is known by the last change of the namespace.

    When the API server was given its configuration, nothing tells.
    """
    clause = f"{_ENFORCE}enforce: {own['enforce']}"
    if own["by_default"]:
        clause = f"{_CONFIG} defaults.enforce: {own['enforces']}"
    if case.static:
        return "static_pod", "metadata.annotations kubernetes.io/config.mirror"
    made, changed = case.made_at, own["changed_at"]
    if made is None or changed is None or own["by_default"]:
        return "unknown", f"{clause}; when it was set is not told"
    if own["created_at"] and own["created_at"] > made:
        return "older_than_policy", clause
    if changed > made:
        return "policy_changed", f"{clause}; namespace changed {changed:%Y-%m-%d %H:%M} UTC"
    return DENIED, clause
