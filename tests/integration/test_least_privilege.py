"""The account of ``kaudit rbac`` suffices, each of its rights is needed, and it is never exceeded."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import yaml

from kaudit.assess import assess
from kaudit.assessment import Assessment
from kaudit.collect import collect
from kaudit.demo import objects
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Reason
from kaudit.rbac import manifest
from kaudit.registry import Read, tables_of
from kaudit.source.live import LiveSource
from kaudit.source.live_http import Patience
from tests.integration.cluster import Cluster, running_cluster
from tests.integration.stand_ins import create, reads, serve_all_kinds
from tests.test_mutation import check

_NAMESPACE = "kaudit"
_USERS = f"system:serviceaccount:{_NAMESPACE}:"
#: Rights are taken away so many at a time: each once, and never two that lie beside each other.
_RUNS = 8
_POD_RUN = [read.plural for read in reads()].index("pods") % _RUNS
_HASTE = Patience(per_second=1000, burst=1000)
_VALUE = "canary-77aa"
_CODED = base64.b64encode(_VALUE.encode()).decode()
_SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "planted", "namespace": "default"},
    "stringData": {"password": _VALUE},
}


def lacking(run: int) -> list[Read]:
    """Kinds that the account of a run may not list."""
    return reads()[run::_RUNS]


def named(run: int) -> str:
    return f"without-{run}"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that serves and holds every kind, with the account and lesser ones."""
    with running_cluster(tmp_path_factory.mktemp("privilege")) as cluster:
        assert serve_all_kinds(cluster)
        given = [*objects(), _SECRET]
        refused = create(cluster, given)  # some are older than what would refuse them today
        assert len(refused) < len(given) // 8, refused
        cluster.kubectl("apply", "-f", "-", given=kaudit("rbac", "--secrets"))
        lesser = [one for run in range(_RUNS) for one in account_of(run)]
        cluster.kubectl("apply", "-f", "-", given=yaml.safe_dump_all(lesser))
        yield cluster


def account_of(run: int) -> list[dict[str, Any]]:
    """The account as it is printed, under another name and with fewer rights."""
    account, role, binding = renamed(manifest(secrets=True, namespace=_NAMESPACE), named(run))
    lost = {(read.group, "*" if read.open else read.plural) for read in lacking(run)}
    for rule in role["rules"]:
        (group,) = rule["apiGroups"]
        rule["resources"] = [r for r in rule["resources"] if (group, r) not in lost]
    role["rules"] = [rule for rule in role["rules"] if rule["resources"]]
    return [account, role, binding]


def renamed(text: str, name: str) -> list[dict[str, Any]]:
    """Account, role and binding of what is printed, under another name."""
    _, account, role, binding = yaml.safe_load_all(text)
    for one in (account, role, binding, binding["roleRef"], binding["subjects"][0]):
        one.get("metadata", one)["name"] = name
    return [account, role, binding]


def kaudit(*arguments: str | Path, config: Path | None = None) -> str:
    command = [sys.executable, "-m", "kaudit", *map(str, arguments)]
    return subprocess.run(
        command,
        check=True,
        text=True,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env={"KUBECONFIG": str(config), "HOME": "/nonexistent"},
    ).stdout


def config_of(cluster: Cluster, account: str) -> Path:
    """Kubeconfig of an account, once the server knows its rights."""
    token = cluster.token(_NAMESPACE, account)
    asked = {"verb": "list", "resource": "pods" if account != named(_POD_RUN) else "nodes"}
    review = {"spec": {"resourceAttributes": asked}}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    end = time.monotonic() + 30
    while not cluster.request("POST", path, review, token).body["status"]["allowed"]:
        assert time.monotonic() < end, "the rights of the account are not known"
        time.sleep(0.05)
    return cluster.kubeconfig(account, token)


def reader(config: Path, secrets: str = "metadata") -> LiveSource:
    return LiveSource.from_context(kubeconfig=config, secrets=secrets, patience=_HASTE)


@cache
def collected(config: Path, secrets: str = "metadata") -> Evidence:
    return collect(reader(config, secrets), raw=False)


@cache
def judged(config: Path) -> Assessment:
    return assess(collected(config), strict=True)


def audited(cluster: Cluster, account: str = "") -> list[dict[str, Any]]:
    """What accounts of the namespace asked so far, or one of them."""
    events = cluster.audited()
    names = (event["user"]["username"] for event in events)
    return [
        event
        for event, name in zip(events, names, strict=True)
        if name.startswith(_USERS) and name.endswith(account)
    ]


