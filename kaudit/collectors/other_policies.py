"""Policies of other engines: Cilium, Calico, and the tiers of the network policy API.

Cilium's selectors are read. Of the others it is told that they are there, and in which
direction they may work.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec

from kaudit.model.meta import LabelSelector
from kaudit.model.other_policies import CiliumPolicy, CiliumRule, TieredPolicy
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class OtherPolicyRow(Trace, kw_only=True):
    kind: Annotated[str, doc("CiliumNetworkPolicy, GlobalNetworkPolicy, …")]
    group: Annotated[str, doc("API group")]
    namespace: Annotated[str, doc("namespace that it works in; empty: in all")]
    name: Annotated[str, doc("name")]
    position: Annotated[int, doc("place of the rule in spec and specs, from 0")]
    pod_selector: Annotated[
        str | None, doc("pods that it selects, as JSON; null: its selector is not evaluated")
    ] = None
    ingress: Annotated[bool, doc("isolates for ingress, or may do so")]
    egress: Annotated[bool, doc("isolates for egress, or may do so")]


OTHER_POLICIES = Table(
    "other_policies",
    OtherPolicyRow,
    grain="one rule of a network policy of another engine",
    key=("kind", "group", "namespace", "name", "position"),
    resource=Resource("kind"),
)

_CALICO = (
    ("NetworkPolicy", "networkpolicies", True),
    ("GlobalNetworkPolicy", "globalnetworkpolicies", False),
)


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
    tables=(OTHER_POLICIES,),
)
def cilium_policies(found: CiliumPolicy, at: Place) -> Iterator[Row]:
    """Yield the rules of a policy that select pods.

    A rule isolates in a direction that it has rules for, unless enableDefaultDeny says
    otherwise (Cilium, "Policy Enforcement Modes", 1.18).
    """
    for position, rule in enumerate(found.rules):
        if rule.endpoint_selector is None:
            continue  # of nodes
        default = rule.enable_default_deny
        ingress = default.ingress if default else None
        egress = default.egress if default else None
        yield OtherPolicyRow(
            raw=at.raw,
            raw_line=at.line,
            kind=at.kind,
            group=at.group,
            namespace=at.namespace,
            name=at.name,
            position=position,
            pod_selector=_selector(rule),
            ingress=bool(rule.ingress or rule.ingress_deny) if ingress is None else ingress,
            egress=bool(rule.egress or rule.egress_deny) if egress is None else egress,
        )


#: Sources of labels that Kubernetes gives: all labels of a pod are of them.
_SOURCES = ("k8s:", "any:")
#: Labels that Cilium makes itself, beside the one of the namespace.
_MADE = "io.cilium."


def _selector(rule: CiliumRule) -> str | None:
    """Selector by the labels of pods; None where it names what is no label of theirs."""
    selector = rule.endpoint_selector or LabelSelector()
    labels = {_key(key): value for key, value in (selector.match_labels or {}).items()}
    terms = [
        msgspec.structs.replace(term, key=_key(term.key))
        for term in selector.match_expressions or ()
    ]
    keys = [*labels, *(term.key for term in terms)]
    if any(":" in key or key.startswith(_MADE) for key in keys):
        return None
    return LabelSelector(labels, terms).canonical


def _key(text: str) -> str:
    for source in _SOURCES:
        text = text.removeprefix(source)
    return text


@collector(
    *(
        Read(group, kind, plural, TieredPolicy, (version,), namespaced=namespaced)
        for group, version in (("projectcalico.org", "v3"), ("crd.projectcalico.org", "v1"))
        for kind, plural, namespaced in _CALICO
    ),
    *(
        Read("policy.networking.k8s.io", kind, plural, TieredPolicy, (version,), namespaced=False)
        for kind, plural, version in (
            ("AdminNetworkPolicy", "adminnetworkpolicies", "v1alpha1"),
            ("BaselineAdminNetworkPolicy", "baselineadminnetworkpolicies", "v1alpha1"),
            ("ClusterNetworkPolicy", "clusternetworkpolicies", "v1alpha2"),
        )
    ),
    tables=(OTHER_POLICIES,),
)
def tiered_policies(found: TieredPolicy, at: Place) -> Iterator[Row]:
    """Yield one row a policy; without types it may work in the directions it has rules for."""
    spec = found.spec
    ingress, egress = bool(spec.ingress), bool(spec.egress)
    yield OtherPolicyRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        group=at.group,
        namespace=at.namespace,
        name=at.name,
        position=0,
        ingress="Ingress" in spec.types if spec.types else ingress or not egress,
        egress="Egress" in spec.types if spec.types else egress,
    )
