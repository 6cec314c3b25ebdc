"""What bills of materials tell of images: that there is one, and what helps an intruder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import over_lists, where_known
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-BLD-014",
    layer="build",
    severity="low",
    applies="judged",
    weak=("sboms", "sbom_components"),
    null="the evidence holds no bill of materials of anything",
    expected="a bill of materials that lists components",
    shows=("components", "workloads"),
)
def no_bill_of_materials(image_contents: pd.DataFrame) -> pd.Series[Any]:
    """Every image that runs has a bill of materials.

    When the next flaw of a library is told, the question is where it runs: a list that was
    made with the image answers in seconds. One that lists nothing is none.

    Remedy:
        Make it where the image is built, and keep it beside the image.

        syft registry.example.com/app@sha256:<digest> -o cyclonedx-json > app.cdx.json

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        # cluster: bad-of-another-image
        {kaudit-file: c.cdx.json, content: {bomFormat: CycloneDX, specVersion: "1.5", metadata: {component: {type: container, name: "a/c:1"}}, components: [{type: library, name: zlib, version: "1"}]}}
        # cluster: bad-lists-nothing
        {kaudit-file: b.cdx.json, content: {bomFormat: CycloneDX, specVersion: "1.5", metadata: {component: {type: container, name: "a/b:1"}}, components: []}}
        # cluster: ok-there-is
        {kaudit-file: b.cdx.json, content: {bomFormat: CycloneDX, specVersion: "1.5", metadata: {component: {type: container, name: "docker.io/a/b:1"}}, components: [{type: library, name: zlib, version: "1"}]}}
        # cluster: ok-nobody-was-asked
    """
    return where_known(~image_contents["listed"], image_contents["asked"])


@control(
    "KA-BLD-015",
    layer="build",
    severity="low",
    applies="judged",
    null="no bill of materials of it",
    expected="no shell beside a package manager",
    shows=("shells", "managers", "fetchers", "compilers", "components"),
)
def not_minimal(image_contents: pd.DataFrame) -> pd.Series[Any]:
    """Images hold no package manager together with a shell.

    Whoever gets in finds there what is needed to go on. Programs to fetch, and compilers, are
    shown beside; an image on busybox has a shell of good right, and no package manager.

    Remedy:
        Copy what is needed into a minimal base.

        FROM gcr.io/distroless/static-debian12:nonroot

    Cases:
        # cluster: bad-both
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.cdx.json, content: {bomFormat: CycloneDX, specVersion: "1.5", metadata: {component: {type: container, name: "a/b:1"}}, components: [{type: library, name: bash, version: "1"}, {type: library, name: apt, version: "1"}]}}
        ---
        # cluster: ok-a-shell-alone
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.cdx.json, content: {bomFormat: CycloneDX, specVersion: "1.5", metadata: {component: {type: container, name: "a/b:1"}}, components: [{type: library, name: busybox, version: "1"}]}}
        ---
        # cluster: ok-nobody-knows
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
    """
    c = image_contents
    both = over_lists(c["shells"], bool) & over_lists(c["managers"], bool)
    return where_known(both, c["listed"])


@control(
    "KA-BLD-022b",
    layer="build",
    severity="medium",
    applies="judged",
    null="no bill of materials of it",
    expected="no server for remote administration",
    shows=("servers", "workloads"),
)
def server_inside(image_contents: pd.DataFrame) -> pd.Series[Any]:
    """Images hold no server for remote administration.

    A way in beside the API of the cluster is seen by no audit log.

    Remedy:
        Take the package out; use kubectl exec, which is logged.

        RUN apt-get purge --yes openssh-server

    Cases:
        # cluster: bad-ssh
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.cdx.json, content: {bomFormat: CycloneDX, specVersion: "1.5", metadata: {component: {type: container, name: "a/b:1"}}, components: [{type: library, name: openssh-server, version: "1"}]}}
        ---
        # cluster: ok-none
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.cdx.json, content: {bomFormat: CycloneDX, specVersion: "1.5", metadata: {component: {type: container, name: "a/b:1"}}, components: [{type: library, name: openssh-client, version: "1"}]}}
    """
    return where_known(over_lists(image_contents["servers"], bool), image_contents["listed"])
