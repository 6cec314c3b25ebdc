"""Images that Dockerfiles build on, with their references taken apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import arrow, assembled, over_texts, series
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc
from kaudit.views.image_reference import parsed

if TYPE_CHECKING:
    import pandas as pd


class BaseImageRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the file in every table")]
    file: Annotated[str, doc("file")]
    stage: Annotated[int, doc("number of the stage, from 0")]
    part: Annotated[int, doc("0: its FROM; from 1: an image that it copies from")]
    line: Annotated[int, doc("line")]
    place: Annotated[str, doc("line, as line N")]
    image: Annotated[str, doc("image with the defaults of arguments put in")]
    external: Annotated[bool, doc("an image, not another stage and not scratch")]
    known: Annotated[bool, doc("False where an argument has no default")]
    final: Annotated[bool, doc("in the last stage")]
    shipped: Annotated[bool, doc("in the last stage, or one that it builds on")]
    tag: Annotated[str, doc("tag as written; empty where none")]
    digest: Annotated[str, doc("digest as written; empty where none")]
    pinned: Annotated[bool, doc("names a digest")]
    floating: Annotated[bool, doc("no digest, and the tag latest or none")]


BASE_IMAGES = Table(
    "base_images",
    BaseImageRow,
    grain="one image that a Dockerfile builds on or copies from",
    key=("file", "report", "stage", "part"),
    resource=Resource("=File", namespace="", name="file", container="place"),
)
_COPIED = (
    *("raw", "raw_line", "report", "file", "stage", "part", "line", "place", "image"),
    *("known", "final", "shipped"),
)


@view(BASE_IMAGES)
def base_images(dockerfile_stages: pd.DataFrame) -> pd.DataFrame:
    """Take each reference apart; what an argument would name stays unknown."""
    import pyarrow as pa
    import pyarrow.compute as pc

    stages, image = dockerfile_stages, dockerfile_stages["image"]
    found = {name: stages[name] for name in _COPIED}
    found |= {
        "external": series(pc.invert(arrow(stages["from_stage"])), stages),
        "tag": over_texts(image, lambda text: parsed(text).tag, unset="", type_=pa.string()),
        "digest": over_texts(image, lambda text: parsed(text).digest, unset="", type_=pa.string()),
        "pinned": over_texts(image, lambda text: bool(parsed(text).digest)),
        "floating": over_texts(
            image, lambda text: parsed(text).tag in ("", "latest") and "@" not in text
        ),
    }
    return assembled(stages, found, BASE_IMAGES.names)
