"""Image references, taken apart as the distribution reference grammar does.

Source: distribution/reference (grammar of names, tags and digests; ``ParseDockerRef`` for
defaults). A name whose first part is not a host is one of docker.io, and a name without slash
there is in ``library/``. A port is no tag. Upper case is for hosts and tags, not for
repositories.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from kaudit.columns import arrow, assembled, looked_up, positions, series, text_is
from kaudit.registry import view
from kaudit.table import Table, doc
from kaudit.tables.owned import CONTAINER, CONTAINER_KEY, OWNED_CONTAINER, OfContainer

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_WORD = r"[A-Za-z][A-Za-z0-9]*"
_DIGEST = re.compile(rf"{_WORD}(?:[-_+.]{_WORD})*:[0-9a-fA-F]{{32,}}")
#: Hexadecimal digits of the registered algorithms (OCI image-spec, descriptor.md).
_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
_LONGEST = 255


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
    >>> parsed("localhost:5000/a/b").tag
    ''
    """
    rest, at, digest = reference.partition("@")
    head, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        head, colon, tag = rest, "", ""
    first, slash, path = head.partition("/")
    if slash and (first == "localhost" or "." in first or ":" in first or first.lower() != first):
        registry, repository = first, path
    else:
        registry, repository = "docker.io", head
    registry = "docker.io" if registry == "index.docker.io" else registry
    if registry == "docker.io" and "/" not in repository:
        repository = f"library/{repository}"
    good = _good_digest(digest)
    valid = bool(
        _HOST.fullmatch(registry)
        and _PATH.fullmatch(repository)
        and len(repository) <= _LONGEST
        and (not colon or _TAG.fullmatch(tag))
        and (not at or good)
    )
    return ImageName(registry.lower(), repository, tag, digest if good else "", valid)


def _good_digest(text: str) -> bool:
    if not _DIGEST.fullmatch(text):
        return False
    algorithm, _, digits = text.partition(":")
    return len(digits) == _LENGTHS.get(algorithm, len(digits))


class ImageRow(OfContainer, kw_only=True):
    container: Annotated[str, doc("name of the container, or of the image volume")]
    container_type: Annotated[str, doc("init, sidecar, regular, ephemeral or volume")]
    image: Annotated[str, doc("image reference as written; empty where unset")]
    given: Annotated[bool, doc("an image is written")]
    valid: Annotated[bool, doc("it is an image reference")]
    registry: Annotated[str, doc("registry; docker.io where none is written")]
    repository: Annotated[str, doc("repository; library/ added where the registry implies it")]
    tag: Annotated[str, doc("tag as written; empty where none")]
    digest: Annotated[str, doc("digest as written; empty where none")]
    pinned: Annotated[bool, doc("names a digest")]
    floating: Annotated[bool, doc("no digest, not even a broken one, and the tag latest or none")]
    tagged_name: Annotated[str, doc("registry/repository:tag, all written out")]
    pull_policy: Annotated[str, doc("imagePullPolicy, with the default of Kubernetes")]
    running_digest: Annotated[str, doc("digest in the registry, of status imageID, or empty")]
    running_config: Annotated[
        str, doc("digest of the image's configuration, of status imageID, or empty")
    ]
    node: Annotated[str, doc("node that it runs on; empty where none")]
    pulls_as_named: Annotated[bool, doc("the pod or its account names an image pull secret")]


IMAGE_REFERENCES = Table(
    "image_references",
    ImageRow,
    grain="the image of one container, or of one image volume",
    key=CONTAINER_KEY,
    resource=OWNED_CONTAINER,
    pods=True,
)

_COPIED = (
    *CONTAINER,
    "image",
    "image_pull_policy",
    "image_id",
)


@view(IMAGE_REFERENCES)
def image_references(
    security_context: pd.DataFrame, pod_volumes: pd.DataFrame, pod_context: pd.DataFrame
) -> pd.DataFrame:
    """Take the image reference of each container and image volume apart."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    c = pd.concat([security_context[[*_COPIED]], _volumes(pod_volumes)], ignore_index=True)
    codes = arrow(c["image"]).dictionary_encode()
    texts = codes.dictionary.to_pylist()
    parts = [parsed(reference) for reference in texts]

    def of_each(values: list[Any], kind: pa.DataType) -> pd.Series[Any]:
        return series(pa.array(values, kind).take(codes.indices), c)

    text, flag = pa.string(), pa.bool_()
    latest = of_each([p.tag == "latest" or not (p.tag or p.digest) for p in parts], flag)
    default = pc.if_else(arrow(latest), "Always", "IfNotPresent")
    ids = arrow(c["image_id"]).dictionary_encode()

    def digest(pattern: str) -> pd.Series[Any]:
        told = pc.struct_field(pc.extract_regex(ids.dictionary, pattern), "digest")
        return series(pc.fill_null(told.take(ids.indices), ""), c)

    at = positions(c["pod_uid"], pod_context["pod_uid"])
    found: dict[str, Any] = {name: c[name] for name in _COPIED[:-2]}
    found |= {
        "given": c["image"] != "",
        "valid": of_each([p.valid for p in parts], flag),
        "registry": of_each([p.registry for p in parts], text),
        "repository": of_each([p.repository for p in parts], text),
        "tag": of_each([p.tag for p in parts], text),
        "digest": of_each([p.digest for p in parts], text),
        "pinned": of_each([bool(p.digest) for p in parts], flag),
        "floating": of_each(
            [p.tag in ("", "latest") and "@" not in t for p, t in zip(parts, texts, strict=True)],
            flag,
        ),
        "tagged_name": of_each([tagged(p) for p in parts], text),
        "pull_policy": series(pc.coalesce(arrow(c["image_pull_policy"]), default), c),
        "running_digest": digest(r"@(?P<digest>sha256:[0-9a-f]{64})$"),
        "running_config": digest(r"^(?:[a-z-]+://)?(?P<digest>sha256:[0-9a-f]{64})$"),
        "node": looked_up(pod_context, at, "node", c).fillna(""),
        "pulls_as_named": looked_up(pod_context, at, "pulls_as_named", c),
    }
    return assembled(c, found, IMAGE_REFERENCES.names)


def tagged(p: ImageName) -> str:
    """Name with its tag, all written out."""
    tag = p.tag or ("" if p.digest else "latest")
    return f"{p.registry}/{p.repository}" + (f":{tag}" if tag else "")


def _volumes(pod_volumes: pd.DataFrame) -> pd.DataFrame:
    """Image volumes as if they were containers."""
    import pandas as pd
    import pyarrow as pa

    chosen = pod_volumes[text_is(pod_volumes["source"], "image").to_numpy(dtype=bool)]
    chosen = chosen.reset_index(drop=True)
    nothing = pa.nulls(len(chosen), pa.string())
    found: dict[str, Any] = {n: chosen[n] for n in _COPIED if n in chosen.columns}
    found |= {
        "container": chosen["volume"],
        "container_type": series(pa.array(["volume"] * len(chosen), pa.string()), chosen),
        "image": chosen["reference"].fillna(""),
        "image_pull_policy": series(nothing, chosen),
        "image_id": series(nothing, chosen),
    }
    return pd.DataFrame({name: found[name] for name in _COPIED})
