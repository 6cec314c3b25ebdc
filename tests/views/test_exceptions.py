"""The register of exceptions: what each covers, whose it is, what it hides."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.exemption import Cover, Subject, matches, terms_of
from kaudit.model.meta import Metadata
from kaudit.source.tools import OutputSource
from tests.memory_source import MemorySource, objects, rows

CLUSTER = """
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: shop, env: prod}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: web, labels: {admission.gatekeeper.sh/ignore: "yes"}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: lab, creationTimestamp: "2026-01-01T00:00:00Z", labels: {owner: lab, pod-security.kubernetes.io/enforce: privileged}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: kube-system}}
---
{apiVersion: v1, kind: Pod, metadata: {name: k, namespace: kube-system}, spec: {containers: []}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, namespace: shop}, spec: {template: {metadata: {labels: {app: a}}, spec: {containers: []}}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: shop}, spec: {containers: []}}
---
{apiVersion: v1, kind: Pod, metadata: {name: c, namespace: web}, spec: {containers: []}}
---
{apiVersion: v1, kind: Pod, metadata: {name: d, namespace: lab}, spec: {containers: []}}
---
"""


def register(text: str, *columns: str, as_of: datetime | None = None) -> list[dict[str, Any]]:
    evidence = collect(MemorySource(*objects(CLUSTER + text)), as_of=as_of)
    return rows(evidence, "exceptions", "engine", "mechanism", "name", *columns)


def exception(match: str, name: str = "e", metadata: str = "") -> str:
    return (
        f"{{apiVersion: kyverno.io/v2, kind: PolicyException, metadata: {{name: {name}, "
        f"namespace: kyverno{metadata}}}, spec: {{exceptions: [{{policyName: p, ruleNames: [r]}}], "
        f"match: {match}}}}}"
    )


@pytest.mark.parametrize(
    ("resources", "namespaces", "workloads", "bounded", "broad"),
    [
        ("{kinds: [Pod]}", 4, 5, False, True),
        ("{kinds: [Deployment]}", 1, 1, False, True),
        ("{kinds: [Pod], namespaces: [shop]}", 1, 2, True, False),
        ("{kinds: [Pod], namespaces: ['*']}", 4, 5, False, True),
        ("{kinds: [Pod], namespaces: ['s*', 'w?b']}", 2, 3, True, True),
        ("{kinds: [Pod], namespaces: [kube-system]}", 1, 1, True, False),
        ("{kinds: [Pod], names: [a]}", 1, 1, True, False),
        ("{kinds: [Pod], selector: {matchLabels: {app: a}}}", 1, 1, True, False),
        ("{kinds: [Pod], namespaceSelector: {matchLabels: {env: prod}}}", 1, 2, True, False),
        ("{kinds: [Pod], namespaces: [none]}", 0, 0, True, False),
    ],
)
def test_what_an_exception_of_kyverno_touches(
    resources: str, namespaces: int, workloads: int, bounded: bool, broad: bool
) -> None:
    text = exception(f"{{any: [{{resources: {resources}}}]}}")
    (row,) = (
        r
        for r in register(text, "namespaces", "workloads", "bounded", "broad")
        if r["engine"] == "Kyverno"
    )
    assert [row[name] for name in ("namespaces", "workloads", "bounded", "broad")] == [
        namespaces,
        workloads,
        bounded,
        broad,
    ]


def test_every_mechanism_is_in_the_register() -> None:
    text = (
        exception("{any: [{resources: {namespaces: [shop]}}]}")
        + """
---
{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]},
  exclude: {any: [{clusterRoles: [cluster-admin]}]}, validate: {message: m, pattern: {}}}]}}
---
{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sOwner, metadata: {name: o}, spec: {match: {excludedNamespaces: [shop]}}}
---
{apiVersion: config.gatekeeper.sh/v1alpha1, kind: Config, metadata: {name: config, namespace: gatekeeper-system}, spec: {match: [{excludedNamespaces: ["*"], processes: [audit]}]}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: w}, webhooks: [
  {name: v.kyverno.svc, clientConfig: {service: {namespace: kyverno, name: kyverno-svc}}, namespaceSelector: {matchLabels: {env: prod}},
  rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]}]}
"""
    )
    found = register(text, "excepts_from", "workloads", "broad", "conditional", "owner", "own")
    assert [tuple(row.values()) for row in found] == [
        ("Gatekeeper", "excluded_namespaces", "o", ["K8sOwner/o"], 2, False, False, None, False),
        ("Gatekeeper", "exempt_namespaces", "config", ["*"], 5, True, False, None, False),
        ("Gatekeeper", "ignore_label", "web", ["*"], 1, False, False, None, False),
        ("Kyverno", "exclude", "p", ["p/r"], None, False, True, None, False),
        ("Kyverno", "policy_exception", "e", ["p/r"], 2, False, False, None, False),
        (
            *("Pod Security", "privileged_label", "lab", ["baseline", "restricted"]),
            *(1, False, False, "lab", False),
        ),
        ("webhook", "not_asked", "w", ["Kyverno"], 2, True, False, None, False),
    ]


def test_terms_come_from_annotations_and_labels() -> None:
    more = ", creationTimestamp: '2026-01-01T00:00:00Z', annotations: {x.io/owner: shop, reason: 't 1'}"
    more += ", labels: {cleanup.kyverno.io/ttl: 10d}"
    text = exception("{any: [{resources: {namespaces: [shop]}}]}", metadata=more)
    now = datetime(2026, 1, 6, 12, tzinfo=UTC)
    columns = ("owner", "reason", "expires_at", "age_days", "terms")
    (row,) = (r for r in register(text, *columns, as_of=now) if r["engine"] == "Kyverno")
    assert (row["owner"], row["reason"], row["age_days"], row["terms"]) == ("shop", "t 1", 5, True)
    assert row["expires_at"] == datetime(2026, 1, 11, tzinfo=UTC)


def test_exemptions_of_pod_security_are_in_the_register() -> None:
    settings = b"""
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
  - name: PodSecurity
    configuration:
      apiVersion: pod-security.admission.config.k8s.io/v1
      kind: PodSecurityConfiguration
      exemptions: {usernames: [ann], namespaces: [shop, web]}
