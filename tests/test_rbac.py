"""The account that collection needs: what is read, and nothing else."""

from typing import Any

import pytest
import yaml

from kaudit import registry
from kaudit.errors import InputError
from kaudit.rbac import manifest


def documents(**more: Any) -> dict[str, dict[str, Any]]:
    return {d["kind"]: d for d in yaml.safe_load_all(manifest(**more))}


def test_kinds_and_names() -> None:
    found = documents(namespace="audit")
    assert list(found) == ["Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding"]
    assert found["Namespace"]["metadata"]["name"] == "audit"
    account = found["ServiceAccount"]
    assert account["metadata"] == {"name": "kaudit", "namespace": "audit"}
    assert account["automountServiceAccountToken"] is False
    binding = found["ClusterRoleBinding"]
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "kaudit",
    }
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "kaudit", "namespace": "audit"}
    ]


def test_one_kind() -> None:
    assert documents(kinds=["pods"])["ClusterRole"]["rules"] == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
    ]


def granted(**more: object) -> set[tuple[str, str]]:
    rules = documents(**more)["ClusterRole"]["rules"]
    return {(r["apiGroups"][0], plural) for r in rules for plural in r["resources"]}


def test_it_may_list_what_the_collectors_read_and_do_nothing_else() -> None:
    registry.load()
    reads = {read for c in registry.COLLECTORS.values() for read in c.reads if not read.tool}
    expected = {(read.group, "*" if read.open else read.plural) for read in reads}
    assert granted(secrets=True) == expected
    assert granted() == expected - {("", "secrets")}
    for rule in documents(secrets=True)["ClusterRole"]["rules"]:
        assert rule["verbs"] == ["list"]
        assert set(rule) == {"apiGroups", "resources", "verbs"}
        assert "*" not in rule["apiGroups"]
        # The kinds of constraints are made by templates: nobody can name them before.
        assert "*" not in rule["resources"] or rule["apiGroups"] == ["constraints.gatekeeper.sh"]


def test_secrets_take_a_word() -> None:
    assert ("", "secrets") not in granted()
    assert ("", "secrets") in granted(secrets=True)
    assert granted(kinds=["secrets"], secrets=True) == {("", "secrets")}


def test_the_same_text_every_time() -> None:
    assert manifest() == manifest()


def test_a_kind_that_nobody_reads() -> None:
    with pytest.raises(InputError, match="no collector reads 'leases'"):
        manifest(["leases"])


def test_a_namespace_cannot_add_to_the_manifest() -> None:
    for hostile in ("x\nkind: Evil", "x: y", "UPPER", "", "a" * 64, "-a"):
        with pytest.raises(InputError, match="is no name of a namespace"):
            manifest(namespace=hostile)
