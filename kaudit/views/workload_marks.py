"""Environment and sensitivity of workloads, as labels tell.

Which labels count is the auditor's decision (parameters environment_labels,
production_environments and sensitive_labels): a label of a pod comes before one of its
namespace.
"""

from __future__ import annotations

import fnmatch
from functools import cache, partial
from typing import TYPE_CHECKING, Annotated, NamedTuple

from kaudit.columns import arrow, kept_labels, plain_rows
from kaudit.groups import Groups
from kaudit.model.meta import pairs_of
from kaudit.parameters import Parameters, parameters
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


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
    """Read each set of labels once, and gather what they say by workload."""
    import pyarrow as pa
    import pyarrow.compute as pc

    decided = parameters()
    marks = _marks(pod_context, namespaces, decided)
    c = {name: arrow(pod_context[name]) for name in (*_OWNER, "platform", "raw", "raw_line")}
    first = pc.sort_indices(pa.table(c), [("raw", "ascending"), ("raw_line", "ascending")])
    c = {name: column.take(first) for name, column in c.items()}
    said = {name: column.take(first) for name, column in marks.items()}
    groups = Groups(*(c[name] for name in _OWNER))
    told = groups.texts(said["environments"])
    production = pa.array(groups.some(said["production"]))
    none = pc.equal(pc.list_value_length(told), 0)
    made = {name: groups.one(column) for name, column in c.items()} | {
        "environments": told,
        "production": pc.if_else(none, pa.scalar(None, pa.bool_()), production),
        "sensitive": pa.array(groups.some(said["sensitive"])),
        "service_accounts": groups.texts(arrow(pod_context["service_account"]).take(first)),
    }
    return frame(WORKLOAD_MARKS.sorted(WORKLOAD_MARKS.fitted(made)))


def _marks(
    pod_context: pd.DataFrame, namespaces: pd.DataFrame, decided: Parameters
) -> dict[str, pa.Array]:
    """What the labels of each pod say, or else those of its namespace."""
    import pyarrow as pa

    keys = {*decided.environment_labels}
    keys |= {text.partition("=")[0] for text in decided.sensitive_labels}
    wild = any("*" in key for key in keys)
    labels = kept_labels(pod_context["labels"], lambda key: wild or key in keys)
    space = arrow(pod_context["namespace"])
    groups = Groups(space, labels)
    said = cache(partial(_said, decided))
    spaces = {name: tuple(own) for name, own in plain_rows(namespaces, "name", "labels")}
    known = {text.lower() for text in decided.production_environments}
    environments, sensitive, production = [], [], []
    names = groups.one(space).to_pylist()
    for name, texts in zip(names, groups.one(labels).to_pylist(), strict=True):
        own, of_space = said((*texts,)), said(spaces.get(name, ()))
        told = own.environments or of_space.environments
        environments.append([*told])
        sensitive.append(own.sensitive or of_space.sensitive)
        production.append(not known.isdisjoint(text.lower() for text in told))
    of = pa.array(groups.of)
    return {
        "environments": pa.array(environments, pa.list_(pa.string())).take(of),
        "sensitive": pa.array(sensitive, pa.bool_()).take(of),
        "production": pa.array(production, pa.bool_()).take(of),
    }


class _Said(NamedTuple):
    """What labels say: environments, and that data is sensitive."""

    environments: frozenset[str]
    sensitive: bool


def _said(decided: Parameters, labels: tuple[str, ...]) -> _Said:
    own = pairs_of(labels)
    texts = [f"{key}={value}" for key, value in own.items()]
    return _Said(
        frozenset(own[key] for key in decided.environment_labels if own.get(key)),
        any(fnmatch.fnmatchcase(t, one) for t in texts for one in decided.sensitive_labels),
    )