def test_the_account_reads_what_an_administrator_reads(demo: Cluster, tmp_path: Path) -> None:
    config = config_of(demo, "kaudit")
    out = tmp_path / "e.kaudit"
    arguments = ("-o", out, "--secrets", "metadata", "--quiet")
    kaudit("collect", "context:kaudit", *arguments, config=config)
    evidence, full = Evidence.open(out), tmp_path / "admin.kaudit"
    assert [gap for gap in evidence.gaps if gap.failed] == []
    assert evidence["access"]["allowed"].all()
    assert evidence.id == collect(reader(demo.admin), out=full).id
    assert {"secrets", "pods", "gateways.gateway.networking.k8s.io"} <= {*evidence.manifest.raw}


@pytest.mark.parametrize("run", range(_RUNS))
def test_each_right_is_needed_and_its_loss_is_told(demo: Cluster, run: int) -> None:
    config = config_of(demo, named(run))
    told = [(gap.what, gap.reason, gap.tables) for gap in collected(config).gaps if gap.failed]
    assert sorted(told) == sorted(
        (f"list {read.raw}", Reason.FORBIDDEN, tables_of(read.id)) for read in lacking(run)
    )
    access = collected(config)["access"]
    refused = access[~access["allowed"]]
    assert {*zip(refused["group"], refused["plural"], strict=True)} == {
        (read.group, read.plural) for read in lacking(run)
    }
    check(judged(demo.admin), judged(config), refused=True)


def test_an_account_for_chosen_kinds_suffices_for_them(demo: Cluster) -> None:
    kinds = ["pods", "networkpolicies", "rolebindings"]
    made = renamed(manifest(kinds, namespace=_NAMESPACE), "chosen")
    demo.kubectl("apply", "-f", "-", given=yaml.safe_dump_all(made))
    evidence = collect(reader(config_of(demo, "chosen"), "none"), kinds=kinds, raw=False)
    assert {gap.reason for gap in evidence.gaps if gap.failed} == {Reason.NOT_COLLECTED}
    assert evidence["access"]["allowed"].all()
    assert {*evidence["access"]["plural"]} == {*kinds}
    listed = {e["objectRef"]["resource"] for e in audited(demo, "chosen") if e["verb"] == "list"}
    assert listed == {*kinds}


def test_only_lists_and_the_review_of_rights_are_sent(demo: Cluster) -> None:
    for account in ("kaudit", named(_POD_RUN)):
        collected(config_of(demo, account))
        asked: dict[str, set[str]] = {}
        for event in audited(demo, account):
            of = event.get("objectRef", {}).get("resource") or event["requestURI"]
            asked.setdefault(event["verb"], set()).add(of)
        assert asked.pop("create") == {"selfsubjectaccessreviews"}
        assert asked.pop("list") == {read.plural for read in reads()}
        assert all(re.fullmatch(r"/version|/apis?(/[a-z0-9.-]+)+", p) for p in asked.pop("get"))
        assert asked == {}


@pytest.mark.parametrize(
    ("secrets", "kind"), [("metadata", "PartialObjectMetadataList"), ("table", "Table")]
)
def test_no_data_of_a_secret_is_ever_sent(demo: Cluster, secrets: str, kind: str) -> None:
    config = config_of(demo, "kaudit")
    told = collected(config, secrets)["secrets"]["name"].tolist()
    assert "planted" in told
    events = [e for e in audited(demo) if e.get("objectRef", {}).get("resource") == "secrets"]
    given = [e["responseObject"] for e in events if e["responseStatus"]["code"] == HTTPStatus.OK]
    assert kind in {answer["kind"] for answer in given}
    assert {answer["kind"] for answer in given} <= {"PartialObjectMetadataList", "Table"}
    for answer in given:
        assert not re.search(f"{_VALUE}|{_CODED}", json.dumps(answer))


def test_the_audit_log_would_tell_of_a_secret_read_in_full(demo: Cluster) -> None:
    demo.request("GET", "/api/v1/namespaces/default/secrets/planted")
    *_, event = [e for e in demo.audited() if "responseObject" in e and e["verb"] == "get"]
    assert event["responseObject"]["data"]["password"] == _CODED


def test_without_the_word_secrets_are_not_asked_for(demo: Cluster) -> None:
    before = len(demo.audited())
    evidence = collected(config_of(demo, "kaudit"), "none")
    failed = [(gap.kind, gap.reason) for gap in evidence.gaps if gap.failed]
    assert failed == [("Secret", Reason.NOT_COLLECTED)]
    assert not [
        e for e in demo.audited()[before:] if re.search(r"/secrets(?:[?/]|$)", e["requestURI"])
    ]
