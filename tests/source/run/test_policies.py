"""Engines of policies are run on whole objects, without secrets; what goes wrong is a gap."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kaudit.errors import InputError
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Gap, Reason
from kaudit.opening import evidence_of
from kaudit.source.run.environment import environment_of
from kaudit.source.run.policies import policies_in
from kaudit.source.run.tool import Settings
from kaudit.source.run.without_secrets import without_secrets
from tests.memory_source import rows

TEMPLATE = {
    "apiVersion": "templates.gatekeeper.sh/v1",
    "kind": "ConstraintTemplate",
    "metadata": {"name": "k8sowner"},
    "spec": {"crd": {"spec": {"names": {"kind": "K8sOwner"}}}, "targets": []},
}
CONSTRAINT: dict[str, Any] = {
    "apiVersion": "constraints.gatekeeper.sh/v1beta1",
    "kind": "K8sOwner",
    "metadata": {"name": "owner"},
    "spec": {"match": {"excludedNamespaces": ["dev"]}, "parameters": {"label": "owner"}},
}
CONFIG = {
    "apiVersion": "config.gatekeeper.sh/v1alpha1",
    "kind": "Config",
    "metadata": {"name": "config", "namespace": "gatekeeper-system"},
    "spec": {"match": [{"excludedNamespaces": ["kube-*"], "processes": ["audit"]}]},
}
POLICY = {
    "apiVersion": "kyverno.io/v1",
    "kind": "ClusterPolicy",
    "metadata": {"name": "labels"},
    "spec": {
        "rules": [
            {"name": "team", "exclude": {"any": []}, "validate": {"pattern": {"a": "b"}}},
            {"name": "add", "mutate": {"patchStrategicMerge": {"a": "b"}}},
            {"name": "signed", "verifyImages": [{"imageReferences": ["*"]}]},
        ]
    },
}
EXCEPTION = {
    "apiVersion": "kyverno.io/v2",
    "kind": "PolicyException",
    "metadata": {"name": "e", "namespace": "kyverno"},
    "spec": {"exceptions": [{"policyName": "labels", "ruleNames": ["team"]}]},
}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "web",
        "managedFields": [{"manager": "kubectl"}],
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "hunter2hunter2"},
    },
    "spec": {
        "containers": [
            {
                "name": "c",
                "image": "r.example/my-token:v1",
                "args": ["--password=hunter2hunter2"],
                "env": [{"name": "DB_PASSWORD", "value": "hunter2hunter2"}],
                "livenessProbe": {"httpGet": {"port": 80}},
            }
        ]
    },
}
SPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "dev", "labels": {"a": "b"}}}
#: Stands in for both engines: keeps what it was given, and prints what a test says.
FAKE = """#!{python} -IS
import json, os, shutil, sys
if sys.argv[1] == "version":
    print("GitVersion: v9.9.9\\nVersion: v9.9.9")
    raise SystemExit
if "-v=3" in sys.argv:
    raise SystemExit
named = [word.partition("=")[2] or word for word in sys.argv[1:] if ".yaml" in word]
seen = {{"arguments": sys.argv[1:], "environment": dict(os.environ), "files": {{}}}}
seen["input"] = sys.stdin.read()
seen["around"] = {{}}
for path in named:
    with open(path) as file:
        seen["files"][os.path.basename(path)] = file.read()
own = os.path.dirname(next(path for path in named if path.endswith("/policies.yaml")))
for place, _, names in os.walk(os.path.dirname(own)):
    for name in names:
        with open(os.path.join(place, name), errors="replace") as file:
            seen["around"][os.path.join(place, name)] = file.read()
