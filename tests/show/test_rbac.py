"""RBAC risk as reports show it: who holds what, the ways to all rights, and what is unknown."""

from __future__ import annotations

from kaudit import show
from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.show import blocks as b
from kaudit.show.block_html import standalone
from kaudit.source.files import FileSource
from tests.conformance.test_kubehound import STEPS

HOSTILE = "<img src=x onerror=alert(1)>"


def shown(text: str) -> b.Stack:
    return show.rbac(assess(collect(FileSource.of_text(text)), []))


def tables(stack: b.Stack) -> list[b.Table]:
    return [part for part in stack.blocks if isinstance(part, b.Table)]


def test_subjects_and_ways() -> None:
    text = STEPS + (
        "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, "
        "metadata: {name: h, namespace: ci}, roleRef: {kind: ClusterRole, name: edit}, "
        f'subjects: [{{kind: User, name: "{HOSTILE}"}}]}}\n'
    )
    subjects, ways = tables(shown(text))
    assert [str(row[1]) for row in subjects.rows] == ["ci/runner", HOSTILE, "shop/web"]
    assert [str(row[2]) for row in ways.rows] == ["runner", "web"]
    assert HOSTILE not in standalone(shown(text))


def test_what_was_not_read_is_said() -> None:
    titles = [p.title for p in shown(STEPS).blocks if isinstance(p, b.Callout)]
    assert titles == ["Not all roles and bindings were read"]
    nothing = shown("{apiVersion: v1, kind: Namespace, metadata: {name: a}}")
    assert [p.title for p in nothing.blocks if isinstance(p, b.Callout)] == ["Rights are not known"]
