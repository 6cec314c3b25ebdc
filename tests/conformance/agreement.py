"""Agreement of kaudit with the cases of six peers, rule by rule.

``rules.csv`` says which controls stand for a peer's rule, and how its verdict is read:

======== ==================================================================================
reading  the case agrees if
======== ==================================================================================
file     it fails where any control fails on anything in it
all      it fails where every control fails on something in it
object   it fails where any control fails on the object that the case names
objects  the objects that fail are those that the case names, or none where it passes
kinds    the kinds of the objects that fail are those that the findings name, and nothing
         fails whose name begins with ``dont-fire``
fails    as many rows fail as the case counts
keeps    as many rows of the first control fail nowhere as the case counts
======== ==================================================================================

``bound`` marks rules that judge a role by itself: each role is bound to an account first,
since kaudit judges what somebody may do. Where it says ``everywhere``, the rules of a Role are
bound in the whole cluster too: the peer asks what they say, not whether a namespace has that. ``seen`` is a pattern that the observation of a
failure must hold, where a rule asks for a part of what a control asks; ``spared`` one of the
kind and name of objects that a rule leaves out. ``differs`` says how the definition of a rule
differs from that of the control on purpose: such rules are measured, and counted apart. A
rule without a reading asks for something else than any control; its note says what.

``differences.md`` has the figures and says of each differing case why.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from kaudit import registry
from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.errors import InputError
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Status
from kaudit.result import Result
from kaudit.source.files import FileSource
from tests.shared import shared

SUITES = ("polaris", "kube-linter", "kubesec", "trivy-checks", "checkov", "regolibrary")
_HERE = Path(__file__).parent


class Rule(NamedTuple):
    """What of kaudit stands for a peer's rule; no reading where nothing does."""

    controls: tuple[str, ...]
    reading: str
    bound: str = ""
    seen: str = ""
    spared: str = ""
    differs: str = ""
    note: str = ""


class Case(NamedTuple):
    """One row of a suite's index."""

    suite: str
    id: str
    rule: str
    path: Path
    expected: str
    objects: str


class Outcome(NamedTuple):
    """A case, what its suite says and what kaudit says, in the words of the reading."""

    case: Case
    rule: Rule
    expected: str
    found: str
    assessed: bool

    @property
    def agrees(self) -> bool:
        """Both say the same."""
        return self.expected == self.found

    @property
    def counts(self) -> bool:
        """It is evidence of agreement: silence of kaudit is not."""
        return self.assessed or not self.agrees


@cache
def rules(suite: str) -> dict[str, Rule]:
    """Return the rules of a suite that ``rules.csv`` knows."""
    with (_HERE / "rules.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["rule"]: Rule(
                controls=tuple(row["controls"].split()),
                reading=row["reading"],
                bound=row["bound"],
                seen=row["seen"],
                spared=row["spared"],
                differs=row["differs"],
                note=row["note"],
            )
            for row in csv.DictReader(file)
            if row["suite"] == suite
        }


@cache
def cases(suite: str) -> tuple[Case, ...]:
    """Return all cases of a suite."""
    folder = shared("conformance", suite)
    with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Case(
                suite,
                row["case_id"],
                row["rule"],
                folder / row["file"],
                row["expected"],
                row["object"],
            )
            for row in csv.DictReader(file)
        )


@cache
def outcomes(suite: str) -> tuple[Outcome, ...]:
    """Judge the cases of a suite whose rule has a reading."""
    return tuple(_outcomes(suite))


def _outcomes(suite: str) -> Iterator[Outcome]:
    known = rules(suite)
    mapped = [case for case in cases(suite) if case.rule in known and known[case.rule].reading]
    needed: dict[tuple[Path, str], set[str]] = {}
    for case in mapped:
        rule = known[case.rule]
        needed.setdefault((case.path, rule.bound), set()).update(rule.controls)
    results = {
        (path, bound): _results(path, sorted(controls), bound=bound)
        for (path, bound), controls in needed.items()
    }
    for case in mapped:
        rule = known[case.rule]
        of_case = results[case.path, rule.bound]
        judged = {
            control: of_case[control] for control in rule.controls if control in registry.CONTROLS
        }
        said = {result.status for results in judged.values() for result in results}
        expected, found = _READINGS[rule.reading](case, rule, judged)
        yield Outcome(case, rule, expected, found, assessed=not said <= _SILENT)


Judged = dict[str, Sequence[Result]]

_SILENT = {Status.NOT_ASSESSED}
#: A file stands for a whole cluster: the kinds of RBAC that it lacks have no objects there.
_RBAC = ("roles", "rbac_bindings")
_NOTHING_MORE = json.dumps(
    {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": kind,
                "metadata": {"name": "kaudit-nothing"},
                **(
                    {"roleRef": {"kind": kind[:-7], "name": "kaudit-nothing"}, "subjects": []}
                    if kind.endswith("Binding")
                    else {"rules": []}
                ),
            }
            for kind in ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
        ],
    }
)