seen["mode"] = os.stat(os.path.dirname(own)).st_mode
with open({kept!r} + "-" + os.path.basename(own), "w") as out:
    json.dump(seen, out)
{body}
"""
VIOLATION = {
    "target": "t",
    "msg": "no owner",
    "constraint": {"kind": "K8sOwner", "metadata": {"name": "owner"}},
    "enforcementAction": "deny",
    "violatingObject": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}},
}


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH on which stand-ins may lie; secrets of whoever runs us are in the environment."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", "/home/auditor/.kube/config")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return folder


def stand_in(folder: Path, name: str, body: str) -> None:
    path = folder / name
    kept = str(folder.parent / f"{name}.json")
    path.write_text(FAKE.format(python=sys.executable, kept=kept, body=body))
    path.chmod(0o755)


def seen(folder: Path, name: str, whose: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder.parent / f"{name}.json-{name}-{whose}").read_text())
    return found


def laid(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line != "---"]


def collected(tmp_path: Path, *objects: Any, **settings: Any) -> Evidence:
    path = tmp_path / "in.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [*objects]}))
    chosen = {"images": False, "policies": True, "seconds": 20.0} | settings
    return evidence_of([str(path)], scan=Settings(**chosen))


def gaps(evidence: Evidence) -> list[Gap]:
    return [gap for gap in evidence.gaps if gap.failed]


CLUSTER = "policies-of-the-cluster"


def test_gator_sees_whole_objects_and_nothing_that_is_secret(engines: Path, tmp_path: Path) -> None:
    stand_in(engines, "gator", f"print(json.dumps([{VIOLATION!r}])); sys.exit(1)")
    evidence = collected(tmp_path, TEMPLATE, CONSTRAINT, CONFIG, POD, SPACE)
    assert gaps(evidence) == []
    given_to = seen(engines, "gator", CLUSTER)
    (pod, space) = laid(given_to["files"]["objects.yaml"])
    assert "hunter2" not in json.dumps(given_to)
    assert (pod["metadata"], space["kind"]) == (
        {"name": "web", "namespace": "default", "annotations": {}},
        "Namespace",
    )
    (container,) = pod["spec"]["containers"]
    assert container["image"] == "r.example/my-token:v1"
    assert container["livenessProbe"] == {"httpGet": {"port": 80}}
    template, constraint = laid(given_to["files"]["policies.yaml"])
    assert template == TEMPLATE
    assert constraint["spec"]["match"] == {"excludedNamespaces": ["dev", "kube-*"]}
    assert stat.S_IMODE(given_to["mode"]) == 0o700
    without = seen(engines, "gator", f"{CLUSTER}-without-exceptions")["files"]["policies.yaml"]
    assert laid(without)[1]["spec"] == {"match": {}, "parameters": {"label": "owner"}}
    found = {r["basis"]: (r["policy"], r["name"], r["refused"]) for r in verdicts(evidence)}
    assert found == dict.fromkeys(("cluster", "without_exceptions"), ("owner", "web", True))


def verdicts(evidence: Evidence) -> list[dict[str, Any]]:
    return rows(evidence, "engine_verdicts", "basis", "policy", "rule", "name", "refused", "result")


def test_engines_see_neither_clusters_nor_networks(engines: Path, tmp_path: Path) -> None:
    stand_in(engines, "gator", 'print("null")')
    collected(tmp_path, TEMPLATE, CONSTRAINT, POD)
    environment = seen(engines, "gator", CLUSTER)["environment"]
    assert not {"KUBECONFIG", "DOCKER_CONFIG"} & environment.keys()
    assert environment["HTTPS_PROXY"] == "http://127.0.0.1:9"
    assert environment["HOME"] != os.environ["HOME"]
    assert environment_of(os.environ, tmp_path)["HTTPS_PROXY"] == "http://proxy.example:3128"


def kyverno(*results: dict[str, Any], text: str = "") -> str:
    report = {"kind": "ClusterReport", "metadata": {"name": "merged"}, "results": [*results]}
    return f"print({text!r} + json.dumps({report!r}))"


def test_kyverno_gets_the_rules_that_judge_and_the_exceptions(
    engines: Path, tmp_path: Path
) -> None:
    result = {
        "source": "kyverno",
        "policy": "labels",
        "rule": "team",
        "result": "fail",
        "timestamp": {"seconds": 1, "nanos": 0},
        "resources": [{"kind": "Pod", "namespace": "default", "name": "web", "apiVersion": "v1"}],
    }
    stand_in(engines, "kyverno", kyverno(result) + "; sys.exit(1)")
    evidence = collected(tmp_path, POLICY, EXCEPTION, POD, SPACE)
    (gap,) = gaps(evidence)
    assert (gap.kind, gap.name, gap.reason) == ("ClusterPolicy", "labels", Reason.PARTIAL)
    assert "verify images" in gap.detail
    given_to = seen(engines, "kyverno", CLUSTER)
    assert given_to["arguments"][-2] == "--"
    (policy,) = laid(given_to["files"]["policies.yaml"])
    assert [rule["name"] for rule in policy["spec"]["rules"]] == ["team"]
    assert "exclude" in policy["spec"]["rules"][0]
    assert laid(given_to["files"]["exceptions.yaml"]) == [EXCEPTION]
    (values,) = laid(given_to["files"]["values.yaml"])
    assert values["namespaceSelector"] == [{"name": "dev", "labels": {"a": "b"}}]
    without = seen(engines, "kyverno", f"{CLUSTER}-without-exceptions")["files"]
    assert "exceptions.yaml" not in without
    assert "exclude" not in laid(without["policies.yaml"])[0]["spec"]["rules"][0]
    assert {r["basis"] for r in verdicts(evidence)} == {"cluster", "without_exceptions"}
    assert rows(evidence, "policy_verdicts", "found_at")[0]["found_at"] is None


def test_parts_of_what_kyverno_prints_are_put_together(engines: Path, tmp_path: Path) -> None:
    one = {"source": "kyverno", "policy": "b", "result": "fail"}
    two = {"source": "kyverno", "policy": "ns/a", "result": "pass"}
    body = kyverno(one, text="Policies Skipped:\n1. bad: no\n" + "-" * 9 + "\n")
    stand_in(engines, "kyverno", body + "; print('---'); " + kyverno(two))
    evidence = collected(tmp_path, POLICY, POD)
    assert sorted((r["policy"], r["result"]) for r in verdicts(evidence)) == [
        ("a", "pass"),
        ("a", "pass"),
        ("b", "fail"),
        ("b", "fail"),
    ]
    assert ["bad: no" in gap.detail for gap in gaps(evidence)] == [False, True, True]


def test_an_engine_that_is_not_here_is_a_gap_that_says_how_to_get_it(
    engines: Path, tmp_path: Path
) -> None:
    evidence = collected(tmp_path, TEMPLATE, {**CONSTRAINT, "spec": {}}, POD)
    (gap,) = gaps(evidence)
    assert gap.reason is Reason.TOOL_MISSING
    assert "get it from https://open-policy-agent.github.io/gatekeeper" in gap.detail
    assert len(evidence["policy_verdicts"]) == 0


@pytest.mark.parametrize(
    ("tool", "body", "said"),
    [
        ("gator", "print('[{\"target\": ')", "no list of violations"),
        ("gator", "print('{}')", "no list of violations"),
        ("gator", "sys.stderr.write('auditing objects: no such'); sys.exit(1)", "no such"),
        ("gator", "os.kill(os.getpid(), 9)", "ended by signal 9"),
        ("gator", "import time; time.sleep(60)", "did not end within"),
        ("kyverno", 'print(\'{"kind":"ClusterReport","results":[{\')', "no report"),
        ("kyverno", "print('hello')", "no report"),
        ("kyverno", "sys.stderr.write('Error: failed to load'); sys.exit(1)", "failed to load"),
        ("kyverno", "os.kill(os.getpid(), 9)", "ended by signal 9"),
    ],
)
def test_what_breaks_is_a_gap(
    engines: Path, tmp_path: Path, tool: str, body: str, said: str
) -> None:
    stand_in(engines, tool, body)
    spec = {"rules": [{"name": "team", "validate": {"pattern": {}}}]}
    policies = (
        [TEMPLATE, {**CONSTRAINT, "spec": {}}] if tool == "gator" else [{**POLICY, "spec": spec}]
    )
    evidence = collected(tmp_path, *policies, POD, seconds=2.0 if "sleep" in body else 20.0)
    (gap,) = gaps(evidence)
    assert said in gap.detail
    assert gap.tables
    assert len(evidence["policy_verdicts"]) == len(evidence["verdict_reports"]) == 0
    assert [r["outcome"] for r in rows(evidence, "tool_runs", "outcome")] == ["failed"]


def test_one_bad_constraint_does_not_cost_the_others(engines: Path, tmp_path: Path) -> None:
    stand_in(engines, "gator", 'print("null")')
    orphan = {**CONSTRAINT, "kind": "K8sNone", "spec": {}}
    broken = {
        **TEMPLATE,
        "metadata": {"name": "bad"},
        "status": {"byPod": [{"errors": [{"message": "rego"}]}]},
    }
    evidence = collected(tmp_path, TEMPLATE, broken, {**CONSTRAINT, "spec": {}}, orphan, POD)
    assert sorted((gap.kind, gap.name) for gap in gaps(evidence)) == [
        ("ConstraintTemplate", "bad"),
        ("K8sNone", "owner"),
    ]
    laid_down = laid(seen(engines, "gator", CLUSTER)["files"]["policies.yaml"])
    assert [one["metadata"]["name"] for one in laid_down] == ["k8sowner", "owner"]


@pytest.mark.parametrize(
    "said",
    [
        'auditing objects: adding template "bad": invalid ConstraintTemplate',
        'auditing objects: converting unstructured "bad" to template: adding template: no kind',
    ],
)
def test_a_template_that_gator_cannot_add_costs_its_own_constraints_alone(
    engines: Path, tmp_path: Path, said: str
) -> None:
    body = f"""
