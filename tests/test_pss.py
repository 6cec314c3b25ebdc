"""``kaudit pss``: the contract of its JSON, templates and pods of every shape, labels."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from kaudit.cli import app
from kaudit.errors import InputError
from kaudit.model.standards import NEWEST, pinned_minor
from kaudit.pss import effective, minor_of, readiness, verdicts
from tests.memory_source import evidence_of

BAD = "hostPID: true, containers: [{name: c, image: i}]"


def judged(text: str, *arguments: str) -> list[dict[str, object]]:
    """Run the command on standard input and read what it prints."""
    command = ["pss", "-", "--format", "json", "--quiet", *arguments]
    done = CliRunner().invoke(app, command, input=text)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


def test_json_is_the_contract() -> None:
    text = """
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop}
spec:
  hostPID: true
  containers: [{name: c, image: i, securityContext: {privileged: true}}]
---
apiVersion: v1
kind: Pod
metadata: {name: q}
spec: {containers: [{name: c, image: i}]}
"""
    assert judged(text, "--level", "baseline", "--version", "v1.34") == [
        {
            "kind": "Pod",
            "namespace": "default",
            "name": "q",
            "level": "baseline",
            "version": "v1.34",
            "allowed": True,
            "violations": [],
        },
        {
            "kind": "Pod",
            "namespace": "shop",
            "name": "p",
            "level": "baseline",
            "version": "v1.34",
            "allowed": False,
            "violations": [
                {
                    "check": "hostNamespaces",
                    "message": "namespaces of the node: pod (host_pid True)",
                },
                {"check": "privileged", "message": "privileged: container 'c'"},
            ],
        },
    ]


def test_restricted_and_latest_are_the_defaults() -> None:
    text = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c}]}}"
    (found,) = judged(text)
    assert (found["level"], found["version"], found["allowed"]) == ("restricted", "latest", False)
    assert isinstance(found["violations"], list)
    assert [v["check"] for v in found["violations"]] == [
        "allowPrivilegeEscalation",
        "capabilities_restricted",
        "runAsNonRoot",
        "seccompProfile_restricted",
    ]


_SPEC = {"hostPID": True, "containers": [{"name": "c", "image": "i"}]}
_TEMPLATE = {"template": {"spec": _SPEC}}
TEMPLATES: dict[str, tuple[str, dict[str, Any]]] = {
    "Deployment": ("apps/v1", {"spec": _TEMPLATE}),
    "ReplicaSet": ("apps/v1", {"spec": _TEMPLATE}),
    "StatefulSet": ("apps/v1", {"spec": _TEMPLATE}),
    "DaemonSet": ("apps/v1", {"spec": _TEMPLATE}),
    "Job": ("batch/v1", {"spec": _TEMPLATE}),
    "CronJob": ("batch/v1", {"spec": {"jobTemplate": {"spec": _TEMPLATE}}}),
    "ReplicationController": ("v1", {"spec": _TEMPLATE}),
    "PodTemplate": ("v1", _TEMPLATE),
    "Pod": ("v1", {"spec": _SPEC}),
}


@pytest.mark.parametrize("kind", TEMPLATES)
@pytest.mark.parametrize("form", ["alone", "in a list", "as yaml"])
def test_every_workload_is_judged_by_its_template(kind: str, form: str) -> None:
    version, rest = TEMPLATES[kind]
    found: Any = {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "w", "namespace": "n"},
        **rest,
    }
    if form == "in a list":
        found = {"apiVersion": "v1", "kind": "List", "items": [found]}
    text = yaml.safe_dump(found) if form == "as yaml" else json.dumps(found)
    (found,) = judged(text, "--level", "baseline")
    assert isinstance(found["violations"], list)
    assert (found["kind"], found["namespace"], found["name"]) == (kind, "n", "w")
    assert [v["check"] for v in found["violations"]] == ["hostNamespaces"]
    assert not found["allowed"]


def test_a_list_of_one_kind_leaves_the_kind_of_its_items_out() -> None:
    text = "{apiVersion: v1, kind: PodList, items: [{metadata: {name: p}, spec: {" + BAD + "}}]}"
    assert [(v["kind"], v["name"], v["allowed"]) for v in judged(text, "--level", "baseline")] == [
        ("Pod", "p", False)
    ]


def test_pods_without_a_name_are_each_judged() -> None:
    text = "".join(
        f"---\n{{apiVersion: v1, kind: Pod, metadata: {meta}, spec: {{{spec}}}}}\n"
        for meta, spec in (
            ("{generateName: web-}", "containers: [{name: c}]"),
            ("{generateName: web-}", BAD),
            ("{}", BAD),
        )
    )
    found = judged(text, "--level", "baseline")
    assert sorted((str(v["name"]), v["allowed"]) for v in found) == [
        ("", False),
        ("web-*", False),
        ("web-*", True),
    ]


def test_a_template_stands_for_the_replica_sets_and_pods_it_makes_are_judged_as_they_are() -> None:
    text = f"""
{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web}},
  spec: {{template: {{spec: {{{BAD}}}}}}}}}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: web-1
  ownerReferences: [{{apiVersion: apps/v1, kind: Deployment, name: web, uid: u, controller: true}}]
