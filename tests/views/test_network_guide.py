"""The guide's three network policies, as it prints them, and the traps in them.

The traps are those of section 4 of the catalogue of controls, number 6: a rule that no namespace
matches unless somebody labels it, DNS on UDP alone, and a frontend that nothing lets out.
"""

from __future__ import annotations

from typing import Any

import pytest

from kaudit import registry
from kaudit.columns import arrow
from kaudit.connections import Cluster
from kaudit.evidence.bundle import Evidence
from kaudit.model.port_space import described
from kaudit.model.statement import understood
from tests.memory_source import evidence_of, rows
from tests.views.test_network import CALICO
from tests.views.test_policy_anatomy_guide import TEXTS

POLICIES = TEXTS["network-policies"]
DENY, TRAFFIC, DATABASE = "default-deny-all", "allow-app-traffic", "database-policy"


def pod(name: str, namespace: str, label: str = "app") -> str:
    meta = f"{{name: {name}, namespace: {namespace}, labels: {{{label}: {name}}}}}"
    return (
        f"---\n{{apiVersion: v1, kind: Pod, metadata: {meta}, "
        "spec: {containers: [{name: c, image: i}]}}\n"
    )


def space(name: str, labels: str = "{}") -> str:
    meta = f"{{name: {name}, labels: {labels}}}"
    return f"---\n{{apiVersion: v1, kind: Namespace, metadata: {meta}}}\n"


PODS = (
    "".join(pod(name, "production") for name in ("api-server", "frontend", "postgres", "batch"))
    + pod("controller", "ingress-nginx")
    + pod("kube-dns", "kube-system", "k8s-app")
    + space("production")
    + space("kube-system")
    + CALICO
)


def around(labels: str = "{}", policies: str = POLICIES) -> Evidence:
    """The policies, the pods that they speak of, and a namespace with labels of its own."""
    return evidence_of(policies + PODS + space("ingress-nginx", labels))


def failing(evidence: Evidence, control: str) -> list[str]:
    """Names of the policies at fault."""
    registry.load()
    found = registry.CONTROLS[control]
    fault = found.function(*(evidence[name] for name in (found.subject, *found.needs)))
    names = evidence[found.subject]["name"].tolist()
    return [n for n, bad in zip(names, arrow(fault).to_pylist(), strict=True) if bad]


def pairs(evidence: Evidence) -> dict[tuple[str, str], str]:
    def short(text: str) -> str:
        return text.partition("/")[2].partition("[")[0]

    return {
        (short(c.src), short(c.dst)): described(c.connections)
        for c in Cluster(evidence).connections()
        if c.connections and "production/" in c.src + c.dst
    }


def test_what_they_let_through() -> None:
    assert pairs(around()) == {
        ("api-server", "postgres"): "TCP 5432",
        ("api-server", "kube-dns"): "UDP 53",
    }


def test_the_rule_for_the_ingress_controller_is_inert_unless_its_namespace_is_labelled() -> None:
    evidence = around()
    assert failing(evidence, "KA-NET-009a") == [TRAFFIC]
    (told,) = (r for r in rows(evidence, "policy_effects") if r["name"] == TRAFFIC)
    assert told["inert"] == ['ingress rule 2: namespaces {"matchLabels":{"name":"ingress-nginx"}}']
    assert told["near"] == ["name=ingress-nginx → kubernetes.io/metadata.name=ingress-nginx"]
    labelled = around("{name: ingress-nginx}")
    assert failing(labelled, "KA-NET-009a") == []
    assert pairs(labelled)["controller", "api-server"] == "TCP 8080"
    named = POLICIES.replace("name: ingress-nginx", "kubernetes.io/metadata.name: ingress-nginx")
    assert failing(around(policies=named), "KA-NET-009a") == []
    assert pairs(around(policies=named))["controller", "api-server"] == "TCP 8080"


def test_dns_is_let_out_on_udp_alone() -> None:
    assert failing(around(), "KA-NET-009b") == [TRAFFIC]
    both = POLICIES.replace(
        "- protocol: UDP\n          port: 53",
        "- protocol: UDP\n          port: 53\n        - protocol: TCP\n          port: 53",
    )
    assert failing(around(policies=both), "KA-NET-009b") == []
    assert pairs(around(policies=both))["api-server", "kube-dns"] == "TCP 53, UDP 53"


def test_no_rule_lets_the_frontend_leave() -> None:
    cluster = Cluster(around())
    why = cluster.explained("production/frontend", "production/api-server", "8080")
    assert why.verdict == "denied"
    assert [(r.direction, r.policy.rpartition("/")[2], r.effect) for r in why.reasons] == [
        ("egress", DENY, "isolates"),
        ("ingress", TRAFFIC, "allows"),
    ]
    stated = understood([("1", "production/frontend must reach production/api-server on 8080")])
    (judged,) = cluster.tested(stated)
    assert (judged.verdict, judged.path) == (
        "violated",
        ("production/frontend[Pod]", "production/api-server[Pod]"),
    )


@pytest.mark.parametrize(
    ("name", "isolated", "policies"),
    [
        ("batch", ("yes", "yes"), [DENY]),
        ("api-server", ("yes", "yes"), [TRAFFIC, DENY]),
        ("postgres", ("yes", "yes"), [DATABASE, DENY]),
    ],
)
def test_every_pod_is_closed_both_ways(
    name: str, isolated: tuple[str, str], policies: list[str]
) -> None:
    found: list[dict[str, Any]] = rows(around(), "network_workloads")
    (told,) = (r for r in found if r["owner_name"] == name)
    assert (told["isolated_ingress"], told["isolated_egress"]) == isolated
    assert [text.rpartition("/")[2] for text in told["policies"]] == policies
    assert (told["to_internet"], told["to_metadata"]) == ("denied", "denied")
