"""Reports of what is gone, without results or objects, and two of one object: counted once."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kaudit import show, subjects
from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.model.words import Status
from kaudit.registry import CONTROLS
from kaudit.show.block_html import standalone
from kaudit.source.files import FileSource
from kaudit.views import report_subjects
from tests.corpus.reading import files
from tests.memory_source import MemorySource, evidence_of, rows
from tests.shared import needs_shared

CLUSTER = """
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: kube-system}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, uid: u1}, spec: {containers: [{name: c, image: i}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop, uid: u2},
  spec: {selector: {}, template: {spec: {containers: [{name: c, image: i}]}}}}
---
"""
POD = {"apiVersion": "v1", "kind": "Pod", "namespace": "shop"}


def report(name: str, scope: Any = None, *results: Any, **other: Any) -> dict[str, Any]:
    body = {"scope": scope} if scope else {}
    return {
        "apiVersion": "wgpolicyk8s.io/v1alpha2",
        "kind": "PolicyReport",
        "metadata": {"name": name, "namespace": "shop"},
        "results": [{"source": "kyverno", "policy": "p", "rule": "r", **one} for one in results],
        **body,
        **other,
    }


def moved(name: str, scope: Any, *results: Any) -> dict[str, Any]:
    """The same report in the other group."""
    return report(name, scope, *results, apiVersion="openreports.io/v1alpha1", kind="Report")


def ephemeral(name: str, owner: Any, *results: Any) -> dict[str, Any]:
    results_of = report(name, None, *results)["results"]
    return {
        "apiVersion": "reports.kyverno.io/v1",
        "kind": "EphemeralReport",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"owner": owner, "results": results_of},
    }


def told(*reports: Any, cluster: str = CLUSTER) -> Any:
    objects = [one for one in yaml.safe_load_all(cluster) if one]
    return collect(MemorySource(*objects, *reports))


@pytest.mark.parametrize(
    ("subject", "state", "stale"),
    [
        ({**POD, "name": "web", "uid": "u1"}, "there", False),
        ({**POD, "name": "web"}, "there", False),
        ({**POD, "name": "web", "uid": "u9"}, "replaced", True),
        ({**POD, "name": "gone", "uid": "u9"}, "gone", True),
        ({**POD, "name": "web", "namespace": "over"}, "gone", True),
        ({"kind": "Deployment", "namespace": "shop", "name": "web"}, "there", False),
        (
            {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "db"},
            "gone",
            True,
        ),
        (
            {"apiVersion": "a.io/v1", "kind": "Pod", "namespace": "shop", "name": "w"},
            "unknown",
            None,
        ),
        ({"kind": "Service", "namespace": "shop", "name": "web"}, "unknown", None),
        ({"kind": "StatefulSet", "namespace": "shop", "name": "db"}, "unknown", None),
        ({"apiVersion": "v1", "kind": "Namespace", "name": "shop"}, "there", False),
        ({"kind": "Namespace", "namespace": "shop", "name": "shop"}, "there", False),
        ({"kind": "Namespace", "name": "over"}, "gone", True),
        (None, "unnamed", None),
    ],
)
def test_an_object_is_looked_for(subject: Any, state: str, stale: bool | None) -> None:
    results = {"result": "fail"}
    named = report("r", None, {**results, "resources": [subject]} if subject else results)
    for one in (report("r", subject, results), named):
        evidence = told(one)
        (row,) = rows(evidence, "report_subjects")
        assert row["stale"] is stale
        assert row["objects"] == (0 if subject is None else 1)
        assert row["unnamed"] == (1 if subject is None else 0)
        (result,) = rows(evidence, "reported_results")
        assert result["state"] == state
        assert result["counts"] is (state not in ("gone", "replaced"))


def test_of_a_part_of_a_cluster_nothing_else_is_called_gone() -> None:
    part = CLUSTER.replace("kube-system", "web")
    elsewhere = {**POD, "name": "p", "namespace": "over"}
    (row,) = rows(told(report("r", elsewhere, {"result": "fail"}), cluster=part), "report_subjects")
    assert row["stale"] is None
    assert row["unread"] == 1


def test_two_reports_of_one_object_count_once_and_the_newest_is_right() -> None:
    scope = {**POD, "name": "web", "uid": "u1"}
    old = report("a", scope, {"result": "fail", "timestamp": {"seconds": 1700000000}})
    new = moved("a", scope, {"result": "pass", "timestamp": {"seconds": 1700000060}})
    for reports in ((old, new), (new, old)):
        (row,) = rows(told(*reports), "reported_results")
        assert (row["result"], row["reports"], row["disagree"]) == ("pass", 2, True)
    same = {"result": "fail", "timestamp": {"seconds": 1700000000}}
    three = (report("a", scope, same), moved("a", scope, same), ephemeral("e", scope, same))
    (row,) = rows(told(*three), "reported_results")
    assert (row["result"], row["reports"], row["disagree"]) == ("fail", 3, False)


def test_of_one_time_the_worst_counts_and_what_has_no_time_comes_last() -> None:
    scope = {**POD, "name": "web"}
    (row,) = rows(
        told(report("a", scope, {"result": "pass"}), report("b", scope, {"result": "fail"})),
        "reported_results",
    )
    assert row["result"] == "fail"
    timed = {"result": "pass", "timestamp": {"seconds": 1700000000}}
    (row,) = rows(
        told(report("a", scope, timed), report("b", scope, {"result": "fail"})),
        "reported_results",
    )
    assert row["result"] == "pass"


def test_a_report_without_results_says_nothing_and_results_of_nothing_stay_apart() -> None:
    evidence = told(
        report("empty", {**POD, "name": "web"}),
        report("nothing", None, {"result": "fail"}, {"result": "fail"}),
    )
    of = {row["name"]: row for row in rows(evidence, "report_subjects")}
    assert of["empty"]["results"] == 0
    assert (of["nothing"]["unnamed"], of["nothing"]["objects"]) == (2, 0)
    found = rows(evidence, "reported_results")
    assert [(row["state"], row["reports"]) for row in found] == [("unnamed", 1)] * 2
    judged = assess(evidence, [CONTROLS["KA-DEP-054b"]])
    assert {r.status for r in judged.results_of("KA-DEP-054b")} == {
        Status.PASS,
        Status.NOT_ASSESSED,
    }


def test_a_refused_kind_makes_no_report_stale() -> None:
    reports = report("r", {**POD, "name": "gone"}, {"result": "fail"})
    whole = told(reports)
    assert [*assess(whole).results_of("KA-DEP-054b", Status.FAIL)]
    objects = [one for one in yaml.safe_load_all(CLUSTER) if one and one["kind"] != "Pod"]
    refused = collect(MemorySource(*objects, reports, live=True))
    assert not [*assess(refused).results_of("KA-DEP-054b", Status.FAIL)]


def test_a_kind_that_was_read_in_part_makes_no_report_stale() -> None:
    reports = report("r", {**POD, "name": "gone"}, {"result": "fail"})
    broken = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": 1}, "spec": []}
    (result,) = assess(told(reports, broken)).results_of("KA-DEP-054b")
    assert result.status is Status.NOT_ASSESSED


def test_the_section_counts_once_and_leaves_out_what_is_gone() -> None:
    scope = {**POD, "name": "<b>web</b>"}
    evidence = told(
        report("a", {**POD, "name": "web"}, {"result": "fail"}),
        moved("a", {**POD, "name": "web"}, {"result": "fail"}),
        report("b", {**POD, "name": "gone"}, {"result": "fail"}),
        report("c", scope, {"result": "fail", "policy": "<script>x</script>"}),
    )
    page = standalone(show.engines(assess(evidence)))
    assert "<script>x" not in page
    table = show.engines(assess(evidence)).blocks[-1]
    texts = [[str(cell) for cell in row] for row in table.rows]  # type: ignore[union-attr]
    assert [*texts[0][:4], texts[0][-1]] == ["kyverno", "p", "r", "1", "1"]


PATHS = [
    p
    for p in files("kyverno", "*report*.json", "*report*.yaml")
    if "empty-list" not in p.name and "policies" not in p.name
]


@needs_shared
@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.name)
def test_real_reports_read_twice_in_two_groups_count_once(path: Path) -> None:
    plain = [d for d in yaml.safe_load_all(path.read_text()) if d]
    found = [x for d in plain for x in (d["items"] if d["kind"] == "List" else [d])]
    wanted: Counter[tuple[str, ...]] = Counter()
    for one in found:
        for result in one.get("results") or ():
            for it in result.get("resources") or [one.get("scope") or {}]:
                key = (
                    result.get("source", one.get("source", "")),
                    result.get("policy", ""),
                    result.get("rule", ""),
                    it.get("kind", ""),
                    it.get("namespace", ""),
                    it.get("name", ""),
                )
                wanted[key] += 1
    once = collect(FileSource(path))
    own = rows(once, "reported_results")
    named = {key for key in wanted if key[-1]}
    unnamed = sum(number for key, number in wanted.items() if not key[-1])
    assert len(own) == len(named) + unnamed
    assert {tuple(row[c] for c in KEYS) for row in own if row["name"]} == named
    other = json.loads(json.dumps(found, default=str))
    for one in other:
        cluster = "Cluster" if one["kind"].startswith("Cluster") else ""
        into = ("wgpolicyk8s.io/v1alpha2", "PolicyReport")
        if one["apiVersion"].startswith("wgpolicy"):
            into = ("openreports.io/v1alpha1", "Report")
        one["apiVersion"], one["kind"] = into[0], cluster + into[1]
    again = rows(collect(FileSource(path), MemorySource(*other)), "reported_results")
    assert len(again) == len(named) + 2 * unnamed
    assert {row["reports"] for row in again if row["name"]} <= {2, 4}


KEYS = ("source", "policy", "rule", "kind", "namespace", "name")
RESULT = st.fixed_dictionaries(
    {"result": st.sampled_from(["pass", "fail", "warn", "error", "skip", ""])},
    optional={
        "policy": st.sampled_from(["p", "q"]),
        "timestamp": st.fixed_dictionaries({"seconds": st.integers(-1, 2)}),
        "resources": st.lists(
            st.fixed_dictionaries(
                {"kind": st.just("Pod"), "name": st.sampled_from(["", "web", "x"])}
            ),
            max_size=2,
        ),
    },
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(RESULT, max_size=3), min_size=1, max_size=3))
def test_the_order_of_reports_does_not_matter(bodies: Any) -> None:
    reports = [report(f"r{at}", None, *body) for at, body in enumerate(bodies)]
    first = sorted(map(str, rows(told(*reports), "reported_results")))
    assert sorted(map(str, rows(told(*reversed(reports)), "reported_results"))) == first
    counted = [row["reports"] for row in rows(told(*reports), "reported_results")]
    assert sum(counted) <= sum(
        len(r["resources"]) if r.get("resources") else 1 for b in bodies for r in b
    )


SCOPE = st.sampled_from([None, {**POD, "name": "web", "uid": "u1"}, {**POD, "name": "x"}])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(SCOPE, st.lists(RESULT, max_size=4)), min_size=1, max_size=3))
def test_each_object_of_a_report_counts_once(bodies: Any) -> None:
    reports = [report(f"r{at}", scope, *body) for at, (scope, body) in enumerate(bodies)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_subjects, "_SLICE", 2)
        patch.setattr(subjects, "_SLICE", 1)
        evidence = told(*reports)
        found = rows(evidence, "report_subjects")
    named: dict[str, Counter[tuple[Any, ...]]] = {row["name"]: Counter() for row in found}
    for row in rows(evidence, "policy_results"):
        named[row["report"]][(*(row[c] for c in OBJECT),)] += 1
    for row in rows(evidence, "policy_reports"):
        own = (*(row[f"scope_{c}"] for c in OBJECT),)
        named[row["name"]][own] += bool(own[-1])
    for row in found:
        objects = {one for one in named[row["name"]] if one[-1]}
        assert row["objects"] == len(objects)
        gone = {
            f"{kind} {f'{space}/' if space else ''}{name}"
            for kind, _, space, name in objects
            if (space, name) != ("shop", "web")
        }
        assert row["missing"] == sorted(gone)
        assert row["unnamed"] == sum(n for one, n in named[row["name"]].items() if not one[-1])


OBJECT = ("kind", "uid", "namespace", "name")


def test_nothing_reported() -> None:
    evidence = evidence_of(CLUSTER)
    assert rows(evidence, "report_subjects") == rows(evidence, "reported_results") == []


SCANNED = """
{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p}, spec: {%srules: [{name: r,
  match: {any: [{resources: {kinds: [Pod]%s}}]}, validate: {pattern: {spec: {"=(hostPID)": "false"}}}}]}}
