"""Secrets from who keeps them to who reads them, on small clusters with known answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.model.secret_rights import Grant, Readers, surplus
from kaudit.model.words import Status
from kaudit.registry import find_control
from tests.memory_source import MemorySource, Object, rows

NOW = datetime(2099, 1, 2, 12, tzinfo=UTC)
_RBAC = "rbac.authorization.k8s.io"


def secret(name: str, namespace: str = "shop", type: str | None = "Opaque", **meta: Any) -> Object:
    found: Object = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, **meta},
    }
    return found | ({"type": type} if type else {})


def pod(name: str, spec: Object, started: str = "", namespace: str = "shop") -> Object:
    running = {"running": {"startedAt": started}} if started else {}
    status = {"containerStatuses": [{"name": "c", "state": running}]}
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": status}


def rights(name: str, rule: Object, *subjects: Object, namespace: str = "") -> list[Object]:
    meta = {"name": name} | ({"namespace": namespace} if namespace else {})
    prefix = "" if namespace else "Cluster"
    api = {"apiVersion": f"{_RBAC}/v1", "metadata": meta}
    ref = {"apiGroup": _RBAC, "kind": f"{prefix}Role", "name": name}
    return [
        {**api, "kind": f"{prefix}Role", "rules": [{"apiGroups": [""], **rule}]},
        {**api, "kind": f"{prefix}RoleBinding", "roleRef": ref, "subjects": list(subjects)},
    ]


ALL_WAYS = {
    "containers": [
        {
            "name": "c",
            "image": "i",
            "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "by-env", "key": "k"}}}],
            "envFrom": [{"secretRef": {"name": "by-env-from"}}],
            "volumeMounts": [
                {"name": "plain", "mountPath": "/a"},
                {"name": "single", "mountPath": "/b", "subPath": "x"},
                {"name": "mixed", "mountPath": "/c", "subPathExpr": "$(X)"},
            ],
        }
    ],
    "initContainers": [
        {"name": "i", "image": "i", "envFrom": [{"secretRef": {"name": "by-init"}}]}
    ],
    "ephemeralContainers": [
        {
            "name": "e",
            "image": "i",
            "env": [{"name": "B", "valueFrom": {"secretKeyRef": {"name": "by-debug", "key": "k"}}}],
        }
    ],
    "imagePullSecrets": [{"name": "by-pull"}],
    "volumes": [
        {"name": "plain", "secret": {"secretName": "by-file"}},
        {"name": "single", "secret": {"secretName": "by-sub-path"}},
        {
            "name": "mixed",
            "projected": {"sources": [{"secret": {"name": "one"}}, {"secret": {"name": "two"}}]},
        },
        {"name": "login", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "by-csi"}}},
        {"name": "share", "azureFile": {"secretName": "by-azure", "shareName": "s"}},
        {"name": "block", "rbd": {"secretRef": {"name": "by-rbd"}, "monitors": []}},
        {"name": "settings", "configMap": {"name": "none"}},
    ],
}


def test_every_way_to_a_secret_is_seen() -> None:
    found = rows(collect(MemorySource(pod("p", ALL_WAYS))), "secret_uses", "secret", "way", "fixed")
    assert {(row["secret"], row["way"], row["fixed"]) for row in found} == {
        ("by-env", "env", True),
        ("by-env-from", "envFrom", True),
        ("by-init", "envFrom", True),
        ("by-debug", "env", True),
        ("by-pull", "pull", False),
        ("by-file", "file", False),
        ("by-sub-path", "file", False),
        ("by-sub-path", "subPath", True),
        *((name, way, fixed) for name in ("one", "two") for way, fixed in _BOTH),
        *((name, "login", False) for name in ("by-csi", "by-azure", "by-rbd")),
    }


_BOTH = (("file", False), ("subPath", True))


def test_what_else_names_a_secret() -> None:
    api = "networking.k8s.io/v1"
    note = {"nginx.ingress.kubernetes.io/auth-secret": "other/by-annotation"}
    ingress = {
        "apiVersion": api,
        "kind": "Ingress",
        "metadata": {"name": "i", "namespace": "shop", "annotations": note},
        "spec": {"tls": [{"secretName": "by-tls"}]},
    }
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "a", "namespace": "shop"},
        "secrets": [{"name": "by-token"}],
        "imagePullSecrets": [{"name": "by-pull"}],
    }
    issuer = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "ClusterIssuer",
        "metadata": {"name": "i"},
        "spec": {"ca": {"secretName": "by-issuer"}},
    }
    ref = {
        "driver": "d",
        "volumeHandle": "v",
        "nodeStageSecretRef": {"name": "k", "namespace": "s"},
    }
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "v"},
        "spec": {"csi": ref},
    }
    evidence = collect(MemorySource(ingress, account, issuer, volume))
    found = rows(evidence, "secret_references", "kind", "secret_namespace", "secret", "way")
    assert {tuple(row.values()) for row in found} == {
        ("Ingress", "shop", "by-tls", "tls"),
        ("Ingress", "other", "by-annotation", "annotation"),
        ("ServiceAccount", "shop", "by-token", "token"),
        ("ServiceAccount", "shop", "by-pull", "pull"),
        ("ClusterIssuer", "cert-manager", "by-issuer", "issuer"),
        ("PersistentVolume", "s", "k", "login"),
    }


@pytest.mark.parametrize(
    ("changed", "started", "outdated"),
    [
        ("2099-01-02T00:00:00Z", "2099-01-01T00:00:00Z", True),
        ("2099-01-01T00:00:00Z", "2099-01-02T00:00:00Z", False),
        (None, "2099-01-02T00:00:00Z", None),
        ("2099-01-02T00:00:00Z", "", None),
    ],
)
def test_what_still_holds_an_old_value(
    changed: str | None, started: str, outdated: bool | None
) -> None:
    fields = [{"manager": "m", "time": changed, "fieldsV1": {"f:data": {}}}] if changed else []
    kept = secret("s", creationTimestamp="2098-01-01T00:00:00Z", managedFields=fields)
    spec = {"containers": [{"name": "c", "image": "i", "envFrom": [{"secretRef": {"name": "s"}}]}]}
    evidence = collect(MemorySource(kept, pod("p", spec, started)), as_of=NOW)
    assert rows(evidence, "secret_holders", "outdated") == [{"outdated": outdated}]


def test_a_secret_that_was_made_anew_is_new() -> None:
    kept = secret("s", creationTimestamp="2099-01-02T00:00:00Z")
    spec = {"containers": [{"name": "c", "image": "i", "envFrom": [{"secretRef": {"name": "s"}}]}]}
    evidence = collect(MemorySource(kept, pod("p", spec, "2099-01-01T00:00:00Z")), as_of=NOW)
    assert rows(evidence, "secret_holders", "outdated") == [{"outdated": True}]


def test_readers_by_name_namespace_and_cluster() -> None:
    reads = {"resources": ["secrets"], "verbs": ["get"]}
    person, group = {"kind": "User", "name": "ann"}, {"kind": "Group", "name": "ops"}
    robot = {"kind": "ServiceAccount", "name": "bot", "namespace": "other"}
    evidence = collect(
        MemorySource(
            secret("one"),
            secret("two"),
            *rights("named", {**reads, "resourceNames": ["one"]}, person, namespace="shop"),
            *rights("near", reads, robot, namespace="shop"),
            *rights("wide", reads, group),
            *rights("elsewhere", reads, person, namespace="other"),
        )
    )
    found = rows(evidence, "secret_exposure", "name", "readers", "cluster_readers", "near_readers")
    robot_ = "ServiceAccount/other/bot"
    assert found == [
        {
            "name": "one",
            "readers": 3,
            "cluster_readers": 1,
            "near_readers": [robot_, "User/ann"],
        },
        {"name": "two", "readers": 2, "cluster_readers": 1, "near_readers": [robot_]},
    ]


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        ([], ("", [])),
        ([("a", ["x"], False)], ("names", [])),
        ([("a", ["x", "y"], False)], ("names", ["y"])),
        ([("b", ["z"], False)], ("names", ["b/z"])),
        ([("a", [], True)], ("namespace", ["y"])),
        ([("b", [], True)], ("elsewhere", ["b/*"])),
        ([("a", [], True), ("", [], True)], ("cluster", ["*"])),
        ([("", ["x", "q"], False)], ("names", ["q"])),
    ],
)
def test_surplus(grants: list[Any], expected: tuple[str, list[str]]) -> None:
    given = [Grant("ServiceAccount/a/s", n, frozenset(names), whole) for n, names, whole in grants]
    assert surplus(given, "a", frozenset(["x"]), frozenset(["x", "y"])) == expected


def test_an_account_has_the_rights_of_its_groups() -> None:
    groups = (
        "ServiceAccount/a/s",
        "User/system:serviceaccount:a:s",
        "Group/system:serviceaccounts:a",
        "Group/system:serviceaccounts",
        "Group/system:authenticated",
    )
    others = ("Group/system:serviceaccounts:b", "ServiceAccount/b/s", "User/s")
    readers = Readers(Grant(s, "", frozenset(), True) for s in (*groups, *others))
    assert {grant.subject for grant in readers.of_account("a", "s")} == set(groups)


@pytest.mark.parametrize(
    ("kept", "manager"),
    [
        (secret("s"), ""),
        (secret("s", labels={"reconcile.external-secrets.io/created-by": "x"}), "ExternalSecret"),
        (secret("s", labels={"secrets-store.csi.k8s.io/managed": "true"}), "Secrets Store CSI"),
        (secret("s", annotations={"cert-manager.io/certificate-name": "c"}), "cert-manager"),
        (
            secret("s", ownerReferences=[{"kind": "VaultStaticSecret", "name": "v", "uid": "u"}]),
            "Vault Secrets Operator",
        ),
        (
            secret("s", ownerReferences=[{"kind": "Cluster", "name": "pg", "uid": "u"}]),
            "operator of Cluster",
        ),
    ],
)
def test_who_keeps_it(kept: Object, manager: str) -> None:
    (row,) = rows(collect(MemorySource(kept)), "secret_management", "manager", "managed")
    assert row == {"manager": manager, "managed": bool(manager)}


def test_metadata_alone_tells_tokens_and_releases() -> None:
    token = secret("t", type=None, annotations={"kubernetes.io/service-account.name": "default"})
    release = secret("sh.helm.release.v1.web.v2", type=None)
    evidence = collect(MemorySource(token, release, secret("s", type=None)), as_of=NOW)
    found = rows(evidence, "secret_management", "name", "purpose", "credential")
    assert [(row["purpose"], row["credential"]) for row in found] == [
        ("untold", True),
        ("helm release", False),
        ("service account token", False),
    ]
    results = assess(evidence, [find_control("KA-SEC-017")], strict=True).iter_results()
    assert {r.name for r in results if r.status is Status.FAIL} == {"t"}


def test_disuse_is_not_told_without_workloads_or_where_an_account_may_read_it() -> None:
    assert rows(collect(MemorySource(secret("s"))), "secret_usage", "unused") == [{"unused": None}]
    lone = pod("p", {"containers": [{"name": "c", "image": "i"}]})
    evidence = collect(MemorySource(secret("s"), lone))
    assert rows(evidence, "secret_usage", "unused") == [{"unused": True}]
    rule = {"resources": ["secrets"], "verbs": ["get"]}
    account = {"kind": "ServiceAccount", "name": "op", "namespace": "shop"}
    reading = rights("r", rule, account, namespace="shop")
    evidence = collect(MemorySource(secret("s"), lone, *reading))
    assert rows(evidence, "secret_usage", "unused") == [{"unused": None}]
