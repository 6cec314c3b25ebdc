"""Rights over what others rely on: Secrets, configuration, traffic; and powerful roles at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import over_lists
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-SEC-015a",
    layer="secrets",
    severity="high",
    applies="resolved",
    expected="no right to write Secrets, or narrowed to names",
    shows=("subject", "role", "grants"),
)
def secret_write_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Nobody may write every Secret of a namespace or the cluster.

    Whoever writes Secrets swaps certificates and credentials for their own, and makes one
    that the cluster fills with the token of any service account.

    Remedy:
        Narrow the rule to names, and leave the rest to the operator of the secret store.

        rules:
          - {apiGroups: [""], resources: [secrets], resourceNames: [app], verbs: [update]}

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: creates}, rules: [{apiGroups: [""], resources: [secrets], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: bad-creates, namespace: shop}, roleRef: {kind: ClusterRole, name: creates}, subjects: [{kind: ServiceAccount, name: app}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: deletes}, rules: [{apiGroups: ["*"], resources: [secrets], verbs: [delete]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-deletes}, roleRef: {kind: ClusterRole, name: deletes}, subjects: [{kind: User, name: ann}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: reads}, rules: [{apiGroups: [""], resources: [secrets], verbs: [get, list, watch]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-reads}, roleRef: {kind: ClusterRole, name: reads}, subjects: [{kind: User, name: ann}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: one}, rules: [{apiGroups: [""], resources: [secrets], verbs: [update], resourceNames: [app]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-one}, roleRef: {kind: ClusterRole, name: one}, subjects: [{kind: User, name: ann}]}
    """
    return permissions["secret_writes"]


@control(
    "KA-DEP-078a",
    layer="deploy",
    severity="high",
    applies="resolved",
    expected="no right to write services, endpoints, ingresses or network policies",
    shows=("subject", "role", "grants"),
)
def traffic_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Only deployers may change where traffic goes.

    Services, their status and their endpoints decide who answers for a name (CVE-2020-8554,
    CVE-2021-25740); ingresses and network policies decide who may ask.

    Remedy:
        Give it to the deployer alone, by namespace; leave endpoints to Kubernetes.

        rules: []

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-slices}, rules: [{apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [update]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-slices}, roleRef: {kind: ClusterRole, name: r-slices}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-status}, rules: [{apiGroups: [""], resources: [services/status], verbs: [patch]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-status}, roleRef: {kind: ClusterRole, name: r-status}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-policies}, rules: [{apiGroups: [networking.k8s.io], resources: [networkpolicies], verbs: [delete]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: bad-policies, namespace: shop}, roleRef: {kind: ClusterRole, name: r-policies}, subjects: [{kind: User, name: ann}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-reads}, rules: [{apiGroups: ["", networking.k8s.io], resources: [services, endpoints, ingresses], verbs: [get, list, watch]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-reads}, roleRef: {kind: ClusterRole, name: r-reads}, subjects: [{kind: User, name: ann}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-other-group}, rules: [{apiGroups: [example.com], resources: [services], verbs: [update]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-other-group}, roleRef: {kind: ClusterRole, name: r-other-group}, subjects: [{kind: User, name: ann}]}
    """
    return permissions["network"]


@control(
    "KA-DEP-062a",
    layer="deploy",
    severity="info",
    expected="a binding, or neither wildcard nor a right that leads to those of others",
    shows=("leads_to", "idle"),
)
def powerful_idle_role(role_rights: pd.DataFrame) -> pd.Series[Any]:
    """Roles that nobody is bound to would give no right that leads further.

    Such a role waits for its first binding, which looks harmless. Where the bindings are kept
    elsewhere than the roles, this is all that can be said of the roles.

    Remedy:
        Delete the role, or write out the verbs and resources that its holders will need.

        rules:
          - {apiGroups: [""], resources: [configmaps], verbs: [get, list]}

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: bad-wildcard}, rules: [{apiGroups: [apps], resources: ["*"], verbs: [get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: bad-exec, namespace: front}, rules: [
          {apiGroups: [""], resources: [pods], verbs: [get]}, {apiGroups: [""], resources: [pods/exec], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: ok-reads}, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: ok-bound}, rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b, namespace: shop}, roleRef: {kind: ClusterRole, name: ok-bound}, subjects: [{kind: User, name: ann}]}
    """
    powerful = over_lists(
        role_rights["leads_to"], lambda names: not {"takeover", "wildcard"}.isdisjoint(names)
    )
    return powerful & role_rights["idle"]


@control(
    "KA-DEP-078",
    layer="deploy",
    severity="medium",
    applies="resolved",
    expected="no right to write all ConfigMaps there, or one of those",
    shows=("subject", "role", "grants"),
)
def configuration_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Nobody may write the ConfigMaps that the whole cluster relies on.

    Cluster DNS, proxies and cloud identity mappings are ConfigMaps of kube-system, the identity
    of the cluster is one of kube-public: whoever writes them redirects traffic and grants access.

    Remedy:
        Narrow the rule to names.

        rules:
          - {apiGroups: [""], resources: [configmaps], resourceNames: [app], verbs: [update]}

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-of-the-system}, rules: [{apiGroups: [""], resources: [configmaps], verbs: [patch]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: bad-of-the-system, namespace: kube-system}, roleRef: {kind: ClusterRole, name: r-bad-of-the-system}, subjects: [{kind: ServiceAccount, name: bad-of-the-system, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-dns}, rules: [{apiGroups: [""], resources: [configmaps], resourceNames: [coredns], verbs: [patch]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-dns}, roleRef: {kind: ClusterRole, name: r-bad-dns}, subjects: [{kind: ServiceAccount, name: bad-dns, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-of-a-namespace}, rules: [{apiGroups: [""], resources: [configmaps], verbs: [patch]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: ok-of-a-namespace, namespace: shop}, roleRef: {kind: ClusterRole, name: r-ok-of-a-namespace}, subjects: [{kind: ServiceAccount, name: ok-of-a-namespace, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-all}, rules: [{apiGroups: [""], resources: [configmaps], verbs: [update]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-all}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-all}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-named}, rules: [{apiGroups: [""], resources: [configmaps], verbs: [update], resourceNames: [app]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-named}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-named}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-reads}, rules: [{apiGroups: [""], resources: [configmaps], verbs: [get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-reads}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-reads}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
    """
    return permissions["configuration"]


@control(
    "KA-SEC-015",
    layer="secrets",
    severity="high",
    applies="resolved",
    expected="Secrets narrowed to names",
    shows=("subject", "role", "grants"),
)
def secret_rights(permissions: pd.DataFrame) -> pd.Series[Any]:
    """Nobody may read every Secret of a namespace or the cluster.

    list and watch return the values too. A * on resources of another API group does not
    grant Secrets, and is not counted.

    Remedy:
        Narrow the rule to names, or mount the Secret.

        rules:
          - {apiGroups: [""], resources: [secrets], resourceNames: [app], verbs: [get]}

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-list}, rules: [{apiGroups: [""], resources: [secrets], verbs: [list]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-list}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-list}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-bad-star}, rules: [{apiGroups: [""], resources: ["*"], verbs: [get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-star}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-bad-star}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-named}, rules: [{apiGroups: [""], resources: [secrets], verbs: [get], resourceNames: [app]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-named}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-named}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r-ok-star-elsewhere}, rules: [{apiGroups: ["apps"], resources: ["*"], verbs: [get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-star-elsewhere}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r-ok-star-elsewhere}, subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
    """
    return permissions["all_secrets"]
