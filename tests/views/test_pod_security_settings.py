"""Settings of the plugin PodSecurity beside labels: defaults and exemptions, and what they do."""

from __future__ import annotations

from typing import Any

import pytest

from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.registry import CONTROLS
from kaudit.source.tools import OutputSource
from tests.memory_source import MemorySource, objects

SETTINGS = """
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
  - name: PodSecurity
    configuration:
      apiVersion: pod-security.admission.config.k8s.io/v1
      kind: PodSecurityConfiguration
      %s
"""
#: A pod with a fault of the baseline level, made long after its namespace was last changed.
WORLD = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, creationTimestamp: "2025-01-01T00:00:00Z", managedFields: [{manager: a, time: "2025-01-01T00:00:00Z"}]%s}
---
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop, creationTimestamp: "2025-03-01T00:00:00Z"%s}
spec: {hostPID: true, runtimeClassName: kata, containers: [{name: c, image: "a:1"}]}
"""
LABEL = ", labels: {pod-security.kubernetes.io/enforce: baseline}"
OWNED = (
    ", ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: d, uid: u, controller: true}]"
)
JOBS = "system:serviceaccount:kube-system:job-controller"


def _evidence(settings: str, label: str = LABEL, owner: str = "") -> Evidence:
    text = (SETTINGS % settings).encode()
    return collect(MemorySource(*objects(WORLD % (label, owner))), OutputSource("psa.yaml", text))


def _row(evidence: Evidence, view: str) -> dict[Any, Any]:
    table = evidence[view]
    (row,) = table[table["control"] == "KA-DEP-002"].to_dict("records")
    return dict(row)


@pytest.mark.parametrize(
    ("settings", "owner", "cause", "clause"),
    [
        ("exemptions: {}", "", "should_have_been_denied", "metadata.labels"),
        ("exemptions: {namespaces: [shop]}", "", "exempt_namespace", "exemptions.namespaces"),
        ("exemptions: {namespaces: ['sh*']}", "", "should_have_been_denied", "metadata.labels"),
        ("exemptions: {runtimeClasses: [kata]}", "", "exception", "exemptions.runtimeClasses"),
        ("exemptions: {runtimeClasses: [gvisor]}", "", "should_have_been_denied", "metadata"),
        ("exemptions: {usernames: [ci]}", "", "unknown", "exemptions.usernames"),
        ("exemptions: {usernames: [ci]}", OWNED, "should_have_been_denied", "metadata.labels"),
        (f"exemptions: {{usernames: ['{JOBS}']}}", OWNED, "unknown", "exemptions.usernames"),
    ],
)
def test_what_is_exempt_was_not_denied(settings: str, owner: str, cause: str, clause: str) -> None:
    row = _row(_evidence(settings, owner=owner), "why_admitted")
    assert row["cause"] == cause
    assert clause in row["clause"]


def test_a_default_holds_where_no_label_says_so_and_its_age_is_not_known() -> None:
    evidence = _evidence("defaults: {enforce: baseline}", label="")
    row = _row(evidence, "why_admitted")
    assert (row["cause"], row["clause"]) == (
        "unknown",
        "PodSecurityConfiguration defaults.enforce: baseline; when it was set is not told",
    )
    assert _row(evidence, "enforcement_coverage")["state"] == "enforced"
    assert _statuses(evidence) == {"KA-DEP-036": "pass", "KA-DEP-037": "fail"}


@pytest.mark.parametrize(
    ("settings", "state", "holes"),
    [
        ("exemptions: {}", "enforced", []),
        ("exemptions: {namespaces: [shop]}", "none", []),
        (
            "exemptions: {runtimeClasses: [kata], usernames: [b, a]}",
            "partial",
            [
                "PodSecurityConfiguration exemptions.runtimeClasses: kata",
                "PodSecurityConfiguration exemptions.usernames: a, b",
            ],
        ),
    ],
)
def test_what_is_exempt_slips_through(settings: str, state: str, holes: list[str]) -> None:
    row = _row(_evidence(settings), "enforcement_coverage")
    assert (row["state"], [*row["holes"]]) == (state, holes)


def test_the_label_of_an_exempt_namespace_enforces_nothing() -> None:
    assert _statuses(_evidence("exemptions: {namespaces: [shop]}"))["KA-DEP-036"] == "fail"
    assert _statuses(_evidence("exemptions: {namespaces: [other]}"))["KA-DEP-036"] == "pass"


def _statuses(evidence: Evidence) -> dict[str, str]:
    wanted = [CONTROLS["KA-DEP-036"], CONTROLS["KA-DEP-037"]]
    found = assess(evidence, controls=wanted).results
    return dict(zip(found["control"].astype(str), found["status"].astype(str), strict=True))
