"""Edges of attack are those that KubeHound expects in its cluster of set-ups."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.source.files import FileSource
from tests.memory_source import Object, evidence_of, rows
from tests.shared import SHARED, needs_shared, shared

#: Edges that go to what stands for many; the rest is written out.
_HUBS = {"Accounts": "ServiceAccount", "Pods": "Pod"}


class Case(NamedTuple):
    """A row of the index: which edges, and whether there are others."""

    rule: str
    expected: str


def cases() -> list[Case]:
    if SHARED is None:
        return []
    with shared("conformance", "kubehound", "index.csv").open(encoding="utf-8") as lines:
        return [Case(row["rule"], row["expected"]) for row in csv.DictReader(lines)]


@pytest.fixture(scope="module")
def cluster() -> Evidence:
    return collect(FileSource(Path(shared("conformance", "kubehound", "cluster"))))


def members(cluster: Evidence) -> dict[tuple[str, str], list[str]]:
    """Names of each kind in each namespace, of what stands for them."""
    found: dict[tuple[str, str], list[str]] = {}
    for edge in rows(cluster, "escalation_edges"):
        if edge["kind"] == "one_of" and edge["target"]:
            key = (edge["source_kind"], edge["source_namespace"])
            found.setdefault(key, []).append(edge["target"])
    return found


def sources(edge: Object) -> Iterator[str]:
    """The source as KubeHound calls it: role and binding, container, pod or identity."""
    for text in edge["by"]:
        binding, _, role = text.partition(", ")
        yield f"{role.partition('/')[2]}::{binding.split('/')[-1].split(' ')[-1]}"
    if not edge["by"]:
        yield edge["container"] or edge["source"]


def found(cluster: Evidence, rule: str) -> set[tuple[str, str]]:
    """Edges of a kind, with what stands for many written out."""
    if rule == "PERMISSION_DISCOVER":
        bound = rows(cluster, "bound_subjects")
        return {
            (b["subject"].partition("/")[2], f"{b['role'].partition('/')[2]}::{b['binding']}")
            for b in bound
            if b["subject"].startswith("default/")
        }
    every = members(cluster)
    pairs = set()
    for edge in rows(cluster, "escalation_edges"):
        # From a Role there are edges for whoever binds it; these go on from identities.
        if edge["kind"] != rule.lower() or edge["source_kind"] == "Role":
            continue
        hub = (edge["target_kind"], edge["target_namespace"])
        targets = every[hub] if edge["target_kind"] in _HUBS else [edge["target"]]
        pairs |= {(source, target) for source in sources(edge) for target in targets}
    return pairs


@needs_shared
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.rule)
def test_edges(cluster: Evidence, case: Case) -> None:
    ours = found(cluster, case.rule)
    what, _, file = case.expected.partition(": ")
    if what == "present":
        assert file in {source for source, _ in ours}
        return
    with shared("conformance", "kubehound", file).open(encoding="utf-8") as lines:
        theirs = {(row["src"], row["dst"]) for row in csv.DictReader(lines)}
    if case.rule == "IDENTITY_ASSUME":
        # The nodes are those of its test cluster, not of the manifests: one stands for them.
        assert {target for _, target in theirs} == {"system:nodes"}
        assert ("", "system:nodes") in ours
        return
    if what.endswith("exactly"):
        assert ours == theirs
    else:
        assert ours >= theirs


@needs_shared
def test_no_binding_that_grants_nothing_leads_anywhere(cluster: Evidence) -> None:
    """A Role, or a RoleBinding, binds no ClusterRole in the whole cluster, and poses as nobody."""
    leading = {e["source"] for e in rows(cluster, "escalation_edges") if e["by"]}
    assert not {name for name in leading if name.endswith("-fail") or "impersonate" in name}
    binds = {e["source"]: (e["target_kind"], e["target_namespace"])
             for e in rows(cluster, "escalation_edges") if e["kind"] == "role_bind"}  # fmt: skip
    assert {k: v for k, v in binds.items() if k.startswith("rolebind-sa")} == {
        "rolebind-sa-crb-cr-crb-cr": ("cluster-admin", ""),
        "rolebind-sa-crb-cr-rb-cr": ("Namespace", ""),
        "rolebind-sa-crb-cr-rb-r": ("Roles", ""),
        "rolebind-sa-rb-cr-rb-cr": ("Namespace", "default"),
        "rolebind-sa-rb-cr-rb-r": ("Roles", "default"),
        "rolebind-sa-rb-r-rb-crb": ("Namespace", "default"),
        "rolebind-sa-rb-r-rb-r": ("Roles", "default"),
    }


STEPS = """
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop}, spec: {serviceAccountName: web, containers: [{name: c, image: i}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: quiet, namespace: shop}, spec: {serviceAccountName: quiet, containers: [{name: c, image: i}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: runner, namespace: ci}, spec: {serviceAccountName: runner, containers: [{name: c, image: i}]}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: execs}, rules: [{apiGroups: [""], resources: [pods/exec], verbs: [create]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: enters, namespace: ci}, roleRef: {kind: ClusterRole, name: execs},
  subjects: [{kind: ServiceAccount, name: web, namespace: shop}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: runs}, roleRef: {kind: ClusterRole, name: cluster-admin},
  subjects: [{kind: ServiceAccount, name: runner, namespace: ci}]}
"""


def test_the_shortest_way_and_its_cut() -> None:
    paths = {p["owner_name"]: p for p in rows(evidence_of(STEPS), "admin_paths")}
    assert paths.keys() == {"web", "runner"}
    assert paths["web"]["steps"] == [
        "identity_assume → ServiceAccount shop/web",
        "pod_exec → Pods of ci (RoleBinding ci/enters, ClusterRole/execs)",
        "identity_assume → ServiceAccount ci/runner",
        "all_rights → cluster-admin (ClusterRoleBinding runs, ClusterRole/cluster-admin)",
    ]
    assert paths["web"]["conditions"] == []
    assert paths["web"]["cut"] == paths["runner"]["cut"]
    assert (paths["web"]["cut"], paths["web"]["cuts"]) == (
        "ClusterRoleBinding runs, ClusterRole/cluster-admin",
        2,
    )
