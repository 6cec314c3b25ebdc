"""Which statements of VEX documents speak of which flaw of which image.

A statement names products, and within them packages (OpenVEX 0.2.0, "Product matching";
CycloneDX 1.6, ``vulnerabilities[].affects``). An image among the products is matched by its
digest, or by its name where no digest is named; a package by its package URL. What names
something that cannot be matched clears nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from kaudit.columns import arrow, pairs, series
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame
from kaudit.views.image_vulnerabilities import package_names

if TYPE_CHECKING:
    import pandas as pd


class ImageExceptionRow(Trace, kw_only=True):
    image: Annotated[str, doc("the image (images)")]
    advisory: Annotated[str, doc("the flaw, as image_vulnerabilities names it")]
    package: Annotated[str, doc("package")]
    version: Annotated[str, doc("version of the package")]
    report: Annotated[str, doc("file of the statement")]
    position: Annotated[int, doc("place of the statement in the file")]
    status: Annotated[str, doc("not_affected, affected, fixed, under_investigation or unknown")]
    justification: Annotated[str | None, doc("justification in the words of VEX")] = None
    reason: Annotated[str | None, doc("reason in free text")] = None
    clears: Annotated[bool, doc("says that the image does not suffer from it")]


IMAGE_EXCEPTIONS = Table(
    "image_exceptions",
    ImageExceptionRow,
    grain="one statement on one flaw of one package of one image",
    key=("image", "advisory", "package", "version", "report", "position"),
    resource=Resource("=Image", namespace="", name="image"),
)
_FORMATS = ("openvex", "cyclonedx")
_CLEARING = ("not_affected", "fixed")
#: What names a flaw of an image.
FLAW = ("image", "advisory", "package", "version")
_DIGEST = re.compile(r"sha256(?::|%3[aA])([0-9a-f]{64})")
_OF_IMAGE = re.compile(r"^pkg:(?:oci|docker)/([^@?#]+)")
_PACKAGE = re.compile(r"^pkg:[a-z]+/[^@?#]+(?:@([^?#]+))?")


@view(IMAGE_EXCEPTIONS)
def image_exceptions(
    image_vulnerabilities: pd.DataFrame, scan_exceptions: pd.DataFrame
) -> pd.DataFrame:
    """Match statements with flaws by id, then with images and packages by what they name."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    v = image_vulnerabilities
    e = scan_exceptions[scan_exceptions["format"].isin(_FORMATS)].reset_index(drop=True)
    flaws = pa.table({"id": pc.list_flatten(arrow(v["ids"])), "row": _parents(v["ids"])})
    plain = pa.table({"id": arrow(v["advisory"]), "row": np.arange(len(v))})
    named = pa.table({"id": pc.list_flatten(arrow(e["aliases"])), "told": _parents(e["aliases"])})
    own = pa.table({"id": arrow(e["id"]), "told": np.arange(len(e))})
    both = pa.concat_tables([flaws, plain]).join(
        pa.concat_tables([named, own]), keys="id", join_type="inner", use_threads=False
    )
    both = both.group_by(["row", "told"], use_threads=False).aggregate([])
    images, names = arrow(v["image"]), arrow(v["package"])
    versions, scopes = arrow(v["version"]), arrow(e["scope"])
    rows = [
        (row, told)
        for row, told in zip(*(both[n].to_pylist() for n in ("row", "told")), strict=True)
        if _covers(
            tuple(scopes[told].as_py()),
            images[row].as_py(),
            (names[row].as_py(), versions[row].as_py()),
        )
    ]
    at = pa.array([row for row, _ in rows], pa.int64())
    of = pa.array([told for _, told in rows], pa.int64())
    taken = {name: arrow(e[name]).take(of) for name in _TOLD}
    columns = {
        **{name: arrow(v[name]).take(at) for name in FLAW},
        **taken,
        "clears": pc.is_in(taken["status"], value_set=pa.array(_CLEARING)),
    }
    return frame(IMAGE_EXCEPTIONS.sorted(IMAGE_EXCEPTIONS.fitted(columns)))


_TOLD = (
    "report",
    "position",
    "status",
    "justification",
    "reason",
    "raw",
    "raw_line",
)


def _parents(lists: pd.Series[list[str]]) -> object:
    """Row of each text of lists."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.list_parent_indices(arrow(lists)).cast(pa.int64())


class _Scope(msgspec.Struct, frozen=True):
    digests: frozenset[str]
    names: frozenset[str]
    packages: frozenset[tuple[str, str]]
    strange: bool


@lru_cache(maxsize=4096)
def _scope(texts: tuple[str, ...]) -> _Scope:
    """Take apart what a statement names."""
    import pyarrow as pa

    digests, names, packages, strange = set(), set(), set(), False
    for text in texts:
        if found := _DIGEST.search(text):
            digests.add(f"sha256:{found[1]}")
        elif found := _OF_IMAGE.match(text):
            names.add(found[1].rpartition("/")[2].lower())
        elif found := _PACKAGE.match(text):
            (name,) = package_names(pa.array([text]), pa.array([""])).to_pylist()
            packages.add((name, found[1] or ""))
        else:
            strange = True
    return _Scope(frozenset(digests), frozenset(names), frozenset(packages), strange)


def _covers(texts: tuple[str, ...], image: str, package: tuple[str, str]) -> bool:
    """Whether a statement that names these speaks of a package of an image."""
    scope = _scope(texts)
    name, _, digest = image.partition("@")
    plain = name.rpartition("/")[2].partition(":")[0]
    of_image = bool(scope.digests or scope.names)
    if of_image and digest not in scope.digests and plain not in scope.names:
        return False
    if scope.packages:
        return bool({package, (package[0], "")} & scope.packages)
    return of_image or not scope.strange


def cleared(flaws: pd.DataFrame, image_exceptions: pd.DataFrame) -> pd.Series[Any]:
    """Tell of which flaws (image_vulnerabilities) a statement says that they are none."""
    import pyarrow.compute as pc

    clearing = image_exceptions[image_exceptions["clears"]]
    named = pairs(*(clearing[name] for name in FLAW))
    return series(pc.is_in(pairs(*(flaws[name] for name in FLAW)), value_set=named), flaws)
