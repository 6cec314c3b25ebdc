"""Whatever is in a policy, it is laid down for an engine or told; nothing breaks."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kaudit.model.configuration import Secret
from kaudit.registry import Read
from kaudit.source.events import Batch
from kaudit.source.run.objects import Objects
from kaudit.source.run.policies import laid_out

GROUPS = ("constraints.gatekeeper.sh", "templates.gatekeeper.sh", "config.gatekeeper.sh")
OF_KYVERNO = ("kyverno.io", "policies.kyverno.io")
KINDS = ("ClusterPolicy", "ValidatingPolicy", "PolicyException", "ConstraintTemplate", "K8sX")
NAMES = st.sampled_from(
    [
        *("rules", "match", "exclude", "validate", "pattern", "deny", "foreach", "context", "cel"),
        *("kinds", "resources", "any", "all", "name", "list", "jmesPath", "variable", "expression"),
        *("matchConstraints", "resourceRules", "apiGroups", "validations", "conditions", "key"),
        *("targets", "rego", "code", "source", "engine", "exceptions", "policyName", "policyRefs"),
        *("crd", "spec", "names", "kind", "processes", "excludedNamespaces", "annotations"),
    ]
)
LEAVES = st.sampled_from(
    [
        None,
        True,
        7,
        "",
        "Secret",
        "*",
        "{{ request.object }}",
        "{{",
        "object.data",
        "package p",
        "(",
    ]
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=14,
)
POLICIES = st.tuples(st.sampled_from([*GROUPS, *OF_KYVERNO]), st.sampled_from(KINDS), VALUES)
SECRET = {"kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "hunter2x"}}


def batch(group: str, kind: str, one: dict[str, Any]) -> Batch:
    return Batch(group, "v1", kind, 0, [json.dumps(one).encode()], [(1, 1)])


@settings(max_examples=200, deadline=None)
@given(st.lists(POLICIES, min_size=1, max_size=4), st.booleans())
@example([("kyverno.io", "ClusterPolicy", {"rules": [{"validate": "x", "name": 7}]})], False)
@example(
    [("kyverno.io", "ClusterPolicy", {"rules": [{"validate": {}, "match": {"kinds": 7}}]})], True
)
@example([("constraints.gatekeeper.sh", "K8sX", {"match": {"kinds": [{"kinds": 7}]}})], False)
def test_any_policy_is_laid_down_or_told(found: list[tuple[str, str, Any]], proposed: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        objects = Objects(Path(name))
        objects.take(batch("", "Secret", SECRET), Read("", "Secret", "secrets", Secret))
        given_as = []
        for number, (group, kind, spec) in enumerate(found):
            one = {
                "apiVersion": f"{group}/v1",
                "kind": kind,
                "metadata": {"name": f"n{number}"},
                "spec": spec,
            }
            given_as.append(one)
            objects.take(batch(group, kind, one), None)
        targets, _ = laid_out(objects, given_as if proposed else None)
        for target in targets:
            assert target.path is not None
            assert "hunter2x" not in "".join(
                path.read_text() for path in target.path.rglob("*") if path.is_file()
            )
        assert "hunter2x" not in objects.path.read_text()
