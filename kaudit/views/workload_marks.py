"""Environment and sensitivity of workloads, as labels tell.

Which labels count is the auditor's decision (parameters environment_labels,
production_environments and sensitive_labels): a label of a pod comes before one of its
namespace.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from functools import cache, partial
from typing import TYPE_CHECKING, Annotated, NamedTuple

from kaudit.columns import arrow, kept_labels, plain_rows
from kaudit.groups import Groups
from kaudit.parameters import Parameters, parameters
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class WorkloadMarkRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace of the workload")]
    owner_kind: Annotated[str, doc("kind of the workload")]
    owner_name: Annotated[str, doc("name of the workload")]
    platform: Annotated[bool, doc("in a namespace of Kubernetes itself")]
    environments: Annotated[list[str], doc("environments that its labels name; empty: none")]
    production: Annotated[bool | None, doc("one of them is production; null: no label says")] = None
    sensitive: Annotated[bool, doc("a label says that its data is sensitive")]
    service_accounts: Annotated[list[str], doc("service accounts of its pods, sorted")]


WORKLOAD_MARKS = Table(
    "workload_marks",
    WorkloadMarkRow,
    grain="one workload, and what labels say of it",
    key=("namespace", "owner_kind", "owner_name"),
    resource=Resource("owner_kind", name="owner_name"),
)
_OWNER = ("namespace", "owner_kind", "owner_name")


@view(WORKLOAD_MARKS)
def workload_marks(pod_context: pd.DataFrame, namespaces: pd.DataFrame) -> pd.DataFrame:
    """Read the labels of each kind of pod once, and gather them by workload."""
    decided = parameters()
    known = {text.lower() for text in decided.production_environments}
    said = cache(partial(_said, decided))
    spaces = {name: tuple(labels) for name, labels in plain_rows(namespaces, "name", "labels")}
    gathered: dict[tuple[str, str, str], list[_Class]] = {}
    for one in _classes(pod_context, decided):
        gathered.setdefault((one.namespace, one.kind, one.name), []).append(one)
    rows = []
    for (namespace, kind, name), found in gathered.items():
        of_space = said(spaces.get(namespace, ()))
        labels = [said((*one.labels,)) for one in found]
        environments = {
            text for own in labels for text in own.environments or of_space.environments
        }
        first = min(found, key=lambda one: (one.raw, one.line))
        rows.append(
            WorkloadMarkRow(
                raw=first.raw,
                raw_line=first.line,
                namespace=namespace,
                owner_kind=kind,
                owner_name=name,
                platform=first.platform,
                environments=sorted(environments),
                production=not known.isdisjoint(text.lower() for text in environments)
                if environments
                else None,
                sensitive=any(own.sensitive for own in (*labels, of_space)),
                service_accounts=sorted({one.account for one in found} - {""}),
            )
        )
    return frame(WORKLOAD_MARKS.sorted(WORKLOAD_MARKS.arrow(rows)))


class _Class(NamedTuple):
    """Pods of a workload that have the same labels and account."""

    namespace: str
    kind: str
    name: str
    platform: bool
    raw: str
    labels: list[str]
    account: str
    line: int


def _classes(pod_context: pd.DataFrame, decided: Parameters) -> Iterator[_Class]:
    c = pod_context
    keys = {*decided.environment_labels}
    keys |= {text.partition("=")[0] for text in decided.sensitive_labels}
    wild = any("*" in key for key in keys)
    labels = kept_labels(c["labels"], lambda key: wild or key in keys)
    columns = [arrow(c[column]) for column in (*_OWNER, "platform", "raw")]
    columns += [labels, arrow(c["service_account"])]
    groups = Groups(*columns)
    cells = [groups.one(column).to_pylist() for column in columns]
    return map(_Class, *cells, groups.least(arrow(c["raw_line"])).to_pylist())


class _Said(NamedTuple):
    """What labels say: environments, and that data is sensitive."""

    environments: frozenset[str]
    sensitive: bool


def _said(decided: Parameters, labels: tuple[str, ...]) -> _Said:
    own = dict(text.split("=", 1) for text in labels)
    texts = [f"{key}={value}" for key, value in own.items()]
    return _Said(
        frozenset(own[key] for key in decided.environment_labels if own.get(key)),
        any(fnmatch.fnmatchcase(t, one) for t in texts for one in decided.sensitive_labels),
    )
