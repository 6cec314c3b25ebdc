"""Who is taken at their word by the API server: authentication, authorization, tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import empty, listing, text_is
from kaudit.model.platform import FALSE
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-080",
    layer="deploy",
    severity="high",
    applies="api_server",
    expected="--anonymous-auth=false, or an authentication configuration",
    shows=("anonymous_auth", "authentication_config"),
)
def anonymous_requests(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The API server takes no request without credentials.

    Unset means yes: whoever reaches the port is system:anonymous, and one careless binding
    away from rights. An authentication configuration may narrow it to the health endpoints
    (v1.34), which is not seen here.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--anonymous-auth=false"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-true, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --anonymous-auth=true]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-bare, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --anonymous-auth]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-false, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --anonymous-auth=false]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-configured, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --authentication-config=/etc/k/authn.yaml]}]}}
    """
    c = control_plane
    return ~text_is(c["anonymous_auth"], *FALSE) & empty(c["authentication_config"])


@control(
    "KA-DEP-081a",
    layer="deploy",
    severity="high",
    applies="api_server",
    expected="no --token-auth-file, no --basic-auth-file",
    shows=("token_auth_file", "basic_auth_file"),
    references={"cis-kubernetes": ("1.2.2",)},
)
def static_credentials(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The API server reads no credentials from a file.

    Tokens and passwords of such a file never end, and are changed only by a restart.

    Remedy:
        Remove the flag.

        command: [kube-apiserver]  # without --token-auth-file

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-token, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --token-auth-file=/etc/k/tokens.csv]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-basic, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --basic-auth-file=/etc/k/users.csv]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-none, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
    """
    c = control_plane
    return ~(empty(c["token_auth_file"]) & empty(c["basic_auth_file"]))


@control(
    "KA-DEP-081b",
    layer="deploy",
    severity="high",
    applies="api_server",
    expected="a --client-ca-file",
    shows=("client_ca_file",),
    references={"cis-kubernetes": ("1.2.25",)},
)
def no_client_authority(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The API server knows the authority of client certificates.

    Without it components and administrators cannot authenticate by certificate, and other
    ways are left that are weaker.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--client-ca-file=/etc/kubernetes/pki/ca.crt"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-empty, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --client-ca-file=]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --client-ca-file=/etc/kubernetes/pki/ca.crt]}]}}
    """
    return empty(control_plane["client_ca_file"])


@control(
    "KA-DEP-081c",
    layer="deploy",
    severity="critical",
    applies="api_server",
    expected="no insecure port or address, a secure port",
    shows=("insecure_port", "insecure_bind_address", "secure_port"),
)
def insecure_port(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The API server listens with TLS and authentication only.

    On the insecure port every request is an administrator's. It was removed in v1.24; the
    secure port cannot be switched off: 0 is no port.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--secure-port=6443"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-port, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --insecure-port=8080]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-address, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --insecure-bind-address=0.0.0.0]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-no-tls, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --secure-port=0]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-zero, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --insecure-port=0, --secure-port=6443]}]}}
    """
    c = control_plane
    insecure = ~text_is(c["insecure_port"].fillna("0"), "0", "")
    return insecure | ~empty(c["insecure_bind_address"]) | text_is(c["secure_port"], "0")


@control(
    "KA-DEP-082a",
    layer="deploy",
    severity="critical",
    applies="api_server",
    expected="--authorization-mode without AlwaysAllow",
    shows=("authorization_mode", "authorization_config"),
    references={"cis-kubernetes": ("1.2.6",)},
)
def everything_authorized(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The API server does not allow everything.

    AlwaysAllow makes every caller an administrator, whatever stands beside it. It is the
    default where neither modes nor a configuration are given.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--authorization-mode=Node,RBAC"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-alone, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --authorization-mode=AlwaysAllow]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-among, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, "--authorization-mode=RBAC,AlwaysAllow"]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-modes, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, "--authorization-mode=Node,RBAC"]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-configured, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --authorization-config=/etc/k/authz.yaml]}]}}
    """
    c = control_plane
    modes = c["authorization_mode"].fillna("AlwaysAllow")
    return listing(modes, "AlwaysAllow") & empty(c["authorization_config"])


@control(
    "KA-DEP-082b",
    layer="deploy",
    severity="high",
    applies="api_server",
    expected="--authorization-mode with Node",
    shows=("authorization_mode", "authorization_config"),
    references={"cis-kubernetes": ("1.2.7",)},
)
def nodes_not_confined(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The API server confines kubelets by the Node authorizer.

    Without it a kubelet has the rights of a role, and one node's credentials read the Secrets
    of all.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--authorization-mode=Node,RBAC"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-missing, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --authorization-mode=RBAC]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-modes, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, "--authorization-mode=Node,RBAC"]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-configured, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --authorization-config=/etc/k/authz.yaml]}]}}
    """
    c = control_plane
    return ~listing(c["authorization_mode"], "Node") & empty(c["authorization_config"])


@control(
    "KA-DEP-082c",
    layer="deploy",
    severity="critical",
    applies="api_server",
    expected="--authorization-mode with RBAC",
    shows=("authorization_mode", "authorization_config"),
    references={"cis-kubernetes": ("1.2.8",)},
)
def no_rbac(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The API server authorizes by RBAC.

    Without it the roles and bindings that are audited here decide nothing.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--authorization-mode=Node,RBAC"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-missing, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --authorization-mode=Node]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-modes, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, "--authorization-mode=Node,RBAC"]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-configured, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --authorization-config=/etc/k/authz.yaml]}]}}
    """
    c = control_plane
    return ~listing(c["authorization_mode"], "RBAC") & empty(c["authorization_config"])


@control(
    "KA-SEC-018a",
    layer="secrets",
    severity="high",
    applies="api_server",
    expected="--service-account-lookup is not false",
    shows=("service_account_lookup",),
    references={"cis-kubernetes": ("1.2.21",)},
)
def revoked_tokens_valid(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """Tokens of deleted service accounts are refused.

    Without the lookup a token stays valid after its account or Secret is gone.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--service-account-lookup=true"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-false, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --service-account-lookup=false]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-true, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --service-account-lookup=true]}]}}
    """
    return text_is(control_plane["service_account_lookup"], *FALSE)


@control(
    "KA-SEC-018b",
    layer="secrets",
    severity="medium",
    applies="api_server",
    expected="a --service-account-key-file",
    shows=("service_account_key_file",),
    references={"cis-kubernetes": ("1.2.22",)},
)
def token_key_not_named(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """Tokens of service accounts have a key pair of their own.

    Unset, the key of the serving certificate verifies them: neither can then be replaced
    without the other.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--service-account-key-file=/etc/kubernetes/pki/sa.pub"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-empty, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --service-account-key-file=]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --service-account-key-file=/etc/kubernetes/pki/sa.pub]}]}}
    """
    return empty(control_plane["service_account_key_file"])


@control(
    "KA-SEC-018c",
    layer="secrets",
    severity="low",
    applies="api_server",
    expected="--service-account-extend-token-expiration=false",
    shows=("service_account_extend_token_expiration",),
    references={"cis-kubernetes": ("1.2.30",)},
)
def extended_tokens(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """Projected tokens are not extended to a year.

    Unset, the API server gives tokens of an hour a life of a year, for clients of old that do
    not read them again.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--service-account-extend-token-expiration=false"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-true, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --service-account-extend-token-expiration=true]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-false, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --service-account-extend-token-expiration=false]}]}}
    """
    return ~text_is(control_plane["service_account_extend_token_expiration"], *FALSE)
