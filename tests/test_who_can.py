"""Who may do what: the matching of rules, the reach of bindings, and what was not read."""

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaudit import who_can as engine
from kaudit.collect import collect
from kaudit.errors import InputError
from kaudit.evidence.bundle import Evidence
from kaudit.model.rbac_rule import Request
from kaudit.who_can import Answer, Subject
from tests.memory_source import MemorySource, evidence_of
from tests.rbac_world import Question, question, slowly, world
from tests.test_cli import run

ROLES = """
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reader, namespace: shop}, rules: [
  {apiGroups: [""], resources: [secrets], verbs: [get, list]}, {apiGroups: [""], resources: ["pods/exec"], verbs: [create]},
  {apiGroups: [""], resources: [configmaps], verbs: [get], resourceNames: [app]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: reads, namespace: shop},
  roleRef: {kind: Role, name: reader}, subjects: [{kind: ServiceAccount, name: web}, {kind: User, name: ann}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: everywhere}, rules: [
  {apiGroups: [""], resources: [secrets, nodes], verbs: [get]}, {nonResourceURLs: ["/metrics"], verbs: [get]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: all}, roleRef: {kind: ClusterRole, name: everywhere},
  subjects: [{kind: Group, name: "system:serviceaccounts:ops"}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: nodes, namespace: shop}, roleRef: {kind: ClusterRole, name: everywhere},
  subjects: [{kind: User, name: bob}]}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: front, namespace: shop}, spec: {template: {spec: {serviceAccountName: web,
  automountServiceAccountToken: false, containers: [{name: c, image: i}]}}}}
"""


def allowed(evidence: Evidence, q: Question) -> bool:
    request = Request(
        verb=q.verb,
        group=q.group,
        resource=q.resource,
        subresource=q.subresource,
        name=q.name,
        namespace=q.namespace,
        url=q.url,
    )
    subject = Subject(q.user, frozenset(q.groups))
    return bool(engine.who_can(evidence, request, everywhere=True, subject=subject).grants)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=60)
def test_answers_are_those_of_a_plain_evaluator(seed: int) -> None:
    random = Random(seed)
    objects = world(random)
    evidence = collect(MemorySource(*objects))
    for _ in range(40):
        q = question(random)
        found = allowed(evidence, q)
        assert found == slowly(objects, q), q


def test_the_questions_are_answered_both_ways() -> None:
    random = Random(1)
    answers = [slowly(world(random), question(random)) for _ in range(400)]
    assert 30 < sum(answers) < 370


@pytest.fixture(scope="module")
def shop() -> Evidence:
    return evidence_of(ROLES)


def ask(shop: Evidence, verb: str, resource: str, everywhere: bool = False, **more: str) -> Answer:
    question = engine.request(shop, verb, resource, **more)
    return engine.who_can(shop, question, everywhere=everywhere)


def who(found: Answer) -> list[tuple[str, str]]:
    return [(g.subject, g.scope) for g in found.grants]


def test_scopes(shop: Evidence) -> None:
    everybody = [("system:serviceaccounts:ops", ""), ("shop/web", "shop")]
    everybody += [("ann", "shop"), ("bob", "shop")]
    assert who(ask(shop, "get", "secrets")) == everybody
    assert who(ask(shop, "get", "secrets", namespace="shop")) == everybody
    assert who(ask(shop, "get", "secrets", namespace="other")) == everybody[:1]
    assert who(ask(shop, "get", "secrets", everywhere=True)) == everybody[:1]
    assert who(ask(shop, "list", "secret")) == [("shop/web", "shop"), ("ann", "shop")]


def test_what_has_no_namespace_is_granted_by_no_role_binding(shop: Evidence) -> None:
    assert who(ask(shop, "get", "nodes")) == [("system:serviceaccounts:ops", "")]
    assert who(ask(shop, "get", "/metrics")) == [("system:serviceaccounts:ops", "")]
    with pytest.raises(InputError, match="of the whole cluster"):
        ask(shop, "get", "no", namespace="shop")


