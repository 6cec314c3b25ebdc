"""Settings that the components of the control plane share, and those of the managers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import empty, listing, over_texts, text_is, where_known
from kaudit.model.platform import FALSE, TRUE
from kaudit.model.whole import whole
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

UNTOLD = "its settings come from a configuration file or the environment"


def _not_positive(text: str) -> bool:
    return not whole(text)


def _loopback(text: str) -> bool:
    return text == "localhost" or text == "::1" or text.startswith("127.")


@control(
    "KA-DEP-085a",
    layer="deploy",
    severity="low",
    applies="kubernetes",
    expected="--profiling=false",
    shows=("component", "profiling"),
    null=UNTOLD,
    references={"cis-kubernetes": ("1.2.15", "1.3.2", "1.4.1")},
)
def profiling(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """Components of the control plane offer no profiles.

    Profiles tell about the inside of the program and cost it time. They are on unless they
    are switched off. The scheduler does not heed the flag where it has a configuration file.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--profiling=false"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-true, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --profiling=true]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-false, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --profiling=false]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-scheduler, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-scheduler, --kubeconfig=/k]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-the-file-decides, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-scheduler, --config=/s.yaml, --profiling=true]}]}}
    """
    c = control_plane
    return where_known(~text_is(c["profiling"], *FALSE), c["told"])


@control(
    "KA-DEP-085c",
    layer="deploy",
    severity="info",
    applies="controller_manager",
    expected="--terminated-pod-gc-threshold above 0",
    shows=("terminated_pod_gc_threshold",),
    references={"cis-kubernetes": ("1.3.1",)},
)
def garbage_not_bounded(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """How many ended pods are kept was decided.

    At 0 ended pods stay for ever; unset it is 12500, which fills small clusters.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-controller-manager, "--terminated-pod-gc-threshold=1000"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-zero, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager, --terminated-pod-gc-threshold=0]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager, --terminated-pod-gc-threshold=1000]}]}}
    """
    return over_texts(control_plane["terminated_pod_gc_threshold"], _not_positive, unset=True)


@control(
    "KA-RUN-019a",
    layer="runtime",
    severity="medium",
    applies="manager",
    expected="--bind-address is a loopback address",
    shows=("component", "bind_address"),
    references={"cis-kubernetes": ("1.3.7", "1.4.2")},
)
def managers_listen(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """Controller manager and scheduler listen on loopback only.

    They offer metrics and health there, which nobody else than their node needs. Unset means
    every address.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-controller-manager, "--bind-address=127.0.0.1"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-all, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager, --bind-address=0.0.0.0]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-loopback, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager, --bind-address=127.0.0.1]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-six, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager, "--bind-address=::1"]}]}}
    """
    loopback = over_texts(control_plane["bind_address"], _loopback)
    return ~loopback


@control(
    "KA-RUN-019b",
    layer="runtime",
    severity="medium",
    applies="controller_manager",
    expected="--use-service-account-credentials=true",
    shows=("use_service_account_credentials",),
    references={"cis-kubernetes": ("1.3.3",)},
)
def controllers_share_credentials(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """Each controller has an account of its own.

    Otherwise all of them have the rights of all, and the audit log cannot tell them apart.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-controller-manager, "--use-service-account-credentials=true"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-false, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager, --use-service-account-credentials=false]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-true, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager, --use-service-account-credentials=true]}]}}
    """
    return ~text_is(control_plane["use_service_account_credentials"], *TRUE)


@control(
    "KA-RUN-019c",
    layer="runtime",
    severity="medium",
    applies="controller_manager",
    expected="a --service-account-private-key-file",
    shows=("service_account_private_key_file",),
    references={"cis-kubernetes": ("1.3.4",)},
)
def no_signing_key(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The controller manager signs tokens with a key of its own.

    Without it it makes no tokens, or shares a key that cannot be replaced alone.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-controller-manager, "--service-account-private-key-file=/etc/kubernetes/pki/sa.key"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-empty, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager, --service-account-private-key-file=]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager, --service-account-private-key-file=/etc/kubernetes/pki/sa.key]}]}}
    """
    return empty(control_plane["service_account_private_key_file"])


@control(
    "KA-RUN-019d",
    layer="runtime",
    severity="medium",
    applies="controller_manager",
    expected="a --root-ca-file",
    shows=("root_ca_file",),
    references={"cis-kubernetes": ("1.3.5",)},
)
def authority_not_published(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """Pods are told the authority of the API server.

    Without it they cannot verify whom they give their token.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-controller-manager, "--root-ca-file=/etc/kubernetes/pki/ca.crt"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-empty, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager, --root-ca-file=]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager, --root-ca-file=/etc/kubernetes/pki/ca.crt]}]}}
    """
    return empty(control_plane["root_ca_file"])


@control(
    "KA-RUN-019e",
    layer="runtime",
    severity="medium",
    applies="controller_manager",
    expected="RotateKubeletServerCertificate is not false",
    shows=("feature_gates",),
    references={"cis-kubernetes": ("1.3.6",)},
)
def kubelet_certificates_not_rotated(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """Serving certificates of kubelets are rotated.

    The gate is on by default since v1.12; switched off, kubelets go on with certificates that
    end.

    Remedy:
        Remove the flag.

        command: [kube-controller-manager]  # without --feature-gates=RotateKubeletServerCertificate=false

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-off, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager, --feature-gates=RotateKubeletServerCertificate=false]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-among, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager, "--feature-gates=A=true,RotateKubeletServerCertificate=false"]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-on, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-controller-manager, --feature-gates=RotateKubeletServerCertificate=true]}]}}
    """
    return listing(control_plane["feature_gates"], "RotateKubeletServerCertificate=false")
