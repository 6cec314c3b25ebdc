"""Who may take away what keeps the pods of a namespace from the node, and make pods there.

Of subjects that hold all rights nothing is said: they need no switch. A service account holds
what its groups hold too; those of the engine itself are left out. Where it is not known what
guards a namespace, every lever counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import msgspec

from kaudit.columns import arrow, plain_rows, records
from kaudit.model.guardrails import EXCEPTIONS, OWN_LABELS, levers_of
from kaudit.model.rbac_rule import PARTS, Rule, given_by
from kaudit.model.service_account import groups_of
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class GuardrailRightRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always Namespace")]
    name: Annotated[str, doc("namespace")]
    subject_kind: Annotated[str, doc("User, Group or ServiceAccount")]
    subject: Annotated[str, doc("name of the subject; namespace/name of a service account")]
    levers: Annotated[list[str], doc("what it may use to take the guard away, sorted")]
    by: Annotated[list[str], doc("bindings that give these rights, sorted")]
    lost: Annotated[
        list[str] | None, doc("controls whose guard it can take away; null: no guard is known")
    ] = None
    certain: Annotated[
        bool, doc("it does not rest on exceptions alone, which the engine may not heed")
    ]


GUARDRAIL_RIGHTS = Table(
    "guardrail_rights",
    GuardrailRightRow,
    grain="one subject that makes pods in a namespace and may take its guard away",
    key=("name", "subject_kind", "subject"),
    resource=Resource("kind", namespace=""),
)
_EVERYONE = ("Group", "system:authenticated")
_Subject = tuple[str, str]
#: Control to its guards, each by the levers that take it away.
_Guards = dict[str, list[set[str]]]


class _Held(msgspec.Struct, frozen=True):
    """One rule that a subject holds, and where."""

    scope: str
    rule: Rule
    by: str
    makes: bool
    raw: str
    raw_line: int


@view(
    GUARDRAIL_RIGHTS,
    naming=("namespace_guards", "policy_exceptions", "webhook_posture", "image_uses"),
)
def guardrail_rights(
    permissions: pd.DataFrame,
    namespace_guards: pd.DataFrame,
    policy_exceptions: pd.DataFrame,
    webhook_posture: pd.DataFrame,
    image_uses: pd.DataFrame,
) -> pd.DataFrame:
    """Bring together rights of each subject and what guards each namespace."""
    held = _subjects(permissions)
    guards = _guards(namespace_guards)
    places = {*guards, *(arrow(image_uses["namespace"]).unique().to_pylist())}
    engines = _engines(webhook_posture)
    heeded = len(policy_exceptions) > 0
    rows = []
    for subject in sorted(held):
        if subject[0] == "ServiceAccount" and subject[1].partition("/")[0] in engines:
            continue
        own = [*held[subject], *(one for group in _groups(subject) for one in held.get(group, ()))]
        for name in _scopes(own, places):
            row = _row(subject, own, name, guards.get(name), heeded=heeded)
            if row is not None:
                rows.append(row)
    return frame(GUARDRAIL_RIGHTS.sorted(GUARDRAIL_RIGHTS.arrow(rows)))


def _row(
    subject: _Subject, own: list[_Held], name: str, guards: _Guards | None, *, heeded: bool
) -> GuardrailRightRow | None:
    """What a subject may do about the guards of a namespace; None where it takes nothing away."""
    found = _levers(own, name)
    lost = _lost(guards, {*found, OWN_LABELS})
    if (not found and not lost) or lost == []:
        return None
    sure = {*found, OWN_LABELS} - (set() if heeded else {EXCEPTIONS})
    makers = [one for one in own if one.scope in ("", name) and one.makes]
    giving = next(iter(found.values()), makers)
    used = [*makers[:1], *(one for some in found.values() for one in some)]
    return GuardrailRightRow(
        raw=giving[0].raw,
        raw_line=giving[0].raw_line,
        kind="Namespace",
        name=name,
        subject_kind=subject[0],
        subject=subject[1],
        levers=sorted(found) or [OWN_LABELS],
        by=sorted({one.by for one in used}),
        lost=lost,
        certain=_lost(guards, sure) != [],
    )


def _guards(namespace_guards: pd.DataFrame) -> dict[str, _Guards]:
    """Guards of each namespace; of one that is not known no lever is."""
    found: dict[str, _Guards] = {}
    for one in records(namespace_guards):
        of = found.setdefault(one["name"], {}).setdefault(one["control"], [])
        of.append({*one["levers"]} if one["known"] else set())
    return found


def _engines(webhook_posture: pd.DataFrame) -> set[str]:
    """Namespaces of the engines that guard."""
    columns = (arrow(webhook_posture[name]).to_pylist() for name in ("service", "guards"))
    pairs = zip(*columns, strict=True)
    return {(service or "").partition("/")[0] for service, guard in pairs if guard}


def _subjects(permissions: pd.DataFrame) -> dict[_Subject, list[_Held]]:
    """Rules of each subject, but for those who hold all rights, and defaults of Kubernetes."""
    found: dict[_Subject, list[_Held]] = {}
    mighty: set[_Subject] = set()
    names = (
        *("subject_kind", "subject", "resolved", "admin", "workloads", "namespace"),
        *("binding_kind", "binding", "role", "raw", "raw_line", *PARTS),
    )
    for kind, subject, resolved, admin, makes, scope, *rest in plain_rows(permissions, *names):
        binding_kind, binding, role, raw, line, *parts = rest
        if not kind or not resolved:
            continue
        if admin and not scope:
            mighty.add((kind, subject))
        rule = Rule.of(parts, bounded=bool(scope))
        by = given_by(binding_kind, scope, binding, role)
        one = _Held(scope, rule, by, bool(makes), raw, line)
        found.setdefault((kind, subject), []).append(one)
    return {subject: rules for subject, rules in found.items() if subject not in mighty}


def _groups(subject: _Subject) -> Iterator[_Subject]:
    """Groups that a subject is in by what it is."""
    if subject == _EVERYONE or subject[1] == "system:anonymous":
        return
    if subject[0] != "ServiceAccount":
        yield _EVERYONE
        return
    for group in groups_of(subject[1].partition("/")[0]):
        yield "Group", group


def _scopes(own: list[_Held], places: set[str]) -> list[str]:
    """Namespaces in which a subject makes pods."""
    makes = {one.scope for one in own if one.makes}
    return sorted(places if "" in makes else makes)


def _levers(own: list[_Held], name: str) -> dict[str, list[_Held]]:
    """Levers on the guards of a namespace, each with the rules that give it.

    An exception works wherever it stands; what has no namespace counts where it is granted in
    the whole cluster, as the rule itself knows.
    """
    found: dict[str, list[_Held]] = {}
    for one in own:
        for lever in levers_of(one.rule, name):
            if one.scope in ("", name) or lever == EXCEPTIONS:
                found.setdefault(lever, []).append(one)
    return dict(sorted(found.items()))


def _lost(guards: _Guards | None, held: set[str]) -> list[str] | None:
    """Controls that nothing guards any more; None where no guard is known."""
    if guards is None:
        return None
    return sorted(
        control for control, engines in guards.items() if all(one & held for one in engines)
    )