spec: {{template: {{spec: {{{BAD}}}}}}}
---
apiVersion: v1
kind: Pod
metadata:
  name: web-1-x
  ownerReferences: [{{apiVersion: apps/v1, kind: ReplicaSet, name: web-1, uid: v, controller: true}}]
spec: {{containers: [{{name: c}}]}}
"""
    assert [(v["kind"], v["name"], v["allowed"]) for v in judged(text, "--level", "baseline")] == [
        ("Deployment", "web", False),
        ("Pod", "web-1-x", True),
    ]


def test_static_and_mirror_pods_are_pods() -> None:
    text = """
apiVersion: v1
kind: Pod
metadata:
  name: kube-apiserver-a
  namespace: kube-system
  annotations: {kubernetes.io/config.source: file, kubernetes.io/config.mirror: abc}
  ownerReferences: [{apiVersion: v1, kind: Node, name: a, uid: u, controller: true}]
spec: {hostNetwork: true, containers: [{name: c, image: i}]}
"""
    (found,) = judged(text, "--level", "baseline")
    assert (found["name"], found["allowed"]) == ("kube-apiserver-a", False)


def test_annotations_of_a_template_are_those_of_its_pods() -> None:
    text = """
apiVersion: batch/v1
kind: CronJob
metadata:
  name: w
  annotations: {container.apparmor.security.beta.kubernetes.io/c: unconfined}
spec:
  jobTemplate:
    spec:
      template:
        metadata: {annotations: {seccomp.security.alpha.kubernetes.io/pod: unconfined}}
        spec: {containers: [{name: c}]}
"""
    (found,) = judged(text, "--level", "baseline", "--version", "v1.18")
    assert isinstance(found["violations"], list)
    assert [v["check"] for v in found["violations"]] == ["seccompProfile_baseline"]


def test_what_makes_no_pod_is_not_judged() -> None:
    assert judged("{apiVersion: v1, kind: Service, metadata: {name: s}}") == []
    assert judged("{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {}}") == []


@pytest.mark.parametrize(
    ("text", "minor"),
    [("latest", NEWEST), ("v1.0", 0), ("1.34", 34), ("v1.7", 7), (" v1.25 ", 25), ("v1.99", 99)],
)
def test_versions_are_read(text: str, minor: int) -> None:
    assert minor_of(text) == minor


@pytest.mark.parametrize("text", ["", "1", "v2.0", "1.x", "v1.-1", "v1.٣", "1.34.1", "newest"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        minor_of(text)


@pytest.mark.parametrize(
    ("level", "version", "means"),
    [
        (None, None, ("privileged", NEWEST)),
        (None, "v1.20", ("privileged", 20)),
        ("privileged", None, ("privileged", NEWEST)),
        ("baseline", "latest", ("baseline", NEWEST)),
        ("baseline", "v1.25", ("baseline", 25)),
        ("restricted", "v1.0", ("restricted", 0)),
        ("restricted", "1.25", ("restricted", NEWEST)),
        ("restricted", "v1.025", ("restricted", NEWEST)),
        ("baseline", "v1.25.3", ("baseline", NEWEST)),
        ("baseline", "v1.25\n", ("baseline", NEWEST)),
        ("baseline", "v1.9999999999999999999", ("baseline", NEWEST)),
        ("Baseline", "v1.25", ("restricted", 25)),
        ("", None, ("restricted", NEWEST)),
        ("strict", "soon", ("restricted", NEWEST)),
    ],
)
def test_labels_mean_what_the_admission_plugin_reads(
    level: str | None, version: str | None, means: tuple[str, int]
) -> None:
    assert effective(level, version) == means


@given(st.text(max_size=12) | st.from_regex(r"v1\.[0-9]{1,3}", fullmatch=True))
def test_no_label_breaks_the_reading(text: str) -> None:
    minor = pinned_minor(text)
    assert minor is None or text == f"v1.{minor}"
    assert effective(text, text)[0] in ("privileged", "baseline", "restricted")


NAMESPACES = """
{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {
  pod-security.kubernetes.io/enforce: baselin}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: b, labels: {
  pod-security.kubernetes.io/enforce: baseline,
  pod-security.kubernetes.io/enforce-version: v1.99999999999999999999,
  pod-security.kubernetes.io/audit: restricted}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: c, labels: {
  pod-security.kubernetes.io/enforce: restricted, pod-security.kubernetes.io/warn: baseline}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: d}}
