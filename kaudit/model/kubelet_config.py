"""Configuration of a kubelet, from its file or as its configz endpoint tells it.

Source: kubernetes.io, "Kubelet Configuration (v1beta1)" and "Configuring each kubelet in your
cluster using kubeadm", v1.34, and the defaults of ``pkg/kubelet/apis/config/v1beta1``. configz
tells effective values, a file what flags may still override; a file cannot set the idle timeout
to 0, which stands for its default there.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import field

from kaudit.errors import InputError
from kaudit.model.cipher_suites import STRONG_SUITES
from kaudit.model.duration import seconds
from kaudit.model.meta import Int, Part

API = "kubelet.config.k8s.io/"
KIND = "KubeletConfiguration"
CONFIGZ = "kubeletconfig"


class Switch(Part):
    """authentication.anonymous and authentication.webhook."""

    enabled: bool | None = None


class X509(Part):
    """authentication.x509."""

    client_ca_file: str | None = field(default=None, name="clientCAFile")


class Authentication(Part):
    """authentication."""

    anonymous: Switch = field(default_factory=Switch)
    webhook: Switch = field(default_factory=Switch)
    x509: X509 = field(default_factory=X509)


class Authorization(Part):
    """authorization."""

    mode: str | None = None


class Settings(Part):
    """What is kept of a configuration: nothing that is secret."""

    authentication: Authentication = field(default_factory=Authentication)
    authorization: Authorization = field(default_factory=Authorization)
    read_only_port: Int | None = None
    streaming_connection_idle_timeout: str | int | None = None
    make_iptables_util_chains: bool | None = field(default=None, name="makeIPTablesUtilChains")
    tls_cert_file: str | None = None
    tls_private_key_file: str | None = None
    server_tls_bootstrap: bool | None = field(default=None, name="serverTLSBootstrap")
    tls_cipher_suites: list[str] | None = None
    rotate_certificates: bool | None = None
    feature_gates: dict[str, bool | None] | None = None
    pod_pids_limit: Int | None = None
    seccomp_default: bool | None = None

    @property
    def open(self) -> list[str]:
        """Settings that let in whoever is not known and allowed, in the words of the file."""
        access = self.authentication
        return [
            *(["authentication.anonymous.enabled: true"] if access.anonymous.enabled else []),
            *([] if access.x509.client_ca_file else ["authentication.x509.clientCAFile: unset"]),
            *(
                ["authorization.mode: AlwaysAllow"]
                if self.authorization.mode == "AlwaysAllow"
                else []
            ),
            *([f"readOnlyPort: {self.read_only_port}"] if self.read_only_port else []),
        ]

    def soft(self, *, effective: bool) -> list[str]:
        """Settings that the CIS benchmark does not want so, in the words of the file."""
        served = (self.tls_cert_file and self.tls_private_key_file) or self.server_tls_bootstrap
        gate = (self.feature_gates or {}).get("RotateKubeletServerCertificate")
        weak = sorted({*(self.tls_cipher_suites or ())} - STRONG_SUITES)
        timeless = effective and seconds(self.streaming_connection_idle_timeout) == 0
        limited = (self.pod_pids_limit or 0) > 0
        return [
            *(["streamingConnectionIdleTimeout: 0"] if timeless else []),
            *(["makeIPTablesUtilChains: false"] if self.make_iptables_util_chains is False else []),
            *([] if served else ["tlsCertFile, tlsPrivateKeyFile: unset"]),
            *([] if self.rotate_certificates else ["rotateCertificates: not true"]),
            *(["featureGates.RotateKubeletServerCertificate: false"] if gate is False else []),
            *([f"tlsCipherSuites: {', '.join(weak)}"] if weak else []),
            *([] if limited else ["podPidsLimit: none"]),
            *([] if self.seccomp_default else ["seccompDefault: not true"]),
        ]


class Found(Part):
    """Record of one configuration."""

    report: str
    file: str
    effective: bool
    settings: Settings


#: Where kubeadm keeps what kubelets of nodes that join are to be told.
NAMESPACE, KEY = "kube-system", "kubelet"
_DECLARED = re.compile(r"kubelet-config(-1\.\d+)?", re.ASCII)
_KEPT = frozenset(Settings.__struct_encode_fields__)


def reduced(document: Any) -> dict[str, Any]:
    """What is kept of a KubeletConfiguration, or of what configz tells.

    >>> reduced({"kubeletconfig": {"readOnlyPort": 0, "staticPodURLHeader": {"a": ["b"]}}})
    {'effective': True, 'settings': {'readOnlyPort': 0}}

    Raises
    ------
    TypeError
        It is neither.
    """
    found = document if isinstance(document, dict) else {}
    effective = CONFIGZ in found and "kind" not in found
    settings = found[CONFIGZ] if effective else found
    if not isinstance(settings, dict) or not (effective or found.get("kind") == KIND):
        raise TypeError("expected a KubeletConfiguration, or what configz tells")
    kept = {key: settings[key] for key in settings if key in _KEPT}
    return {"effective": effective, "settings": kept}


def is_declaration(namespace: str, name: str, key: str) -> bool:
    """Whether it is where kubeadm keeps its KubeletConfiguration.

    >>> is_declaration("kube-system", "kubelet-config-1.23", "kubelet")
    True
    """
    return (namespace, key) == (NAMESPACE, KEY) and bool(_DECLARED.fullmatch(name))


def declared(key: str, text: str) -> Settings | None:
    """What a value of a ConfigMap may declare; None where it is no KubeletConfiguration."""
    if key != KEY or KIND not in text:
        return None
    from kaudit.model.yaml_stream import one  # YAML is slow to import

    try:
        return msgspec.convert(reduced(one(text.encode(), key))["settings"], Settings)
    except (InputError, TypeError, msgspec.ValidationError):
        return None
