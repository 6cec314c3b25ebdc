"""Registries: where nodes fetch images, and who may do what in them."""

from __future__ import annotations

from typing import Annotated

from kaudit.table import Resource, Table, Trace, doc


class RegistryEndpointRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the file in every table")]
    file: Annotated[str, doc("file of the node")]
    position: Annotated[int, doc("place in the file, from 1")]
    place: Annotated[str, doc("registry and address, as registry at address")]
    software: Annotated[str, doc("containerd, containers, cri-o, docker or k3s")]
    registry: Annotated[
        str, doc("registry or prefix whose images are fetched there; *: all that have no other")
    ]
    address: Annotated[str, doc("where they are fetched, as it is written")]
    plain_http: Annotated[bool, doc("by plain HTTP, or by HTTP where HTTPS fails")]
    unverified: Annotated[bool, doc("without a look at the certificate")]
    local: Annotated[bool, doc("on the node itself: nothing goes over a network")]
    used: Annotated[bool, doc("over a network, and not blocked")]


REGISTRY_ENDPOINTS = Table(
    "registry_endpoints",
    RegistryEndpointRow,
    grain="one address that a node's container runtime fetches images from",
    key=("file", "report", "position"),
    resource=Resource("=File", namespace="", name="file", container="place"),
)
