"""Statements on who may connect to whom: what can be said, and what becomes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaudit.assess import assess
from kaudit.connections import Cluster
from kaudit.errors import InputError
from kaudit.model.port_space import PortRange
from kaudit.model.statement import parsed
from kaudit.parameters import parse, using
from kaudit.registry import find_control
from kaudit.segmentation import Judgement, load_statements
from tests.memory_source import evidence_of, rows
from tests.test_cli import run


def pod(name: str, namespace: str) -> str:
    return (
        f"{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: {namespace}, labels: "
        f"{{app: {name}}}}}, spec: {{containers: [{{name: c, image: i}}]}}}}\n---\n"
    )


def policy(namespace: str, spec: str, name: str = "p") -> str:
    return (
        f"{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: {name}, "
        f"namespace: {namespace}}}, spec: {spec}}}\n---\n"
    )


def only_from(namespace: str, port: int) -> str:
    return (
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: "
        f"{{kubernetes.io/metadata.name: {namespace}}}}}}}], ports: [{{port: {port}}}]}}]}}"
    )


CLUSTER = (
    pod("db", "pci")
    + pod("cache", "pci")
    + pod("web", "frontend")
    + pod("job", "batch")
    + policy("pci", only_from("frontend", 443))
    + policy("frontend", only_from("batch", 80))
)


def verdict(says: str, text: str = CLUSTER) -> Judgement:
    return Cluster(evidence_of(text)).tested([parsed("S", says)])[0]


@pytest.mark.parametrize(
    ("says", "word", "path", "ports"),
    [
        ("pci accepts only from frontend on 443", "holds", (), ""),
        ("pci accepts only from frontend", "holds", (), ""),
        ("pci accepts only from frontend on TCP/400-500 and UDP/53", "holds", (), ""),
        (
            "pci accepts only from frontend on 8443",
            "violated",
            ("frontend/web[Pod]", "pci/cache[Pod]"),
            "TCP 443",
        ),
        (
            "pci/d* accepts only from batch",
            "violated",
            ("frontend/web[Pod]", "pci/db[Pod]"),
            "TCP 443",
        ),
        ("batch never reaches pci", "holds", (), ""),
        (
            "batch never reaches pci even through others",
            "violated",
            ("batch/job[Pod]", "frontend/web[Pod]", "pci/db[Pod]"),
            "TCP 443",
        ),
        ("batch never reaches pci even through others on 80", "holds", (), ""),
        ("frontend/web[Pod] must reach pci/db on 443", "holds", (), ""),
        (
            "frontend must reach pci/db on 443-444",
            "violated",
            ("frontend/web[Pod]", "pci/db[Pod]"),
            "TCP 444-65535",
        ),
        ("internet never reaches pci and frontend", "holds", (), ""),
        ("internet never reaches batch", "violated", ("1.0.0.0/8", "batch/job[Pod]"), "all"),
        ("batch reaches only frontend", "violated", ("batch/job[Pod]", "0.0.0.0/8"), "all"),
        ("0.0.0.0/0 never reaches pci", "holds", (), ""),
        ("nobody never reaches pci", "unknown", (), ""),
    ],
)
def test_what_becomes_of_a_statement(
    says: str, word: str, path: tuple[str, ...], ports: str
) -> None:
    found = verdict(says)
    assert (found.verdict, found.path, found.ports) == (word, path, ports)


@pytest.mark.parametrize(
    ("version", "broken"),
    [
        ("networking.k8s.io/v1", "kind: NetworkPolicy"),
        ("v1", "kind: Pod"),
        ("k8s.cni.cncf.io/v1", "kind: NetworkAttachmentDefinition"),
        ("kubevirt.io/v1", "kind: VirtualMachine"),
    ],
)
def test_nothing_is_said_where_what_may_decide_was_not_read(version: str, broken: str) -> None:
    text = f"{CLUSTER}{{apiVersion: {version}, {broken}, metadata: {{name: x}}, spec: 3}}\n---\n"
    for says in ("batch never reaches pci", "pci accepts only from frontend on 8443"):
        found = verdict(says, text)
        assert (found.verdict, found.because) == ("unknown", f"{broken[6:]} x could not be read")
    other = f"{CLUSTER}{{apiVersion: v1, kind: Secret, metadata: {{name: x}}, data: 3}}\n---\n"
    assert verdict("batch never reaches pci", other).verdict == "holds"


def test_a_policy_that_is_not_understood_makes_it_unknown() -> None:
    layer7 = """
{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: p, namespace: pci}, spec: {
  endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {io.kubernetes.pod.namespace: frontend}}],
  toPorts: [{ports: [{port: "443"}], rules: {http: [{path: /}]}}]}]}}
