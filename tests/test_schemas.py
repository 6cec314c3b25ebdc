"""What kaudit writes for other programs is what its schemas say, and nothing else."""

import copy
import csv
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kaudit.model.words import Layer, Opinion, Reason, Severity, Status
from tests.test_cli import POD, run

TRIVY = {
    "SchemaVersion": 2,
    "ArtifactName": "r.example/b:1",
    "ArtifactType": "container_image",
    "Results": [
        {
            "Target": "b",
            "Class": "os-pkgs",
            "Vulnerabilities": [
                {"VulnerabilityID": "CVE-2099-0001", "PkgName": "x", "Severity": "CRITICAL"}
            ],
        }
    ],
}
CRON_JOB = """
apiVersion: batch/v1
kind: CronJob
metadata: {name: j}
spec:
  schedule: "0 0 * * *"
  jobTemplate: {spec: {template: {spec: {containers: [{name: c, image: i}]}}}}
"""
CONNECTED = """
apiVersion: v1
kind: Pod
metadata: {name: q, namespace: shop, labels: {app: q}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: q, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: q}}
  ingress:
    - fromEndpoints: [{}]
      toPorts: [{ports: [{port: "80"}], rules: {http: [{path: /}]}}]
"""
ATTACHED = """
{apiVersion: v1, kind: Pod, metadata: {name: NAME, namespace: shop, annotations: {
  k8s.v1.cni.cncf.io/networks: storage}}, spec: {containers: [{name: c, image: i}]}}
---
"""
HOST = """
{apiVersion: v1, kind: Pod, metadata: {name: h, namespace: shop},
 spec: {hostNetwork: true, containers: [{name: c, image: i}]}}
---
"""
NAMES = (
    "compare",
    "connection-changes",
    "connection-explanation",
    "connections",
    "controls",
    "gate",
    "pss",
    "report",
    "rerun",
    "results",
    "risks",
    "statements",
    "trace",
    "who-can",
)


def schema(name: str) -> Any:
    return json.loads(files("kaudit.schemas").joinpath(f"{name}-v1.json").read_text())