def test_subresources_and_names(shop: Evidence) -> None:
    assert who(ask(shop, "create", "po/exec")) == [("shop/web", "shop"), ("ann", "shop")]
    assert who(ask(shop, "create", "pods", subresource="exec")) == who(
        ask(shop, "create", "pods/exec")
    )
    assert who(ask(shop, "create", "pods")) == []
    unnamed = ask(shop, "get", "cm")
    assert (unnamed.grants, unnamed.narrowed) == ((), 2)
    assert len(ask(shop, "get", "cm", name="app").grants) == 2
    assert ask(shop, "get", "cm", name="other").grants == ()
    every = engine.who_can(shop, unnamed.question, any_name=True)
    assert [g.names for g in every.grants] == [("app",), ("app",)]


def test_workloads_of_the_subject(shop: Evidence) -> None:
    found = {g.subject: g.workloads for g in ask(shop, "list", "secrets").grants}
    assert [(w.kind, w.name, w.token) for w in found["shop/web"]] == [
        ("Deployment", "front", False)
    ]
    assert found["ann"] == ()


def test_rights_of_one(shop: Evidence) -> None:
    found = engine.grants_of(shop, Subject.of("system:serviceaccount:ops:any"))
    assert [(g.subject, g.rules) for g in found] == [
        ("system:serviceaccounts:ops", ("get on /metrics",)),
        ("system:serviceaccounts:ops", ("get on core/nodes,secrets",)),
    ]


def test_default_roles_are_known_with_what_aggregates_into_them() -> None:
    evidence = evidence_of("""
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: w, labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}},
  rules: [{apiGroups: [example.com], resources: [widgets], verbs: [get]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b, namespace: shop}, roleRef: {kind: ClusterRole, name: admin},
  subjects: [{kind: User, name: ann}]}
""")
    # view aggregates into edit, and that into admin
    found = ask(evidence, "get", "widgets.example.com")
    assert [(g.role, g.assumed) for g in found.grants] == [("ClusterRole/admin", True)]
    assert len(ask(evidence, "create", "pods/exec").grants) == 1
    assert who(ask(evidence, "get", "nodes")) == []


def test_rules_that_a_cluster_holds_are_not_computed_again() -> None:
    evidence = evidence_of("""
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: sum, creationTimestamp: "2025-01-01T00:00:00Z"},
  aggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}, rules: []}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: part, labels: {a: b}}, rules: [
  {apiGroups: [""], resources: [pods], verbs: [get]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: b}, roleRef: {kind: ClusterRole, name: sum},
  subjects: [{kind: User, name: ann}]}
""")
    assert ask(evidence, "get", "pods").grants == ()


def test_nobody_is_no_answer_where_bindings_were_not_read(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(ROLES)
    # no binding reaches this, and the manifests hold every kind that could
    code, out, _ = run("who-can", "delete", "pods", str(file), "--format", "json")
    assert (code, json.loads(out)["grants"], json.loads(out)["complete"]) == (0, [], True)
    file.write_text(ROLES.partition("---")[0])
    code, out, err = run("who-can", "get", "secrets", str(file), "--format", "json")
    assert (code, json.loads(out)["complete"]) == (3, False)
    assert "proves nothing" in err


def test_a_found_one_is_an_answer_with_a_remark(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text("---".join(ROLES.split("---")[:2]))
    code, out, err = run("who-can", "get", "secrets", str(file), "--format", "csv")
    assert code == 0
    assert out.splitlines()[1].startswith("ServiceAccount,shop/web,shop,,RoleBinding/reads,")
    assert "there may be more" in err
    code, out, err = run("rights", "ann", str(file), "--quiet", "--format", "json")
    assert (code, err) == (0, "")
    rows = json.loads(out)
    assert [row["scope"] for row in rows if not row["gap"]] == ["shop"] * 3
    assert [row["gap"].partition(":")[0] for row in rows if row["gap"]] == [
        "ClusterRole",
        "ClusterRoleBinding",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["get", "secert"], "did you mean secrets"),
        (["GET", "secrets"], "write get"),
        (["", "secrets"], "is no verb"),
        (["get", "pods/exec", "--subresource", "log"], "names a subresource already"),
        (["get", "/metrics", "--namespace", "shop"], "a URL has no namespace"),
        (["get", "pods", "-A", "-n", "shop"], "exclude each other"),
        (["get", "pods", "--as-group", "dev"], "add --as USER"),
    ],
)
def test_wrong_questions(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "m.yaml").write_text(ROLES)
    verb, resource, *options = arguments
    code, out, err = run("who-can", verb, resource, str(tmp_path / "m.yaml"), *options)
    assert (code, out) == (2, "")
    assert said in err
