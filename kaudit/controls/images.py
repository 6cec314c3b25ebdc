"""Where images come from and what pins them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.allow_list import outside
from kaudit.columns import (
    arrow,
    looked_up,
    over_lists,
    pairs,
    positions,
    series,
    text_is,
)
from kaudit.parameters import parameters
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-BLD-007",
    layer="build",
    severity="medium",
    applies="given",
    expected="a tag that stays, or a digest",
    shows=("container_type", "image"),
)
def moving_tag(image_references: pd.DataFrame) -> pd.Series[Any]:
    """Images name a version: a digest, or a tag that stays.

    Behind latest, no tag, or a tag that follows a branch nobody can say what runs, and a
    restart may bring another program. The tags that count, beside latest, are the parameter
    moving_tags.

    Remedy:
        Name the version, best with its digest.

        image: registry.example.com/app:v1.0.0

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-latest}, spec: {containers: [{name: c, image: "nginx:latest"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-none-but-a-port}, spec: {containers: [
          {name: c, image: "registry.example.com:5000/nginx"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-branch}, spec: {containers: [{name: c, image: "ghcr.io/a/b:main"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-init}, spec: {containers: [{name: c, image: "a:1"}],
          initContainers: [{name: i, image: busybox}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-ephemeral}, spec: {containers: [{name: c, image: "a:1"}],
          ephemeralContainers: [{name: e, image: busybox}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-volume}, spec: {containers: [{name: c, image: "a:1"}],
          volumes: [{name: v, image: {reference: "quay.io/a/data"}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-tag}, spec: {containers: [{name: c, image: "nginx:1.27"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-tag-behind-a-port}, spec: {containers: [{name: c, image: "localhost:5000/main/nginx:1"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-digest}, spec: {containers: [{name: c,
          image: "nginx@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-latest-with-digest}, spec: {containers: [{name: c,
          image: "nginx:latest@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
    """
    named = text_is(image_references["tag"], *parameters().moving_tags)
    return image_references["floating"] | (named & ~image_references["pinned"])


@control(
    "KA-BLD-008",
    layer="build",
    severity="low",
    applies="given",
    expected="an image digest",
    shows=("container_type", "image"),
)
def not_pinned(image_references: pd.DataFrame) -> pd.Series[Any]:
    """Images are pinned by digest.

    A tag can be moved by whoever may push; a digest cannot. What was scanned and signed is
    then what runs. Pin the digest of the index, not that of one platform.

    Remedy:
        Put the digest behind the tag.

        image: registry.example.com/app:v1.0.0@sha256:<digest>

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-tag}, spec: {containers: [{name: c, image: "nginx:1.27"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-broken-digest}, spec: {containers: [
          {name: c, image: "nginx@sha256:abc123..."}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-short-digest}, spec: {containers: [
          {name: c, image: "nginx@sha256:0123456789abcdef0123456789abcdef"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-sidecar}, spec: {
          initContainers: [{name: s, restartPolicy: Always, image: "proxy:1"}], containers: [{name: c,
          image: "nginx@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-both}, spec: {containers: [{name: c,
          image: "nginx:1.27@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
    """
    return ~image_references["pinned"]


@control(
    "KA-BLD-009",
    layer="build",
    severity="high",
    applies="given",
    expected="a registry of the allow-list",
    shows=("container_type", "image", "registry"),
    null="no allow-list of registries was given (parameter allowed_registries)",
)
def registry_not_allowed(image_references: pd.DataFrame) -> pd.Series[Any]:
    """Images come from registries of the allow-list.

    Images from elsewhere were not built, scanned or signed by the process that is audited.
    The allow-list is the parameter allowed_registries; without it only registries that are
    retired, and references that are none, can be judged. An entry matches whole parts of a
    name: registry.corp does not match registry.corp.evil.

    Remedy:
        Mirror the image into an allowed registry.

        image: registry.example.com/mirror/nginx:1.27

    Cases:
        # cluster: bad-invalid-image
        {apiVersion: v1, kind: Pod, metadata: {name: strange}, spec: {containers: [{name: c, image: "http://x/y"}]}}
        # cluster: bad-retired
        {apiVersion: v1, kind: Pod, metadata: {name: old}, spec: {containers: [{name: c, image: "k8s.gcr.io/pause:3.9"}]}}
        # cluster: ok-no-list
        {apiVersion: v1, kind: Pod, metadata: {name: plain}, spec: {containers: [{name: c, image: "nginx:1"}]}}
    """
    return outside(image_references)


@control(
    "KA-BLD-020",
    layer="build",
    severity="medium",
    applies="given",
    weak=("nodes",),
    compares=True,
    expected="one digest a tag",
    shows=("image", "running_digest"),
)
def tag_moved(image_references: pd.DataFrame, nodes: pd.DataFrame) -> pd.Series[Any]:
    """The same tag runs with one digest everywhere.

    Two digests under one tag mean that the tag was moved: some pods run what was never
    reviewed together with the rest. Nodes of different processors are compared apart, and
    only digests that the registry knows are compared.

    Remedy:
        Find out which digest is meant, pin it, and make tags immutable in the registry.

        image: registry.example.com/app:v1.0.0@sha256:<digest>

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-one}, spec: {containers: [{name: c, image: "a/b:1"}]},
          status: {containerStatuses: [{name: c, imageID: "docker.io/a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-same-name-in-full}, spec: {containers: [{name: c, image: "docker.io/a/b:1"}]},
          status: {containerStatuses: [{name: c, imageID: "docker.io/a/b@sha256:ffffffffffffffff0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-alone}, spec: {containers: [{name: c, image: "a/b:2"}]},
          status: {containerStatuses: [{name: c, imageID: "docker.io/a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unknown}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-identity-of-another-kind}, spec: {containers: [{name: c, image: "a/b:2"}]},
          status: {containerStatuses: [{name: c, imageID: "sha256:ffffffffffffffff0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: arm}, status: {nodeInfo: {architecture: arm64, kubeletVersion: v1.34.0}}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: intel}, status: {nodeInfo: {architecture: amd64, kubeletVersion: v1.34.0}}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-arm}, spec: {nodeName: arm, containers: [{name: c, image: "a/b:3"}]},
          status: {containerStatuses: [{name: c, imageID: "docker.io/a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-intel}, spec: {nodeName: intel, containers: [{name: c, image: "a/b:3"}]},
          status: {containerStatuses: [{name: c, imageID: "docker.io/a/b@sha256:ffffffffffffffff0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    c = image_references
    processor = looked_up(nodes, positions(c["node"], nodes["name"]), "architecture", c)
    name = pairs(c["tagged_name"], processor.fillna(""))
    known = (c["running_digest"] != "") & ~c["pinned"]
    table = pa.table({"name": name, "digest": arrow(c["running_digest"])}).filter(arrow(known))
    counts = table.group_by("name").aggregate([("digest", "count_distinct")])
    moved = counts.filter(pc.greater(counts["digest_count_distinct"], 1))["name"]
    return known & series(pc.is_in(name, value_set=moved.combine_chunks()), c)


@control(
    "KA-BLD-021",
    layer="build",
    severity="low",
    applies="given",
    expected="imagePullPolicy Always, or a digest",
    shows=("container_type", "image", "pull_policy"),
)
def cached_mutable_image(image_references: pd.DataFrame) -> pd.Series[Any]:
    """Images that are not pinned are pulled at every start.

    Otherwise a pod may run a stale or another tenant's cached image, without the registry
    ever checking its right to it.

    Remedy:
        Pin by digest, or pull always.

        imagePullPolicy: Always

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-default-of-a-tag}, spec: {containers: [{name: c, image: "nginx:1.27"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-never}, spec: {containers: [
          {name: c, image: "nginx:latest", imagePullPolicy: Never}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-init}, spec: {containers: [{name: c, image: nginx}],
          initContainers: [{name: i, image: nginx, imagePullPolicy: IfNotPresent}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-default-of-latest}, spec: {containers: [{name: c, image: nginx}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-always}, spec: {containers: [{name: c, image: "nginx:1", imagePullPolicy: Always}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-digest}, spec: {containers: [{name: c, imagePullPolicy: IfNotPresent,
          image: "nginx@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
    """
    return (image_references["pull_policy"] != "Always") & ~image_references["pinned"]


@control(
    "KA-BLD-021a",
    layer="build",
    severity="info",
    applies="given",
    weak=("service_accounts",),
    expected="imagePullSecrets, of the pod or its account",
    shows=("container_type", "image", "registry"),
)
def pulled_without_secret(image_references: pd.DataFrame) -> pd.Series[Any]:
    """Images are pulled with a credential of their workload.

    Advisory: without one the image is public, or the credential belongs to the node and so
    to every pod on it. Where nodes pull by their cloud identity, nothing is to be done.

    Remedy:
        Give the service account a pull secret that reads its own repositories only.

        imagePullSecrets: [{name: registry}]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-none}, spec: {containers: [{name: c, image: "registry.example.com/a:1"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-pod}, spec: {imagePullSecrets: [{name: r}],
          containers: [{name: c, image: "registry.example.com/a:1"}]}}
        ---
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: app}, imagePullSecrets: [{name: r}]}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-account}, spec: {serviceAccountName: app,
          containers: [{name: c, image: "registry.example.com/a:1"}]}}
    """
    return ~image_references["pulls_as_named"]


@control(
    "KA-BLD-022",
    layer="build",
    severity="medium",
    expected="no SSH port and no SSH server or sudo in the command",
    shows=("container_type", "command", "args"),
)
def remote_administration(security_context: pd.DataFrame, ports: pd.DataFrame) -> pd.Series[Any]:
    """No container runs a remote-administration server.

    SSH and sudo bring accounts and keys that no RBAC rule, audit log or policy of the cluster
    knows.

    Remedy:
        Use kubectl exec under RBAC and audit, and leave the server out of the image.

        ports: []

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-port}, spec: {containers: [
          {name: c, image: i, ports: [{containerPort: 22}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-command}, spec: {containers: [
          {name: c, image: i, command: [/usr/sbin/sshd, -D]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-init-shell}, spec: {containers: [{name: c, image: i}],
          initContainers: [{name: n, image: i, command: [sh, -c], args: ["sudo -E /setup; exec dropbear"]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-other}, spec: {containers: [
          {name: c, image: i, command: [/app/server, --no-sshd-checks], ports: [{containerPort: 2222}, {containerPort: 22, protocol: UDP}]}]}}
    """
    c = security_context
    listens = (ports["port"] == 22).fillna(False) & text_is(ports["protocol"], "TCP")
    shells = ports[listens.to_numpy(dtype=bool)]
    key = ("pod_uid", "container_type", "container")
    open_port = positions(pairs(*(c[k] for k in key)), pairs(*(shells[k] for k in key))) >= 0
    return (
        series(open_port, c)
        | over_lists(c["command"], _administers)
        | over_lists(c["args"], _administers)
    )


def _administers(words: list[str]) -> bool:
    text = " ".join(words)
    names = {word.rpartition("/")[2] for word in text.replace(";", " ").split()}
    return not {"sshd", "sudo", "dropbear"}.isdisjoint(names)
