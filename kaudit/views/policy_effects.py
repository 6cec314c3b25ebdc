"""What each NetworkPolicy does: which pods it selects, and which of its peers exist.

Every namespace has the label kubernetes.io/metadata.name, also where a manifest leaves it out
(Kubernetes, "Well-Known Labels", v1.34); no other is set by itself. A peer without
namespaceSelector means pods of the policy's own namespace (NetworkPolicy API, v1).
"""

from __future__ import annotations

from collections import defaultdict
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from kaudit.columns import SEPARATOR, arrow, kept_in_lists
from kaudit.registry import view
from kaudit.selectors import keys_of, selector
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class PolicyEffectRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always NetworkPolicy")] = "NetworkPolicy"
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    populated: Annotated[bool, doc("pods or templates are in its namespace")]
    selects: Annotated[int, doc("pods and templates that it selects")]
    selects_all: Annotated[bool, doc("it selects all pods of its namespace, also those to come")]
    peers: Annotated[int, doc("peers of its rules, but for addresses")]
    inert: Annotated[list[str], doc("peers that match no namespace or no pod that is there")]
    doubtful: Annotated[
        list[str], doc("peers that match nothing here, in namespaces that the source may leave out")
    ]
    near: Annotated[list[str], doc("labels that are there and nearly match, as wanted → there")]
    dns_over_udp_only: Annotated[bool, doc("it lets DNS out on UDP, and nothing lets it on TCP")]


POLICY_EFFECTS = Table(
    "policy_effects",
    PolicyEffectRow,
    grain="one NetworkPolicy, and what it does",
    key=("namespace", "name"),
    resource=Resource("kind"),
)
_NAME = "kubernetes.io/metadata.name"
#: Namespace of every cluster: a source without it does not speak of all namespaces.
_EVERYWHERE = "kube-system"
#: By namespace: classes of pods with the same labels that selectors speak of, and how many.
_Pods = dict[str, list[tuple[dict[str, str], int]]]


@view(POLICY_EFFECTS)
def policy_effects(
    network_policies: pd.DataFrame,
    network_policy_rules: pd.DataFrame,
    namespaces: pd.DataFrame,
    pod_context: pd.DataFrame,
) -> pd.DataFrame:
    """Match the selectors of policies with what is there."""
    p, r = network_policies, network_policy_rules
    written = {*p["pod_selector"], *r["pod_selector"].dropna()}
    pods = _pods(pod_context, {key for text in written for key in keys_of(text)})
    spaces = _spaces(namespaces, pods)
    whole = _EVERYWHERE in spaces
    rules: dict[tuple[str, str], list[dict[Any, Any]]] = defaultdict(list)
    for rule in r.to_dict("records"):
        rules[rule["namespace"], rule["name"]].append(rule)
    over_tcp = {
        namespace
        for (namespace, _), found in rules.items()
        if any(_lets(rule, "TCP") for rule in found)
    }
    rows = []
    columns = ("namespace", "name", "pod_selector", "selects_all", "raw", "raw_line")
    for namespace, name, chosen, every, raw, line in zip(*(p[c] for c in columns), strict=True):
        own, selects = rules[namespace, name], selector(chosen)
        peers = [rule for rule in own if rule["peer"] >= 0 and not isinstance(rule["cidr"], str)]
        missed = [peer for peer in peers if not _matched(peer, namespace, pods, spaces)]
        nearly = {_said(peer): _near(peer, namespace, pods, spaces) for peer in missed}
        doubtful = [
            peer
            for peer in missed
            if not whole and isinstance(peer["namespace_selector"], str) and not nearly[_said(peer)]
        ]
        inert = [peer for peer in missed if peer not in doubtful]
        rows.append(
            PolicyEffectRow(
                raw=raw,
                raw_line=line,
                namespace=namespace,
                name=name,
                populated=bool(pods.get(namespace)),
                selects=sum(n for labels, n in pods.get(namespace, ()) if selects(labels)),
                selects_all=every,
                peers=len(peers),
                inert=sorted(_said(peer) for peer in inert),
                doubtful=sorted(_said(peer) for peer in doubtful),
                near=sorted({text for texts in nearly.values() for text in texts}),
                dns_over_udp_only=namespace not in over_tcp
                and any(_lets(rule, "UDP") for rule in own),
            )
        )
    return frame(POLICY_EFFECTS.sorted(POLICY_EFFECTS.arrow(rows)))