def closed(node: Any) -> Any:
    """The same schema, where an object holds nothing that is not described."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: closed(value) for key, value in node.items()}
    if "properties" in found and isinstance(found.get("type"), str):
        found.setdefault("additionalProperties", False)
    return found


def check(name: str, document: Any) -> None:
    validator = jsonschema.Draft202012Validator(
        closed(schema(name)), format_checker=jsonschema.FormatChecker()
    )
    faults = [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(document)]
    assert not faults, faults[:5]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pod.yaml").write_text(POD)
    (tmp_path / "broken.yaml").write_text(
        "{apiVersion: v1, kind: Pod, metadata: {name: q, namespace: shop}, spec: {containers: 3}}"
    )
    return tmp_path


def test_every_schema_is_here_and_is_one() -> None:
    found = [item.name for item in files("kaudit.schemas").iterdir()]
    assert sorted(name for name in found if name.endswith(".json")) == [
        f"{name}-v1.json" for name in NAMES
    ]
    for name in NAMES:
        jsonschema.Draft202012Validator.check_schema(schema(name))
        assert schema(name)["$id"] == f"kaudit/{name}/v1"


def test_words_of_the_schemas_are_those_of_the_vocabulary() -> None:
    results = schema("results")
    fields = results["properties"]["results"]["items"]["properties"]
    assert fields["status"]["enum"] == list(Status)
    assert results["$defs"]["severity"]["enum"] == list(Severity)
    assert results["$defs"]["layer"]["enum"] == list(Layer)
    assert results["$defs"]["opinion"]["enum"] == list(Opinion)
    gap = results["properties"]["gaps"]["items"]["properties"]
    assert gap["reason"]["enum"] == list(Reason)


def test_results(folder: Path) -> None:
    (folder / "w.yaml").write_text(
        "waivers: [{id: W1, control: KA-DEP-001, reason: r, owner: o, approver: a, "
        "expires: 2030-01-01}]"
    )
    options = ["--format", "json", "--waivers", "w.yaml", "--as-of", "2026-01-01"]
    code, out, _ = run("assess", "pod.yaml", "broken.yaml", *options)
    document = json.loads(out)
    assert code == 0
    check("results", document)
    statuses = {result["status"] for result in document["results"]}
    assert {"pass", "fail", "not_assessed", "not_applicable"} <= statuses
    assert any(gap["reason"] == "broken" for gap in document["gaps"])
    assert any(result["waiver"] == "W1" for result in document["results"])
    assert document["evidence"]["id"] is None


def test_results_of_sealed_evidence_carry_its_id(folder: Path) -> None:
    run("collect", "pod.yaml", "-o", "e.kaudit", "--quiet")
    document = json.loads(run("assess", "e.kaudit", "--format", "json")[1])
    check("results", document)
    assert len(document["evidence"]["id"]) == 64


def test_controls(folder: Path) -> None:
    document = json.loads(run("controls", "--format", "json")[1])
    check("controls", document)
    assert len(document) >= 160


@pytest.mark.parametrize("version", ["latest", "v1.20", "1.34"])
def test_verdicts(folder: Path, version: str) -> None:
    (folder / "job.yaml").write_text(CRON_JOB)
    out = run("pss", "pod.yaml", "job.yaml", "--version", version, "--format", "json")[1]
    document = json.loads(out)
    check("pss", document)
    assert {(v["kind"], v["name"], v["allowed"]) for v in document} == {
        ("Pod", "p", False),
        ("CronJob", "j", False),
    }
    assert all(v["violations"] for v in document)


def test_risks(folder: Path) -> None:
    (folder / "services.yaml").write_text(
        "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: shop}, "
        "spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}}"
    )
    (folder / "web.yaml").write_text(
        "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, "
        "spec: {hostPID: true, containers: [{name: c, image: i}]}}"
    )
    code, out, _ = run("risks", "services.yaml", "web.yaml", "--format", "json", "--fail")
    document = json.loads(out)
    assert code == 1
    check("risks", document)
    assert [(c["name"], c["state"]) for c in document["chains"]] == [("web", "holds")]
    links = {link["signal"]: link["state"] for link in document["chains"][0]["links"]}
    assert links["exposed"] == links["escapes"] == "holds"
    assert links["exploitable"] == "unknown"


def test_connections(folder: Path) -> None:
    (folder / "more.yaml").write_text(CONNECTED)
    document = json.loads(run("connections", ".", "--format", "json")[1])
    check("connections", document)
    assert [(c["src"], c["dst"]) for c in document if "unknown" in c] == [
        ("shop/p[Pod]", "shop/q[Pod]")
    ]


def test_connections_of_further_networks(folder: Path) -> None:
    pods = ATTACHED.replace("NAME", "a") + ATTACHED.replace("NAME", "b")
    (folder / "pods.yaml").write_text(pods)
    document = json.loads(run("connections", "pods.yaml", "--format", "json")[1])
    check("connections", document)
    assert [c["unknown"][0]["protocol"] for c in document if "network" in c] == ["TCP", "TCP"]


def test_changes_of_connections(folder: Path) -> None:
    (folder / "new.yaml").write_text(POD + "---" + ATTACHED.replace("NAME", "a") + CONNECTED)
    document = json.loads(
        run("connections", "pod.yaml", "--compare", "new.yaml", "--format", "json")[1]
    )
    check("connection-changes", document)
    assert {c["change"] for c in document} == {"added"}
    assert any(c["unknown_after"] and not c["after"] for c in document)


@pytest.mark.parametrize(
    ("src", "dst", "port", "verdict", "effects"),
    [
        ("shop/p", "shop/q", "80", "unknown", ("no policy applies", "may be one that allows")),
        ("shop/h", "8.8.8.8", "UDP/53", "allowed", ("network of its node", "is outside")),
        ("8.8.8.8", "shop/q", "443", "denied", ("is outside", "isolates")),
    ],
)
def test_an_explanation(
    folder: Path, src: str, dst: str, port: str, verdict: str, effects: tuple[str, str]
) -> None:
    (folder / "all.yaml").write_text(POD + "---\n" + HOST + CONNECTED)
    asked = ("connections", "all.yaml", "--explain", src, dst, port, "--format", "json")
    document = json.loads(run(*asked)[1])
    check("connection-explanation", document)
    assert document["verdict"] == verdict
    told = " ".join(reason["effect"] for reason in document["reasons"])
    assert all(effect in told for effect in effects)


def test_statements(folder: Path) -> None:
    (folder / "s.yml").write_text(
        "statements: [{id: a, says: shop/p never reaches shop/q}, "
        "{id: b, says: shop/q never reaches shop/p}]"
    )
    code, out, _ = run("connections", "pod.yaml", "--statements", "s.yml", "--format", "json")
    document = json.loads(out)
    check("statements", document)
    assert (code, [one["verdict"] for one in document]) == (1, ["unknown", "unknown"])


def test_trace(folder: Path) -> None:
    out = run("assess", ".", "--control", "KA-DEP-001", "--format", "json")[1]
    prints = [result["fingerprint"] for result in json.loads(out)["results"]]
    assert len(prints) == 2
    for finding in (*prints, "pods:1", "gaps:1"):
        check("trace", json.loads(run("trace", ".", finding, "--format", "json")[1]))


def test_who_can(folder: Path) -> None:
    (folder / "roles.yaml").write_text(
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b, "
        "namespace: shop}, roleRef: {kind: ClusterRole, name: edit}, "
        "subjects: [{kind: ServiceAccount, name: default}]}"
    )
    arguments = ["who-can", "get", "secrets", "roles.yaml", "pod.yaml", "--format", "json"]
    code, out, _ = run(*arguments)
    document = json.loads(out)
    assert code == 0
    check("who-can", document)
    assert document["grants"][0]["workloads"][0]["name"] == "p"
    assert document["gaps"]


def test_report(folder: Path) -> None:
    code, _, err = run("report", "pod.yaml", "-o", "out", "--no-pdf", "--quiet")
    assert code == 0, err
    document = json.loads((folder / "out/report.json").read_text())
    check("report", document)
    assert {"audit.html", "audit.ipynb", "tables/results.json"} <= set(document["files"])
    check("results", json.loads((folder / "out/tables/results.json").read_text()))


def test_verdict_of_the_gate(folder: Path) -> None:
    (folder / "t.json").write_text(json.dumps(TRIVY))
    options = [
        "--manifest",
        "pod.yaml",
        "--trivy",
        "t.json",
        "--format",
        "json",
        "--tools",
        "grype",
    ]
    code, out, _ = run("gate", *options, "--image", "r.example/a:1")
    document = json.loads(out)
    assert code == 1
    check("gate", document)
    assert {c["outcome"] for c in document["checks"]} == {"fail", "incomplete"}
    assert {f["what"] for f in document["findings"]} == {"controls", "vulnerabilities"}


def test_the_check_sees_what_is_missing_wrong_or_new(folder: Path) -> None:
    document = json.loads(run("assess", "pod.yaml", "--format", "json")[1])
    for spoil in (
        lambda d: d.pop("evidence"),
        lambda d: d["results"][0].update(status="passed"),
        lambda d: d["results"][0].update(colour="red"),
        lambda d: d["results"][0].update(fingerprint="x"),
        lambda d: d["results"][0].update(rows=-1),
        lambda d: d["results"][0].update(severity="urgent"),
        lambda d: d["controls"][0]["counts"].update({"pass": -1}),
        lambda d: d["conclusions"].pop(),
        lambda d: d.update(schema="kaudit/results/v2"),
    ):
        spoilt = copy.deepcopy(document)
        spoil(spoilt)
        with pytest.raises(AssertionError):
            check("results", spoilt)


def test_json_of_rows_is_a_list_of_objects_with_the_columns(folder: Path) -> None:
    for arguments, columns in (
        (["tables", "pod.yaml"], {"table", "grain", "rows", "columns", "gaps"}),
        (["frameworks"], {"framework", "name", "version", "requirements"}),
        (["tables", "pod.yaml", "--dictionary"], {"table", "column", "kind", "null", "meaning"}),
    ):
        found = json.loads(run(*arguments, "--format", "json")[1])
        assert found
        assert all(set(row) == columns for row in found)


def test_what_could_not_be_read_is_in_what_is_kept(folder: Path) -> None:
    gap = {"what": "Pod shop/q", "reason": "broken"}
    asked = {
        "connections": ("connections", "."),
        "connection-changes": ("connections", ".", "--compare", "pod.yaml"),
        "connection-explanation": ("connections", ".", "--explain", "shop/p", "8.8.8.8", "443"),
        "pss": ("pss", "."),
        "risks": ("risks", "."),
    }
    for name, words in asked.items():
        document = json.loads(run(*words, "--format", "json", "--quiet")[1])
        check(name, document)
        found = document["gaps"] if isinstance(document, dict) else [c.get("gap") for c in document]
        assert [{k: one[k] for k in gap} for one in found if one] == [gap], name
        if isinstance(document, list):
            assert document[-1]["gap"]["detail"].startswith("document 1 of broken.yaml: ")
    assert document["gaps"][0]["kind"] == "Pod"
    (lost,) = (v for v in json.loads(run("pss", ".", "--format", "json")[1]) if "gap" in v)
    assert (lost["name"], lost["allowed"], lost["violations"]) == ("q", None, [])


@pytest.mark.parametrize(
    "words",
    [
        ("connections", "."),
        ("connections", ".", "--compare", "pod.yaml"),
        ("pss", "."),
        ("pss", ".", "--readiness"),
        ("risks", "."),
        ("who-can", "get", "pods", "."),
        ("rights", "ann", "."),
    ],
    ids=" ".join,
)
def test_rows_have_a_column_for_it(folder: Path, words: tuple[str, ...]) -> None:
    (folder / "role.yaml").write_text(
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r}, rules: 3}"
    )
    head, *rows = csv.reader(run(*words, "--format", "csv", "--quiet")[1].splitlines())
    assert head[-1] == "gap"
    assert all(len(row) == len(head) for row in rows)
    lost = [row for row in rows if row[-1]]
    assert lost
    assert all(not any(row[:-1]) for row in lost)
    assert all("broken" in row[-1] or "not in source" in row[-1] for row in lost)
    (folder / "broken.yaml").unlink()
    (folder / "role.yaml").unlink()
    if words[0] not in ("who-can", "rights"):  # their roles are not in the source at all
        head, *_ = csv.reader(run(*words, "--format", "csv", "--quiet")[1].splitlines())
        assert "gap" not in head
