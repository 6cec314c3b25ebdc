"""The deploy layer as reports show it: what is enforced, why it got in, blind spots, what is next."""

from __future__ import annotations

from functools import cache

from kaudit import show
from kaudit.assess import assess
from kaudit.assessment import Assessment
from kaudit.model.admission_causes import ENFORCEABLE
from kaudit.registry import CONTROLS
from kaudit.show import blocks as b
from kaudit.show.block_html import standalone
from kaudit.show.deploy import SHORT
from tests.memory_source import evidence_of
from tests.views.test_bad_policies import CLUSTER, JUDGES, MATCH, POLICY

HOSTILE = "<script>alert(1)</script>"
GUARDED = """
---
{apiVersion: v1, kind: Namespace, metadata: {name: free, creationTimestamp: "2025-01-01T00:00:00Z"}}
---
{apiVersion: v1, kind: Pod, metadata: {name: q, namespace: free, creationTimestamp: "2025-03-01T00:00:00Z"}, spec: {hostIPC: true, containers: [{name: c, image: "a:1"}]}}
"""


@cache
def judged(text: str = CLUSTER + POLICY % f"{MATCH}, {JUDGES}" + GUARDED) -> Assessment:
    return assess(evidence_of(text), [CONTROLS[id] for id in ENFORCEABLE])


def tables(stack: b.Stack) -> dict[str, b.Table]:
    return {part.caption: part for part in stack.blocks if isinstance(part, b.Table)}


def numbers(stack: b.Stack) -> dict[str, object]:
    (found,) = (part for part in stack.blocks if isinstance(part, b.Numbers))
    return {one.label: one.value for one in found.items}


def test_enforcement_counts_controls_and_namespaces() -> None:
    stack = show.enforcement(judged())
    total = 2 * len(SHORT)
    assert numbers(stack) == {
        "enforced": 2,
        "in part": 0,
        "audited only": 0,
        "not told": 0,
        "nothing": total - 2,
    }
    (table,) = tables(stack).values()
    of = {str(row[0]): [str(cell) for cell in row] for row in table.rows}
    assert set(of) == set(SHORT)
    assert of["KA-DEP-002"][2:7] == ["2", "0", "0", "0", "0"]
    assert "Kyverno" in of["KA-DEP-002"][7]
    assert of["KA-DEP-003"][2:7] == ["0", "0", "0", "0", "2"]


def test_what_should_have_been_denied_comes_first_and_loud() -> None:
    stack = show.admitted(judged())
    first = stack.blocks[0]
    assert isinstance(first, b.Callout)
    assert (first.tone, first.title) == (
        b.Tone.DANGER,
        "1 failure should have been denied: investigate",
    )
    (investigate, *_) = tables(stack).values()
    assert [str(cell) for cell in investigate.rows[0]][:3] == ["shop", "p", "KA-DEP-002"]
    causes = tables(stack)["Why what fails was admitted"]
    said = {str(row[0]): int(str(row[2])) for row in causes.rows}
    why = judged().evidence["why_admitted"]
    assert said == {str(k).replace("_", " "): n for k, n in why["cause"].value_counts().items()}


def test_blind_spots_name_what_a_policy_does_not_see() -> None:
    rule = 'validate: {failureAction: Audit, pattern: {spec: {containers: [{image: "a/*"}]}}}'
    (table,) = tables(show.blind_spots(judged(CLUSTER + POLICY % f"{MATCH}, {rule}"))).values()
    (row,) = table.rows
    assert [str(cell) for cell in row[:3]] == ["Kyverno", "p", "audit"]
    assert "init containers" in str(row[4])
    assert "ephemeral containers" in str(row[4])


def test_next_is_what_would_break_least() -> None:
    (table,) = tables(show.next_to_enforce(judged())).values()
    of = {str(r[0]): tuple(int(str(cell)) for cell in r[2:]) for r in table.rows}
    refused = [row[3] for row in of.values()]
    assert refused == sorted(refused)
    assert "KA-DEP-002" not in of  # enforced everywhere
    assert of["KA-DEP-003"] == (2, 1, 0, 1)
    assert of["KA-DEP-001"] == (2, 2, 0, 0)


def test_what_was_not_assessed_is_ready_nowhere() -> None:
    broken = "---\n{apiVersion: v1, kind: Pod, metadata: {name: z, namespace: shop}, spec: 5}\n"
    alone = assess(evidence_of(CLUSTER + GUARDED + broken), [CONTROLS["KA-DEP-003"]])
    (table,) = tables(show.next_to_enforce(alone)).values()
    of = {str(row[0]): tuple(int(str(cell)) for cell in row[2:]) for row in table.rows}
    assert of["KA-DEP-003"] == (2, 0, 1, 1)  # a pod of shop could not be read
    assert of["KA-DEP-001"] == (2, 0, 2, 0)  # a control that was left out


def test_policies_that_could_not_be_read_may_enforce() -> None:
    broken = "---\n{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: q}, spec: 5}\n"
    for text, told in ((CLUSTER + GUARDED, False), (CLUSTER + GUARDED + broken, True)):
        found = judged(text)
        for stack in (show.enforcement(found), show.admitted(found)):
            titles = [part.title for part in stack.blocks if isinstance(part, b.Callout)]
            assert ("Not every policy could be read" in titles) is told


def test_names_are_escaped() -> None:
    policy = (POLICY % f"{MATCH}, {JUDGES}").replace("{name: p,", f'{{name: "{HOSTILE}",')
    assert HOSTILE not in standalone(show.deploy(judged(CLUSTER + policy)))


def test_without_evidence_it_says_so() -> None:
    nothing = judged("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")
    titles = [
        part.title
        for stack in (show.enforcement, show.admitted, show.blind_spots)
        for part in stack(nothing).blocks
        if isinstance(part, b.Callout)
    ]
    assert titles == [
        "The evidence holds no namespace",
        "Nothing to explain",
        "No admission policy is in the evidence",
    ]