def _results(path: Path, controls: Sequence[str], *, bound: str) -> Judged:
    """Judge one file or folder by controls; what holds no object has no results."""
    try:
        evidence = collect(FileSource(path), raw=False)
        more = [FileSource.of_text(_bindings(evidence, bound))] if bound else []
        if any(len(evidence.frames.get(table)) for table in _RBAC):
            more.append(FileSource.of_text(_NOTHING_MORE))
        if more:
            evidence = collect(FileSource(path), *more, raw=False)
    except InputError:
        return dict.fromkeys(controls, ())
    assessment = assess(
        evidence, [registry.CONTROLS[c] for c in controls if c in registry.CONTROLS], strict=True
    )
    return {control: tuple(by.results()) for control, by in assessment.by_control.items()}


def _bindings(evidence: Evidence, bound: str) -> str:
    """Bind every role of the evidence to an account, under the role's own name."""
    roles = evidence.frames.get("roles")
    named = zip(roles["kind"], roles["namespace"], roles["name"], strict=True)
    items: list[dict[str, object]] = [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": f"{kind}Binding",
            "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": "holder", "namespace": "probe"}],
        }
        for kind, namespace, name in named
    ]
    if bound == "everywhere":
        items += _as_of_the_cluster(evidence)
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def _as_of_the_cluster(evidence: Evidence) -> Iterator[dict[str, object]]:
    """The rules of Roles once more, as ClusterRoles that an account has everywhere."""
    parts = {
        "verbs": "verbs",
        "apiGroups": "api_groups",
        "resources": "resources",
        "resourceNames": "resource_names",
    }
    rules: dict[str, list[dict[str, list[str]]]] = {}
    for row in evidence.frames.get("rbac_rules").to_dict("records"):
        if row["role_kind"] == "Role":
            rules.setdefault(f"{row['namespace']}-{row['role']}", []).append(
                {key: [*row[column]] for key, column in parts.items() if len(row[column])}
            )
    api = {"apiVersion": "rbac.authorization.k8s.io/v1"}
    for name, found in rules.items():
        yield {**api, "kind": "ClusterRole", "metadata": {"name": name}, "rules": found}
        yield {
            **api,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": "holder", "namespace": "probe"}],
        }


def _failed(rule: Rule, judged: Judged) -> list[Result]:
    return [
        result
        for results in judged.values()
        for result in results
        if result.status is Status.FAIL
        and re.search(rule.seen, result.observed)
        and not (rule.spared and re.search(rule.spared, f"{result.kind}/{result.name}"))
    ]


def _verdict(fails: bool) -> str:
    return "fail" if fails else "pass"


def _expected(case: Case) -> str:
    return _verdict(case.expected.startswith(("fail", "deny")))


def _file(case: Case, rule: Rule, judged: Judged) -> tuple[str, str]:
    return _expected(case), _verdict(bool(_failed(rule, judged)))


def _all(case: Case, rule: Rule, judged: Judged) -> tuple[str, str]:
    every = all(_failed(rule, {control: results}) for control, results in judged.items())
    return _expected(case), _verdict(every)


def _object(case: Case, rule: Rule, judged: Judged) -> tuple[str, str]:
    if not case.objects:
        return _file(case, rule, judged)
    kind, _, rest = case.objects.partition(".")
    name = rest.partition(".")[2]
    kind += "Binding" if rule.bound else ""
    failed = any((r.kind, r.name) == (kind, name) for r in _failed(rule, judged))
    return _expected(case), _verdict(failed)


def _objects(case: Case, rule: Rule, judged: Judged) -> tuple[str, str]:
    named = {f"{parts[0]}/{parts[-1]}" for parts in (t.split("/") for t in case.objects.split(";"))}
    expected = named if case.expected.startswith("fail") else set()
    found = {f"{r.kind}/{r.name}" for r in _failed(rule, judged)}
    return _listed(expected), _listed(found)


def _kinds(case: Case, rule: Rule, judged: Judged) -> tuple[str, str]:
    said = shared("conformance", case.suite, case.expected.rpartition(" ")[2])
    messages = json.loads(said.read_text(encoding="utf-8"))["messages"]
    expected = {message.partition(":")[0] for message in messages}
    failed = _failed(rule, judged)
    spared = {f"{r.kind}/{r.name}" for r in failed if r.name.startswith("dont-fire")}
    return _listed(expected), _listed({_kind(r, rule) for r in failed} | spared)


def _kind(result: Result, rule: Rule) -> str:
    return result.kind.removesuffix("Binding") if rule.bound else result.kind


def _fails(case: Case, rule: Rule, judged: Judged) -> tuple[str, str]:
    return case.expected, f"count={sum(r.failed for r in _failed(rule, judged))}"


def _keeps(case: Case, rule: Rule, judged: Judged) -> tuple[str, str]:
    judged_rows = [r for r in judged[rule.controls[0]] if r.status in (Status.PASS, Status.FAIL)]
    kept = sum(r.rows for r in judged_rows) - sum(r.failed for r in _failed(rule, judged))
    return case.expected, f"count={kept}"


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "pass"


_READINGS = {
    "file": _file,
    "all": _all,
    "object": _object,
    "objects": _objects,
    "kinds": _kinds,
    "fails": _fails,
    "keeps": _keeps,
}