def _pods(context: pd.DataFrame, keys: set[str]) -> _Pods:
    import pyarrow as pa
    import pyarrow.compute as pc

    labels = kept_in_lists(context["labels"], lambda label: label.partition("=")[0] in keys)
    joined = pa.table(
        {"namespace": arrow(context["namespace"]), "labels": pc.binary_join(labels, SEPARATOR)}
    )
    counts = joined.group_by(["namespace", "labels"]).aggregate([([], "count_all")])
    found: _Pods = defaultdict(list)
    for row in counts.to_pylist():
        texts = row["labels"].split(SEPARATOR) if row["labels"] else []
        found[row["namespace"]].append(
            (dict(text.split("=", 1) for text in texts), row["count_all"])
        )
    return dict(found)


def _spaces(namespaces: pd.DataFrame, pods: _Pods) -> dict[str, dict[str, str]]:
    """Labels by namespace; of one that no object tells of, its name alone."""
    found = {name: {_NAME: name} for name in pods}
    for name, texts in zip(namespaces["name"], namespaces["labels"], strict=True):
        found[name] = dict(str(text).split("=", 1) for text in texts) | {_NAME: name}
    return found


def _reached(peer: dict[Any, Any], namespace: str, spaces: dict[str, dict[str, str]]) -> list[str]:
    """Namespaces that a peer is about."""
    wanted = peer["namespace_selector"]
    if not isinstance(wanted, str):
        return [namespace]
    selects = selector(wanted)
    return [name for name, labels in spaces.items() if selects(labels)]


def _matched(
    peer: dict[Any, Any], namespace: str, pods: _Pods, spaces: dict[str, dict[str, str]]
) -> bool:
    wanted = peer["pod_selector"]
    reached = _reached(peer, namespace, spaces)
    if not isinstance(wanted, str):
        return bool(reached)
    selects = selector(wanted)
    return any(selects(labels) for name in reached for labels, _ in pods.get(name, ()))


def _said(peer: dict[Any, Any]) -> str:
    parts = [
        f"{what} {peer[column]}"
        for what, column in (("namespaces", "namespace_selector"), ("pods", "pod_selector"))
        if isinstance(peer[column], str)
    ]
    return f"{peer['direction']} rule {peer['rule'] + 1}: {', '.join(parts)}"


def _near(
    peer: dict[Any, Any], namespace: str, pods: _Pods, spaces: dict[str, dict[str, str]]
) -> list[str]:
    """Labels of what is there that are spelt much like those that a peer asks for."""
    if isinstance(peer["namespace_selector"], str):
        there = {pair for labels in spaces.values() for pair in labels.items()}
        text = peer["namespace_selector"]
    else:
        there = {pair for labels, _ in pods.get(namespace, ()) for pair in labels.items()}
        text = peer["pod_selector"]
    wanted = msgspec.json.decode(text).get("matchLabels") or {}
    found = []
    for key, given in sorted(wanted.items()):
        value = given or ""
        others = sorted(k for k, v in there if v == value and k != key)
        values = sorted(v for k, v in there if k == key)
        meant = [f"{k}={value}" for k in others if k == _NAME] or [
            *(f"{k}={value}" for k in get_close_matches(key, others, n=1, cutoff=0.7)),
            *(
                f"{key}={v}"
                for v in get_close_matches(value, values, n=1, cutoff=0.7)
                if v != value
            ),
        ]
        found += [f"{key}={value} → {other}" for other in meant]
    return found


def _lets(rule: dict[Any, Any], protocol: str) -> bool:
    """Whether a rule lets DNS out over a protocol; any port counts for TCP alone."""
    if rule["direction"] != "egress":
        return False
    if rule["any_port"]:
        return protocol == "TCP"
    return f"{protocol}/53" in list(rule["ports"])
