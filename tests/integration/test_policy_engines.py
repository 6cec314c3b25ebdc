"""What kaudit's runs of gator and kyverno say of the cases of two policy libraries."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kaudit.collect import collect
from kaudit.demo import write
from kaudit.demo.source import DemoSource
from kaudit.model.meta import LAST_APPLIED
from kaudit.opening import evidence_of
from kaudit.source.run.tool import Settings
from tests.integration.engine import engine
from tests.integration.verdicts import (
    Group,
    gatekeeper_groups,
    kyverno_groups,
    wrong_of_gatekeeper,
    wrong_of_kyverno,
)
from tests.memory_source import rows
from tests.shared import needs_shared

#: Every so many groups of cases, so that a run takes a minute; all of them with 1.
EVERY = int(os.environ.get("KAUDIT_EVERY", "6"))


@pytest.fixture(autouse=True)
def _on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = {str(engine(name).parent) for name in ("gator", "kyverno")}
    monkeypatch.setenv("PATH", os.pathsep.join([*sorted(folders), os.environ["PATH"]]))


def _each(groups: list[Group], folder: Path) -> Iterator[tuple[Group, Path]]:
    for number, group in enumerate(groups[::EVERY]):
        place = folder / str(number)
        place.mkdir()
        yield group, place


@needs_shared
def test_gator_agrees_with_the_index_of_gatekeeper_library(tmp_path: Path) -> None:
    """But for 13 cases of AdmissionReviews: gator test takes objects, not requests."""
    groups = gatekeeper_groups()
    assert len(groups) == 125
    wrong = [w for one, place in _each(groups, tmp_path) for w in wrong_of_gatekeeper(one, place)]
    assert wrong == []


@needs_shared
def test_kyverno_agrees_with_the_index_of_its_policies(tmp_path: Path) -> None:
    """All that its own tests decide offline, but for those that bring values of their own."""
    groups = kyverno_groups()
    assert sum(len(group.cases) for group in groups) == 2382
    wrong = [w for one, place in _each(groups, tmp_path) for w in wrong_of_kyverno(one, place)]
    assert wrong == []


def test_the_demo_tells_what_the_engines_say_of_it(tmp_path: Path) -> None:
    write(tmp_path)
    settings = Settings(images=False, policies=True, seconds=120.0)
    ran = evidence_of([str(tmp_path)], scan=settings)
    told = collect(DemoSource(tmp_path))
    columns = ("tool", "basis", "policy", "rule", "kind", "namespace", "name", "result")
    shown = {tuple(r[c] for c in columns) for r in rows(told, "engine_verdicts", *columns)}
    of_pods = {one for one in shown if one[0] == "kyverno"}
    found = {tuple(r[c] for c in columns) for r in rows(ran, "engine_verdicts", *columns)}
    of_rule = {
        one
        for one in found
        if one[2:5] == ("require-labels", "require-team-label", "Pod") and one[-1] != "pass"
    }
    assert of_rule == of_pods
    violating = {one[2:7] for one in found if one[:3] == ("gator", "cluster", "require-non-root")}
    assert violating == {one[2:7] for one in shown if one[0] == "gatekeeper"}


_TYPES = """
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: NAME}
spec:
  rules:
    - name: r
      match: {any: [{resources: {kinds: [Secret, ConfigMap]}}]}
      validate: {message: wrong, pattern: PATTERN}
"""
_OWNED = """
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: NAME}
spec:
  crd: {spec: {names: {kind: NAME}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package p
        violation[{"msg": "no"}] { not input.review.object.PLACE }
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: NAME
metadata: {name: NAME}
spec: {match: {kinds: [{apiGroups: [""], kinds: [Secret, ConfigMap]}]}}
"""
_VALUE = "CANARY-7b31f0aa94de"


def test_secrets_are_judged_by_what_engines_get_of_them(tmp_path: Path) -> None:
    """A policy on values has no verdict on a Secret, though the real engines would give one."""
    objects = [
        {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"key": "x"}},
        {
            "kind": "Secret",
            "metadata": {"name": "s", "annotations": {LAST_APPLIED: f'{{"a": "{_VALUE}"}}'}},
            "type": "kubernetes.io/basic-auth",
            "data": {"key": _VALUE},
            "stringData": {"password": _VALUE},
        },
    ]
    files = {
        "objects": "\n---\n".join(json.dumps({"apiVersion": "v1"} | one) for one in objects),
        "type": _TYPES.replace("NAME", "type").replace("PATTERN", "{type: '!*/basic-auth'}"),
        "data": _TYPES.replace("NAME", "data").replace("PATTERN", "{data: {key: x}}"),
        "team": _OWNED.replace("NAME", "team").replace("PLACE", "metadata.labels.team"),
        "value": _OWNED.replace("NAME", "value").replace("PLACE", "data.key"),
    }
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    settings = Settings(images=False, policies=True, seconds=60.0)
    evidence = evidence_of([str(tmp_path)], scan=settings)
    found = rows(evidence, "engine_verdicts", "policy", "kind", "result")
    assert sorted((r["policy"], r["kind"], r["result"]) for r in found) == [
        ("data", "ConfigMap", "pass"),
        ("team", "ConfigMap", "fail"),
        ("team", "Secret", "fail"),
        ("type", "ConfigMap", "fail"),
        ("type", "Secret", "fail"),
    ]
    assert sorted(gap.name for gap in evidence.gaps if gap.failed) == ["data", "value"]
    assert all(_VALUE not in evidence[name].to_csv() for name in evidence)
