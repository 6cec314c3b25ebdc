"""ClusterRoles whose rules end up in admin, edit or view, and what they add to these.

Whoever was given one of the three has what is added too, at once and without a new binding.
Compared with what the three hold by themselves in Kubernetes v1.36, where edit does not write
endpoints (CVE-2021-25740); a cluster that was made before v1.22 has that still.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Annotated

from kaudit.columns import plain_rows
from kaudit.model.rbac_defaults import default_roles, parts_of
from kaudit.model.rbac_rule import PARTS, Rule
from kaudit.model.rights import RBAC, WORKLOADS
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class AggregatedRoleRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always ClusterRole")]
    name: Annotated[str, doc("name")]
    into: Annotated[list[str], doc("those of admin, edit and view that take its rules in, sorted")]
    adds: Annotated[list[str], doc("what it adds to one of them that leads further, sorted")]
    grown: Annotated[bool, doc("it adds something that leads further")]


AGGREGATED_ROLES = Table(
    "aggregated_roles",
    AggregatedRoleRow,
    grain="one ClusterRole that a default role of users takes in",
    key=("name",),
    resource=Resource("kind", namespace=""),
)
_LABEL = "rbac.authorization.k8s.io/aggregate-to-"
#: Each of the three, and the labels by which it takes in, by itself or by the next one.
_TAKES = {"view": ("view",), "edit": ("edit", "view"), "admin": ("admin", "edit", "view")}
_WRITE = ("create", "update", "patch")


def _allows(*asked: tuple[str, str, tuple[str, ...]]) -> Callable[[Rule], bool]:
    return lambda r: any(r.allows(group, kind, *verbs) for group, kind, verbs in asked)


_ADDED: dict[str, Callable[[Rule], bool]] = {
    "everything": lambda r: "*" in r.verbs and "*" in r.groups and "*" in r.resources,
    "reads secrets": _allows(("", "secrets", ("get", "list", "watch"))),
    "enters pods": _allows(
        ("", "pods/exec", ("create", "get")),
        ("", "pods/attach", ("create", "get")),
        ("", "pods/ephemeralcontainers", ("update", "patch")),
    ),
    "makes workloads": _allows(*((g, k, _WRITE) for g, kinds in WORKLOADS.items() for k in kinds)),
    "makes tokens": _allows(("", "serviceaccounts/token", ("create",))),
    "binds or escalates": _allows(
        (RBAC, "roles", ("bind", "escalate")), (RBAC, "clusterroles", ("bind", "escalate"))
    ),
    "impersonates accounts": _allows(("", "serviceaccounts", ("impersonate",))),
    "impersonates users": _allows(
        ("", "users", ("impersonate",)), ("", "groups", ("impersonate",))
    ),
    "writes roles": _allows((RBAC, "roles", _WRITE), (RBAC, "rolebindings", _WRITE)),
    "writes cluster roles": _allows(
        (RBAC, "clusterroles", _WRITE), (RBAC, "clusterrolebindings", _WRITE)
    ),
    "reaches kubelets": _allows(("", "nodes/proxy", ("get", *_WRITE))),
    "writes endpoints": _allows(
        ("", "endpoints", _WRITE), ("discovery.k8s.io", "endpointslices", _WRITE)
    ),
}


@view(AGGREGATED_ROLES)
def aggregated_roles(roles: pd.DataFrame, role_rules: pd.DataFrame) -> pd.DataFrame:
    """Choose the roles by their labels, and compare their rules with the defaults."""
    rules: dict[str, list[Rule]] = {}
    for kind, role, *parts in plain_rows(role_rules, "role_kind", "role", *PARTS):
        if kind == "ClusterRole":
            rules.setdefault(role, []).append(Rule.of(parts))
    rows = []
    for r in roles.to_dict("records"):
        labels = {t.removeprefix(_LABEL) for t in r["labels"] if t.startswith(_LABEL)}
        into = sorted(name for name in _TAKES if f"{name}=true" in labels)
        if r["kind"] != "ClusterRole" or not into or r["name"] in _TAKES:
            continue
        own = _led(rules.get(r["name"], ()))
        adds = sorted({text for name in into for text in own - _base(name)})
        rows.append(
            AggregatedRoleRow(
                raw=r["raw"],
                raw_line=r["raw_line"],
                kind=r["kind"],
                name=r["name"],
                into=into,
                adds=adds,
                grown=bool(adds),
            )
        )
    return frame(AGGREGATED_ROLES.sorted(AGGREGATED_ROLES.arrow(rows)))


def _led(rules: Iterable[Rule]) -> frozenset[str]:
    return frozenset(text for rule in rules for text, test in _ADDED.items() if test(rule))


@cache
def _base(name: str) -> frozenset[str]:
    """What one of the three leads to by itself."""
    wanted = {f"{_LABEL}{part}" for part in _TAKES[name]}
    return _led(
        Rule.of(parts_of(rule))
        for role in default_roles()
        if wanted & {*(role.metadata.labels or {})}
        for rule in role.rules or ()
    )
