"""Policies of the Network Policy API: what comes before and after NetworkPolicy."""

from __future__ import annotations

from collections.abc import Iterator

from kaudit.model.admin_policies import AdminPolicy, faults_of, rules_of, subject_of
from kaudit.model.meta import LabelSelector
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Row
from kaudit.tables.policies import OTHER_POLICIES, OTHER_RULES, OtherPolicyRow, rule_rows

_GROUP = "policy.networking.k8s.io"


@collector(
    Read(
        _GROUP,
        "AdminNetworkPolicy",
        "adminnetworkpolicies",
        AdminPolicy,
        ("v1alpha1",),
        namespaced=False,
    ),
    Read(
        _GROUP,
        "BaselineAdminNetworkPolicy",
        "baselineadminnetworkpolicies",
        AdminPolicy,
        ("v1alpha1",),
        namespaced=False,
    ),
    Read(
        _GROUP,
        "ClusterNetworkPolicy",
        "clusternetworkpolicies",
        AdminPolicy,
        ("v1alpha2",),
        namespaced=False,
    ),
    tables=(OTHER_POLICIES, OTHER_RULES),
)
def admin_policies(found: AdminPolicy, at: Place) -> Iterator[Row]:
    """Yield a policy and the peers of its rules."""
    subject, faults = subject_of(found), list(faults_of(found))
    yield OtherPolicyRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        group=at.group,
        namespace="",
        name=at.name,
        position=0,
        stage=found.stage,
        order=None if found.spec.priority is None else float(found.spec.priority),
        namespace_selector=subject.namespaces,
        pod_selector=subject.pods or LabelSelector().canonical,
        ingress=bool(found.spec.ingress),
        egress=bool(found.spec.egress),
        faults=faults,
    )
    yield from rule_rows(rules_of(found), at, 0)
