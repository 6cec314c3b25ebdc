"""What is excepted from policies, scans and levels, in one table: the register of exceptions.

How many namespaces and workloads an exception touches is counted at most: conditions that are
not decided here, and subjects, would narrow it. What would fail without it is known where an
engine was run without exceptions (``engine_verdicts``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from kaudit.ages import days_since
from kaudit.columns import alike, arrow
from kaudit.model.exemption import Subject, matches
from kaudit.model.meta import pairs_of
from kaudit.model.platform import NAMESPACES
from kaudit.model.tool_run import WITHOUT
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame
from kaudit.views.written_exceptions import (
    Covers,
    Found,
    InSpaces,
    of_gatekeeper,
    of_kyverno,
    of_namespaces,
    of_pod_security,
    of_scanners,
    of_webhooks,
)

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
                yield Subject(kind, space, name, pairs_of(texts), self.spaces[space])

    def touched(self, covers: Sequence[Covers]) -> list[Counter[str]]:
        """Count the workloads that each of some filters covers, by namespace."""
        found = [Counter[str]() for _ in covers]
        asked = [(cover, n) for cover, n in zip(covers, found, strict=True)]
        for cover, counts in asked:
            if isinstance(cover, InSpaces):
                counts.update({name: self.counts[name] for name in cover.among(self.counts)})
        left = [(cover, n) for cover, n in asked if not isinstance(cover, InSpaces)]
        for one in self.subjects() if left else ():
            for cover, counts in left:
                if cover(one):
                    counts[one.namespace] += 1
        return found


@view(
    EXCEPTIONS,
    naming=("engine_verdicts", "tool_runs", "cluster"),
    gathers=(
        *("constraints", "gatekeeper_exclusions", "kyverno_rules", "pod_security_config"),
        *("scan_exceptions", "webhooks", "webhook_rules"),
    ),
    decided={"from_policy": ()},
)
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
        *of_kyverno(policy_exceptions, kyverno_rules),
        *of_gatekeeper(gatekeeper_exclusions, constraints),
        *of_namespaces(namespaces, namespace_security),
        *of_pod_security(pod_security_config),
        *of_webhooks(webhook_posture),
        *of_scanners(exception_terms),
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
        name: {"kubernetes.io/metadata.name": name} | pairs_of(texts)
        for name, texts in zip(namespaces["name"], namespaces["labels"], strict=True)
    }
    _, first = alike(*(pod_context[column] for column in _OWNER))
    rows = pa.array(first)
    columns = {name: arrow(pod_context[name]).take(rows) for name in (*_OWNER, "labels")}
    counts = Counter[str](columns["namespace"].to_pylist())
    spaces = labels | {name: labels.get(name, {}) for name in counts}
    others = {name for name in spaces if not matches(name, _OWN)}
    return _Population(spaces, counts, pa.table(columns), others)


def _measured(
    found: Found,
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
