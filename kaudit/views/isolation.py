"""Which pods a NetworkPolicy selects, in each direction.

A pod is isolated in a direction once any policy of its namespace that works in that direction
selects it (NetworkPolicy API, networking.k8s.io/v1). Selectors are evaluated once for each
distinct set of labels of a namespace, counting only labels that a selector speaks of: those
that controllers add differ from pod to pod.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, assembled, kept_in_lists, series
from kaudit.registry import view
from kaudit.selectors import keys_of, selector
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd

_SEPARATOR = "\x1f"


class IsolationRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of the pod")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
    origin: Annotated[str, doc("object: a Pod object; template: what a controller would make")]
    owner_kind: Annotated[str, doc("kind of the topmost known owner")]
    owner_name: Annotated[str, doc("name of the topmost known owner")]
    platform: Annotated[bool, doc("in a namespace of Kubernetes itself")]
    governed: Annotated[bool, doc("not on the network of its node: policies can apply")]
    ingress: Annotated[bool, doc("a policy selects it for ingress")]
    egress: Annotated[bool, doc("a policy selects it for egress")]


ISOLATION = Table(
    "isolation",
    IsolationRow,
    grain="one pod or pod template, and whether policies select it",
    key=("namespace", "pod", "pod_uid"),
    resource=Resource("owner_kind", name="owner_name"),
    pods=True,
)

_Tests = dict[str, list[Callable[[frozenset[str]], bool]]]


@view(ISOLATION)
def isolation(pod_context: pd.DataFrame, network_policies: pd.DataFrame) -> pd.DataFrame:
    """Tell of each pod whether a policy selects it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    c = pod_context
    keys = {key for text in network_policies["pod_selector"] for key in keys_of(text)}
    spoken = kept_in_lists(c["labels"], lambda label: label.partition("=")[0] in keys)
    labels = pc.binary_join(spoken, _SEPARATOR)
    joined = pc.binary_join_element_wise(arrow(c["namespace"]), pc.fill_null(labels, ""), "\x00")
    codes = joined.dictionary_encode()
    found: dict[str, Any] = {}
    for direction in ("ingress", "egress"):
        tests = _tests(network_policies, direction)
        verdicts = [_isolated(key, tests) for key in codes.dictionary.to_pylist()]
        found[direction] = series(pa.array(verdicts, pa.bool_()).take(codes.indices), c)
    copied = [
        "raw",
        "raw_line",
        "pod_uid",
        "namespace",
        "pod",
        "origin",
        "owner_kind",
        "owner_name",
        "platform",
    ]
    found |= {name: c[name] for name in copied}
    found["governed"] = ~c["host_network"]
    return assembled(c, found, [column.name for column in ISOLATION.columns])


def _tests(policies: pd.DataFrame, direction: str) -> _Tests:
    chosen = policies[policies[direction].to_numpy(dtype=bool)]
    found: _Tests = {}
    for namespace, text in zip(chosen["namespace"], chosen["pod_selector"], strict=True):
        found.setdefault(namespace, []).append(selector(text))
    return found


def _isolated(key: str, tests: _Tests) -> bool:
    namespace, _, labels = key.partition("\x00")
    here = frozenset(labels.split(_SEPARATOR)) if labels else frozenset()
    return any(selects(here) for selects in tests.get(namespace, ()))
