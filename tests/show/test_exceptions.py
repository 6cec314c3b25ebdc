"""The register of exceptions and the runs of engines, as reports show them."""

from __future__ import annotations

from datetime import date

from kaudit import show
from kaudit.assess import assess
from kaudit.assessment import Assessment
from kaudit.collect import collect
from kaudit.show import blocks as b
from kaudit.show.block_html import standalone
from kaudit.source.events import Source
from kaudit.source.files import FileSource
from kaudit.source.tools import ToolSource
from kaudit.waivers import Waiver
from tests.collectors.test_tools import EXAMPLES

HOSTILE = "<script>alert(1)</script>"
TEXT = """
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop}, spec: {hostPID: true, containers: [{name: c, image: i}]}}
---
{apiVersion: kyverno.io/v2, kind: PolicyException, metadata: {name: e, namespace: shop, annotations: {reason: "<script>alert(1)</script>"}},
  spec: {exceptions: [{policyName: p, ruleNames: [r]}], match: {any: [{resources: {kinds: [Pod]}}]}}}
---
{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sLimits, metadata: {name: limits}, spec: {},
  status: {totalViolations: 3, violations: [{kind: Pod, name: web, namespace: shop, message: m}]}}
"""


def assessed(waiver: bool = False, text: str = TEXT) -> Assessment:
    log = ToolSource("gatekeeper", EXAMPLES / "gatekeeper/two-audits.log")
    sources: list[Source] = [FileSource.of_text(text), *([log] if text is TEXT else [])]
    waivers = [
        Waiver(
            id="W-1",
            control="KA-DEP-002",
            namespace="shop",
            reason="debugging",
            owner="shop",
            approver="boss",
            expires=date(2099, 1, 1),
        )
    ]
    return assess(collect(*sources), waivers=waivers if waiver else ())


def tables(stack: b.Stack) -> list[b.Table]:
    return [block for block in stack.blocks if isinstance(block, b.Table)]


def test_exceptions_and_waivers_stand_in_one_table() -> None:
    stack = show.exceptions(assessed(waiver=True))
    (table,) = tables(stack)
    first, second = (str(row) for row in table.rows)
    assert "PolicyException shop/e" in first
    assert "W-1" in second
    assert "KA-DEP-002" in second
    assert len(table.rows) == 2
    assert HOSTILE not in standalone(stack)


def test_without_exceptions_it_says_so() -> None:
    pod = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: []}}"
    assert "The evidence holds no exception" in standalone(show.exceptions(assessed(text=pod)))
    assert "No engine of policies was run" in standalone(show.engines(assessed(text=pod)))


def test_what_a_status_leaves_out_stands_beside_what_the_log_tells() -> None:
    (table,) = tables(show.engines(assessed()))
    assert len(table.rows) == 1
    text = str(table.rows[0])
    for said in ("K8sLimits limits", "cut"):
        assert said in text
