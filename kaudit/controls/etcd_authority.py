"""etcd: whose certificates it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import arrow, empty, text_is, where_known
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-SEC-002i",
    layer="secrets",
    severity="high",
    applies="etcd",
    expected="a --trusted-ca-file that is no --client-ca-file of the API server",
    shows=("trusted_ca_file",),
    null="etcd names no authority by a flag, or no API server was seen that names one",
    compares=True,
    references={"cis-kubernetes": ("2.7",)},
)
def etcd_trusts_clients(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The authority that etcd trusts is its own.

    Where it takes certificates of the cluster's authority, every kubelet and every user with a
    client certificate reads and writes all Secrets past the API server. Files are told apart
    by the paths that both programs name.

    Remedy:
        Sign certificates for etcd by another authority, and name it in the manifests of both.

        command: [etcd, "--trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: api, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --client-ca-file=/pki/ca.crt]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-shared, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd, --trusted-ca-file=/pki/ca.crt]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-own, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd, --trusted-ca-file=/pki/etcd/ca.crt]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unknown, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-from-a-file, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [etcd, --config-file=/etcd.yaml, --trusted-ca-file=/pki/ca.crt]}]}}
    """
    c = control_plane
    named = c["client_ca_file"][(c["api_server"] & ~empty(c["client_ca_file"])).to_numpy(bool)]
    shared = text_is(c["trusted_ca_file"], *arrow(named).unique().to_pylist())
    known = c["told"] & ~empty(c["trusted_ca_file"]) & bool(len(named))
    return where_known(shared, known)
