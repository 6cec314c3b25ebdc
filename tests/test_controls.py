"""Every control keeps the promises of its own cases."""

import re

import pytest

from kaudit import registry
from kaudit.cases import cases, faults

registry.load()


@pytest.mark.parametrize("control", registry.CONTROLS.values(), ids=lambda c: c.id)
def test_cases_fail_exactly_where_they_say(control: registry.Control) -> None:
    assert faults(control) == []


def test_remedies_are_as_they_were_written() -> None:
    """Formatters of docstrings take ``parameters:`` for a heading, and underline it."""
    underlined = re.compile(r"^\s*-{4,}\s*$", re.MULTILINE)
    assert [c.id for c in registry.CONTROLS.values() if underlined.search(c.remedy)] == []


def test_a_cluster_has_what_stands_in_every_cluster_but_for_its_own() -> None:
    text = (
        "# in every cluster\n{kind: Pod, metadata: {name: a}, spec: 1}\n---\n"
        "{kaudit-file: b, content: 1}\n# cluster: bad-x\n# cluster: ok-y\n"
        "{kind: Pod, metadata: {name: a}, spec: 2}\n---\n{kind: Pod, metadata: {name: b}}\n"
    )
    first, second = cases(text)
    assert first.name == "bad-x"
    assert first.manifests == (
        "{kind: Pod, metadata: {name: a}, spec: 1}\n---\n{kaudit-file: b, content: 1}\n"
    )
    assert second.manifests.splitlines() == [
        "{kind: Pod, metadata: {name: a}, spec: 2}",
        "---",
        "{kind: Pod, metadata: {name: b}}",
        "---",
        "{kaudit-file: b, content: 1}",
    ]