"""
FILTERED = """
{apiVersion: v1, kind: ConfigMap, metadata: {name: kyverno, namespace: kyverno}, data: {resourceFilters: "[*/*,shop,*]"}}
"""


@pytest.mark.parametrize(
    ("more", "policies", "reports", "expected"),
    [
        (SCANNED % ("", ""), ["p"], 0, True),
        (SCANNED % ("background: false, ", ""), [], 0, False),
        (SCANNED % ("", ", namespaces: [web]"), [], 0, False),
        (SCANNED % ("", ", names: [x]"), [], 0, False),
        (SCANNED % ("", "") + "---" + FILTERED, [], 0, False),
        ("", [], 0, False),
    ],
)
def test_namespaces_that_nobody_reports_on(
    more: str, policies: list[str], reports: int, expected: bool
) -> None:
    elsewhere = report("r", None, {"result": "pass"}, metadata={"name": "r", "namespace": "web"})
    passing = ephemeral("e", {**POD, "name": "web"}, {"result": "pass"})
    objects = [one for one in yaml.safe_load_all(f"{CLUSTER}\n{more}") if one]
    evidence = collect(MemorySource(*objects, elsewhere, passing))
    row = next(r for r in rows(evidence, "namespace_reports") if r["name"] == "shop")
    assert row["pods"] == 1
    found = (row["policies"], row["reports"], row["expected"])
    assert found == (policies, reports, expected)
    failed = {r.name for r in assess(evidence).results_of("KA-DEP-054c", Status.FAIL)}
    assert failed == ({"shop"} if expected else set())


@pytest.mark.parametrize(
    ("owner", "state"), [({"name": "web", "uid": "u1"}, "there"), ({"name": "no"}, "gone")]
)
def test_the_owner_of_an_ephemeral_report_is_in_its_namespace(
    owner: dict[str, str], state: str
) -> None:
    made = ephemeral("e", {"apiVersion": "v1", "kind": "Pod", **owner}, {"result": "fail"})
    (row,) = rows(told(made), "reported_results")
    assert (row["namespace"], row["name"], row["state"]) == ("shop", owner["name"], state)
