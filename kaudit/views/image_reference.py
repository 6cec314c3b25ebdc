"""Image references, taken apart as the distribution reference grammar does.

Source: distribution/reference (grammar of names, tags and digests); a name without registry
is one of docker.io, a name without slash there is in ``library/``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from kaudit.columns import arrow, assembled, series
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd

_DOMAIN = re.compile(
    r"^(?:[a-zA-Z0-9](?:[a-zA-Z0-9\-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9\-]*[a-zA-Z0-9])?)*"
    r"|\[[0-9a-fA-F:]+\])(?::\d+)?$"
)
_PATH = re.compile(
    r"^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$"
)
_TAG = re.compile(r"^\w[\w.\-]{0,127}$", re.ASCII)
_DIGEST = re.compile(r"^[a-zA-Z][a-zA-Z0-9]*(?:[-_+.][a-zA-Z][a-zA-Z0-9]*)*:[0-9a-fA-F]{32,}$")


class ImageName(msgspec.Struct, frozen=True):
    """Parts of a reference; empty where it has none, ``valid`` False where it is none."""

    registry: str
    repository: str
    tag: str
    digest: str
    valid: bool


@lru_cache(maxsize=65536)
def parsed(reference: str) -> ImageName:
    """Take a reference apart.

    >>> parsed("nginx:1.27").registry, parsed("nginx:1.27").repository
    ('docker.io', 'library/nginx')
    """
    rest, _, digest = reference.partition("@")
    head, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        head, tag = rest, ""
    first, slash, path = head.partition("/")
    local = first == "localhost" or "." in first or ":" in first or first != first.lower()
    if slash and local:
        registry, repository = first, path
    else:
        registry, repository = "docker.io", head if slash else f"library/{head}"
    registry = {"index.docker.io": "docker.io"}.get(registry, registry).lower()
    valid = bool(
        _DOMAIN.match(registry)
        and _PATH.match(repository)
        and (not tag or _TAG.match(tag))
        and ("@" not in reference or _DIGEST.match(digest))
    )
    return ImageName(registry, repository, tag, digest if _DIGEST.match(digest) else "", valid)


class ImageRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of its pod")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
    container: Annotated[str, doc("name of the container")]
    container_type: Annotated[str, doc("init, sidecar, regular or ephemeral")]
    origin: Annotated[str, doc("object: a Pod object; template: what a controller would make")]
    owner_kind: Annotated[str, doc("kind of the topmost known owner")]
    owner_name: Annotated[str, doc("name of the topmost known owner")]
    platform: Annotated[bool, doc("in a namespace of Kubernetes itself")]
    image: Annotated[str, doc("image reference as written; empty where unset")]
    given: Annotated[bool, doc("an image is written")]
    valid: Annotated[bool, doc("it is an image reference")]
    registry: Annotated[str, doc("registry; docker.io where none is written")]
    repository: Annotated[str, doc("repository; library/ added where the registry implies it")]
    tag: Annotated[str, doc("tag as written; empty where none")]
    digest: Annotated[str, doc("digest as written; empty where none")]
    pinned: Annotated[bool, doc("names a digest")]
    floating: Annotated[bool, doc("no digest, and the tag latest or none")]
    pull_policy: Annotated[str, doc("imagePullPolicy, with the default of Kubernetes")]
    running_digest: Annotated[str, doc("digest of status imageID; empty where unknown")]


IMAGE_REFERENCES = Table(
    "image_references",
    ImageRow,
    grain="the image of one container",
    key=("namespace", "pod", "pod_uid", "container_type", "container"),
    resource=Resource("owner_kind", name="owner_name", container="container"),
    pods=True,
)


@view(IMAGE_REFERENCES)
def image_references(security_context: pd.DataFrame) -> pd.DataFrame:
    """Take the image reference of each container apart."""
    import pyarrow as pa
    import pyarrow.compute as pc

    c = security_context
    codes = arrow(c["image"]).dictionary_encode()
    parts = [parsed(reference) for reference in codes.dictionary.to_pylist()]

    def of_each(values: list[Any], kind: pa.DataType) -> pd.Series[Any]:
        return series(pa.array(values, kind).take(codes.indices), c)

    text, flag = pa.string(), pa.bool_()
    floating = of_each([not p.digest and p.tag in ("", "latest") for p in parts], flag)
    default = pc.if_else(arrow(floating), "Always", "IfNotPresent")
    policy = pc.coalesce(arrow(c["image_pull_policy"]), default)
    running = pc.extract_regex(arrow(c["image_id"]), r"(?P<digest>sha256:[0-9a-f]{64})")
    copied = (
        "raw raw_line pod_uid namespace pod container container_type origin owner_kind "
        "owner_name platform image"
    )
    found: dict[str, Any] = {name: c[name] for name in copied.split()}
    found |= {
        "given": c["image"] != "",
        "valid": of_each([p.valid for p in parts], flag),
        "registry": of_each([p.registry for p in parts], text),
        "repository": of_each([p.repository for p in parts], text),
        "tag": of_each([p.tag for p in parts], text),
        "digest": of_each([p.digest for p in parts], text),
        "pinned": of_each([bool(p.digest) for p in parts], flag),
        "floating": floating,
        "pull_policy": series(policy, c),
        "running_digest": series(pc.fill_null(pc.struct_field(running, "digest"), ""), c),
    }
    return assembled(c, found, [column.name for column in IMAGE_REFERENCES.columns])
