"""Nodes: what only who is on one can see, as kube-bench found it, and what they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = ("title", "standard", "message", "report")
_NOT_MADE = "nobody has run the check, or a person must look"


@control(
    "KA-RUN-016",
    layer="runtime",
    severity="critical",
    applies="access",
    null=_NOT_MADE,
    expected="no anonymous, unauthorised or read-only access",
    shows=_SHOWN,
)
def open_kubelet(node_checks: pd.DataFrame) -> pd.Series[Any]:
    """Kubelets let in nobody who is not known and allowed.

    Whoever reaches an open kubelet runs commands in every pod of its node, past the API server
    and its audit log. Only a check on the node tells: the effective settings are not in the API,
    and asking for them there needs a right that is as strong as the fault.

    Remedy:
        Mend the configuration of the kubelet, and start it again.

        authentication: {anonymous: {enabled: false}}

    Cases:
        # cluster: bad-anonymous
        kaudit-file: kube-bench.json
        content: {Controls: [{version: cis-1.11, node_type: node, tests: [{results: [{test_number: 4.2.1, test_desc: anonymous, status: FAIL}]}]}]}
        ---
        # cluster: ok-closed
        kaudit-file: kube-bench.json
        content: {Controls: [{version: cis-1.11, node_type: node, tests: [{results: [{test_number: 4.2.1, test_desc: anonymous, status: PASS}]}]}]}
    """
    return node_checks["failed"]


@control(
    "KA-RUN-017",
    layer="runtime",
    severity="medium",
    applies="hardening",
    null=_NOT_MADE,
    expected="as the benchmark asks",
    shows=_SHOWN,
)
def soft_kubelet(node_checks: pd.DataFrame) -> pd.Series[Any]:
    """Kubelets are set up as the CIS benchmark asks.

    Certificates that rotate, strong ciphers, time limits for idle streams and limits of
    processes make a node harder to take and to keep.

    Remedy:
        Mend the configuration of the kubelet, and start it again.

        rotateCertificates: true

    Cases:
        # cluster: bad-no-rotation
        kaudit-file: kube-bench.json
        content: {Controls: [{version: cis-1.11, node_type: node, tests: [{results: [{test_number: 4.2.10, test_desc: rotation, status: FAIL}]}]}]}
        ---
        # cluster: bad-on-eks
        kaudit-file: kube-bench.json
        content: {Controls: [{version: eks-1.7.0, node_type: node, tests: [{results: [{test_number: 3.2.5, test_desc: idle, status: FAIL}]}]}]}
        ---
        # cluster: ok-a-person-must-look
        kaudit-file: kube-bench.json
        content: {Controls: [{version: cis-1.11, node_type: node, tests: [{results: [{test_number: 4.2.11, test_desc: x, type: manual, status: WARN}, {test_number: 4.2.5, test_desc: y, status: PASS}]}]}]}
    """
    return node_checks["failed"]


@control(
    "KA-RUN-018",
    layer="runtime",
    severity="medium",
    applies="files",
    null=_NOT_MADE,
    expected="as the benchmark asks",
    shows=_SHOWN,
)
def loose_files(node_checks: pd.DataFrame) -> pd.Series[Any]:
    """Files of nodes and of the control plane belong to root, and nobody else writes them.

    A manifest that others may write is a pod of their own with all rights; a key that others
    may read is an identity. kube-bench fails paths that a distribution puts elsewhere: look
    before mending.

    Remedy:
        Set owner and mode.

        chmod 600 /etc/kubernetes/manifests/kube-apiserver.yaml

    Cases:
        # cluster: bad-manifest
        kaudit-file: kube-bench.json
        content: {Controls: [{version: cis-1.11, node_type: master, tests: [{results: [{test_number: 1.1.1, test_desc: mode, status: FAIL}]}]}]}
        ---
        # cluster: ok-600
        kaudit-file: kube-bench.json
        content: {Controls: [{version: cis-1.11, node_type: node, tests: [{results: [{test_number: 4.1.1, test_desc: mode, status: PASS}]}]}]}
        ---
        # cluster: ok-no-matter-of-files
        kaudit-file: kube-bench.json
        content: {Controls: [{version: cis-1.11, node_type: policies, tests: [{results: [{test_number: 5.1.1, test_desc: admin, status: FAIL}]}]}]}
    """
    return node_checks["failed"]


@control(
    "KA-RUN-020a",
    layer="runtime",
    severity="high",
    null="the table does not know it, or the moment of the evidence is not known",
    expected="a version that is still supported",
    shows=("part", "written", "known_as", "support_ends_at"),
)
def outdated_node(node_support: pd.DataFrame) -> pd.Series[Any]:
    """Operating systems and container runtimes of nodes are still supported.

    Every pod of a node shares its kernel and its runtime: a flaw there that nobody mends any
    more lets out of all of them. Kernels are not judged, for distributions mend them without a
    new version.

    Remedy:
        Replace the node by one with a newer image.

        kubectl drain <node> --ignore-daemonsets --delete-emptydir-data

    Cases:
        {apiVersion: v1, kind: Node, metadata: {name: bad-os}, status: {nodeInfo: {osImage: Ubuntu 20.04.6 LTS, containerRuntimeVersion: containerd://2.1.4}}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: bad-runtime}, status: {nodeInfo: {osImage: Ubuntu 24.04.1 LTS, containerRuntimeVersion: containerd://1.6.8}}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: ok-supported}, status: {nodeInfo: {osImage: Debian GNU/Linux 13 (trixie), containerRuntimeVersion: containerd://2.1.4}}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: ok-unknown}, status: {nodeInfo: {osImage: Talos (v1.11), containerRuntimeVersion: containerd://2.1.4}}}
    """
    return node_support["ended"]
