"""Which service account a pod has, and which tokens reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

#: Longest life of a projected token that is not a finding, in seconds.
TOKEN_SECONDS = 24 * 3600


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
    "KA-DEP-074",
    layer="deploy",
    severity="medium",
    weak=("service_accounts",),
    expected="automountServiceAccountToken is false, at the pod or its account",
    shows=("service_account", "token_mounted", "token_setting"),
)
def token_mounted(pod_context: pd.DataFrame) -> pd.Series[Any]:
    """Pods have no service-account token mounted automatically.

    Unset means yes. The token is the first thing that an intruder looks for, and most
    programs never call the API server.

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
        {apiVersion: v1, kind: Pod, metadata: {name: ok-pod}, spec: {automountServiceAccountToken: false,
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-account}, spec: {serviceAccountName: quiet,
          containers: [{name: c, image: i}]}}
    """
    return pod_context["token_mounted"]


@control(
    "KA-SEC-018",
    layer="secrets",
    severity="low",
    expected="projected tokens live a day at most",
    shows=("volume", "audience", "expiration_seconds"),
)
def long_lived_token(projected_tokens: pd.DataFrame) -> pd.Series[Any]:
    """Projected service-account tokens live a day at most.

    A token that leaks is good until it ends; the kubelet renews short ones by itself.

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
        {apiVersion: v1, kind: Pod, metadata: {name: ok-hour}, spec: {containers: [{name: c, image: i}], volumes: [
          {name: v, projected: {sources: [{serviceAccountToken: {path: t}}, {configMap: {name: m}}]}}]}}
    """
    return projected_tokens["expiration_seconds"] > TOKEN_SECONDS
