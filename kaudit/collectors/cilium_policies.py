"""Cilium's policies."""

from __future__ import annotations

from collections.abc import Iterator

from kaudit.model.cilium import CiliumPolicy, closes, rules_of, selector_text
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Row
from kaudit.tables.policies import OTHER_POLICIES, OTHER_RULES, OtherPolicyRow, rule_rows


@collector(
    Read("cilium.io", "CiliumNetworkPolicy", "ciliumnetworkpolicies", CiliumPolicy, ("v2",)),
    Read(
        "cilium.io",
        "CiliumClusterwideNetworkPolicy",
        "ciliumclusterwidenetworkpolicies",
        CiliumPolicy,
        ("v2",),
        namespaced=False,
    ),
    tables=(OTHER_POLICIES, OTHER_RULES),
)
def cilium_policies(found: CiliumPolicy, at: Place) -> Iterator[Row]:
    """Yield the rules of a policy that select pods.

    A rule isolates in a direction that it has rules for, unless enableDefaultDeny says
    otherwise (Cilium, "Policy Enforcement Modes", 1.18).
    """
    for position, rule in enumerate(found.rules):
        if rule.endpoint_selector is None:
            continue  # of nodes
        yield OtherPolicyRow(
            raw=at.raw,
            raw_line=at.line,
            kind=at.kind,
            group=at.group,
            namespace=at.namespace,
            name=at.name,
            position=position,
            order=1000.0,
            pod_selector=selector_text(rule.endpoint_selector),
            ingress=closes(rule, "ingress"),
            egress=closes(rule, "egress"),
            faults=[],
        )
        yield from rule_rows(list(rules_of(rule, at.namespace)), at, position)