if '"bad"' in seen["files"]["policies.yaml"]:
    sys.stderr.write({said!r}); sys.exit(1)
print("null")"""
    stand_in(engines, "gator", body)
    bad = {
        **TEMPLATE,
        "metadata": {"name": "bad"},
        "spec": {"crd": {"spec": {"names": {"kind": "K8sBad"}}}},
    }
    of_bad = {**CONSTRAINT, "kind": "K8sBad", "spec": {}}
    evidence = collected(tmp_path, TEMPLATE, bad, {**CONSTRAINT, "spec": {}}, of_bad, POD)
    (gap,) = gaps(evidence)
    assert "the template bad was not evaluated" in gap.detail
    assert gap.tables
    laid_down = laid(seen(engines, "gator", CLUSTER)["files"]["policies.yaml"])
    assert [one["kind"] for one in laid_down] == ["ConstraintTemplate", "K8sOwner"]
    assert reports_of(evidence) == 1


def reports_of(evidence: Evidence) -> int:
    return len(evidence["verdict_reports"])


def test_of_two_objects_of_a_name_engines_get_the_first_and_the_other_is_told(
    engines: Path, tmp_path: Path
) -> None:
    stand_in(engines, "gator", 'print("null")')
    second = {**POD, "spec": {"containers": []}}
    evidence = collected(tmp_path, TEMPLATE, {**CONSTRAINT, "spec": {}}, POD, second)
    told = [gap for gap in gaps(evidence) if "engines of policies" in gap.detail]
    assert [(gap.kind, gap.namespace, gap.name) for gap in told] == [("Pod", "default", "web")]
    (pod,) = laid(seen(engines, "gator", CLUSTER)["files"]["objects.yaml"])
    assert pod["spec"]["containers"]


def test_where_there_are_no_policies_nothing_is_run(engines: Path, tmp_path: Path) -> None:
    evidence = collected(tmp_path, POD)
    assert gaps(evidence) == []
    assert len(evidence["tool_runs"]) == 0


def test_proposed_policies_use_templates_and_exceptions_of_the_cluster(
    engines: Path, tmp_path: Path
) -> None:
    stand_in(engines, "gator", f"print(json.dumps([{VIOLATION!r}]))")
    stand_in(engines, "kyverno", kyverno())
    path = tmp_path / "proposed.yaml"
    new = {**CONSTRAINT, "metadata": {"name": "new"}, "spec": {}}
    path.write_text("\n---\n".join(map(json.dumps, [new, POLICY, POD])))
    old = {**CONSTRAINT, "metadata": {"name": "old"}}
    evidence = collected(tmp_path, TEMPLATE, old, EXCEPTION, POD, policies=False, proposed=(path,))
    names = [
        one["metadata"]["name"]
        for one in laid(seen(engines, "gator", "proposed-policies")["files"]["policies.yaml"])
    ]
    assert names == ["k8sowner", "new"]
    assert "exceptions.yaml" in seen(engines, "kyverno", "proposed-policies")["files"]
    assert {r["basis"] for r in verdicts(evidence)} == {"proposed"}


def test_a_file_without_policies_and_sealed_evidence_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "pod.json"
    path.write_text(json.dumps(POD))
    with pytest.raises(InputError, match="holds no policy"):
        policies_in([path])
    sealed = tmp_path / "b"
    evidence_of([str(path)], out=sealed)
    with pytest.raises(InputError, match="redacted records only"):
        evidence_of([str(sealed)], scan=Settings(policies=True))


def test_the_same_objects_give_the_same_evidence_whatever_order_engines_print(
    engines: Path, tmp_path: Path
) -> None:
    other = {**VIOLATION, "msg": "another"}
    ids = set()
    for found in ([VIOLATION, other], [other, VIOLATION]):
        stand_in(engines, "gator", f"print(json.dumps({found!r}))")
        evidence = collected(tmp_path, TEMPLATE, {**CONSTRAINT, "spec": {}}, POD)
        ids.add(tuple(r["message"] for r in rows(evidence, "policy_verdicts", "message")))
    assert ids == {("another", "no owner")}


KEYS = st.sampled_from(["name", "value", "env", "args", "data", "annotations", "image", "a"])
PIECES = [
    "--token",
    "DB_PASSWORD",
    "=",
    ":",
    " ",
    "'",
    "<",
    ">",
    "ab://u:hunter2@h",
    "hunter2x",
    "a",
]
TEXTS = st.one_of(st.text(max_size=9), st.lists(st.sampled_from(PIECES), max_size=5).map("".join))
DOCUMENTS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=12,
)


NAMED = st.fixed_dictionaries({"name": TEXTS, "value": TEXTS})
OBJECTS = st.fixed_dictionaries(
    {"env": NAMED, "args": st.lists(TEXTS, max_size=4), "spec": DOCUMENTS},
    optional={"a": DOCUMENTS},
)


def test_what_stands_beside_a_named_value_is_cleaned_too() -> None:
    url = "https://ann:hunter2@r.example"
    step = {"name": "PASSWORD", "value": "hunter2x", "a": [url], "annotations": {"url": url}}
    assert "hunter2" not in json.dumps(without_secrets({"spec": step}))


@given(OBJECTS)
@example({"env": {"name": "PASSWORD", "value": "ab://u:hunter2@h"}})
@example({"args": ["--token", "<pwd=hunter2>"]})
def test_taking_secrets_out_keeps_the_shape(document: dict[str, Any]) -> None:
    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shape(one) for key, one in value.items()}
        return [*map(shape, value)] if isinstance(value, list) else type(value)

    assert shape(without_secrets(document)) == shape(document)
    assert without_secrets(without_secrets(document)) == without_secrets(document)
