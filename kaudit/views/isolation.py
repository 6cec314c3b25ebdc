"""Which pods a NetworkPolicy selects, in each direction.

A pod is isolated in a direction once any policy of its namespace that works in that direction
selects it (NetworkPolicy API, networking.k8s.io/v1), or one of Cilium's. Policies of other
engines, whose selectors are not evaluated, leave it open. Selectors are evaluated once for
each distinct set of labels of a namespace, counting only labels that a selector speaks of:
those that controllers add differ from pod to pod.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, assembled, kept_labels, series
from kaudit.model.label_index import LabelIndex, members
from kaudit.registry import view
from kaudit.remembered import remembered
from kaudit.selectors import keys_of
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd

    from kaudit.columns import Flags

_SEPARATOR = "\x1f"
#: Label that Cilium gives to each pod.
_NAMESPACE = "io.kubernetes.pod.namespace"


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
    ingress_open: Annotated[bool, doc("none does, but one that is not evaluated may")]
    egress_open: Annotated[bool, doc("none does, but one that is not evaluated may")]


ISOLATION = Table(
    "isolation",
    IsolationRow,
    grain="one pod or pod template, and whether policies select it",
    key=("namespace", "pod", "pod_uid"),
    resource=Resource("owner_kind", name="owner_name"),
    pods=True,
)

#: Selectors by namespace (empty: all), and the directions in which they isolate.
_Tests = dict[str, list[tuple[str, bool, bool]]]


@view(ISOLATION, decided={"governed": ()})
def isolation(
    pod_context: pd.DataFrame, network_policies: pd.DataFrame, other_policies: pd.DataFrame
) -> pd.DataFrame:
    """Tell of each pod whether a policy selects it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    c = pod_context
    read = _evaluated(other_policies)
    tests, keys = _tests(network_policies, other_policies)
    spoken = kept_labels(c["labels"], keys.__contains__)
    labels = pc.binary_join(spoken, _SEPARATOR)
    joined = pc.binary_join_element_wise(arrow(c["namespace"]), pc.fill_null(labels, ""), "\x00")
    codes = joined.dictionary_encode()
    here = codes.dictionary.to_pylist()
    verdicts = _isolated(here, tests)
    found: dict[str, Any] = {}
    for direction, isolated in zip(("ingress", "egress"), verdicts, strict=True):
        unread = other_policies[~read & other_policies[direction].to_numpy(dtype=bool)]
        may = set(unread["namespace"])
        doubts = [
            not sure and ("" in may or key.partition("\x00")[0] in may)
            for key, sure in zip(here, isolated, strict=True)
        ]
        found[direction] = series(pa.array(isolated, pa.bool_()).take(codes.indices), c)
        found[f"{direction}_open"] = series(pa.array(doubts, pa.bool_()).take(codes.indices), c)
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
    return assembled(c, found, ISOLATION.names)


def _evaluated(other_policies: pd.DataFrame) -> Flags:
    known = other_policies["pod_selector"].notna() & (other_policies["group"] == "cilium.io")
    found: Flags = known.to_numpy(dtype=bool)
    return found


@remembered
def _tests(network_policies: pd.DataFrame, other_policies: pd.DataFrame) -> tuple[_Tests, set[str]]:
    """Selectors by namespace, and the keys that they speak of."""
    merged: dict[tuple[str, str], tuple[bool, bool]] = {}
    columns = ("namespace", "pod_selector", "ingress", "egress")
    for some in (network_policies, other_policies[_evaluated(other_policies)]):
        for namespace, text, ingress, egress in zip(*(some[c] for c in columns), strict=True):
            before = merged.get((namespace, text), (False, False))
            merged[namespace, text] = (before[0] or bool(ingress), before[1] or bool(egress))
    found: _Tests = {}
    keys: set[str] = set()
    for (namespace, text), directions in merged.items():
        keys |= keys_of(text)
        found.setdefault(namespace, []).append((text, *directions))
    return found, keys


def _isolated(here: list[str], tests: _Tests) -> tuple[list[bool], list[bool]]:
    """Tell of namespaces with labels whether a policy isolates them, in each direction."""
    into, out = [False] * len(here), [False] * len(here)
    spaces: dict[str, list[tuple[int, str]]] = {}
    for at, key in enumerate(here):
        namespace, _, joined = key.partition("\x00")
        spaces.setdefault(namespace, []).append((at, joined))
    for namespace, some in spaces.items():
        own = f"{_NAMESPACE}="
        index = LabelIndex(
            [*(t for t in joined.split(_SEPARATOR) if t and not t.startswith(own)), own + namespace]
            for _, joined in some
        )
        ingress = egress = 0
        for text, closes_in, closes_out in (*tests.get(namespace, ()), *tests.get("", ())):
            selected = index.selected(text)
            ingress |= selected if closes_in else 0
            egress |= selected if closes_out else 0
        for found, places in ((into, ingress), (out, egress)):
            for place in members(places):
                found[some[place][0]] = True
    return into, out