"""
    text = pod("db", "pci") + pod("web", "frontend") + layer7
    assert verdict("frontend never reaches pci", text).verdict == "unknown"
    assert verdict("frontend must reach pci on 443", text).verdict == "unknown"
    assert verdict("frontend must reach pci on 80", text).verdict == "violated"


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("pci talks to frontend", "means nothing"),
        ("a/b/c never reaches pci", "'a/b/c' names nobody"),
        ("pci accepts only from frontend on http", "'http' is no port"),
        ("pci accepts only from frontend on 90-80", "'90-80' is no port"),
        ("pci accepts only from frontend on ICMP/1", "'ICMP/1' is no port"),
        ("pci must reach frontend even through others", "only never reaches"),
    ],
)
def test_what_is_no_statement_is_told(says: str, told: str) -> None:
    with pytest.raises(InputError, match="statement S: ") as caught:
        parsed("S", says)
    assert told in str(caught.value)


def test_the_parts_of_a_statement() -> None:
    found = parsed("S", "a/b[Job] and 10.0.0.0/8  accepts only from c, d on 1 and udp/2-3")
    assert [(w.namespace, w.name, w.kind, w.outside) for w in found.subject] == [
        ("a", "b", "Job", ""),
        ("", "*", "*", "10.0.0.0/8"),
    ]
    assert [who.namespace for who in found.peers] == ["c", "d"]
    assert found.ports == (PortRange("TCP", 1, 1), PortRange("UDP", 2, 3))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("statements: [{id: a}]", "missing required field `says`"),
        ("statements: [{id: a, says: x, colour: red}]", "colour"),
        ("rules: []", "rules"),
        ("statements: [{id: a, says: a never reaches b}, {id: a, says: c never reaches d}]", "two"),
        ("statements: [", "s.yaml:2: "),
    ],
)
def test_a_file_of_another_form_is_told(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "s.yaml").write_text(content)
    with pytest.raises(InputError) as caught:
        load_statements(tmp_path / "s.yaml")
    assert told in str(caught.value)


def test_the_command_exits_with_one_where_a_statement_does_not_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cluster.yaml").write_text(CLUSTER)
    for says, code in (("pci accepts only from frontend on 443", 0), ("pci must reach batch", 0)):
        Path("s.yaml").write_text(f"statements: [{{id: one, says: {says}}}]")
        assert run("connections", "cluster.yaml", "--statements", "s.yaml")[0] == code
    Path("s.yaml").write_text("statements: [{id: one, says: frontend never reaches pci}]")
    code, out, _ = run("connections", "cluster.yaml", "--statements", "s.yaml", "--format", "csv")
    assert code == 1
    assert "frontend/web[Pod] → pci/cache[Pod],TCP 443" in out


def test_statements_of_the_parameters_are_judged() -> None:
    chosen = parse({"segmentation": "A: batch never reaches pci,B: batch never reaches frontend"})
    agent = """
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: calico-node, namespace: kube-system}, spec: {
  template: {spec: {hostNetwork: true, containers: [{name: c, image: calico/node}]}}}}
"""
    with using(chosen):
        for text, first in ((CLUSTER, "unknown"), (CLUSTER + agent, "holds")):
            evidence = evidence_of(text)
            found = {r["id"]: r["verdict"] for r in rows(evidence, "segmentation")}
            assert found == {"A": first, "B": "violated"}
        judged = assess(evidence, [find_control("KA-NET-011")], strict=True)
    # no manifest tells that the cluster has no policies of other kinds that allow more
    statuses = {r.name: str(r.status) for r in judged.results_of("KA-NET-011")}
    assert statuses == {"A": "not_assessed", "B": "fail"}
    with pytest.raises(InputError, match="has no id"):
        parse({"segmentation": "batch never reaches pci"})
