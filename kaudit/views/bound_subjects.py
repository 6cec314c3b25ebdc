"""Bindings by subject: what each gives as a whole, and whether another gives the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class BoundSubjectRow(Trace, kw_only=True):
    binding_kind: Annotated[str, doc("RoleBinding or ClusterRoleBinding")]
    namespace: Annotated[str, doc("namespace of the binding; empty: the whole cluster")]
    binding: Annotated[str, doc("name of the binding")]
    subject_kind: Annotated[str, doc("User, Group or ServiceAccount; empty: no subject")]
    subject: Annotated[str, doc("name of the subject; namespace/name of a service account")]
    subject_class: Annotated[str, doc("anonymous, everyone, masters, account, default account, …")]
    role: Annotated[str, doc("kind and name of the role")]
    grants: Annotated[list[str], doc("rules of the role: verbs on groups/resources")]
    judged: Annotated[bool, doc("not one of the defaults of Kubernetes")]
    dangling: Annotated[bool, doc("the role is not there")]
    unknown_kinds: Annotated[list[str], doc("kind of that role, where it is not there")]
    resolved: Annotated[bool, doc("judged, and its rules are known")]
    placeless: Annotated[bool, doc("a service account without namespace, which Kubernetes ignores")]
    same_as: Annotated[list[str], doc("other bindings that give it the same role there")]
    repeated: Annotated[bool, doc("another binding gives it the same role there")]
    admin: Annotated[bool, doc("everything on everything")]
    takeover: Annotated[bool, doc("any right that leads to the rights of others")]


BOUND_SUBJECTS = Table(
    "bound_subjects",
    BoundSubjectRow,
    grain="one subject of one binding",
    key=("binding_kind", "namespace", "binding", "subject_kind", "subject"),
    resource=Resource("binding_kind", name="binding"),
)
#: What all rules of a binding and subject have in common.
_SAME = (
    "raw",
    "raw_line",
    "binding_kind",
    "namespace",
    "binding",
    "subject_kind",
    "subject",
    "subject_class",
    "role",
    "judged",
    "dangling",
    "resolved",
)
_ADDED = ("grants", "admin", "takeover")


@view(BOUND_SUBJECTS, missing={"unknown_kinds": ("rbac_rules", "roles")})
def bound_subjects(permissions: pd.DataFrame) -> pd.DataFrame:
    """Put the rules of each binding and subject together."""
    found: dict[tuple[Any, ...], list[tuple[str, bool, bool]]] = {}
    columns = (arrow(permissions[name]).to_pylist() for name in (*_SAME, *_ADDED))
    for cells in zip(*columns, strict=True):
        found.setdefault(cells[: len(_SAME)], []).append(cells[len(_SAME) :])
    twins: dict[tuple[Any, ...], list[str]] = {}
    for same in found:
        twins.setdefault(_given(same), []).append(f"{same[2]}/{same[4]}")
    rows = []
    for same, rules in found.items():
        base: dict[str, Any] = dict(zip(_SAME, same, strict=True))
        own = f"{base['binding_kind']}/{base['binding']}"
        others = sorted({*twins[_given(same)]} - {own}) if base["subject_kind"] else []
        account = base["subject_kind"] == "ServiceAccount"
        rows.append(
            BoundSubjectRow(
                **base,
                unknown_kinds=[base["role"].partition("/")[0]] if base["dangling"] else [],
                grants=[text for text, _, _ in rules if text],
                placeless=account and base["subject"].startswith("/"),
                same_as=others,
                repeated=bool(others),
                admin=any(admin for _, admin, _ in rules),
                takeover=any(takeover for _, _, takeover in rules),
            )
        )
    return frame(BOUND_SUBJECTS.sorted(BOUND_SUBJECTS.arrow(rows)))


def _given(same: tuple[Any, ...]) -> tuple[Any, ...]:
    """Who gets which role where."""
    _, _, _, namespace, _, kind, subject, _, role, *_ = same
    return namespace, kind, subject, role
