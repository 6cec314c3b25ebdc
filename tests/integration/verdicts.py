"""Cases of policy libraries through the engines as kaudit runs them: what is expected, what is said.

The indexes are those of ``shared/conformance``. A case is an object, its policy, and whether the
policy lets it pass.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from kaudit.evidence.bundle import Evidence
from kaudit.opening import evidence_of
from kaudit.source.run.tool import Settings
from tests.memory_source import rows
from tests.shared import shared

Object = dict[str, Any]


class Case(NamedTuple):
    """One object of a file and the verdict that is expected of it."""

    id: str
    rule: str
    kind: str
    namespace: str
    name: str
    expected: str


class Group(NamedTuple):
    """Cases that one run of an engine decides."""

    policy: str
    files: tuple[Path, ...]
    cases: tuple[Case, ...]


def gatekeeper_groups() -> list[Group]:
    """Each case of gatekeeper-library by itself: others would be seen by rules across objects."""
    folder = shared("conformance", "gatekeeper-library")
    found = []
    for row in _index(folder):
        parts = dict(part.partition(" ")[::2] for part in row["note"].split("; "))
        if "object" in parts:
            continue  # an AdmissionReview: what changes, and who asks, only a server is told
        files = [row["file"], parts["template"], parts["constraint"], parts.get("inventory")]
        paths = tuple(folder / name for name in files if name)
        found.append(Group(row["rule"], paths, (_case(row, row["expected"].split()[0]),)))
    return found


def kyverno_groups(*, kind: str = "#cli") -> list[Group]:
    """Cases of kyverno/policies, those of one policy and one file of objects together."""
    folder = shared("conformance", "kyverno-policies")
    by: dict[tuple[str, str, str], list[Case]] = defaultdict(list)
    for row in _index(folder):
        place, sign, _ = row["case_id"].partition("#")
        notes = row["note"].split("; ")
        if sign + row["case_id"].partition("#")[2][: len(kind) - 1] != kind:
            continue
        if any(note.split()[0] in ("variables", "context", "user") for note in notes):
            continue  # what the test supplies, a cluster would
        policy = f"{place.removeprefix('kyverno/')}/{notes[0].removeprefix('policy ')}"
        by[row["rule"].partition("/")[0], policy, row["file"]].append(_case(row, row["expected"]))
    return [
        Group(name, (folder / policy, folder / file), tuple(cases))
        for (name, policy, file), cases in by.items()
        if (folder / policy).is_file()
    ]


def _index(folder: Path) -> Iterator[dict[str, str]]:
    with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _case(row: Mapping[str, str], expected: str) -> Case:
    kind, *place = row["object"].split("/")
    namespace = place[0] if len(place) == 2 else ""
    rule = row["rule"].partition("/")[2]
    return Case(row["case_id"], rule, kind, namespace, place[-1], expected)


def documents(paths: tuple[Path, ...]) -> Iterator[Object]:
    """Objects of files; every document of YAML."""
    for path in paths:
        for one in yaml.load_all(path.read_text(encoding="utf-8"), yaml.CSafeLoader):
            if one:
                yield one


def judged(group: Group, folder: Path) -> Evidence:
    """Evidence of a group, with the verdicts of the engines on the PATH."""
    path = folder / "objects.json"
    items = [*documents(group.files)]
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, default=str))
    return evidence_of([str(path)], scan=Settings(images=False, policies=True, seconds=60.0))


def wrong_of_gatekeeper(group: Group, folder: Path) -> list[tuple[str, str]]:
    """Cases whose verdict differs, with the verdict."""
    evidence = judged(group, folder)
    failed = [gap.detail for gap in evidence.gaps if gap.failed]
    found = rows(evidence, "engine_verdicts", "basis", "kind", "name", "result")
    refused = {(r["kind"], r["name"]) for r in found if r["basis"] == "cluster"}
    wrong = []
    for case in group.cases:
        said = "deny" if (case.kind, case.name) in refused else "allow"
        if failed or said != case.expected:
            wrong.append((case.id, "; ".join(failed) or said))
    return wrong


def wrong_of_kyverno(group: Group, folder: Path) -> list[tuple[str, str]]:
    """Cases whose verdict differs, with the verdict; rules of autogen are of their rule."""
    evidence = judged(group, folder)
    failed = [gap.detail for gap in evidence.gaps if gap.failed]
    said: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    columns = ("basis", "policy", "rule", "kind", "name", "result")
    for r in rows(evidence, "engine_verdicts", *columns):
        if r["basis"] == "cluster" and r["policy"] == group.policy:
            rule = r["rule"].removeprefix("autogen-").removeprefix("cronjob-")
            said[r["kind"], r["name"]].add((rule, r["result"]))
    wrong = []
    for case in group.cases:
        rule = case.rule.removeprefix("autogen-").removeprefix("cronjob-")
        results = {result for name, result in said[case.kind, case.name] if name in ("", rule)}
        if not case.rule:
            results = {result for _, result in said[case.kind, case.name]}
        verdict = next((w for w in ("error", "fail", "pass", "skip") if w in results), "skip")
        if verdict != case.expected:
            wrong.append((case.id, "; ".join(failed) or verdict))
    return wrong
