"""Audit policies: as the API server decides, request by request; files and ConfigMaps."""

from __future__ import annotations

import json
import random
import time
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import kaudit as ka
from kaudit.collect import collect
from kaudit.model.audit_policy import judged
from kaudit.model.words import Reason, Status
from kaudit.source.files import FileSource
from kaudit.source.tools import ToolSource
from tests.memory_source import evidence_of, rows

HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n"
SHOWN = ("kind", "namespace", "name", "key", "rules", "fault", "unlogged", "exposed")
USER = {"system:authenticated"}
SUBJECTS = (
    USER,
    {*USER, "system:serviceaccounts"},
    {*USER, "system:masters"},
    {"system:unauthenticated"},
)
CHANGES = ("create", "update", "patch", "delete", "deletecollection")
WRITES = ("create", "update", "patch")
PROXY = ("get", "create", "update", "patch", "delete")
#: Group, resource, subresource, and the verbs that must be logged.
LOGGED: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("", "secrets", "", ("get", "list", "watch", *CHANGES)),
    ("", "configmaps", "", CHANGES),
    ("authentication.k8s.io", "tokenreviews", "", ("create",)),
    ("", "pods", "", CHANGES),
    ("apps", "deployments", "", CHANGES),
    ("", "pods", "exec", ("create", "get")),
    ("", "pods", "portforward", ("create", "get")),
    ("", "pods", "proxy", PROXY),
    ("", "services", "proxy", PROXY),
)
#: The same, with the verbs that write values and those that answer with some.
HELD: tuple[tuple[str, str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("", "secrets", "", WRITES, ("get", "list", *WRITES, "deletecollection")),
    ("", "configmaps", "", WRITES, ("get", "list", *WRITES, "deletecollection")),
    ("authentication.k8s.io", "tokenreviews", "", ("create",), ("create",)),
    ("", "serviceaccounts", "token", (), ("create",)),
)


def policy(*rules: Any, **more: Any) -> dict[str, Any]:
    return {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": list(rules), **more}


def decided(
    found: Any, verb: str, group: str, resource: str, part: str, space: str, name: str, who: Any
) -> tuple[str, set[str]]:
    """Level and omitted stages of one request, rule by rule."""
    omitted = set(found.get("omitStages", ()))
    for rule in found["rules"]:
        if rule.get("users") or (rule.get("userGroups") and not who & set(rule["userGroups"])):
            continue
        if rule.get("verbs") and verb not in rule["verbs"]:
            continue
        if rule.get("namespaces") and space not in rule["namespaces"]:
            continue
        if rule.get("nonResourceURLs"):
            continue
        told = rule.get("resources")
        if told and not any(
            one.get("group", "") == group
            and (not one.get("resources") or is_among(one, resource, part, name))
            for one in told
        ):
            continue
        return rule["level"], omitted | set(rule.get("omitStages", ()))
    return "None", omitted


def is_among(one: Any, resource: str, part: str, name: str) -> bool:
    if one.get("resourceNames") and name not in one["resourceNames"]:
        return False
    whole = f"{resource}/{part}" if part else resource
    return any(
        text in (whole, "*", f"{resource}/*") or (part and text == f"*/{part}")
        for text in one["resources"]
    )


def expected(found: Any) -> tuple[set[str], set[str]]:
    """Resources of which a request is not logged, and of which a value is."""
    spaces = {"elsewhere", *(n for r in found["rules"] for n in r.get("namespaces", ()) if n)}
    unlogged, exposed = set(), set()
    for group, resource, part, verbs in LOGGED:
        whole = f"{resource}/{part}" if part else resource
        for verb, space, who in product(verbs, spaces, SUBJECTS):
            space = "" if resource == "tokenreviews" else space
            level, omitted = decided(found, verb, group, resource, part, space, "none", who)
            kept = {"RequestReceived", "ResponseComplete"}
            kept |= {"ResponseStarted"} if part or verb == "watch" else set()
            if level == "None" or kept <= omitted:
                unlogged.add(whole)
    named = {
        n
        for r in found["rules"]
        for o in r.get("resources", ())
        for n in o.get("resourceNames", ())
    }
    for group, resource, part, sent, told in HELD:
        whole = f"{resource}/{part}" if part else resource
        for verb, space, who, name in product(told, spaces, SUBJECTS, {"none", *named}):
            if verb not in ("get", "update", "patch") and name != "none":
                continue
            space = "" if resource == "tokenreviews" else space
            level, omitted = decided(found, verb, group, resource, part, space, name, who)
            deep = level == "RequestResponse" or (level == "Request" and verb in sent)
            if deep and "ResponseComplete" not in omitted:
                exposed.add(whole)
    return unlogged, exposed


def some(chance: random.Random, *values: str, often: float = 0.3) -> list[str]:
    return [v for v in values if chance.random() < often]


def rule_of(chance: random.Random) -> dict[str, Any]:
    resources = []
    for _ in range(chance.choice((0, 0, 1, 2))):
        names = ("secrets", "configmaps", "pods", "pods/*", "*/proxy", "pods/exec", "*")
        one: dict[str, Any] = {"group": chance.choice(("", "", "apps", "authentication.k8s.io"))}
        if listed := some(chance, *names, "tokenreviews", "serviceaccounts/token"):
            one["resources"] = listed
            if named := some(chance, "db", "web", often=0.1):
                one["resourceNames"] = named
        resources.append(one)
    found = {
        "level": chance.choice(("None", "Metadata", "Metadata", "Request", "RequestResponse")),
        "users": some(chance, "bob", often=0.1),
        "userGroups": some(chance, *sorted(set().union(*SUBJECTS)), "other", often=0.1),
        "verbs": some(chance, "get", "list", "watch", *CHANGES, often=0.2),
        "namespaces": some(chance, "a", "b", "", often=0.1),
        "omitStages": some(chance, "RequestReceived", "ResponseStarted", "ResponseComplete"),
        "resources": resources,
    }
    if chance.random() < 0.1:
        found |= {"nonResourceURLs": ["/healthz*"], "resources": [], "namespaces": []}
    return {key: value for key, value in found.items() if value}


@pytest.mark.parametrize("seed", range(6))
def test_as_the_api_server_decides(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        found = policy(
            *(rule_of(chance) for _ in range(chance.randrange(1, 6))),
            {"level": chance.choice(("Metadata", "None"))},
            omitStages=some(chance, "RequestReceived", "Panic"),
        )
        told = judged(found)
        assert not told.fault
        names = [
            {text.partition(":")[0].partition(",")[0].partition(" ")[0] for text in texts}
            for texts in (told.unlogged, told.exposed)
        ]
        assert tuple(names) == expected(found), json.dumps(found)


def test_what_is_said_once_is_not_said_again() -> None:
    found = judged(
        policy(
            {"level": "None", "verbs": ["watch"]},
            {"level": "None", "userGroups": ["system:masters"], "namespaces": ["a", "b"]},
            {"level": "Request", "namespaces": list("abcde"), "resources": [{"group": ""}]},
            {"level": "Metadata"},
        )
    )
    assert found.unlogged[:3] == [
        "secrets: watch",
        "secrets: get, list, create, update, patch, delete, deletecollection, by system:masters, "
        "in namespace a, b",
        "configmaps, by system:masters, in namespace a, b",
    ]
    assert found.exposed == [
        "secrets: create, update, patch at Request, in namespace a, b, c and 2 more",
        "configmaps: create, update, patch at Request, in namespace a, b, c and 2 more",
    ]


def test_files_and_config_maps_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "audit.yaml").write_text(
        f"# of the node\n{HEAD}metadata: {{creationTimestamp: null}}\nrules: [{{level: Metadata}}]\n"
    )
    (tmp_path / "old.json").write_text(
        json.dumps(policy({"level": "None"}) | {"apiVersion": "audit.k8s.io/v1beta1"})
    )
    held = json.dumps(HEAD + "rules:\n- level: RequestResponse\n")
    (tmp_path / "objects.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: audit, namespace: kube-system}\n"
        f"data:\n  policy.yaml: {held}\n  other: text\n"
    )
    found = rows(collect(FileSource(tmp_path)), "audit_policies", *SHOWN[:6])
    assert sorted(found, key=lambda row: str(row["name"])) == [
        dict(zip(SHOWN, row, strict=False))
        for row in (
            ("ConfigMap", "kube-system", "audit", "policy.yaml", 1, ""),
            ("Policy.audit.k8s.io", "", "audit.yaml", "", 1, ""),
            ("Policy.audit.k8s.io", "", "old.json", "", 1, ""),
        )
    ]


def test_one_among_objects_is_taken_and_a_policy_of_kyverno_is_none(tmp_path: Path) -> None:
    kyverno = (
        "apiVersion: kyverno.io/v1\nkind: Policy\nmetadata: {name: k, namespace: n}\nspec: {}\n"
    )
    (tmp_path / "all.yaml").write_text(f"{kyverno}---\n{HEAD}rules: [{{level: Metadata}}]\n")
    evidence = collect(FileSource(tmp_path))
    assert [row["name"] for row in rows(evidence, "audit_policies", "name")] == ["all.yaml"]
    assert list(evidence["kyverno_policies"]["name"]) == ["k"]


@pytest.mark.parametrize(
    ("rules", "fault"),
    [
        ("[]", "it has no rules"),
        ("null", "it has no rules"),
        ("[{}]", "rule 1: nothing is no level"),
        ("[{level: Metadata}, {level: metadata}]", "rule 2: metadata is no level"),
        ("[{level: Metadata, omitStages: [End]}]", "rule 1: End is no stage"),
        ("[{level: None, resources: [{resourceNames: [a]}]}]", "rule 1 names objects of no"),
        ("[{level: None, namespaces: [a], nonResourceURLs: [/a]}]", "rule 1 is about resources"),
        ("{a: b}", "Expected `array | null`"),
        ("[{level: None, users: [null]}]", "Expected `str`"),
        ("[null]", "Expected `object`"),
    ],
)
def test_what_the_api_server_refuses_is_no_pass(rules: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"{HEAD}rules: {rules}\n")
    evidence = collect(ToolSource("audit-policy", tmp_path / "a.yaml"))
    (row,) = rows(evidence, "audit_policies", *SHOWN)
    assert str(row["fault"]).startswith(fault)
    assert (row["unlogged"], row["exposed"]) == ([], [])
    for control in ("KA-RUN-014c", "KA-RUN-014d"):
        (result,) = ka.assess(evidence, control=control).by_control[control].results()
        assert result.status is Status.NOT_ASSESSED


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        '"text"',
        "kind: Policy\napiVersion: kyverno.io/v1\n",
        "kind: Policy\napiVersion: 1\n",
        f"{HEAD}---\n{HEAD}",
        f"{HEAD}rules: [\n",
        f"{HEAD}rules: {'[' * 5000}\n",
    ],
)
def test_what_is_no_policy_is_a_gap(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    evidence = collect(ToolSource("audit-policy", tmp_path / "a.yaml"))
    assert rows(evidence, "audit_policies") == []
    assert [gap for gap in evidence.gaps if gap.reason is Reason.BROKEN]


@pytest.mark.parametrize(
    "text", [f"{HEAD}---\n{HEAD}", f"{HEAD}rules: [\n", f"{HEAD}rules: {'[' * 5000}\n"]
)
def test_a_config_map_with_a_broken_policy_stays(text: str) -> None:
    evidence = evidence_of(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: audit, namespace: a}\n"
        f"data: {{policy.yaml: {json.dumps(text)}}}\n"
    )
    (row,) = rows(evidence, "audit_policies", *SHOWN)
    assert row["fault"]
    assert rows(evidence, "config_maps", "keys") == [{"keys": ["policy.yaml"]}]


def test_only_what_was_judged_is_kept() -> None:
    rule = "{level: None, users: [hunter2], resources: [{resources: [secrets]}]}"
    text = json.dumps(f"{HEAD}rules: [{rule}]\n")
    evidence = evidence_of(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: audit, namespace: a}\n"
        f"data: {{policy.yaml: {text}}}\n"
    )
    assert "hunter2" not in json.dumps(evidence.record("configmaps", 1))
    assert len(rows(evidence, "audit_policies")) == 1


def test_a_cluster_without_one_has_not_been_looked_into() -> None:
    evidence = evidence_of("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n")
    (result,) = ka.assess(evidence, control="KA-RUN-014c").by_control["KA-RUN-014c"].results()
    assert result.status is Status.NOT_ASSESSED
    assert "Audit policy" in result.reason


def test_a_policy_that_nobody_means_takes_no_time() -> None:
    names = [f"n{number}" for number in range(60_000)]
    began = time.monotonic()
    assert judged(policy({"level": "None", "namespaces": names})).fault.startswith("it has more")
    most = [{"level": "None", "namespaces": [f"n{number}"]} for number in range(2_000)]
    assert not judged(policy(*most)).fault
    assert time.monotonic() - began < 20
