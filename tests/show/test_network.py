"""The network section: what it says where policies are enforced, and where nobody knows."""

from kaudit import show
from kaudit.assess import assess
from kaudit.assessment import Assessment
from kaudit.show import blocks as b
from tests.memory_source import evidence_of

CALICO = """
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: calico-node, namespace: kube-system}, spec: {selector: {matchLabels: {k8s-app: c}},
 template: {metadata: {labels: {k8s-app: c}}, spec: {containers: [{name: calico-node, image: "docker.io/calico/node:v3.29.0"}]}}}}
---
"""
SHOP = """
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: bank}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: bank, labels: {app: db}}, spec: {containers: [{name: c, image: i}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: bank}, spec: {podSelector: {}, policyTypes: [Ingress],
 ingress: [{from: [{podSelector: {matchLabels: {app: gone}}}]}]}}
"""


def judged(text: str) -> Assessment:
    return assess(evidence_of(text), [])


def parts(stack: b.Stack) -> dict[str, b.Block]:
    return {getattr(x, "caption", "") or getattr(x, "title", ""): x for x in stack.blocks}


def test_the_section() -> None:
    found = parts(show.network(judged(CALICO + SHOP)))
    assert "Network policies are enforced: yes" in found
    matrix = next(x for x in found.values() if isinstance(x, b.Figure))
    assert "bank: any port of every other" in matrix.alt
    assert "shop: any port of kube-system" in matrix.alt
    ways = found["Ways from outside, the widest first"]
    assert isinstance(ways, b.Table)
    assert ways.rows[0][:2] == ("internet (assumed)", "LoadBalancer")
    idle = found["Policies that do not do what they look like, of 1"]
    assert isinstance(idle, b.Table)
    assert idle.rows[0][0] == "bank/p"
    deny = found["What a default deny would cut"]
    assert isinstance(deny, b.Table)
    assert ("shop", 1, 1, 1, "web on 80/TCP") in deny.rows


def test_where_nobody_knows_denied_is_unknown() -> None:
    found = parts(show.network(judged(SHOP)))
    assert "Network policies are enforced: unknown" in found
    matrix = next(x for x in found.values() if isinstance(x, b.Figure))
    assert "shop: unknown of every other" in matrix.alt


def test_nothing_is_said_to_be_nothing() -> None:
    (callout,) = (
        x
        for x in show.plugin(
            judged("{apiVersion: v1, kind: Namespace, metadata: {name: a}}")
        ).blocks
    )
    assert isinstance(callout, b.Callout)


FELIX = """
---
{apiVersion: crd.projectcalico.org/v1, kind: FelixConfiguration, metadata: {name: default}, spec: {wireguardEnabled: true}}
"""
MESHED = """
---
{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: p, namespace: istio-system}, spec: {mtls: {mode: STRICT}}}
---
{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: a, namespace: shop}, spec: {}}
"""


def test_between_workloads() -> None:
    (found,) = show.mesh(judged(CALICO + SHOP)).blocks
    assert isinstance(found, b.Callout)
    assert found.title == "No service mesh is seen; traffic between nodes is encrypted: unknown"
    (found,) = show.mesh(judged(CALICO + SHOP + FELIX)).blocks
    assert isinstance(found, b.Callout)
    assert (found.tone, found.title[-3:]) == (b.Tone.OK, "yes")
    inside = SHOP.replace("{name: shop}}", "{name: shop, labels: {istio-injection: enabled}}}")
    proxy = inside.replace("labels: {app: web}}, spec: {containers: [", "labels: {app: web}}, spec: "
                           "{containers: [{name: istio-proxy, image: p}, ")  # fmt: skip
    (table,) = show.mesh(judged(CALICO + proxy + MESHED + FELIX)).blocks
    assert isinstance(table, b.Table)
    assert table.rows == (("bank", 1, 0, 0, 0, 0), ("shop", 1, 1, 1, 1, 0))
