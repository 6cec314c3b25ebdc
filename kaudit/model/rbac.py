"""RBAC objects on the wire."""

from __future__ import annotations

from msgspec import field

from kaudit.model.meta import LabelSelector, Part, Resource


class PolicyRule(Part):
    """rules[]."""

    verbs: list[str] | None = None
    api_groups: list[str] | None = None
    resources: list[str] | None = None
    resource_names: list[str] | None = None
    non_resource_urls: list[str] | None = field(default=None, name="nonResourceURLs")


class Aggregation(Part):
    """aggregationRule."""

    cluster_role_selectors: list[LabelSelector] | None = None


class Role(Resource):
    """Role or ClusterRole."""

    rules: list[PolicyRule] | None = None
    aggregation_rule: Aggregation | None = None


class RoleRef(Part):
    """roleRef."""

    kind: str = ""
    name: str = ""


class Subject(Part):
    """subjects[]."""

    kind: str = ""
    name: str = ""
    namespace: str | None = None


class RoleBinding(Resource):
    """RoleBinding or ClusterRoleBinding."""

    role_ref: RoleRef = field(default_factory=RoleRef)
    subjects: list[Subject] | None = None
