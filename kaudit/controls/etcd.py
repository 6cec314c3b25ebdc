"""etcd: who may speak to it, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import empty, text_is, where_known
from kaudit.model.platform import TRUE
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

UNTOLD = "its settings come from a configuration file or the environment"


@control(
    "KA-SEC-002c",
    layer="secrets",
    severity="critical",
    applies="etcd",
    expected="--cert-file and --key-file",
    shows=("cert_file", "key_file"),
    null=UNTOLD,
    references={"cis-kubernetes": ("2.1",)},
)
def etcd_without_certificate(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """Clients of etcd are served with TLS.

    Without it every Secret crosses the network in the clear.

    Remedy:
        Set both flags in the manifest of the static pod.

        command:
          - etcd
          - --cert-file=/etc/kubernetes/pki/etcd/server.crt
          - --key-file=/etc/kubernetes/pki/etcd/server.key

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-no-key, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd, --cert-file=/c]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-both, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd, --cert-file=/c, --key-file=/k]}]}}
    """
    c = control_plane
    return where_known(empty(c["cert_file"]) | empty(c["key_file"]), c["told"])


@control(
    "KA-SEC-002d",
    layer="secrets",
    severity="critical",
    applies="etcd",
    expected="--client-cert-auth=true",
    shows=("client_cert_auth",),
    null=UNTOLD,
    references={"cis-kubernetes": ("2.2",)},
)
def etcd_for_anybody(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """Clients of etcd need a certificate.

    Without it whoever reaches the port reads and writes the state of the cluster, past the
    API server.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [etcd, "--client-cert-auth=true"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-false, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd, --client-cert-auth=false]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-true, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd, --client-cert-auth=true]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-bare, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd, --client-cert-auth, --name=a]}]}}
    """
    c = control_plane
    return where_known(~text_is(c["client_cert_auth"], *TRUE), c["told"])


@control(
    "KA-SEC-002e",
    layer="secrets",
    severity="high",
    applies="etcd",
    expected="--auto-tls is not true",
    shows=("auto_tls",),
    null=UNTOLD,
    references={"cis-kubernetes": ("2.3",)},
)
def etcd_makes_its_certificate(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The certificate of etcd is not of its own making.

    A certificate that it signs for itself proves nothing to its clients.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [etcd, "--auto-tls=false"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-true, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd, --auto-tls=true]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-bare, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd, --auto-tls]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-false, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd, --auto-tls=false]}]}}
    """
    c = control_plane
    return where_known(text_is(c["auto_tls"], *TRUE), c["told"])


@control(
    "KA-SEC-002f",
    layer="secrets",
    severity="high",
    applies="etcd",
    expected="--peer-cert-file and --peer-key-file",
    shows=("peer_cert_file", "peer_key_file"),
    null=UNTOLD,
    references={"cis-kubernetes": ("2.4",)},
)
def etcd_peers_without_certificate(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """Members of etcd speak TLS to each other.

    Otherwise every write crosses the network between them in the clear.

    Remedy:
        Set both flags in the manifest of the static pod.

        command:
          - etcd
          - --peer-cert-file=/etc/kubernetes/pki/etcd/peer.crt
          - --peer-key-file=/etc/kubernetes/pki/etcd/peer.key

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-no-key, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd, --peer-cert-file=/c]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-both, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd, --peer-cert-file=/c, --peer-key-file=/k]}]}}
    """
    c = control_plane
    return where_known(empty(c["peer_cert_file"]) | empty(c["peer_key_file"]), c["told"])


@control(
    "KA-SEC-002g",
    layer="secrets",
    severity="high",
    applies="etcd",
    expected="--peer-client-cert-auth=true",
    shows=("peer_client_cert_auth",),
    null=UNTOLD,
    references={"cis-kubernetes": ("2.5",)},
)
def etcd_takes_any_peer(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """Members of etcd ask each other for a certificate.

    Without it a stranger joins the cluster and receives everything.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [etcd, "--peer-client-cert-auth=true"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-false, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd, --peer-client-cert-auth=false]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-true, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd, --peer-client-cert-auth=true]}]}}
    """
    c = control_plane
    return where_known(~text_is(c["peer_client_cert_auth"], *TRUE), c["told"])


@control(
    "KA-SEC-002h",
    layer="secrets",
    severity="high",
    applies="etcd",
    expected="--peer-auto-tls is not true",
    shows=("peer_auto_tls",),
    null=UNTOLD,
    references={"cis-kubernetes": ("2.6",)},
)
def etcd_peers_make_certificates(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """Members of etcd do not make their own certificates.

    A certificate that a member signs for itself proves nothing to the others.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [etcd, "--peer-auto-tls=false"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-true, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd, --peer-auto-tls=true]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-false, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd, --peer-auto-tls=false]}]}}
    """
    c = control_plane
    return where_known(text_is(c["peer_auto_tls"], *TRUE), c["told"])
