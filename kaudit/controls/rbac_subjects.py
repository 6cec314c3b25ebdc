"""Who holds rights: administrators, everyone, nobody, and accounts that should not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import arrow, positions, series, text_is
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-058",
    layer="deploy",
    severity="critical",
    applies="resolved",
    expected="no binding to cluster-admin or a role that equals it",
    shows=("subject_class", "subject", "role"),
)
def administrators(bound_subjects: pd.DataFrame) -> pd.Series[Any]:
    """Nobody holds everything on everything.

    cluster-admin, and any role that allows every verb on every resource of every group, is the
    cluster. The built-in binding of system:masters is not counted here.

    Remedy:
        Bind a role with the rights in use.

        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-by-name}, roleRef: {kind: ClusterRole, name: cluster-admin},
          subjects: [{kind: ServiceAccount, name: ci, namespace: ci}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: superuser}, rules: [
          {apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: bad-by-content, namespace: shop}, roleRef: {kind: ClusterRole, name: superuser},
          subjects: [{kind: User, name: ann}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: reader}, rules: [
          {apiGroups: ["*"], resources: ["*"], verbs: [get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-reader}, roleRef: {kind: ClusterRole, name: reader},
          subjects: [{kind: User, name: ann}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: cluster-admin, labels: {kubernetes.io/bootstrapping: rbac-defaults}},
          roleRef: {kind: ClusterRole, name: cluster-admin}, subjects: [{kind: Group, name: "system:masters"}]}
    """
    return bound_subjects["admin"]


@control(
    "KA-DEP-059",
    layer="deploy",
    severity="critical",
    applies="judged",
    weak=("rbac_rules", "roles"),
    expected="no binding to system:masters",
    shows=("subject", "role"),
)
def masters(bound_subjects: pd.DataFrame) -> pd.Series[Any]:
    """No binding names the group system:masters.

    Its members pass every authorizer and cannot be revoked while their certificate lives. The
    default binding alone is expected.

    Remedy:
        Bind a group of your identity provider instead.

        subjects: [{kind: Group, name: platform-admins, apiGroup: rbac.authorization.k8s.io}]

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-second}, roleRef: {kind: ClusterRole, name: view},
          subjects: [{kind: Group, name: "system:masters"}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-own-group}, roleRef: {kind: ClusterRole, name: view},
          subjects: [{kind: Group, name: admins}]}
    """
    return text_is(bound_subjects["subject_class"], "masters")


@control(
    "KA-DEP-060",
    layer="deploy",
    severity="critical",
    applies="judged",
    weak=("rbac_rules", "roles"),
    expected="no rights for system:anonymous or system:unauthenticated",
    shows=("subject", "role", "grants"),
)
def anonymous(bound_subjects: pd.DataFrame) -> pd.Series[Any]:
    """Nobody has rights without saying who they are.

    Requests without credentials are system:anonymous. The defaults let them read the version
    and whether the API server is healthy, and nothing else.

    Remedy:
        Delete the binding.

        kubectl delete clusterrolebinding <name>

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-user}, roleRef: {kind: ClusterRole, name: view},
          subjects: [{kind: User, name: "system:anonymous"}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: bad-group, namespace: shop}, roleRef: {kind: Role, name: r},
          subjects: [{kind: Group, name: a}, {kind: Group, name: "system:unauthenticated"}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: "system:public-info-viewer"}, roleRef: {kind: ClusterRole, name: "system:public-info-viewer"},
          subjects: [{kind: Group, name: "system:unauthenticated"}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-user}, roleRef: {kind: ClusterRole, name: view},
          subjects: [{kind: User, name: ann}]}
    """
    return text_is(bound_subjects["subject_class"], "anonymous")


@control(
    "KA-DEP-061",
    layer="deploy",
    severity="high",
    applies="judged",
    weak=("rbac_rules", "roles"),
    expected="no rights for all users or all service accounts",
    shows=("subject", "role", "grants"),
)
def everyone(bound_subjects: pd.DataFrame) -> pd.Series[Any]:
    """No right is given to all users or all service accounts.

    system:authenticated is whoever the identity provider knows, on some clouds anybody with an
    account there; system:serviceaccounts is every pod.

    Remedy:
        Bind the accounts that need it.

        subjects: [{kind: ServiceAccount, name: app, namespace: shop}]

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-all-users}, roleRef: {kind: ClusterRole, name: view},
          subjects: [{kind: Group, name: "system:authenticated"}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-all-of-a-namespace}, roleRef: {kind: ClusterRole, name: view},
          subjects: [{kind: Group, name: "system:serviceaccounts:shop"}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-one}, roleRef: {kind: ClusterRole, name: view},
          subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
    """
    return text_is(bound_subjects["subject_class"], "everyone")


@control(
    "KA-DEP-072",
    layer="deploy",
    severity="low",
    applies="judged",
    expected="bindings to roles and accounts that exist",
    shows=("subject", "role", "dangling", "placeless"),
)
def dangling_binding(
    bound_subjects: pd.DataFrame, service_accounts: pd.DataFrame
) -> pd.Series[Any]:
    """Bindings name roles and service accounts that exist.

    Whoever makes the missing role or account later inherits what the binding says, unnoticed.
    Users and groups live outside the cluster and cannot be looked up.

    Remedy:
        Delete the binding.

        kubectl delete rolebinding <name>

    Cases:
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: app, namespace: shop}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: there}, rules: [
          {apiGroups: [""], resources: [pods], verbs: [get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-role}, roleRef: {kind: ClusterRole, name: gone},
          subjects: [{kind: User, name: ann}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-account}, roleRef: {kind: ClusterRole, name: there},
          subjects: [{kind: ServiceAccount, name: gone, namespace: shop}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-no-namespace}, roleRef: {kind: ClusterRole, name: there},
          subjects: [{kind: ServiceAccount, name: app}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: ok-default-role, namespace: shop}, roleRef: {kind: ClusterRole, name: view},
          subjects: [{kind: User, name: ann}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-both}, roleRef: {kind: ClusterRole, name: there},
          subjects: [{kind: ServiceAccount, name: app, namespace: shop}, {kind: User, name: ann}]}
    """
    import pyarrow.compute as pc

    known = pc.binary_join_element_wise(
        arrow(service_accounts["namespace"]), arrow(service_accounts["name"]), "/"
    )
    found = series(positions(bound_subjects["subject"], known) >= 0, bound_subjects)
    account = text_is(bound_subjects["subject_kind"], "ServiceAccount")
    # Every cluster has accounts: where the evidence has none, they were not read.
    lost = account & ~found if len(service_accounts) else account & ~account
    return bound_subjects["dangling"] | bound_subjects["placeless"] | lost


@control(
    "KA-DEP-073a",
    layer="deploy",
    severity="medium",
    applies="judged",
    weak=("rbac_rules", "roles"),
    expected="no rights for a default service account",
    shows=("subject", "role", "grants"),
)
def default_account_bound(bound_subjects: pd.DataFrame) -> pd.Series[Any]:
    """No default service account has rights.

    Every pod of the namespace that names no account has them too.

    Remedy:
        Make an account for the workload and bind that.

        subjects: [{kind: ServiceAccount, name: app, namespace: shop}]

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: bad-default, namespace: shop}, roleRef: {kind: ClusterRole, name: view},
          subjects: [{kind: ServiceAccount, name: default}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: ok-own, namespace: shop}, roleRef: {kind: ClusterRole, name: view},
          subjects: [{kind: ServiceAccount, name: app}]}
    """
    return text_is(bound_subjects["subject_class"], "default account")


@control(
    "KA-DEP-075",
    layer="deploy",
    severity="critical",
    weak=("service_accounts",),
    against=("rbac_bindings", "rbac_rules", "roles"),
    expected="a service account without rights that lead to those of others",
    shows=("service_account", "token_setting", "leads"),
)
def powerful_workload(pod_tokens: pd.DataFrame) -> pd.Series[Any]:
    """No workload's token leads to the rights of others.

    An intruder in such a pod can create pods, read all secrets, write RBAC, enter other pods
    or act as others, and so take the cluster step by step. Rights of the groups that every
    service account is in count too.

    Remedy:
        Narrow the role; run what needs it apart from what is exposed.

        automountServiceAccountToken: false

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: deployer}, rules: [
          {apiGroups: [apps], resources: [deployments], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: deploys, namespace: shop}, roleRef: {kind: ClusterRole, name: deployer},
          subjects: [{kind: ServiceAccount, name: ci, namespace: ci}]}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-deployer, namespace: ci}, spec: {serviceAccountName: ci, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-no-token, namespace: ci}, spec: {serviceAccountName: ci,
          automountServiceAccountToken: false, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-other-namespace, namespace: shop}, spec: {serviceAccountName: ci, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-projected, namespace: ci}, spec: {serviceAccountName: ci, automountServiceAccountToken: false,
          containers: [{name: c, image: i}], volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: t}}]}}]}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: all-deploy, namespace: tools}, roleRef: {kind: ClusterRole, name: deployer},
          subjects: [{kind: Group, name: "system:serviceaccounts:tools"}]}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-by-its-group, namespace: tools}, spec: {containers: [{name: c, image: i}]}}
    """
    return pod_tokens["powerful"]
