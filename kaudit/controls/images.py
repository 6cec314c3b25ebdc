"""Where images come from and what pins them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import arrow, over_lists, over_texts, pairs, positions, series
from kaudit.parameters import parameters
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-BLD-007",
    layer="build",
    severity="medium",
    applies="given",
    expected="a tag other than latest, or a digest",
    shows=("container_type", "image"),
)
def floating_tag(image_references: pd.DataFrame) -> pd.Series[Any]:
    """Images name a version: a digest, or a tag other than latest.

    Without one nobody can say what runs, and a restart may bring another program.

    Remedy:
        Name the version, best with its digest.

        image: registry.example.com/app:v1.0.0

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-latest}, spec: {containers: [{name: c, image: "nginx:latest"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-none-but-a-port}, spec: {containers: [
          {name: c, image: "registry.example.com:5000/nginx"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-init}, spec: {containers: [{name: c, image: "a:1"}],
          initContainers: [{name: i, image: busybox}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-tag}, spec: {containers: [{name: c, image: "nginx:1.27"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-digest}, spec: {containers: [{name: c,
          image: "nginx@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
    """
    return image_references["floating"]


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
    then what runs.

    Remedy:
        Put the digest behind the tag.

        image: registry.example.com/app:v1.0.0@sha256:<digest>

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-tag}, spec: {containers: [{name: c, image: "nginx:1.27"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-broken-digest}, spec: {containers: [
          {name: c, image: "nginx@sha256:abc123..."}]}}
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
    The allow-list is a parameter; without one this is not assessed.

    Remedy:
        Mirror the image into an allowed registry.

        image: registry.example.com/mirror/nginx:1.27

    Cases:
        # cluster: bad-invalid-image
        {apiVersion: v1, kind: Pod, metadata: {name: strange}, spec: {containers: [{name: c, image: "http://x/y"}]}}
        # cluster: ok-no-list
        {apiVersion: v1, kind: Pod, metadata: {name: plain}, spec: {containers: [{name: c, image: "nginx:1"}]}}
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    allowed = parameters().allowed_registries
    invalid = ~image_references["valid"]
    if not allowed:
        return series(pc.if_else(arrow(invalid), True, pa.scalar(None, pa.bool_())), invalid)
    name = series(
        pc.binary_join_element_wise(
            arrow(image_references["registry"]), arrow(image_references["repository"]), "/"
        ),
        image_references,
    )
    prefixes = tuple(f"{entry.rstrip('/')}/" for entry in allowed)
    return invalid | ~over_texts(name, lambda text: f"{text}/".startswith(prefixes))


@control(
    "KA-BLD-020",
    layer="build",
    severity="medium",
    applies="given",
    expected="one digest a tag",
    shows=("image", "running_digest"),
)
def tag_moved(image_references: pd.DataFrame) -> pd.Series[Any]:
    """The same tag runs with one digest everywhere.

    Two digests under one tag mean that the tag was moved: some pods run what was never
    reviewed together with the rest.

    Remedy:
        Find out which digest is meant, pin it, and make tags immutable in the registry.

        image: registry.example.com/app:v1.0.0@sha256:<digest>

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-one}, spec: {containers: [{name: c, image: "a/b:1"}]},
          status: {containerStatuses: [{name: c, imageID: "a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-other}, spec: {containers: [{name: c, image: "a/b:1"}]},
          status: {containerStatuses: [{name: c, imageID: "a/b@sha256:ffffffffffffffff0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-alone}, spec: {containers: [{name: c, image: "a/b:2"}]},
          status: {containerStatuses: [{name: c, imageID: "a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-unknown}, spec: {containers: [{name: c, image: "a/b:1"}]}}
    """
    known = image_references[
        (image_references["running_digest"] != "").to_numpy(bool)
        & ~image_references["pinned"].to_numpy(bool)
    ]
    digests = known.groupby("image", observed=True)["running_digest"].nunique()
    moved = set(digests[digests > 1].index)
    several = over_texts(image_references["image"], moved.__contains__)
    return several & (image_references["running_digest"] != "")


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
        {apiVersion: v1, kind: Pod, metadata: {name: ok-default-of-latest}, spec: {containers: [{name: c, image: nginx}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-digest}, spec: {containers: [{name: c, imagePullPolicy: IfNotPresent,
          image: "nginx@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
    """
    return (image_references["pull_policy"] != "Always") & ~image_references["pinned"]


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
        {apiVersion: v1, kind: Pod, metadata: {name: ok-other}, spec: {containers: [
          {name: c, image: i, command: [/app/server], ports: [{containerPort: 2222}]}]}}
    """
    c = security_context
    shells = ports[(ports["port"] == 22).fillna(False).to_numpy(bool)]
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
