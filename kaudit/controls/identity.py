"""Which service account a pod has, and which tokens reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import series
from kaudit.parameters import parameters
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-072a",
    layer="deploy",
    severity="low",
    expected="a service account that exists",
    shows=("service_account",),
    null="no service account is in the evidence",
)
def missing_service_account(
    pod_context: pd.DataFrame, service_accounts: pd.DataFrame
) -> pd.Series[Any]:
    """Pods name a service account that exists.

    A pod whose account is missing is refused, until somebody makes an account of that name:
    with it come the rights that bindings already give to the name.

    Remedy:
        Make the account together with the workload, or correct the name.

        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: app}

    Cases:
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: web, namespace: front}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-name, namespace: front}, spec: {template: {spec: {
          serviceAccountName: wed, containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-namespace, namespace: other}, spec: {serviceAccount: web,
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-there, namespace: front}, spec: {serviceAccountName: web,
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-default, namespace: other}, spec: {containers: [{name: c, image: i}]}}
    """
    import pyarrow as pa

    if service_accounts.empty:
        return series(pa.nulls(len(pod_context), pa.bool_()), pod_context)
    named = ~pod_context["default_service_account"] & (pod_context["service_account"] != "")
    return named & ~pod_context["service_account_known"]


@control(
    "KA-DEP-073",
    layer="deploy",
    severity="medium",
    weak=("service_accounts",),
    expected="a service account of its own, or no token",
    shows=("service_account", "token_mounted", "token_setting"),
)
def default_service_account(pod_context: pd.DataFrame) -> pd.Series[Any]:
    """No pod uses the token of the default service account.

    Every pod of the namespace that names no account shares it: a right granted to one is
    granted to all.

    Remedy:
        Make an account for the workload, and mount no token where none is used.

        spec:
          serviceAccountName: app
          automountServiceAccountToken: false

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-named}, spec: {serviceAccountName: default,
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-own}, spec: {serviceAccountName: app,
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-no-token}, spec: {automountServiceAccountToken: false,
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: default, namespace: shut}, automountServiceAccountToken: false}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-account-says-no, namespace: shut}, spec: {containers: [{name: c, image: i}]}}
    """
    return pod_context["default_service_account"] & pod_context["token_mounted"]


@control(
    "KA-DEP-073b",
    layer="deploy",
    severity="low",
    expected="automountServiceAccountToken is false",
    shows=("mounts_token",),
)
def default_account_gives_token(default_accounts: pd.DataFrame) -> pd.Series[Any]:
    """Default service accounts give their token to no pod.

    Pods that name no account have this one. Switched off here, a workload gets a token only
    where somebody decided that it needs one.

    Remedy:
        Switch it off in every namespace.

        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: default}
        automountServiceAccountToken: false

    Cases:
        # cluster: bad-unset
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: default, namespace: shop}}
        # cluster: bad-true
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: default, namespace: shop}, automountServiceAccountToken: true}
        # cluster: ok-false
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: default, namespace: shop}, automountServiceAccountToken: false}
        # cluster: ok-another
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: app, namespace: shop}}
    """
    return default_accounts["mounts_token"]


@control(
    "KA-DEP-074",
    layer="deploy",
    severity="medium",
    weak=("service_accounts", "rbac_bindings", "rbac_rules", "roles"),
    against=("rbac_bindings", "rbac_rules", "roles"),
    expected="no token for the API server where the account has no rights",
    shows=("service_account", "token_mounted", "token_projected", "token_setting", "has_rights"),
)
def token_without_need(pod_tokens: pd.DataFrame) -> pd.Series[Any]:
    """Pods hold a token for the API server only where their account has rights.

    The token is the first thing that an intruder looks for. Where no binding gives the
    account a right, the program does not need it; but every right that is given to the
    account, or to all accounts, later reaches the intruder too.

    Remedy:
        Switch it off at the pod or the account.

        spec:
          automountServiceAccountToken: false

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset}, spec: {serviceAccountName: app,
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-true}, spec: {automountServiceAccountToken: true,
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: quiet}, automountServiceAccountToken: false}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-pod-beats-account}, spec: {serviceAccountName: quiet,
          automountServiceAccountToken: true, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-projected}, spec: {automountServiceAccountToken: false,
          containers: [{name: c, image: i}], volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: t}}]}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-pod}, spec: {automountServiceAccountToken: false,
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-account}, spec: {serviceAccountName: quiet,
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-token-of-a-vault}, spec: {automountServiceAccountToken: false,
          containers: [{name: c, image: i}], volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: t, audience: vault}}]}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-static, namespace: kube-system, annotations: {
          kubernetes.io/config.mirror: abc}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: reads, namespace: shop},
          roleRef: {kind: ClusterRole, name: view}, subjects: [{kind: ServiceAccount, name: operator, namespace: default}]}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-used}, spec: {serviceAccountName: operator, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-same-name-elsewhere, namespace: shop}, spec: {serviceAccountName: operator,
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: all, namespace: tools},
          roleRef: {kind: ClusterRole, name: view}, subjects: [{kind: Group, name: "system:serviceaccounts:tools"}]}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-by-its-group, namespace: tools}, spec: {containers: [{name: c, image: i}]}}
    """
    return pod_tokens["needless"]


@control(
    "KA-DEP-074a",
    layer="deploy",
    severity="low",
    weak=("service_accounts",),
    expected="automountServiceAccountToken is false, at the pod or its account",
    shows=("service_account", "token_mounted", "token_setting"),
)
def token_mounted(pod_context: pd.DataFrame) -> pd.Series[Any]:
    """Pods have no service-account token mounted automatically.

    Unset means yes. A program that calls the API server is better given a projected token in
    the one container that uses it: an automatic one is in all of them.

    Remedy:
        Switch it off, and project a token where it is used.

        spec:
          automountServiceAccountToken: false

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset}, spec: {serviceAccountName: app,
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: loud}, automountServiceAccountToken: true}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: bad-account}, spec: {template: {spec: {
          serviceAccountName: loud, containers: [{name: c, image: i}]}}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-pod-beats-account}, spec: {serviceAccountName: loud,
          automountServiceAccountToken: false, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-projected}, spec: {automountServiceAccountToken: false,
          containers: [{name: c, image: i}], volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: t}}]}}]}}
    """
    return pod_context["token_mounted"]


@control(
    "KA-SEC-018",
    layer="secrets",
    severity="low",
    expected="expirationSeconds within the limit",
    shows=("volume", "audience", "expiration_seconds"),
)
def long_lived_token(projected_tokens: pd.DataFrame) -> pd.Series[Any]:
    """Projected service-account tokens are short-lived.

    A token that leaks is good until it ends; the kubelet renews short ones by itself. How
    long is too long is the parameter token_max_seconds, a day by default.

    Remedy:
        Ask for an hour.

        volumes:
          - name: token
            projected:
              sources: [{serviceAccountToken: {path: token, expirationSeconds: 3600}}]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-year}, spec: {containers: [{name: c, image: i}], volumes: [
          {name: v, projected: {sources: [{serviceAccountToken: {path: t, expirationSeconds: 31536000}}]}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-second-of-two}, spec: {containers: [{name: c, image: i}], volumes: [
          {name: v, projected: {sources: [{serviceAccountToken: {path: t}}, {serviceAccountToken: {path: u, audience: vault, expirationSeconds: 86401}}]}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-day}, spec: {containers: [{name: c, image: i}], volumes: [
          {name: v, projected: {sources: [{serviceAccountToken: {path: t, expirationSeconds: 86400}}]}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-hour}, spec: {containers: [{name: c, image: i}], volumes: [
          {name: v, projected: {sources: [{serviceAccountToken: {path: t}}, {configMap: {name: m}}]}}]}}
    """
    return projected_tokens["expiration_seconds"] > parameters().token_max_seconds
