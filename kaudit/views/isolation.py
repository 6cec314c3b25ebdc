"""Which pods a NetworkPolicy selects, in each direction.

A pod is isolated in a direction once any policy of its namespace that works in that direction
selects it (NetworkPolicy API, networking.k8s.io/v1), or one of Cilium's. Policies of other
engines, whose selectors are not evaluated, leave it open. Selectors are evaluated once for
each distinct set of labels of a namespace, counting only labels that a selector speaks of:
those that controllers add differ from pod to pod.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, assembled, kept_in_lists, series
from kaudit.registry import view
from kaudit.remembered import remembered
from kaudit.selectors import Selects, a_label_of, keys_of, selector
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

#: By namespace (empty: all) and a label that the selector asks for (empty: none).
_Tests = dict[tuple[str, str], list[tuple[Selects, bool, bool]]]


@view(ISOLATION)
def isolation(
    pod_context: pd.DataFrame, network_policies: pd.DataFrame, other_policies: pd.DataFrame
) -> pd.DataFrame:
    """Tell of each pod whether a policy selects it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    c = pod_context
    read = _evaluated(other_policies)
    tests, keys = _tests(network_policies, other_policies)
    spoken = kept_in_lists(c["labels"], lambda label: label.partition("=")[0] in keys)
    labels = pc.binary_join(spoken, _SEPARATOR)
    joined = pc.binary_join_element_wise(arrow(c["namespace"]), pc.fill_null(labels, ""), "\x00")
    codes = joined.dictionary_encode()
    here = codes.dictionary.to_pylist()
    verdicts = [_isolated(key, tests) for key in here]
    found: dict[str, Any] = {}
    for at, direction in enumerate(("ingress", "egress")):
        isolated = [verdict[at] for verdict in verdicts]
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
    return assembled(c, found, [column.name for column in ISOLATION.columns])


def _evaluated(other_policies: pd.DataFrame) -> Flags:
    known = other_policies["pod_selector"].notna() & (other_policies["group"] == "cilium.io")
    found: Flags = known.to_numpy(dtype=bool)
    return found


@remembered
def _tests(network_policies: pd.DataFrame, other_policies: pd.DataFrame) -> tuple[_Tests, set[str]]:
    """Selectors by namespace and a label that they ask for; and the keys they speak of."""
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
        test = (selector(text), *directions)
        found.setdefault((namespace, a_label_of(text)), []).append(test)
    return found, keys


def _isolated(key: str, tests: _Tests) -> tuple[bool, bool]:
    namespace, _, joined = key.partition("\x00")
    texts = [*(joined.split(_SEPARATOR) if joined else ()), f"{_NAMESPACE}={namespace}"]
    labels = dict(text.split("=", 1) for text in texts)
    ingress = egress = False
    for place in (namespace, ""):
        for text in ("", *texts):
            for selects, into, out in tests.get((place, text), ()):
                if selects(labels):
                    ingress, egress = ingress or into, egress or out
    return ingress, egress
