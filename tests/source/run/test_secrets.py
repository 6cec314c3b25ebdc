"""Engines of policies get Secrets without values; what may read more of them is not known."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from kaudit.evidence.bundle import Evidence
from kaudit.model.kept_reads import Kept
from kaudit.source.events import Batch, Listed
from kaudit.source.run.objects import Objects, Watched
from kaudit.source.run.secrets import SecretsSeen
from kaudit.source.run.without_secrets import without_secrets
from tests.source.run.test_policies import (
    CLUSTER,
    POD,
    TEMPLATE,
    collected,
    engines,
    gaps,
    kyverno,
    laid,
    seen,
    stand_in,
    verdicts,
)

__all__ = ["engines"]
BEYOND = "engines are given no values of Secret"
CANARY = "CANARY-5f0c9e1d7ab2"
NOTE = "kubectl.kubernetes.io/last-applied-configuration"


def secret(**more: Any) -> dict[str, Any]:
    """A Secret with a value wherever one may be."""
    coded = base64.b64encode(f"{CANARY}-coded".encode()).decode()
    whole = {"kind": "Secret", "stringData": {"password": f"{CANARY}-last-applied"}}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "s",
            "namespace": "shop",
            "labels": {"team": "shop"},
            "annotations": {
                NOTE: json.dumps(whole),
                "example.org/copy": f"{CANARY}-note",
                "reconcile.external-secrets.io/data-hash": f"{CANARY}-hash",
                "kubernetes.io/service-account.name": "robot",
            },
            "managedFields": [{"manager": f"{CANARY}-manager"}],
        },
        "type": "kubernetes.io/service-account-token",
        "data": {"token": coded, "plain": f"{CANARY}-data"},
        "stringData": {"password": f"{CANARY}-string"},
    } | more


def constraint(*, kinds: list[str], **match: Any) -> dict[str, Any]:
    matched = {"kinds": [{"apiGroups": [""], "kinds": kinds}], **match}
    return {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "K8sOwner",
        "metadata": {"name": "owner"},
        "spec": {"match": matched},
    }


def template(code: str) -> dict[str, Any]:
    spec = {
        **TEMPLATE["spec"],  # type: ignore[dict-item]
        "targets": [{"target": "t", "rego": f"package p\nviolation[{{}}] {{ {code} }}"}],
    }
    return {**TEMPLATE, "spec": spec}


def policy(pattern: dict[str, Any], *kinds: str) -> dict[str, Any]:
    rule = {
        "name": "r",
        "match": {"any": [{"resources": {"kinds": [*kinds]}}]},
        "validate": {"pattern": pattern},
    }
    return {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": "types"},
        "spec": {"rules": [rule]},
    }


READ = "input.review.object.data.token"
NAMED = "input.review.object.metadata.labels.team"


@pytest.mark.parametrize("tool", ["gator", "kyverno"])
def test_no_value_of_a_secret_reaches_an_engine_or_comes_back(
    engines: Path, tmp_path: Path, tool: str
) -> None:
    """Not in a file, an argument, the environment, the input or what is sealed."""
    body = 'print("null")' if tool == "gator" else kyverno()
    stand_in(engines, tool, body)
    given = [template(READ), constraint(kinds=["Secret"])]
    given = given if tool == "gator" else [policy({"data": {"token": "?*"}}, "Secret")]
    evidence = collected(tmp_path, *given, secret(), POD)
    told = seen(engines, tool, CLUSTER)
    assert CANARY not in json.dumps(told)
    coded = base64.b64encode(f"{CANARY}-coded".encode()).decode()
    assert coded not in json.dumps(told)
    assert CANARY not in "".join(evidence[name].to_csv() for name in evidence)
    (found, _) = laid(told["files"]["objects.yaml"])
    assert found == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "s",
            "namespace": "shop",
            "labels": {"team": "shop"},
            "annotations": {"kubernetes.io/service-account.name": "robot"},
        },
        "type": "kubernetes.io/service-account-token",
    }


def violation(kind: str) -> dict[str, Any]:
    return {
        "target": "t",
        "msg": "no",
        "constraint": {"kind": "K8sOwner", "metadata": {"name": "owner"}},
        "violatingObject": {"apiVersion": "v1", "kind": kind, "metadata": {"name": kind}},
    }


@pytest.mark.parametrize(
    ("code", "judged"), [(NAMED, ["ConfigMap", "Secret"]), (READ, ["ConfigMap"])]
)
def test_verdicts_of_gator_on_secrets_count_where_it_read_no_more_than_it_got(
    engines: Path, tmp_path: Path, code: str, judged: list[str]
) -> None:
    found = [violation("Secret"), violation("ConfigMap")]
    stand_in(engines, "gator", f"print(json.dumps({found!r}))")
    evidence = collected(tmp_path, template(code), constraint(kinds=["*"]), secret(), POD)
    assert sorted(r["name"] for r in verdicts(evidence)) == judged
    assert told(evidence) == ([] if code == NAMED else [("owner", BEYOND)])


def told(evidence: Evidence) -> list[tuple[str, str]]:
    return [(gap.name, gap.detail[:37]) for gap in gaps(evidence)]


def result(kind: str, name: str = "types") -> dict[str, Any]:
    subject = {"apiVersion": "v1", "kind": kind, "namespace": "shop", "name": kind}
    return {"policy": name, "rule": "r", "result": "pass", "resources": [subject]}


@pytest.mark.parametrize(
    ("pattern", "judged"),
    [
        ({"type": "!kubernetes.io/*"}, ["ConfigMap", "Secret"]),
        ({"data": {"token": "?*"}}, ["ConfigMap"]),
    ],
)
def test_verdicts_of_kyverno_on_secrets_count_where_it_read_no_more_than_it_got(
    engines: Path, tmp_path: Path, pattern: dict[str, Any], judged: list[str]
) -> None:
    """Not even a pass is taken of one that asks for a value."""
    stand_in(engines, "kyverno", kyverno(result("Secret"), result("ConfigMap")))
    evidence = collected(tmp_path, policy(pattern, "Secret", "ConfigMap"), secret(), POD)
    assert sorted(r["name"] for r in verdicts(evidence)) == judged
    assert told(evidence) == ([] if "type" in pattern else [("types", BEYOND)])


def test_an_exception_that_reads_values_leaves_its_policy_unknown(
    engines: Path, tmp_path: Path
) -> None:
    stand_in(engines, "kyverno", kyverno(result("Secret")))
    condition = {"key": "{{ request.object.data.token }}", "operator": "Equals", "value": "x"}
    exception = {
        "apiVersion": "kyverno.io/v2",
        "kind": "PolicyException",
        "metadata": {"name": "e", "namespace": "kyverno"},
        "spec": {
            "exceptions": [{"policyName": "typ*", "ruleNames": ["r"]}],
            "conditions": {"any": [condition]},
        },
    }
    evidence = collected(tmp_path, policy({"type": "x"}, "Secret"), exception, secret(), POD)
    assert {r["basis"] for r in verdicts(evidence)} == {"without_exceptions"}
    assert told(evidence) == [("types", BEYOND)]


@pytest.mark.parametrize(
    "one",
    [constraint(kinds=["Secret"]), policy({"type": "x"}, "v1/Secret")],
    ids=["gatekeeper", "kyverno"],
)
def test_a_policy_on_secrets_that_were_not_read_is_told(
    engines: Path, tmp_path: Path, one: dict[str, Any]
) -> None:
    stand_in(engines, "gator", 'print("null")')
    stand_in(engines, "kyverno", kyverno())
    assert gaps(collected(tmp_path, template(NAMED), one, POD)) == []
    path = tmp_path / "in.json"
    evidence = collected_of(path, "pods", "constraints", "constrainttemplates", "clusterpolicies")
    (gap,) = [gap for gap in gaps(evidence) if "Secrets were not read" in gap.detail]
    assert gap.name == one["metadata"]["name"]


def collected_of(path: Path, *kinds: str) -> Evidence:
    from kaudit.opening import evidence_of
    from kaudit.source.run.tool import Settings

    settings = Settings(images=False, policies=True, seconds=20.0)
    return evidence_of([str(path)], scan=settings, kinds=kinds)


def test_a_template_that_looks_up_values_of_secrets_is_not_run(
    engines: Path, tmp_path: Path
) -> None:
    stand_in(engines, "gator", 'print("null")')
    code = 'data.inventory.namespace[_]["v1"]["Secret"][_].data["tls.crt"] == "x"'
    evidence = collected(tmp_path, template(code), constraint(kinds=["Pod"]), secret(), POD)
    (gap,) = gaps(evidence)
    assert "may look up Secrets" in gap.detail
    assert len(verdicts(evidence)) == 0


@pytest.mark.parametrize(
    "meta",
    [
        {"name": "s", "labels": {"key": "ghp_" + "A1b2C3d4" * 4 + "E5f6"}},
        {"name": "s", "annotations": {"example.org/owner": "https://ann:hunter2@r.example"}},
        {"name": "s", "annotations": {"example.org/owner": 7}},
    ],
)
def test_a_secret_of_which_a_part_looks_like_a_credential_is_left_out_and_told(
    meta: dict[str, Any],
) -> None:
    seen = SecretsSeen()
    assert seen.take(secret(metadata=meta), live=False) is None
    assert (seen.left_out, seen.given) == ([("", "s")], False)


class OneBatch:
    """A source of one Secret."""

    label = "test"
    as_of: datetime | None = None

    def __init__(self, item: dict[str, Any], *, live: bool, listed: bool) -> None:
        self.item, self.live, self.listed = item, live, listed

    def read(self, *_: Any) -> Any:
        yield Batch("", "v1", "Secret", 0, [json.dumps(self.item).encode()], [(1, 1)])
        if self.listed:
            yield Listed("", "Secret")


@pytest.mark.parametrize(
    ("item", "kept"),
    [
        (secret(kind="PartialObjectMetadata", type=None), Kept(type=False)),
        (secret(), Kept(labels=False, annotations=False)),
    ],
    ids=["metadata", "table"],
)
def test_of_a_live_secret_is_known_what_the_server_was_asked_for(
    tmp_path: Path, item: dict[str, Any], kept: Kept
) -> None:
    given = {key: value for key, value in item.items() if value is not None}
    objects = Objects(tmp_path)
    for _ in Watched(OneBatch(given, live=True, listed=True), objects).read({}):
        pass
    objects.done()
    assert (objects.secrets.kept, objects.secrets.unread) == (kept, False)
    (laid_down,) = laid(objects.path.read_text())
    assert laid_down["kind"] == "Secret"
    assert CANARY not in json.dumps(laid_down)


def test_secrets_that_a_server_was_not_asked_for_are_unread(tmp_path: Path) -> None:
    objects = Objects(tmp_path)
    for _ in Watched(OneBatch(secret(), live=True, listed=False), objects).read({}):
        pass
    objects.done()
    assert objects.secrets.unread


def test_a_secret_in_another_object_keeps_no_value() -> None:
    notes = {NOTE: secret()["metadata"]["annotations"][NOTE]}
    one = secret(metadata={"name": "s", "annotations": notes})
    found = without_secrets({"kind": "Template", "metadata": {"name": "t"}, "objects": [one]})
    assert CANARY not in json.dumps(found)
    assert found["objects"][0]["data"].keys() == {"token", "plain"}
    assert without_secrets(found) == found
