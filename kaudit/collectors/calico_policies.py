"""Calico's policies."""

from __future__ import annotations

from collections.abc import Iterator

from kaudit.model.calico import CalicoPolicy, rules_of
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Row
from kaudit.tables.policies import OTHER_POLICIES, OTHER_RULES, OtherPolicyRow, rule_rows

_KINDS = (
    ("NetworkPolicy", "networkpolicies", True),
    ("GlobalNetworkPolicy", "globalnetworkpolicies", False),
)


@collector(
    *(
        Read(group, kind, plural, CalicoPolicy, (version,), namespaced=namespaced)
        for group, version in (("projectcalico.org", "v3"), ("crd.projectcalico.org", "v1"))
        for kind, plural, namespaced in _KINDS
    ),
    tables=(OTHER_POLICIES, OTHER_RULES),
)
def calico_policies(found: CalicoPolicy, at: Place) -> Iterator[Row]:
    """Yield a policy and the peers of its rules.

    Without types it works in the directions it has rules for, and for ingress where it has
    none. Policies for the interfaces of nodes are left out.
    """
    spec = found.spec
    if spec.of_hosts:
        return
    ingress, egress = bool(spec.ingress), bool(spec.egress)
    yield OtherPolicyRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        group=at.group,
        namespace=at.namespace,
        name=at.name,
        position=0,
        order=spec.order,
        namespace_selector=spec.namespace_selector or None,
        pod_selector=(spec.selector or "all()") if spec.understood else None,
        ingress="Ingress" in spec.types if spec.types else ingress or not egress,
        egress="Egress" in spec.types if spec.types else egress,
        faults=[],
    )
    yield from rule_rows(list(rules_of(found, at.namespace)), at, 0)