"""
    evidence = collect(MemorySource(*objects(CLUSTER)), OutputSource("psa.yaml", settings))
    found = rows(evidence, "exceptions", "mechanism", "position", "scope", "workloads", "broad")
    assert [tuple(row.values()) for row in found if row["mechanism"] == "exemption"] == [
        ("exemption", 1, ["namespaces: shop, web"], 3, True),
        ("exemption", 2, ["usernames: ann"], None, False),
    ]


def test_without_pods_nothing_is_said_of_what_is_touched() -> None:
    text = exception("{any: [{resources: {namespaces: [shop]}}]}")
    evidence = collect(MemorySource(*objects(text)))
    (row,) = rows(evidence, "exceptions", "workloads", "broad", "hides")
    assert row == {"workloads": None, "broad": None, "hides": None}


def run(target: str, *names: str) -> dict[str, Any]:
    report = f"r-{target}"[:16]
    return {
        "tool": "kyverno",
        "kind": "Policies",
        "target": target,
        "outcome": "done",
        "report": report,
    }


def of_engine(
    *refused: tuple[str, str, str], without: tuple[tuple[str, str, str], ...]
) -> Evidence:
    """Evidence with an exception and the verdicts of two runs of kyverno."""
    sources: list[Any] = []
    text = exception("{any: [{resources: {kinds: [Pod], namespaces: [shop]}}]}")
    sources.append(MemorySource(*objects(CLUSTER + text)))
    runs = []
    for target, verdicts in (
        ("policies of the cluster", refused),
        ("policies of the cluster without exceptions", without),
    ):
        results = [
            {
                "source": "kyverno",
                "policy": "p",
                "rule": rule,
                "result": "fail",
                "resources": [
                    {"kind": "Pod", "namespace": space, "name": name, "apiVersion": "v1"}
                ],
            }
            for rule, space, name in verdicts
        ]
        report = {"kind": "ClusterReport", "metadata": {"name": "merged"}, "results": results}
        output = OutputSource(target, json.dumps(report).encode())
        sources.append(output)
        runs.append(
            {
                "tool": "kyverno",
                "kind": "Policies",
                "target": target,
                "outcome": "done",
                "report": output.content.report,
            }
        )
    noted = {"schema": "kaudit/runs/v1", "runs": runs}
    return collect(*sources, OutputSource("runs", json.dumps(noted).encode()))


def test_what_an_exception_hides_is_counted_where_an_engine_ran_without() -> None:
    hidden = (("r", "shop", "b"), ("autogen-r", "shop", "a"), ("other", "shop", "b"))
    shown = ("r", "web", "c")
    evidence = of_engine(shown, without=(*hidden, shown))
    found = {r["engine"]: r["hides"] for r in rows(evidence, "exceptions", "engine", "hides")}
    assert found["Kyverno"] == 2
    assert found["Gatekeeper"] is None


@pytest.mark.parametrize(
    ("labels", "annotations", "end"),
    [
        ({"cleanup.kyverno.io/ttl": "2026-12-31"}, {}, "2026-12-31T00:00:00+00:00"),
        ({"cleanup.kyverno.io/ttl": "24h"}, {}, "2026-01-02T00:00:00+00:00"),
        ({}, {"expires": "2026-12-31T10:00:00Z"}, "2026-12-31T10:00:00+00:00"),
        ({}, {"a.io/expires-at": "soon"}, None),
        ({"cleanup.kyverno.io/ttl": "9" * 40 + "h"}, {}, None),
        ({}, {}, None),
    ],
)
def test_ends(labels: dict[str, str], annotations: dict[str, str], end: str | None) -> None:
    wire = {
        "labels": labels,
        "annotations": annotations,
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    found = terms_of(msgspec.json.decode(json.dumps(wire), type=Metadata)).expires_at
    assert (found.isoformat() if found else None) == end


NAME = st.text("ab-*?", max_size=6)


@given(NAME, NAME)
def test_patterns_are_those_of_a_plain_reading(pattern: str, name: str) -> None:
    def plain(p: str, n: str) -> bool:
        if not p:
            return not n
        if p[0] == "*":
            return plain(p[1:], n) or (bool(n) and plain(p, n[1:]))
        return bool(n) and p[0] in ("?", n[0]) and plain(p[1:], n[1:])

    assert matches(name, [pattern]) == plain(pattern, name)


@given(st.text(max_size=20))
def test_hostile_names_are_no_patterns(name: str) -> None:
    text = json.dumps({"any": [{"resources": {"namespaces": ["shop"]}}]})
    assert Cover(text)(Subject("Pod", name, "a")) == (name == "shop")
