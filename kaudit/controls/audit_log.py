"""What the API server writes down of its requests, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import empty, over_texts
from kaudit.model.whole import whole
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


def _below(column: pd.Series[Any], least: int) -> pd.Series[Any]:
    return over_texts(column, lambda text: (whole(text) or 0) < least, unset=True)


@control(
    "KA-RUN-014a",
    layer="runtime",
    severity="high",
    applies="api_server",
    expected="--audit-log-path or --audit-webhook-config-file",
    shows=("audit_log_path", "audit_webhook_config_file"),
    references={"cis-kubernetes": ("1.2.16",)},
)
def no_audit_log(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The API server writes an audit log.

    Without it nobody can say who did what, and no intrusion can be reconstructed.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--audit-log-path=/var/log/kubernetes/audit.log"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-empty, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --audit-log-path=]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-log, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --audit-log-path=/var/log/audit.log]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-webhook, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --audit-webhook-config-file=/etc/k/audit.conf]}]}}
    """
    c = control_plane
    return empty(c["audit_log_path"]) & empty(c["audit_webhook_config_file"])


@control(
    "KA-RUN-014b",
    layer="runtime",
    severity="high",
    applies="api_server",
    expected="a --audit-policy-file",
    shows=("audit_policy_file",),
    references={"cis-kubernetes": ("3.2.1",)},
)
def no_audit_policy(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The API server has an audit policy.

    Without one nothing is logged, whatever the path says. What the policy records is in a
    file of the node, which is judged where it is given (KA-RUN-014c, KA-RUN-014d).

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--audit-policy-file=/etc/kubernetes/audit-policy.yaml"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --audit-log-path=/var/log/audit.log]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --audit-policy-file=/etc/kubernetes/audit-policy.yaml]}]}}
    """
    return empty(control_plane["audit_policy_file"])


@control(
    "KA-RUN-015a",
    layer="runtime",
    severity="medium",
    applies="api_server",
    expected="--audit-log-maxage of 30 days or more",
    shows=("audit_log_maxage",),
    references={"cis-kubernetes": ("1.2.17",)},
)
def audit_log_age(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """Audit logs are kept for 30 days.

    Intrusions are found weeks later. Where logs are shipped away as they are written, this
    says nothing about how long they live there.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--audit-log-maxage=30"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-short, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --audit-log-maxage=7]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --audit-log-maxage=30]}]}}
    """
    return _below(control_plane["audit_log_maxage"], 30)


@control(
    "KA-RUN-015b",
    layer="runtime",
    severity="medium",
    applies="api_server",
    expected="--audit-log-maxbackup of 10 or more",
    shows=("audit_log_maxbackup",),
    references={"cis-kubernetes": ("1.2.18",)},
)
def audit_log_files(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """Ten rotated audit logs are kept.

    Otherwise a burst of requests pushes out what happened before it.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--audit-log-maxbackup=10"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-few, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --audit-log-maxbackup=2]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --audit-log-maxbackup=10]}]}}
    """
    return _below(control_plane["audit_log_maxbackup"], 10)


@control(
    "KA-RUN-015c",
    layer="runtime",
    severity="medium",
    applies="api_server",
    expected="--audit-log-maxsize of 100 MB or more",
    shows=("audit_log_maxsize",),
    references={"cis-kubernetes": ("1.2.19",)},
)
def audit_log_size(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """Audit logs are rotated at 100 MB, not sooner.

    With small files a burst of requests pushes out what happened before it.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--audit-log-maxsize=100"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-small, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --audit-log-maxsize=10]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --audit-log-maxsize=100]}]}}
    """
    return _below(control_plane["audit_log_maxsize"], 100)
