"""Add-ons of the cluster that are known by their image, and how long they are supported.

The table beside this module is of 2026-11: retirements, and ends of support of minor versions,
as the projects announce them (kubernetes.io, "Ingress NGINX Retirement"; helm.sh, "Helm v2
Deprecation Timeline"; cert-manager.io and istio.io, "Supported Releases"). A version before
the first that it knows has ended with that one; of a later one nothing is known.
"""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated

import msgspec

from kaudit.ages import ended
from kaudit.columns import arrow, series
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class AddonRow(Trace, kw_only=True):
    image: Annotated[str, doc("the image (images)")]
    addon: Annotated[str, doc("add-on")]
    version: Annotated[str | None, doc("minor version of the tag; null: the tag tells none")] = None
    support_ends_at: Annotated[datetime | None, doc("end of its support; null: not known")] = None
    running: Annotated[bool, doc("a Pod object uses it; else templates would")]
    workloads: Annotated[int, doc("workloads that use it")]
    ended: Annotated[
        bool | None, doc("its support has ended; null: its version, or the moment, is not known")
    ] = None


ADDONS = Table(
    "addons",
    AddonRow,
    grain="one image of a known add-on",
    key=("image", "addon"),
    resource=Resource("=Image", namespace="", name="image"),
)
_KNOWN = datetime(2026, 11, 1, tzinfo=UTC)
_VERSION = re.compile(r"^v?(\d{1,9})\.(\d{1,9})", re.ASCII)


class _Support(msgspec.Struct, frozen=True):
    addon: str
    ends: dict[tuple[int, int], datetime]
    retired: datetime | None = None


@cache
def _known() -> dict[str, _Support]:
    """Support by the last parts of the image's name."""
    text = (files("kaudit.views") / "addon_support.csv").read_text(encoding="utf-8")
    found: dict[str, _Support] = {}
    for row in csv.DictReader(text.splitlines()):
        until = datetime.fromisoformat(row["supported_until"]).replace(tzinfo=UTC)
        before = found.get(row["image"], _Support(row["addon"], {}))
        if row["version"]:
            major, minor = map(int, row["version"].split("."))
            ends = {**before.ends, (major, minor): until}
            found[row["image"]] = _Support(row["addon"], ends)
        else:
            found[row["image"]] = _Support(row["addon"], {}, until)
    return found


def _support(name: str) -> _Support | None:
    return next((s for tail, s in _known().items() if f"/{name}".endswith(f"/{tail}")), None)


def _until(support: _Support, version: tuple[int, int] | None) -> datetime | None:
    """End of support of a version; of one before the first that is known, that one's."""
    if support.retired or version is None:
        return support.retired
    if version in support.ends:
        return support.ends[version]
    first = min(support.ends)
    return support.ends[first] if version < first else None


@view(ADDONS)
def addons(images: pd.DataFrame, cluster: pd.DataFrame) -> pd.DataFrame:
    """Know add-ons by their image, and look their support up."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows, names, versions, ends, newer = [], [], [], [], []
    texts = (arrow(images[name]).to_pylist() for name in ("name", "tagged_name"))
    for row, (name, tagged) in enumerate(zip(*texts, strict=True)):
        if (support := _support(name)) is None:
            continue
        tag = _VERSION.match(tagged.removeprefix(name).removeprefix(":"))
        version = (int(tag[1]), int(tag[2])) if tag else None
        until = _until(support, version)
        rows.append(row)
        names.append(support.addon)
        versions.append(f"{version[0]}.{version[1]}" if version else None)
        ends.append(until)
        newer.append(until is None and version is not None)
    at = pa.array(rows, pa.int64())
    moment = pa.timestamp("us", tz="UTC")
    until_ = pa.array(ends, moment)
    over = arrow(ended(series(until_, images.head(0).reindex(range(len(at)))), cluster, _KNOWN))
    columns = {
        **{n: arrow(images[n]).take(at) for n in ("image", "running", "workloads")},
        **{n: arrow(images[n]).take(at) for n in ("raw", "raw_line")},
        "addon": pa.array(names, pa.string()),
        "version": pa.array(versions, pa.string()),
        "support_ends_at": until_,
        "ended": pc.if_else(pa.array(newer, pa.bool_()), False, over),
    }
    return frame(ADDONS.fitted(columns))