"""


def test_namespaces_show_what_their_labels_mean() -> None:
    found = evidence_of(NAMESPACES).table("namespace_security")
    columns = ["name", "enforces", "mistyped", "pinned", "weaker_audit", "weaker_warn"]
    assert found[columns].to_numpy().tolist() == [
        ["a", "restricted", True, False, True, True],  # a mistyped level is not warned of
        ["b", "baseline", True, False, False, False],  # an unset warn follows enforce
        ["c", "restricted", False, False, True, True],
        ["d", "privileged", False, False, False, False],
    ]


def test_readiness_counts_owners_once() -> None:
    text = f"""
{{apiVersion: v1, kind: Namespace, metadata: {{name: n, labels: {{
  pod-security.kubernetes.io/enforce: baseline}}}}}}
---
{{apiVersion: apps/v1, kind: DaemonSet, metadata: {{name: w, namespace: n, uid: u}},
  spec: {{template: {{spec: {{{BAD}}}}}}}}}
---
apiVersion: v1
kind: Pod
metadata:
  name: w-1
  namespace: n
  ownerReferences: [{{apiVersion: apps/v1, kind: DaemonSet, name: w, uid: u, controller: true}}]
spec: {{{BAD}}}
---
{{apiVersion: v1, kind: Pod, metadata: {{name: p, namespace: n}}, spec: {{containers: [{{name: c}}]}}}}
"""
    found = readiness(evidence_of(text), "v1.18").set_index("level")
    assert found.loc["baseline"].to_dict() == {
        "namespace": "n",
        "enforces": "baseline",
        "pods": 2,
        "refused_pods": 1,
        "workloads": 2,
        "refused_workloads": 1,
        "checks": ["hostNamespaces (1)"],
        "free": False,
    }
    assert found.loc["restricted", "checks"] == [
        "allowPrivilegeEscalation (2)",
        "hostNamespaces (1)",
        "runAsNonRoot (2)",
    ]


def test_messages_name_the_parts_that_break_a_check() -> None:
    text = """
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  volumes: [{name: logs, hostPath: {path: /var/log}}]
  initContainers: [{name: a, ports: [{containerPort: 1, hostPort: 80}]}]
  containers: [{name: b, readinessProbe: {httpGet: {port: 1, host: example.org}}}]
"""
    (verdict,) = verdicts(evidence_of(text), "baseline")
    assert {v.check: v.message for v in verdict.violations} == {
        "hostPathVolumes": "hostPath volume: volume 'logs' (path /var/log)",
        "hostPorts": "host ports: container 'a' (host_ports [80])",
        "hostProbesAndHostLifecycle": (
            "host in a probe or hook: container 'b' (probe readiness, host example.org)"
        ),
    }
