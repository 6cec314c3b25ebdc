"""What the API server admits: the plugins that are built into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import listing
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

#: Plugins that are on by default and protect (kube-apiserver reference, v1.34).
PROTECTIVE = (
    "CertificateApproval",
    "CertificateSigning",
    "CertificateSubjectRestriction",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionWebhook",
    "NamespaceLifecycle",
    "PodSecurity",
    "ResourceQuota",
    "ServiceAccount",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionWebhook",
)


@control(
    "KA-DEP-083a",
    layer="deploy",
    severity="high",
    applies="api_server",
    expected="AlwaysAdmit not enabled",
    shows=("enable_admission_plugins",),
    references={"cis-kubernetes": ("1.2.10",)},
)
def always_admit(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The plugin AlwaysAdmit is off.

    It is deprecated and admits whatever is asked: alone, it is no admission control at all.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--enable-admission-plugins=NodeRestriction"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-alone, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --enable-admission-plugins=AlwaysAdmit]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-among, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, "--enable-admission-plugins=NodeRestriction,AlwaysAdmit"]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-others, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --enable-admission-plugins=NodeRestriction]}]}}
    """
    return listing(control_plane["enable_admission_plugins"], "AlwaysAdmit")


@control(
    "KA-DEP-083b",
    layer="deploy",
    severity="high",
    applies="api_server",
    expected="NodeRestriction enabled",
    shows=("enable_admission_plugins", "disable_admission_plugins"),
    references={"cis-kubernetes": ("1.2.14",)},
)
def node_restriction_off(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The plugin NodeRestriction is on.

    Without it a kubelet may change other nodes and their pods, and label itself to attract
    workloads. Kubernetes leaves it off, kubeadm turns it on.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--enable-admission-plugins=NodeRestriction"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-others, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --enable-admission-plugins=EventRateLimit]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-disabled, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --enable-admission-plugins=NodeRestriction, --disable-admission-plugins=NodeRestriction]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, "--enable-admission-plugins=EventRateLimit,NodeRestriction"]}]}}
    """
    c = control_plane
    enabled = listing(c["enable_admission_plugins"], "NodeRestriction")
    return ~enabled | listing(c["disable_admission_plugins"], "NodeRestriction")


@control(
    "KA-DEP-083c",
    layer="deploy",
    severity="high",
    applies="api_server",
    expected="no protective default plugin disabled",
    shows=("disable_admission_plugins",),
    references={"cis-kubernetes": ("1.2.12", "1.2.13")},
)
def default_plugin_off(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """No admission plugin that protects by default is switched off.

    ServiceAccount, NamespaceLifecycle, PodSecurity, validating policies, webhooks and the
    checks on certificates are on unless they are disabled.

    Remedy:
        Remove the flag.

        command: [kube-apiserver]  # without --disable-admission-plugins

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-accounts, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --disable-admission-plugins=ServiceAccount]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-among, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, "--disable-admission-plugins=DefaultStorageClass,PodSecurity"]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-harmless, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --disable-admission-plugins=DefaultStorageClass]}]}}
    """
    return listing(control_plane["disable_admission_plugins"], *PROTECTIVE)


@control(
    "KA-DEP-084a",
    layer="deploy",
    severity="low",
    applies="api_server",
    expected="AlwaysPullImages enabled",
    shows=("enable_admission_plugins",),
    references={"cis-kubernetes": ("1.2.11",)},
)
def images_not_checked(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The plugin AlwaysPullImages is on.

    It keeps a pod from running another tenant's private image out of the cache of a node. On
    a cluster of one tenant it is a matter of taste.

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--enable-admission-plugins=NodeRestriction,AlwaysPullImages"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-others, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --enable-admission-plugins=NodeRestriction]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, "--enable-admission-plugins=NodeRestriction,AlwaysPullImages"]}]}}
    """
    return ~listing(control_plane["enable_admission_plugins"], "AlwaysPullImages")


@control(
    "KA-DEP-084b",
    layer="deploy",
    severity="low",
    applies="api_server",
    expected="EventRateLimit enabled",
    shows=("enable_admission_plugins",),
    references={"cis-kubernetes": ("1.2.9",)},
)
def events_not_limited(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The plugin EventRateLimit is on.

    It keeps one client from flooding etcd with events, and burying others' in the flood.

    Remedy:
        Set both flags in the manifest of the static pod; without a file that names limits the API
        server does not start.

        command:
          - kube-apiserver
          - --enable-admission-plugins=NodeRestriction,EventRateLimit
          - --admission-control-config-file=/etc/kubernetes/admission.yaml

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-others, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --enable-admission-plugins=NodeRestriction]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, "--enable-admission-plugins=NodeRestriction,EventRateLimit"]}]}}
    """
    return ~listing(control_plane["enable_admission_plugins"], "EventRateLimit")


@control(
    "KA-DEP-084c",
    layer="deploy",
    severity="low",
    applies="api_server",
    expected="DenyServiceExternalIPs enabled",
    shows=("enable_admission_plugins",),
    references={"cis-kubernetes": ("1.2.3",)},
)
def external_ips_admitted(control_plane: pd.DataFrame) -> pd.Series[Any]:
    """The plugin DenyServiceExternalIPs is on.

    Without it, or a policy that does the same, whoever may write Services takes over the
    traffic to any address (CVE-2020-8554).

    Remedy:
        Set the flag in the manifest of the static pod.

        command: [kube-apiserver, "--enable-admission-plugins=NodeRestriction,DenyServiceExternalIPs"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-unset, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-others, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, --enable-admission-plugins=NodeRestriction]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-set, namespace: kube-system}, spec: {containers: [
          {name: c, image: i, command: [kube-apiserver, "--enable-admission-plugins=NodeRestriction,DenyServiceExternalIPs"]}]}}
    """
    return ~listing(control_plane["enable_admission_plugins"], "DenyServiceExternalIPs")
