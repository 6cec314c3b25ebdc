"""Kubelets: what their configuration says, where nobody ran the checks of a node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import filled, where_known
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

_DECLARED = "kubeadm tells nodes so when they join; what their kubelets run with was not read"


@control(
    "KA-RUN-016a",
    layer="runtime",
    severity="critical",
    expected="no anonymous requests, an authority of clients, authorization, no read-only port",
    applies="judged",
    shows=("open", "effective", "declared"),
    null=_DECLARED,
    references={"cis-kubernetes": ("4.2.1", "4.2.2", "4.2.3", "4.2.4")},
)
def open_kubelet_config(kubelet_settings: pd.DataFrame) -> pd.Series[Any]:
    """No configuration of a kubelet lets in whoever is not known and allowed.

    Whoever reaches an open kubelet runs commands in every pod of its node, past the API server
    and its audit log. Flags of the kubelet beat its file; what configz tells is in force. Where
    neither was read, what kubeadm declares for nodes that join can fail, and never passes.

    Remedy:
        Mend the file, and start the kubelet again.

        authentication: {anonymous: {enabled: false}, x509: {clientCAFile: /etc/kubernetes/pki/ca.crt}}
        authorization: {mode: Webhook}
        readOnlyPort: 0

    Cases:
        {kaudit-file: bad-anonymous.yaml, content: {apiVersion: kubelet.config.k8s.io/v1beta1, kind: KubeletConfiguration, authentication: {anonymous: {enabled: true}, x509: {clientCAFile: /ca}}}}
        ---
        {kaudit-file: bad-everything-allowed.yaml, content: {apiVersion: kubelet.config.k8s.io/v1beta1, kind: KubeletConfiguration, authentication: {x509: {clientCAFile: /ca}}, authorization: {mode: AlwaysAllow}}}
        ---
        {kaudit-file: bad-read-only-port.json, content: {kubeletconfig: {authentication: {x509: {clientCAFile: /ca}}, readOnlyPort: 10255}}}
        ---
        {kaudit-file: bad-no-authority.yaml, content: {apiVersion: kubelet.config.k8s.io/v1beta1, kind: KubeletConfiguration, readOnlyPort: 0}}
        ---
        {kaudit-file: ok-defaults.yaml, content: {apiVersion: kubelet.config.k8s.io/v1beta1, kind: KubeletConfiguration, authentication: {x509: {clientCAFile: /ca}}}}
        ---
        {kaudit-file: ok-configz.json, content: {kubeletconfig: {authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: /ca}}, authorization: {mode: Webhook}, readOnlyPort: 0}}}
    """
    return _where(kubelet_settings, "open")


@control(
    "KA-RUN-017a",
    layer="runtime",
    severity="medium",
    expected="as the benchmark asks",
    applies="judged",
    shows=("soft", "effective", "declared"),
    null=_DECLARED,
    references={
        "cis-kubernetes": (
            "4.2.5",
            "4.2.6",
            "4.2.9",
            *(f"4.2.{number}" for number in range(10, 15)),
        )
    },
)
def soft_kubelet_config(kubelet_settings: pd.DataFrame) -> pd.Series[Any]:
    """Configurations of kubelets are as the CIS benchmark asks.

    Certificates that rotate, strong ciphers, limits of processes and the system-call filter of
    the runtime make a node harder to take and to keep. What is unset has the kubelet's default:
    no rotation, no limit, no filter. Flags beat the file; what configz tells is in force. Where
    neither was read, what kubeadm declares for nodes that join can fail, and never passes.

    Remedy:
        Mend the file, and start the kubelet again.

        rotateCertificates: true
        serverTLSBootstrap: true
        podPidsLimit: 4096
        seccompDefault: true

    Cases:
        {kaudit-file: bad-unset.yaml, content: {apiVersion: kubelet.config.k8s.io/v1beta1, kind: KubeletConfiguration}}
        ---
        {kaudit-file: bad-weak-suite.yaml, content: {apiVersion: kubelet.config.k8s.io/v1beta1, kind: KubeletConfiguration, rotateCertificates: true, serverTLSBootstrap: true, podPidsLimit: 100, seccompDefault: true, tlsCipherSuites: [TLS_RSA_WITH_AES_128_CBC_SHA]}}
        ---
        {kaudit-file: bad-gate-off.yaml, content: {apiVersion: kubelet.config.k8s.io/v1beta1, kind: KubeletConfiguration, rotateCertificates: true, serverTLSBootstrap: true, podPidsLimit: 100, seccompDefault: true, featureGates: {RotateKubeletServerCertificate: false}}}
        ---
        {kaudit-file: bad-timeless.json, content: {kubeletconfig: {rotateCertificates: true, serverTLSBootstrap: true, podPidsLimit: 100, seccompDefault: true, streamingConnectionIdleTimeout: 0s}}}
        ---
        {kaudit-file: bad-chains.json, content: {kubeletconfig: {rotateCertificates: true, serverTLSBootstrap: true, podPidsLimit: 100, seccompDefault: true, makeIPTablesUtilChains: false}}}
        ---
        {kaudit-file: bad-no-limit.json, content: {kubeletconfig: {rotateCertificates: true, serverTLSBootstrap: true, podPidsLimit: -1, seccompDefault: true}}}
        ---
        {kaudit-file: ok-zero-stands-for-the-default.yaml, content: {apiVersion: kubelet.config.k8s.io/v1beta1, kind: KubeletConfiguration, rotateCertificates: true, tlsCertFile: /c, tlsPrivateKeyFile: /k, podPidsLimit: 100, seccompDefault: true, streamingConnectionIdleTimeout: 0s, tlsCipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]}}
    """
    return _where(kubelet_settings, "soft")


def _where(kubelets: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Tell which configurations have settings in a column; what is declared alone is no pass."""
    found = filled(kubelets[column])
    return where_known(found, found | ~kubelets["declared"])
