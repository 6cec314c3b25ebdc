"""What is excepted from policies, scans and levels, in one table: the register of exceptions.

How many namespaces and workloads an exception touches is counted at most: conditions that are
not decided here, and subjects, would narrow it. What would fail without it is known where an
engine was run without exceptions (``engine_verdicts``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec

from kaudit.ages import days_since
from kaudit.columns import alike, arrow, records
from kaudit.model.exemption import Cover, Subject, matches
from kaudit.model.platform import NAMESPACES
from kaudit.model.tool_run import WITHOUT
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class ExceptionRow(Trace, kw_only=True):
    engine: Annotated[str, doc("Gatekeeper, Kyverno, Pod Security, webhook or scanner")]
    mechanism: Annotated[
        str,
        doc(
            "policy_exception, exclude, excluded_namespaces, exempt_namespaces, ignore_label, "
            "privileged_label, exemption, not_asked, ignored or vex"
        ),
    ]
    kind: Annotated[str, doc("kind of the object that makes it")]
    namespace: Annotated[str, doc("namespace of that object; empty for cluster scope")]
    name: Annotated[str, doc("name of that object")]
    position: Annotated[int, doc("place in that object, from 1")]
    excepts_from: Annotated[list[str], doc("policies, rules or flaws that it is from; * for all")]
    scope: Annotated[list[str], doc("what it is for, in words; empty: everything")]
    bounded: Annotated[bool, doc("names, namespaces or labels bound it")]
    conditional: Annotated[bool, doc("it holds on further conditions, which are not decided here")]
    own: Annotated[
        bool, doc("it is for namespaces of Kubernetes, or of an engine of policies, alone")
    ]
    namespaces: Annotated[int | None, doc("namespaces that it touches at most; null: unknown")] = (
        None
    )
    workloads: Annotated[int | None, doc("workloads that it touches at most; null: unknown")] = None
    broad: Annotated[
        bool | None, doc("not its own alone, and for everything or most; null: cannot be told")
    ] = None
    owner: Annotated[str | None, doc("who answers for it")] = None
    reason: Annotated[str | None, doc("why it is there")] = None
    created_at: Annotated[datetime | None, doc("when it was made")] = None
    expires_at: Annotated[datetime | None, doc("when it ends; null: never")] = None
    age_days: Annotated[int | None, doc("age in days; null: unknown")] = None
    terms: Annotated[bool, doc("it has an owner, a reason and an end")]
    from_policy: Annotated[bool, doc("it is from a policy of Gatekeeper or Kyverno")]
    hides: Annotated[
        int | None, doc("violations that show without it only; null: no engine was run without")
    ] = None


EXCEPTIONS = Table(
    "exceptions",
    ExceptionRow,
    grain="one exception from a policy, a level, a webhook or a scan",
    key=("engine", "mechanism", "kind", "namespace", "name", "position"),
    resource=Resource("kind"),
)
_OWNER = ("namespace", "owner_kind", "owner_name")
#: Workloads that are looked at together.
_SLICE = 10_000
_OWN = (*NAMESPACES, "gatekeeper-system", "kyverno", "openshift-*", "kube-*")
_IGNORED = "admission.gatekeeper.sh/ignore"
Covers = Callable[[Subject], bool]


class _Found(msgspec.Struct):
    """One exception before it is measured."""

    row: dict[str, Any]
    covers: Covers | None = None
    tool: str = ""
    of_policy: Callable[[str, str], bool] | None = None


class _InSpaces:
    """Covers all in namespaces whose names match patterns."""

    def __init__(self, patterns: list[str]) -> None:
        wild = [text for text in patterns if "*" in text or "?" in text]
        self._names = {*patterns} - {*wild}
        self._wild = cache(lambda name: matches(name, wild)) if wild else None

    def __call__(self, one: Subject) -> bool:
        name = one.namespace or one.name
        return name in self._names or (self._wild is not None and self._wild(name))

    def among(self, spaces: Collection[str]) -> set[str]:
        """Namespaces that it covers: those that it names are not looked for in all others."""
        found = {name for name in self._names if name in spaces}
        return found if self._wild is None else found.union(filter(self._wild, spaces))


class _Population(NamedTuple):
    """Namespaces and workloads that exceptions may touch.

    Attributes
    ----------
    spaces
        Labels of each namespace.
    counts
        Workloads in each namespace.
    workloads
        Namespace, kind, name and labels of each.
    others
        Namespaces that are neither of Kubernetes nor of an engine.
    """

    spaces: dict[str, dict[str, str]]
    counts: dict[str, int]
    workloads: pa.Table
    others: set[str]

    def subjects(self) -> Iterator[Subject]:
        """Yield the workloads one by one: there may be many."""
        for some in self.workloads.to_batches(max_chunksize=_SLICE):
            cells = (column.to_pylist() for column in some.columns)
            for space, kind, name, texts in zip(*cells, strict=True):
                yield Subject(kind, space, name, _labels(texts), self.spaces[space])

    def touched(self, covers: Sequence[Covers]) -> list[Counter[str]]:
        """Count the workloads that each of some filters covers, by namespace."""
        found = [Counter[str]() for _ in covers]
        asked = [(cover, n) for cover, n in zip(covers, found, strict=True)]
        for cover, counts in asked:
            if isinstance(cover, _InSpaces):
                counts.update({name: self.counts[name] for name in cover.among(self.counts)})
        left = [(cover, n) for cover, n in asked if not isinstance(cover, _InSpaces)]
        for one in self.subjects() if left else ():
            for cover, counts in left:
                if cover(one):
                    counts[one.namespace] += 1
        return found


@view(EXCEPTIONS, naming=("engine_verdicts", "tool_runs", "cluster"))
def exceptions(
    policy_exceptions: pd.DataFrame,
    gatekeeper_exclusions: pd.DataFrame,
    constraints: pd.DataFrame,
    kyverno_rules: pd.DataFrame,
    namespace_security: pd.DataFrame,
    pod_security_config: pd.DataFrame,
    webhook_posture: pd.DataFrame,
    exception_terms: pd.DataFrame,
    namespaces: pd.DataFrame,
    pod_context: pd.DataFrame,
    engine_verdicts: pd.DataFrame,
    tool_runs: pd.DataFrame,
    cluster: pd.DataFrame,
) -> pd.DataFrame:
    """Gather exceptions of every engine and measure what they touch."""
    import pyarrow as pa

    population = _population(namespaces, pod_context)
    found = [
        *_of_kyverno(policy_exceptions, kyverno_rules),
        *_of_gatekeeper(gatekeeper_exclusions, constraints),
        *_of_namespaces(namespaces, namespace_security),
        *_of_pod_security(pod_security_config),
        *_of_webhooks(webhook_posture),
        *_of_scanners(exception_terms),
    ]
    hidden = _hidden(engine_verdicts, tool_runs)
    covers = [one.covers for one in found if one.covers is not None]
    touched = iter(population.touched(covers))
    rows = [
        _measured(one, population, hidden, next(touched) if one.covers is not None else Counter())
        for one in found
    ]
    made = frame(EXCEPTIONS.sorted(pa.Table.from_pylist(rows, EXCEPTIONS.schema)))
    return made.assign(age_days=days_since(made["created_at"], cluster))


def _population(namespaces: pd.DataFrame, pod_context: pd.DataFrame) -> _Population:
    import pyarrow as pa

    labels = {
        name: {"kubernetes.io/metadata.name": name} | _labels(texts)
        for name, texts in zip(namespaces["name"], namespaces["labels"], strict=True)
    }
    _, first = alike(*(pod_context[column] for column in _OWNER))
    rows = pa.array(first)
    columns = {name: arrow(pod_context[name]).take(rows) for name in (*_OWNER, "labels")}
    counts = Counter[str](columns["namespace"].to_pylist())
    spaces = labels | {name: labels.get(name, {}) for name in counts}
    others = {name for name in spaces if not matches(name, _OWN)}
    return _Population(spaces, counts, pa.table(columns), others)


def _labels(texts: Any) -> dict[str, str]:
    pairs = (text.partition("=") for text in texts)
    return {key: value for key, _, value in pairs}


def _of_kyverno(excepted: pd.DataFrame, rules: pd.DataFrame) -> Iterator[_Found]:
    for it in records(excepted):
        cover = Cover(it["match"])
        names = it["rules"] or ["*"]
        row = _row(it, "Kyverno", "policy_exception", "PolicyException", it["name"])
        row |= {
            "namespace": it["namespace"],
            "excepts_from": [f"{it['policy']}/{rule}" for rule in names],
            "scope": [
                *_words(it["kinds"], "kinds"),
                *_words(it["namespaces"], "namespaces"),
                *_words(it["images"], "images"),
            ],
            "bounded": cover.bounded or bool(it["images"]),
            "conditional": it["conditions"] or cover.personal or it["pod_security"] > 0,
        }
        for name in ("owner", "reason", "created_at", "expires_at"):
            row[name] = it[name]
        told = not cover.personal and not it["images"] and (it["match"] or not it["conditions"])
        of_policy = _of_rules(it["policy"], names)
        yield _Found(row, _templates(cover) if told else None, "kyverno", of_policy)
    for it in records(rules):
        if it["exclude"] is None or it["type"] not in ("validate", "verifyImages"):
            continue
        cover = Cover(it["exclude"])
        row = _row(it, "Kyverno", "exclude", it["kind"], it["policy"])
        row |= {
            "namespace": it["namespace"],
            "excepts_from": [f"{it['policy']}/{it['rule']}"],
            "scope": [
                *_words(it["excluded_kinds"], "kinds"),
                *_words(it["excluded_namespaces"], "namespaces"),
            ],
            "bounded": cover.bounded or cover.personal,
            "conditional": cover.personal,
        }
        covers = None if cover.personal else _templates(cover)
        yield _Found(row, covers, "kyverno", _of_rules(it["policy"], [it["rule"]]))


def _of_rules(policy: str, rules: list[str]) -> Callable[[str, str], bool]:
    """Tell whether verdicts are of a policy; rules of autogen are of the rule that makes them."""
    made = [f"{start}{rule}" for rule in rules for start in ("", "autogen-", "autogen-cronjob-")]
    return lambda name, rule: matches(name, [policy]) and matches(rule, made)


def _templates(cover: Cover) -> Covers:
    """Let what is for pods hold for the workloads that make them, as autogen does."""
    return lambda one: cover(one) or cover(msgspec.structs.replace(one, kind="Pod"))


def _of_gatekeeper(excluded: pd.DataFrame, constraints: pd.DataFrame) -> Iterator[_Found]:
    for it in records(excluded):
        row = _row(it, "Gatekeeper", "exempt_namespaces", "Config", it["name"])
        row |= {
            "namespace": it["namespace"],
            "excepts_from": ["*"],
            "scope": _words(it["excluded_namespaces"], "namespaces")
            + _words(it["processes"], "processes"),
            "bounded": "*" not in it["excluded_namespaces"],
        }
        yield _Found(row, _InSpaces(it["excluded_namespaces"]), "gator", lambda *_: True)
    for it in records(constraints):
        if it["excluded_namespaces"]:
            name = it["name"]
            row = _row(it, "Gatekeeper", "excluded_namespaces", it["kind"], name)
            row |= {
                "position": 1,
                "excepts_from": [f"{it['kind']}/{name}"],
                "scope": _words(it["excluded_namespaces"], "namespaces"),
                "bounded": "*" not in it["excluded_namespaces"],
            }
            of_policy = _named(it["kind"], name)
            yield _Found(row, _InSpaces(it["excluded_namespaces"]), "gator", of_policy)


def _named(kind: str, name: str) -> Callable[[str, str], bool]:
    return lambda policy, _: policy == f"{kind}/{name}"


def _of_namespaces(namespaces: pd.DataFrame, levels: pd.DataFrame) -> Iterator[_Found]:
    for it in records(namespaces[["name", "labels", "created_at", "raw", "raw_line"]]):
        if any(text.partition("=")[0] == _IGNORED for text in it["labels"]):
            row = _row(it, "Gatekeeper", "ignore_label", "Namespace", it["name"])
            row |= {"excepts_from": ["*"], "created_at": it["created_at"]}
            yield _of_namespace(row, it)
    explicit = levels[levels["labelled"] & (levels["enforces"] == "privileged")]
    owners = {one["name"]: one for one in records(namespaces[["name", "labels", "created_at"]])}
    for it in records(explicit[["name", "raw", "raw_line"]]):
        row = _row(it, "Pod Security", "privileged_label", "Namespace", it["name"])
        known = owners.get(it["name"], {"labels": [], "created_at": None})
        row |= {"excepts_from": ["baseline", "restricted"], "created_at": known["created_at"]}
        yield _of_namespace(row, known | {"name": it["name"]})


def _of_namespace(row: dict[str, Any], it: dict[str, Any]) -> _Found:
    labels = _labels(it["labels"])
    row |= {
        "position": 1,
        "scope": _words([it["name"]], "namespaces"),
        "bounded": True,
        "owner": labels.get("owner") or labels.get("team"),
    }
    return _Found(row, _InSpaces([it["name"]]))


def _of_pod_security(settings: pd.DataFrame) -> Iterator[_Found]:
    for it in records(settings):
        names = ("exempt_namespaces", "exempt_usernames", "exempt_runtime_classes")
        for position, name in enumerate(names, start=1):
            if not it[name]:
                continue
            row = _row(it, "Pod Security", "exemption", "File", it["file"])
            row |= {
                "position": position,
                "excepts_from": ["baseline", "restricted"],
                "scope": _words(it[name], name.removeprefix("exempt_").replace("_", " ")),
                "bounded": True,
                "conditional": name != "exempt_namespaces",
            }
            of_spaces = name == "exempt_namespaces"
            yield _Found(row, _InSpaces(it[name]) if of_spaces else None)


def _of_webhooks(webhooks: pd.DataFrame) -> Iterator[_Found]:
    for it in records(webhooks[webhooks["guards_pods"]]):
        if it["left_out"]:
            row = _row(it, "webhook", "not_asked", it["kind"], it["name"])
            row |= {
                "position": it["position"] + 1,
                "excepts_from": [it["engine"] or it["webhook"]],
                "scope": _words(it["left_out"], "namespaces"),
                "bounded": True,
            }
            yield _Found(row, _InSpaces(it["left_out"]))


def _of_scanners(terms: pd.DataFrame) -> Iterator[_Found]:
    passing = terms[terms["lets_pass"]].reset_index(drop=True)
    for position, it in enumerate(records(passing), start=1):
        of_vex = it["format"] in ("openvex", "cyclonedx")
        row = _row(it, "scanner", "vex" if of_vex else "ignored", "File", it["file"])
        row |= {
            "position": position,
            "excepts_from": [it["id"]],
            "scope": list(it["scope"]),
            "bounded": not it["everywhere"],
            **{name: it[name] for name in ("owner", "reason", "expires_at")},
        }
        yield _Found(row)


def _row(it: dict[str, Any], engine: str, mechanism: str, kind: str, name: str) -> dict[str, Any]:
    return {
        "raw": it["raw"],
        "raw_line": it["raw_line"],
        "engine": engine,
        "mechanism": mechanism,
        "kind": kind,
        "namespace": "",
        "name": name,
        "position": it.get("position") or 1,
        "conditional": False,
        "from_policy": engine in ("Gatekeeper", "Kyverno") and mechanism != "ignore_label",
    }


def _words(values: list[str], what: str) -> list[str]:
    return [f"{what}: {', '.join(values)}"] if values else []


def _measured(
    found: _Found,
    population: _Population,
    hidden: dict[str, list[tuple[str, str, Subject]]],
    touched: Counter[str],
) -> dict[str, Any]:
    """Count what an exception touches and hides."""
    row, covers = found.row, found.covers
    row.setdefault("own", False)
    if covers is not None and population.counts:
        spaces = {*touched}
        row["workloads"], row["namespaces"] = touched.total(), len(spaces)
        others = population.others
        row["own"] = row["bounded"] and bool(spaces) and not spaces & others
        most = len(spaces & others) * 2 > max(len(others), 2)
        row["broad"] = not row["own"] and (not row["bounded"] or most)
    elif covers is not None:
        row["broad"] = True if not row["bounded"] else None
    else:
        row["broad"] = False if row["bounded"] else None if row["conditional"] else True
    if found.of_policy is not None and covers is not None and found.tool in hidden:
        row["hides"] = sum(
            found.of_policy(policy, rule) and covers(one)
            for policy, rule, one in hidden[found.tool]
        )
    told = (row.get("owner"), row.get("reason"), row.get("expires_at"))
    row["terms"] = all(value is not None for value in told)
    return row


def _hidden(
    verdicts: pd.DataFrame, tool_runs: pd.DataFrame
) -> dict[str, list[tuple[str, str, Subject]]]:
    """Violations that are told only without exceptions, by the tool that was run without."""
    ran = tool_runs[(tool_runs["target"] == WITHOUT) & (tool_runs["outcome"] == "done")]
    found: dict[str, list[tuple[str, str, Subject]]] = {tool: [] for tool in ran["tool"]}
    refused = verdicts[verdicts["refused"]]
    columns = ["tool", "policy_kind", "policy", "rule", "kind", "namespace", "name"]
    shown = refused[refused["basis"] == "cluster"][columns]
    seen = set(shown.itertuples(index=False, name=None))
    without = refused[refused["basis"] == "without_exceptions"][columns].drop_duplicates()
    for row in without.itertuples(index=False, name=None):
        tool, policy_kind, policy, rule, kind, namespace, name = row
        if row not in seen and tool in found:
            named = f"{policy_kind}/{policy}" if tool == "gator" else policy
            found[tool].append((named, rule, Subject(kind, namespace, name)))
    return found
