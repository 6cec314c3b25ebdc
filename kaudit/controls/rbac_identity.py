"""How rights grow unseen, and with which credentials people come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import over_texts, series, text_is
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-076",
    layer="deploy",
    severity="medium",
    expected="nothing that leads further than the default roles",
    shows=("into", "adds"),
)
def aggregated_rights(aggregated_roles: pd.DataFrame) -> pd.Series[Any]:
    """Nothing adds rights that lead further to admin, edit or view.

    A label makes the rules of a ClusterRole part of these three: everybody who was given one
    of them has the rights at once, and no binding tells. Operators add their own kinds this
    way; secrets, exec, the verbs of escalation and endpoints (CVE-2021-25740) do not belong
    there. Whoever may write ClusterRoles may do so (KA-DEP-065).

    Remedy:
        Take the label off, and bind the rights to those who need them.

        kubectl label clusterrole <name> rbac.authorization.k8s.io/aggregate-to-view-

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: bad-secrets-for-readers, labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}},
          rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: bad-escalates, labels: {rbac.authorization.k8s.io/aggregate-to-admin: "true"}},
          rules: [{apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [bind]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: bad-endpoints-of-old, labels: {rbac.authorization.k8s.io/aggregate-to-edit: "true"}},
          rules: [{apiGroups: [""], resources: [endpoints], verbs: [update]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: ok-own-kind, labels: {rbac.authorization.k8s.io/aggregate-to-view: "true", rbac.authorization.k8s.io/aggregate-to-edit: "true"}},
          rules: [{apiGroups: [example.com], resources: [widgets], verbs: [get, update]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: ok-secrets-for-editors, labels: {rbac.authorization.k8s.io/aggregate-to-edit: "true"}},
          rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: ok-unlabelled}, rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]}
    """
    return aggregated_roles["grown"]


@control(
    "KA-DEP-072b",
    layer="deploy",
    severity="info",
    applies="judged",
    weak=("rbac_rules", "roles"),
    compares=True,
    expected="one binding for each role, subject and namespace",
    shows=("subject", "role", "same_as"),
)
def repeated_grant(bound_subjects: pd.DataFrame) -> pd.Series[Any]:
    """No subject is given the same role in the same place twice.

    Whoever takes the right away deletes one binding, and the other keeps it.

    Remedy:
        Delete one of them.

        kubectl delete rolebinding <name>

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: bad-one, namespace: shop}, roleRef: {kind: ClusterRole, name: view},
          subjects: [{kind: User, name: ann}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: bad-two, namespace: shop}, roleRef: {kind: ClusterRole, name: view},
          subjects: [{kind: Group, name: ops}, {kind: User, name: ann}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: ok-elsewhere, namespace: blog}, roleRef: {kind: ClusterRole, name: view},
          subjects: [{kind: User, name: ann}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: ok-other-role, namespace: shop}, roleRef: {kind: ClusterRole, name: edit},
          subjects: [{kind: User, name: ann}]}
    """
    return bound_subjects["repeated"]


@control(
    "KA-DEP-079",
    layer="deploy",
    severity="medium",
    expected="no approved certificate for the API server that a person asked for",
    shows=("signer", "username", "groups", "expiration_seconds"),
    null="the request does not say who made it",
)
def personal_certificate(certificate_requests: pd.DataFrame) -> pd.Series[Any]:
    """People do not come with client certificates.

    A certificate cannot be revoked while it lives, knows no second factor and no leaver. What
    components and kubelets ask for is expected; for people there are identity providers.

    Remedy:
        Sign people in by OpenID Connect, and let the certificate run out.

        kubectl delete csr <name>

    Cases:
        {apiVersion: certificates.k8s.io/v1, kind: CertificateSigningRequest, metadata: {name: bad-ann}, spec: {signerName: kubernetes.io/kube-apiserver-client,
          username: ann, groups: ["system:authenticated"], usages: [client auth]}, status: {conditions: [{type: Approved, status: "True"}]}}
        ---
        {apiVersion: certificates.k8s.io/v1, kind: CertificateSigningRequest, metadata: {name: ok-kubelet}, spec: {signerName: kubernetes.io/kube-apiserver-client-kubelet,
          username: "system:node:a", groups: ["system:nodes"], usages: [client auth]}, status: {conditions: [{type: Approved, status: "True"}]}}
        ---
        {apiVersion: certificates.k8s.io/v1, kind: CertificateSigningRequest, metadata: {name: ok-component}, spec: {signerName: kubernetes.io/kube-apiserver-client,
          username: "system:serviceaccount:ops:agent", usages: [client auth]}, status: {conditions: [{type: Approved, status: "True"}]}}
        ---
        {apiVersion: certificates.k8s.io/v1, kind: CertificateSigningRequest, metadata: {name: ok-waits}, spec: {signerName: kubernetes.io/kube-apiserver-client,
          username: ann, usages: [client auth]}}
        ---
        {apiVersion: certificates.k8s.io/v1, kind: CertificateSigningRequest, metadata: {name: ok-own-signer}, spec: {signerName: example.com/web,
          username: ann, usages: [client auth]}, status: {conditions: [{type: Approved, status: "True"}]}}
    """
    import pyarrow as pa

    r = certificate_requests
    issued = (
        text_is(r["signer"], "kubernetes.io/kube-apiserver-client") & r["approved"] & ~r["denied"]
    )
    person = over_texts(
        r["username"],
        lambda text: not text.startswith("system:"),
        unset=pa.scalar(None, pa.bool_()),
    )
    return issued & person


@control(
    "KA-DEP-079a",
    layer="deploy",
    severity="medium",
    expected="no bootstrap token once the nodes have joined",
    shows=("type",),
)
def bootstrap_token(secrets: pd.DataFrame) -> pd.Series[Any]:
    """No bootstrap token is left.

    Such a token lets whoever has it join a node, or what passes for one. Those that have run
    out are deleted by a controller, so one that is there is good, often for ever.

    Remedy:
        Delete it; kubeadm makes one where a node is to join.

        kubectl -n kube-system delete secret bootstrap-token-<id>

    Cases:
        {apiVersion: v1, kind: Secret, metadata: {name: bad-bootstrap-token, namespace: kube-system}, type: bootstrap.kubernetes.io/token}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: bad-by-type, namespace: kube-system}, type: bootstrap.kubernetes.io/token}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-opaque, namespace: kube-system}, type: Opaque}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-elsewhere, namespace: shop}, type: bootstrap.kubernetes.io/token}
    """
    named = over_texts(secrets["name"], lambda text: text.startswith("bootstrap-token-"))
    typed = text_is(secrets["type"], "bootstrap.kubernetes.io/token")
    unknown = series(secrets["type"].isna().to_numpy(dtype=bool), secrets)
    there = text_is(secrets["namespace"], "kube-system")
    return there & (typed | (unknown & named))


@control(
    "KA-DEP-061a",
    layer="deploy",
    severity="critical",
    applies="resolved",
    compares=True,
    expected="no right that leads to those of others for all users or all service accounts",
    shows=("subject", "role", "grants"),
)
def everyone_takes_over(bound_subjects: pd.DataFrame) -> pd.Series[Any]:
    """No right that leads to the rights of others is given to everyone.

    Any program in any pod, or anybody who can sign in, then takes what others have: there is
    nothing left to break into.

    Remedy:
        Delete the binding, and bind the accounts that need it.

        kubectl delete clusterrolebinding <name>

    Cases:
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: bad-editors}, roleRef: {kind: ClusterRole, name: edit},
          subjects: [{kind: Group, name: "system:authenticated"}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: bad-pods-of-a-namespace, namespace: shop}, roleRef: {kind: ClusterRole, name: edit},
          subjects: [{kind: Group, name: "system:serviceaccounts:shop"}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-readers}, roleRef: {kind: ClusterRole, name: view},
          subjects: [{kind: Group, name: "system:authenticated"}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ok-one}, roleRef: {kind: ClusterRole, name: edit},
          subjects: [{kind: ServiceAccount, name: app, namespace: shop}]}
    """
    everyone = text_is(bound_subjects["subject_class"], "everyone", "anonymous")
    return everyone & bound_subjects["takeover"]
