"""Registries: where nodes fetch images, and who may do what in them."""

from __future__ import annotations

from datetime import datetime
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


class RegistryGrantRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the file in every table")]
    file: Annotated[str, doc("file")]
    position: Annotated[int, doc("place in the file, from 1")]
    place: Annotated[str, doc("what is granted to whom, as repository to subject")]
    system: Annotated[str, doc("harbor, zot, distribution, ecr or google")]
    repository: Annotated[str, doc("repository or pattern; unknown: the file does not say")]
    everywhere: Annotated[bool, doc("it is every repository of the registry")]
    subject: Annotated[str, doc("who, as the registry calls them")]
    subject_kind: Annotated[
        str, doc("anonymous, everyone (who can log in), user, group, robot or account")
    ]
    role: Annotated[str | None, doc("role, as the registry calls it")] = None
    pulls: Annotated[bool | None, doc("may pull; null: the role is not known")] = None
    pushes: Annotated[bool | None, doc("may push; null: the role is not known")] = None
    deletes: Annotated[bool | None, doc("may delete; null: the role is not known")] = None
    administers: Annotated[bool | None, doc("may grant; null: the role is not known")] = None
    conditional: Annotated[bool, doc("a condition, or a refusal beside it, decides too")]
    active: Annotated[bool, doc("neither disabled nor deleted")]
    expires_at: Annotated[
        datetime | None, doc("when it ends; null: it does not, or the file does not say")
    ] = None


REGISTRY_GRANTS = Table(
    "registry_grants",
    RegistryGrantRow,
    grain="one right of one subject in some repositories of a registry",
    key=("file", "report", "position"),
    resource=Resource("=File", namespace="", name="file", container="place"),
)
