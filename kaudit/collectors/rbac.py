"""Roles, their rules, and who is bound to them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import msgspec

from kaudit.model.place import Place
from kaudit.model.rbac import Role, RoleBinding, Subject
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class RoleRow(Trace, kw_only=True):
    kind: Annotated[str, doc("Role or ClusterRole")]
    namespace: Annotated[str, doc("namespace; empty for a ClusterRole")]
    name: Annotated[str, doc("name")]
    labels: Annotated[list[str], doc("labels as sorted key=value")]
    built_in: Annotated[bool, doc("labelled as a default of Kubernetes")]
    aggregates: Annotated[list[str], doc("selectors of its aggregation rule, as JSON")]
    rules: Annotated[int, doc("how many rules it has")]
    created_at: Annotated[datetime | None, doc("creation time; null: never in a cluster")] = None


class RuleRow(Trace, kw_only=True):
    role_kind: Annotated[str, doc("Role or ClusterRole")]
    namespace: Annotated[str, doc("namespace of the role; empty for a ClusterRole")]
    role: Annotated[str, doc("name of the role")]
    position: Annotated[int, doc("place in rules, from 0")]
    verbs: Annotated[list[str], doc("verbs")]
    api_groups: Annotated[list[str], doc("API groups; '' is the core")]
    resources: Annotated[list[str], doc("resources, with subresources after a slash")]
    resource_names: Annotated[list[str], doc("resource names that it is narrowed to")]
    non_resource_urls: Annotated[list[str], doc("non-resource URLs")]


class BindingRow(Trace, kw_only=True):
    binding_kind: Annotated[str, doc("RoleBinding or ClusterRoleBinding")]
    namespace: Annotated[str, doc("namespace; empty for a ClusterRoleBinding")]
    binding: Annotated[str, doc("name of the binding")]
    position: Annotated[int, doc("place in subjects, from 0; -1 where there is none")]
    role_kind: Annotated[str, doc("kind of the role bound")]
    role: Annotated[str, doc("name of the role bound")]
    subject_kind: Annotated[str | None, doc("User, Group or ServiceAccount; null: no subject")]
    subject: Annotated[str | None, doc("name of the subject")]
    subject_namespace: Annotated[str | None, doc("namespace of a ServiceAccount")]
    built_in: Annotated[bool, doc("labelled as a default of Kubernetes")]


ROLES = Table(
    "roles",
    RoleRow,
    grain="one Role or ClusterRole",
    key=("kind", "namespace", "name"),
    resource=Resource("kind"),
)
RULES = Table(
    "rbac_rules",
    RuleRow,
    grain="one rule of a role",
    key=("role_kind", "namespace", "role", "position"),
    resource=Resource("role_kind", name="role"),
    every_kind=True,
)
BINDINGS = Table(
    "rbac_bindings",
    BindingRow,
    grain="one subject of a binding",
    key=("binding_kind", "namespace", "binding", "position"),
    resource=Resource("binding_kind", name="binding"),
    every_kind=True,
)
_RBAC = "rbac.authorization.k8s.io"
_DEFAULTS = "kubernetes.io/bootstrapping=rbac-defaults"


@collector(
    Read(_RBAC, "Role", "roles", Role),
    Read(_RBAC, "ClusterRole", "clusterroles", Role, namespaced=False),
    tables=(ROLES, RULES),
)
def roles(found: Role, at: Place) -> Iterator[Row]:
    """Yield a role and its rules."""
    labels = found.metadata.label_texts
    aggregation = found.aggregation_rule
    yield RoleRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        namespace=at.namespace,
        name=at.name,
        labels=labels,
        built_in=_DEFAULTS in labels,
        aggregates=[
            msgspec.json.encode(s, order="deterministic").decode()
            for s in (aggregation.cluster_role_selectors or () if aggregation else ())
        ],
        rules=len(found.rules or ()),
        created_at=found.metadata.creation_timestamp,
    )
    for position, rule in enumerate(found.rules or ()):
        yield RuleRow(
            raw=at.raw,
            raw_line=at.line,
            role_kind=at.kind,
            namespace=at.namespace,
            role=at.name,
            position=position,
            verbs=rule.verbs or [],
            api_groups=rule.api_groups or [],
            resources=rule.resources or [],
            resource_names=rule.resource_names or [],
            non_resource_urls=rule.non_resource_urls or [],
        )


@collector(
    Read(_RBAC, "RoleBinding", "rolebindings", RoleBinding),
    Read(_RBAC, "ClusterRoleBinding", "clusterrolebindings", RoleBinding, namespaced=False),
    tables=(BINDINGS,),
)
def rbac_bindings(found: RoleBinding, at: Place) -> Iterator[Row]:
    """Yield one row a subject; a binding without subjects has one row all the same."""
    built_in = _DEFAULTS in found.metadata.label_texts
    subjects: list[tuple[int, Subject | None]] = list(enumerate(found.subjects or ()))
    for position, subject in subjects or [(-1, None)]:
        account = subject if subject and subject.kind == "ServiceAccount" else None
        yield BindingRow(
            raw=at.raw,
            raw_line=at.line,
            binding_kind=at.kind,
            namespace=at.namespace,
            binding=at.name,
            position=position,
            role_kind=found.role_ref.kind,
            role=found.role_ref.name,
            subject_kind=subject.kind if subject else None,
            subject=subject.name if subject else None,
            subject_namespace=(account.namespace or at.namespace or None) if account else None,
            built_in=built_in,
        )
