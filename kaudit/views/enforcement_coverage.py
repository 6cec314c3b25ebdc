"""Which controls are enforced at admission, in which namespace, by what, and what slips through.

A control is enforced in a namespace where a policy that denies is for every pod of it and
looks at every kind of container. Policies whose code cannot be followed, or of which it cannot
be told whether they demand the safe value, make it unknown where nothing else enforces it, never
none; those that demand a value that is not safe enforce nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import records
from kaudit.enforcement import AdmissionTables, Policies, unlooked, unread
from kaudit.model import platform
from kaudit.model.admission_causes import BASELINE, BESIDE, CHECKS, ENFORCEABLE, UNDONE_BY
from kaudit.model.kinds import CONTROLLERS
from kaudit.policy_scope import Asked, mode_in
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame
from kaudit.views.enforced_levels import Levels

if TYPE_CHECKING:
    import pandas as pd


class CoverageRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always Namespace")]
    name: Annotated[str, doc("namespace")]
    platform: Annotated[bool, doc("a namespace of Kubernetes itself")]
    control: Annotated[str, doc("control that admission can enforce")]
    level: Annotated[str, doc("baseline or restricted, of the standards; beside: of neither")]
    state: Annotated[str, doc("enforced, partial, audit, unknown or none")]
    known: Annotated[bool, doc("its state is not unknown")]
    enforced_by: Annotated[list[str], doc("engines that enforce it, also in part, sorted")]
    rests_on: Annotated[
        list[str],
        doc("engines whose exceptions and webhooks decide whether that stands, sorted; none: no"),
    ]
    policies: Annotated[list[str], doc("policies that make the state, sorted")]
    holes: Annotated[list[str], doc("what slips past them, sorted")]


ENFORCEMENT_COVERAGE = Table(
    "enforcement_coverage",
    CoverageRow,
    grain="one control and one namespace, and what enforces it at admission",
    key=("name", "control"),
    resource=Resource("kind", namespace=""),
)
_PSS = "PodSecurity"


@view(
    ENFORCEMENT_COVERAGE,
    naming=(*AdmissionTables._fields, "cluster", "pod_security_config"),
)
def enforcement_coverage(
    namespaces: pd.DataFrame,
    namespace_security: pd.DataFrame,
    admission: AdmissionTables,
    cluster: pd.DataFrame,
    pod_security_config: pd.DataFrame,
) -> pd.DataFrame:
    """Ask every point about a pod of every namespace of which nothing else is known."""
    policies = Policies(admission, namespaces)
    levels = Levels(namespaces, namespace_security, cluster, pod_security_config)
    rows = []
    for own in records(namespaces[["raw", "raw_line", "name"]]):
        asked = Asked("Pod", own["name"], policies.spaces.get(own["name"]))
        for control in ENFORCEABLE:
            found = _Found()
            _of_level(levels, own["name"], control, found)
            for rule in policies.demanding(control):
                _of_rule(policies, rule, control, asked, found)
            rows.append(
                CoverageRow(
                    raw=own["raw"],
                    raw_line=own["raw_line"],
                    kind="Namespace",
                    name=own["name"],
                    platform=own["name"] in platform.NAMESPACES,
                    control=control,
                    level=_level(control),
                    **found.columns(),
                )
            )
    return frame(ENFORCEMENT_COVERAGE.sorted(ENFORCEMENT_COVERAGE.arrow(rows)))


def _level(control: str) -> str:
    if control in BESIDE:
        return "beside"
    return "baseline" if control in BASELINE else "restricted"


class _Found:
    """What the points say of one control and namespace."""

    def __init__(self) -> None:
        self.by_state: dict[str, list[tuple[str, str, list[str]]]] = {}

    def add(self, state: str, engine: str, policy: str, holes: list[str]) -> None:
        """Note one point."""
        self.by_state.setdefault(state, []).append((engine, policy, holes))

    def columns(self) -> dict[str, Any]:
        """State, who makes it, and what slips past all of it."""
        order = ("enforced", "partial", "unknown", "audit")
        state = next((state for state in order if state in self.by_state), "none")
        points = self.by_state.get(state, [])
        denies = [*self.by_state.get("enforced", ()), *self.by_state.get("partial", ())]
        holes = {hole for _, _, some in points for hole in some}
        by = {engine for engine, _, _ in denies}
        return {
            "state": state,
            "known": state != "unknown",
            "enforced_by": sorted(by),
            "rests_on": sorted(by) if by <= UNDONE_BY.keys() else [],
            "policies": sorted({policy for _, policy, _ in points}),
            "holes": sorted(holes),
        }


def _of_level(levels: Levels, namespace: str, control: str, found: _Found) -> None:
    own, checks = levels.of.get(namespace), CHECKS.get(control)
    if own is None or checks is None:
        return
    for mode, level in (("enforced", own["enforces"]), ("audit", own["audit"])):
        if level in ("baseline", "restricted") and levels.covers(own, level, checks):
            holes = levels.holes() if mode == "enforced" else []
            state = "partial" if holes else mode
            found.add(state, _PSS, f"Namespace {namespace}, {level}", holes)


def _of_rule(
    policies: Policies, rule: dict[str, Any], control: str, asked: Asked, found: _Found
) -> None:
    """Note what one rule does."""
    excepted = policies.excepted(rule, asked)
    unmet = _unmet(policies, rule, asked, excepted)
    if unmet is None or rule["ready"] is False:
        return
    engine, title = rule["engine"], rule["title"]
    mode, _ = mode_in(rule, asked)
    if mode not in ("enforce", None):
        if not unread(rule):
            found.add("audit", engine, title, [])
    elif unread(rule) or mode is None or control not in rule["controls"]:
        found.add("unknown", engine, title, [])
    else:
        holes = [f"{name} are not looked at" for name in unlooked(rule, control)] + unmet
        if rule["conditions"]:
            holes.append("what preconditions, match conditions or missing parameters leave out")
        holes += [f"what {one} leaves out" for one in policies.unheard_of(engine, asked)]
        holes += [f"exception {name}" for name in excepted]
        state = "partial" if holes else "enforced"
        if rule["failure_policy"] == "Ignore":
            holes.append("everything while the webhook does not answer")
        found.add(state, engine, title, holes)


def _unmet(
    policies: Policies, rule: dict[str, Any], asked: Asked, excepted: dict[str, bool]
) -> list[str] | None:
    """Pods that a rule is not for; None where it is for no pod, and for no controller of one."""
    verdict = policies.decided(rule, asked)
    unasked = verdict.applies is not False and policies.unasked(rule["engine"], asked)
    spared = True in excepted.values()  # for sure: all pods of the namespace are
    if unasked or spared or (verdict.applies is False and verdict.why in ("kind", "exempt")):
        owners = (asked._replace(kind=kind) for kind in CONTROLLERS)
        if unread(rule) or not any(_meets(policies, rule, one) for one in owners):
            return None
        alone = unasked or verdict.applies is False
        return ["pods that no controller made, or another kind"] if alone else []
    if verdict.applies is None:
        return [f"what {verdict.clause} leaves out"]
    return [] if verdict.applies else None


def _meets(policies: Policies, rule: dict[str, Any], owner: Asked) -> bool:
    """Whether a rule is asked about a controller for sure, and not kept from it."""
    return (
        bool(policies.decided(rule, owner).applies)
        and True not in policies.excepted(rule, owner).values()
        and not policies.unasked(rule["engine"], owner)
    )
