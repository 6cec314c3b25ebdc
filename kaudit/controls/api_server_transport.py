"""How the API server speaks to its clients, to kubelets and to etcd."""

from __future__ import annotations

import re
from math import fsum
from typing import TYPE_CHECKING, Any

from kaudit.columns import empty, over_texts, text_is
from kaudit.model.cipher_suites import STRONG_SUITES
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|us|ns|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def _weak(suites: str) -> bool:
    return not STRONG_SUITES.issuperset(suites.split(","))


def _out_of_bounds(duration: str) -> bool:
    seconds = fsum(float(n) * _SECONDS[unit] for n, unit in _DURATION.findall(duration))
    return not 1 <= seconds <= 300


@control(
    "KA-NET-020a",
    layer="network",
    severity="medium",
    applies="api_server",
    expected="--kubelet-client-certificate and --kubelet-client-key",
    shows=("kubelet_client_certificate", "kubelet_client_key"),
    references={"cis-kubernetes": ("1.2.4",)},
)
def kubelets_not_shown_a_certificate(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The API server shows kubelets a certificate.

    Without it kubelets must take its requests unauthenticated, and so everybody's.

    Remedy:
        Set both flags in the manifest of the static pod.

        command:
          - kube-apiserver
          - --kubelet-client-certificate=/etc/kubernetes/pki/apiserver-kubelet-client.crt
          - --kubelet-client-key=/etc/kubernetes/pki/apiserver-kubelet-client.key

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-no-key, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --kubelet-client-certificate=/c]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-both, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --kubelet-client-certificate=/c, --kubelet-client-key=/k]}]}}
    """
    c = control_plane
    return empty(c["kubelet_client_certificate"]) | empty(c["kubelet_client_key"])


@control(
    "KA-NET-020b",
    layer="network",
    severity="medium",
    applies="api_server",
    expected="a --kubelet-certificate-authority",
    shows=("kubelet_certificate_authority",),
    references={"cis-kubernetes": ("1.2.5",)},
)
def kubelets_not_verified(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The API server verifies the certificates of kubelets.

    Otherwise whoever stands between them reads logs and takes over exec sessions.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--kubelet-certificate-authority=/etc/kubernetes/pki/ca.crt"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-empty, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --kubelet-certificate-authority=]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --kubelet-certificate-authority=/etc/kubernetes/pki/ca.crt]}]}}
    """
    return empty(control_plane["kubelet_certificate_authority"])


@control(
    "KA-NET-020c",
    layer="network",
    severity="medium",
    applies="api_server",
    expected="--tls-cert-file and --tls-private-key-file",
    shows=("tls_cert_file", "tls_private_key_file"),
    references={"cis-kubernetes": ("1.2.24",)},
)
def no_serving_certificate(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The API server has a serving certificate of its own.

    Without one it makes its own, which no client can verify.

    Remedy:
        Set both flags in the manifest of the static pod.

        command:
          - kube-apiserver
          - --tls-cert-file=/etc/kubernetes/pki/apiserver.crt
          - --tls-private-key-file=/etc/kubernetes/pki/apiserver.key

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-no-key, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --tls-cert-file=/c]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-empty-key, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --tls-cert-file=/c, --tls-private-key-file=]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-both, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --tls-cert-file=/c, --tls-private-key-file=/k]}]}}
    """
    c = control_plane
    return empty(c["tls_cert_file"]) | empty(c["tls_private_key_file"])


@control(
    "KA-NET-020d",
    layer="network",
    severity="low",
    applies="api_server",
    expected="--tls-cipher-suites of strong suites only, or TLS 1.3",
    shows=("tls_cipher_suites", "tls_min_version"),
    references={"cis-kubernetes": ("1.2.29",)},
)
def weak_ciphers(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The API server speaks strong ciphers only.

    Unset, suites with CBC and SHA-1 are offered for old clients.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-rsa, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --tls-cipher-suites=TLS_RSA_WITH_AES_128_CBC_SHA]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-among, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, "--tls-cipher-suites=TLS_AES_128_GCM_SHA256,TLS_RSA_WITH_RC4_128_SHA"]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-strong, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-newest, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --tls-min-version=VersionTLS13]}]}}
    """
    c = control_plane
    newest = text_is(c["tls_min_version"], "VersionTLS13")
    return over_texts(c["tls_cipher_suites"], _weak, unset=True) & ~newest


@control(
    "KA-SEC-001",
    layer="secrets",
    severity="critical",
    applies="api_server",
    expected="an --encryption-provider-config",
    shows=("encryption_provider_config",),
    references={"cis-kubernetes": ("1.2.27",)},
)
def secrets_in_the_clear(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """Secrets are encrypted before they reach etcd.

    Otherwise whoever gets a backup or a disk of etcd has every Secret. The configuration
    itself is a file of the node and is not seen here.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--encryption-provider-config=/etc/kubernetes/enc.yaml"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-empty, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --encryption-provider-config=]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --encryption-provider-config=/etc/kubernetes/enc.yaml]}]}}
    """
    return empty(control_plane["encryption_provider_config"])


@control(
    "KA-SEC-002a",
    layer="secrets",
    severity="critical",
    applies="api_server",
    expected="--etcd-certfile and --etcd-keyfile",
    shows=("etcd_certfile", "etcd_keyfile"),
    references={"cis-kubernetes": ("1.2.23",)},
)
def etcd_without_client_certificate(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The API server shows etcd a certificate.

    Without one etcd must take requests of anybody, who then reads and writes the cluster.

    Remedy:
        Set both flags in the manifest of the static pod.

        command:
          - kube-apiserver
          - --etcd-certfile=/etc/kubernetes/pki/apiserver-etcd-client.crt
          - --etcd-keyfile=/etc/kubernetes/pki/apiserver-etcd-client.key

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-no-key, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --etcd-certfile=/c]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-no-certificate, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --etcd-keyfile=/k]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-both, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --etcd-certfile=/c, --etcd-keyfile=/k]}]}}
    """
    c = control_plane
    return empty(c["etcd_certfile"]) | empty(c["etcd_keyfile"])


@control(
    "KA-SEC-002b",
    layer="secrets",
    severity="high",
    applies="api_server",
    expected="an --etcd-cafile",
    shows=("etcd_cafile",),
    references={"cis-kubernetes": ("1.2.26",)},
)
def etcd_not_verified(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The API server verifies the certificate of etcd.

    Otherwise whoever stands between them reads and changes the state of the cluster.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--etcd-cafile=/etc/kubernetes/pki/etcd/ca.crt"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-empty, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --etcd-cafile=]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --etcd-cafile=/etc/kubernetes/pki/etcd/ca.crt]}]}}
    """
    return empty(control_plane["etcd_cafile"])


@control(
    "KA-DEP-085b",
    layer="deploy",
    severity="low",
    applies="api_server",
    expected="--request-timeout unset, or between 1 s and 5 min",
    shows=("request_timeout",),
    references={"cis-kubernetes": ("1.2.20",)},
)
def request_timeout(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """Requests to the API server end within minutes.

    Without a limit slow clients hold its connections until none is left. The default is a
    minute.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--request-timeout=300s"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-none, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --request-timeout=0]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-long, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --request-timeout=1h]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --request-timeout=300s]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-mixed, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --request-timeout=1m30s]}]}}
    """
    return over_texts(control_plane["request_timeout"], _out_of_bounds)
