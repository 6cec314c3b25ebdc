"""What policies select, and which of their peers are there."""

import pytest

from kaudit.model.clouds import cloud_of
from tests.memory_source import evidence_of, rows

#: The guide's three policies, and the pods that they speak of.
GUIDE = """
{apiVersion: v1, kind: Namespace, metadata: {name: production}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: ingress-nginx}}
---
{apiVersion: v1, kind: Pod, metadata: {name: api, namespace: production, labels: {app: api-server}}, spec: {containers: [{name: c, image: i}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: production, labels: {app: frontend}}, spec: {containers: [{name: c, image: i}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: production, labels: {app: postgres}}, spec: {containers: [{name: c, image: i}]}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: default-deny-all, namespace: production},
 spec: {podSelector: {}, policyTypes: [Ingress, Egress]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: allow-app-traffic, namespace: production}
spec:
  podSelector: {matchLabels: {app: api-server}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{podSelector: {matchLabels: {app: frontend}}}]
      ports: [{protocol: TCP, port: 8080}]
    - from: [{namespaceSelector: {matchLabels: {name: ingress-nginx}}}]
      ports: [{protocol: TCP, port: 8080}]
  egress:
    - to: [{podSelector: {matchLabels: {app: postgres}}}]
      ports: [{protocol: TCP, port: 5432}]
    - to: [{namespaceSelector: {}, podSelector: {matchLabels: {app: api-server}}}]
      ports: [{protocol: UDP, port: 53}]
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: database-policy, namespace: production},
 spec: {podSelector: {matchLabels: {app: postgres}}, policyTypes: [Ingress],
        ingress: [{from: [{podSelector: {matchLabels: {app: api-server}}}], ports: [{protocol: TCP, port: 5432}]}]}}
"""
COLUMNS = ("name", "selects", "peers", "inert", "near", "dns_over_udp_only")


def test_the_guides_policies_and_their_traps() -> None:
    assert rows(evidence_of(GUIDE), "policy_effects", *COLUMNS) == [
        {
            "name": "allow-app-traffic",
            "selects": 1,
            "peers": 4,
            "inert": ['ingress rule 2: namespaces {"matchLabels":{"name":"ingress-nginx"}}'],
            "near": ["name=ingress-nginx → kubernetes.io/metadata.name=ingress-nginx"],
            "dns_over_udp_only": True,
        },
        {
            "name": "database-policy",
            "selects": 1,
            "peers": 1,
            "inert": [],
            "near": [],
            "dns_over_udp_only": False,
        },
        {
            "name": "default-deny-all",
            "selects": 3,
            "peers": 0,
            "inert": [],
            "near": [],
            "dns_over_udp_only": False,
        },
    ]


@pytest.mark.parametrize(
    ("peer", "inert"),
    [
        ("{}", False),
        ("{podSelector: {}}", False),
        ("{podSelector: {matchExpressions: [{key: app, operator: DoesNotExist}]}}", True),
        ("{namespaceSelector: {}, podSelector: {matchLabels: {app: gone}}}", True),
        ("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: empty}}}", False),
        (
            "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: empty}}, podSelector: {}}",
            True,
        ),
        ("{ipBlock: {cidr: 203.0.113.0/24}}", False),
    ],
)
def test_peers(peer: str, inert: bool) -> None:
    text = f"""
{{apiVersion: v1, kind: Namespace, metadata: {{name: kube-system}}}}
---
{{apiVersion: v1, kind: Namespace, metadata: {{name: empty}}}}
---
{{apiVersion: v1, kind: Pod, metadata: {{name: a, namespace: shop, labels: {{app: a}}}}, spec: {{containers: [{{name: c, image: i}}]}}}}
---
{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: p, namespace: shop}}, spec: {{podSelector: {{}}, ingress: [{{from: [{peer}]}}]}}}}
"""
    (row,) = rows(evidence_of(text), "policy_effects", "inert")
    assert bool(row["inert"]) == inert


def test_a_source_that_leaves_namespaces_out_proves_no_peer_inert() -> None:
    text = """
{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop}, spec: {containers: [{name: c, image: i}]}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {},
 egress: [{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]}]}}
"""
    (row,) = rows(evidence_of(text), "policy_effects", "inert", "doubtful")
    assert row["inert"] == []
    assert len(row["doubtful"]) == 1


def test_clouds() -> None:
    assert [cloud_of(t) for t in ("gce://p/z/i", "kind://docker/k/n", "i-1", "")] == [
        "gce",
        "",
        "",
        "",
    ]
