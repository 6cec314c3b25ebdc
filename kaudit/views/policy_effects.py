"""What each NetworkPolicy does: which pods it selects, and which of its peers exist.

Every namespace has the label kubernetes.io/metadata.name, also where a manifest leaves it out
(Kubernetes, "Well-Known Labels", v1.34); no other is set by itself. A peer without
namespaceSelector means pods of the policy's own namespace (NetworkPolicy API, v1).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec

from kaudit.columns import arrow, kept_labels, records
from kaudit.groups import Groups
from kaudit.model.label_index import LabelIndex, members
from kaudit.model.meta import pairs_of
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
#: Columns of rules that tell what a policy does.
_OF_RULES = (
    *("namespace", "name", "direction", "rule", "peer", "namespace_selector", "pod_selector"),
    *("cidr", "any_port", "ports"),
)


class _Classes(NamedTuple):
    """Classes of pods of a namespace with the same labels that selectors speak of."""

    labels: list[list[str]]
    counts: list[int]
    labelled: LabelIndex

    def selected(self, text: str) -> int:
        """How many pods a selector selects."""
        return sum(map(self.counts.__getitem__, members(self.labelled.selected(text))))


_Pods = dict[str, _Classes]


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
    there = _There(pods, spaces)
    matching = _Matching(pods, spaces)
    rules: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for rule in records(r, *_OF_RULES):
        rules[rule["namespace"], rule["name"]].append(rule)
    over_tcp = {
        namespace
        for (namespace, _), found in rules.items()
        if any(_lets(rule, "TCP") for rule in found)
    }
    rows = []
    columns = ("namespace", "name", "pod_selector", "selects_all", "raw", "raw_line")
    cells = (arrow(p[column]).to_pylist() for column in columns)
    for namespace, name, chosen, every, raw, line in zip(*cells, strict=True):
        own = rules[namespace, name]
        peers = [rule for rule in own if rule["peer"] >= 0 and rule["cidr"] is None]
        missed = [peer for peer in peers if not matching.any(peer, namespace)]
        nearly = {_said(peer): there.near(peer, namespace) for peer in missed}
        doubtful = [
            peer
            for peer in missed
            if not whole and peer["namespace_selector"] is not None and not nearly[_said(peer)]
        ]
        inert = [peer for peer in missed if peer not in doubtful]
        rows.append(
            PolicyEffectRow(
                raw=raw,
                raw_line=line,
                namespace=namespace,
                name=name,
                populated=namespace in pods,
                selects=pods[namespace].selected(chosen) if namespace in pods else 0,
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
    labels = kept_labels(context["labels"], keys.__contains__)
    spaces = arrow(context["namespace"])
    groups = Groups(spaces, labels)
    cells = (groups.one(column).to_pylist() for column in (spaces, labels))
    counts = groups.rows().tolist()
    found: dict[str, list[tuple[list[str], int]]] = defaultdict(list)
    for namespace, texts, count in zip(*cells, counts, strict=True):
        found[namespace].append((texts, count))
    return {name: _classes(some) for name, some in found.items()}


def _classes(some: list[tuple[list[str], int]]) -> _Classes:
    labels = [texts for texts, _ in some]
    return _Classes(labels, [count for _, count in some], LabelIndex(labels))


def _spaces(namespaces: pd.DataFrame, pods: _Pods) -> dict[str, dict[str, str]]:
    """Labels by namespace; of one that no object tells of, its name alone."""
    found = {name: {_NAME: name} for name in pods}
    for name, texts in zip(namespaces["name"], namespaces["labels"], strict=True):
        found[name] = pairs_of(texts) | {_NAME: name}
    return found


class _Matching:
    """Whether anything that is there matches a peer; asked once of each selector and namespace."""

    def __init__(self, pods: _Pods, spaces: dict[str, dict[str, str]]) -> None:
        self._pods, self._spaces = pods, spaces
        self._reached: dict[str, list[str]] = {}
        self._known: dict[tuple[str, str], bool] = {}

    def any(self, peer: dict[str, Any], namespace: str) -> bool:
        """Tell of a peer of a policy in a namespace."""
        spaces, wanted = peer["namespace_selector"], peer["pod_selector"]
        reached = [namespace] if spaces is None else self._of(spaces)
        return bool(reached) if wanted is None else any(self._in(n, wanted) for n in reached)

    def _of(self, text: str) -> list[str]:
        if text not in self._reached:
            selects = selector(text)
            self._reached[text] = [n for n, labels in self._spaces.items() if selects(labels)]
        return self._reached[text]

    def _in(self, namespace: str, text: str) -> bool:
        key = (namespace, text)
        if key not in self._known:
            pods = self._pods.get(namespace)
            self._known[key] = pods is not None and bool(pods.labelled.selected(text))
        return self._known[key]


def _said(peer: dict[str, Any]) -> str:
    parts = [
        f"{what} {peer[column]}"
        for what, column in (("namespaces", "namespace_selector"), ("pods", "pod_selector"))
        if peer[column] is not None
    ]
    return f"{peer['direction']} rule {peer['rule'] + 1}: {', '.join(parts)}"


class _Labels:
    """Labels that are there, and those of them that are spelt much like one that is asked for."""

    def __init__(self, there: Iterable[dict[str, str]]) -> None:
        self._keys: dict[str, set[str]] = defaultdict(set)
        self._values: dict[str, set[str]] = defaultdict(set)
        for key, value in {pair for labels in there for pair in labels.items()}:
            self._keys[value].add(key)
            self._values[key].add(value)
        self._known: dict[tuple[str, str], list[str]] = {}

    def near(self, key: str, value: str) -> list[str]:
        """Say of what is there what may have been meant."""
        if (key, value) not in self._known:
            self._known[key, value] = self._near(key, value)
        return self._known[key, value]

    def _near(self, key: str, value: str) -> list[str]:
        others = sorted(self._keys.get(value, set()) - {key})
        values = sorted(self._values.get(key, ()))
        meant = [f"{k}={value}" for k in others if k == _NAME] or [
            *(f"{k}={value}" for k in get_close_matches(key, others, n=1, cutoff=0.7)),
            *(
                f"{key}={v}"
                for v in get_close_matches(value, values, n=1, cutoff=0.7)
                if v != value
            ),
        ]
        return [f"{key}={value} → {other}" for other in meant]


class _There:
    """Labels of all namespaces, and of the pods of each."""

    def __init__(self, pods: _Pods, spaces: dict[str, dict[str, str]]) -> None:
        self._pods = pods
        self._spaces = _Labels(spaces.values())
        self._of: dict[str, _Labels] = {}

    def near(self, peer: dict[str, Any], namespace: str) -> list[str]:
        """Labels of what is there that are spelt much like those that a peer asks for."""
        text = peer["namespace_selector"]
        if text is not None:
            there = self._spaces
        else:
            text = peer["pod_selector"]
            if namespace not in self._of:
                pods = self._pods.get(namespace)
                texts = pods.labels if pods else []
                self._of[namespace] = _Labels(pairs_of(own) for own in texts)
            there = self._of[namespace]
        wanted = msgspec.json.decode(text).get("matchLabels") or {}
        return [one for k, v in sorted(wanted.items()) for one in there.near(k, v or "")]


def _lets(rule: dict[str, Any], protocol: str) -> bool:
    """Whether a rule lets DNS out over a protocol; any port counts for TCP alone."""
    if rule["direction"] != "egress":
        return False
    if rule["any_port"]:
        return protocol == "TCP"
    return f"{protocol}/53" in rule["ports"]
