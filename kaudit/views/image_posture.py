"""What scans say of each image: when, by what, how much, and what its configuration holds."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.ages import days_since
from kaudit.columns import arrow, pairs
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame
from kaudit.tables.scans import SEVERITIES

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class ImagePostureRow(Trace, kw_only=True):
    image: Annotated[str, doc("the image (images)")]
    running: Annotated[bool, doc("a Pod object uses it; else templates would")]
    judged: Annotated[bool, doc("it runs, or nothing does in the evidence")]
    platform: Annotated[bool, doc("used in namespaces of Kubernetes itself alone")]
    namespaces: Annotated[list[str], doc("namespaces that use it, sorted")]
    workloads: Annotated[int, doc("workloads that use it")]
    pods: Annotated[int, doc("pods that use it")]
    scanned: Annotated[bool, doc("a scan is of it, by digest or by name, and saw packages")]
    asked: Annotated[bool, doc("the evidence holds a scan of any image")]
    matched: Annotated[str, doc("surest match: digest, name, other (another build) or empty")]
    tools: Annotated[list[str], doc("tools whose scan is of it, sorted")]
    scanned_at: Annotated[datetime | None, doc("newest scan")] = None
    scan_age_days: Annotated[int | None, doc("whole days since the newest scan")] = None
    database_lag_days: Annotated[
        int | None, doc("whole days from the database to the scan, of the newest scan that says")
    ] = None
    os: Annotated[str | None, doc("operating system and its version")] = None
    os_end_of_life: Annotated[bool | None, doc("a tool says that it is no longer supported")] = None
    image_created_at: Annotated[datetime | None, doc("when the image was built, as it says")] = None
    image_user: Annotated[
        str | None, doc("user in the image's configuration, empty where it names none")
    ] = None
    image_source: Annotated[str | None, doc("label with its repository")] = None
    secrets: Annotated[int | None, doc("credentials that scanners found in it")] = None
    env_credentials: Annotated[
        list[str], doc("variables of its configuration whose value looks like a credential")
    ]
    history_credentials: Annotated[
        int, doc("steps of its history that hold what looks like a credential")
    ]
    critical: Annotated[int | None, doc("flaws of packages, critical; null: not scanned")] = None
    high: Annotated[int | None, doc("flaws of packages, high; null: not scanned")] = None
    medium: Annotated[int | None, doc("flaws of packages, medium; null: not scanned")] = None
    low: Annotated[int | None, doc("flaws of packages, low; null: not scanned")] = None
    negligible: Annotated[int | None, doc("flaws of packages, negligible; null: not scanned")] = (
        None
    )
    unknown: Annotated[int | None, doc("flaws of packages without severity; null: not scanned")] = (
        None
    )
    suppressed: Annotated[
        int | None, doc("flaws of packages left out by exceptions; null: not scanned")
    ] = None


IMAGE_POSTURE = Table(
    "image_posture",
    ImagePostureRow,
    grain="one image, and what scans say of it",
    key=("image",),
    resource=Resource("=Image", namespace="", name="image"),
)
_USES = (
    "image",
    "running",
    "judged",
    "platform",
    "namespaces",
    "workloads",
    "pods",
    "raw",
    "raw_line",
)


@view(
    IMAGE_POSTURE,
    naming=("image_vulnerabilities", "image_secrets", "tool_runs"),
    decided={"judged": ("containers",)},
)
def image_posture(
    images: pd.DataFrame,
    image_coverage: pd.DataFrame,
    image_vulnerabilities: pd.DataFrame,
    image_scans: pd.DataFrame,
    image_secrets: pd.DataFrame,
    cluster: pd.DataFrame,
    tool_runs: pd.DataFrame,
) -> pd.DataFrame:
    """Sum up scans by image; of those that kaudit ran it knows what reports leave out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    c = images
    scans = _scans(image_coverage, image_scans, image_secrets, tool_runs)
    told = scans.group_by("image", use_threads=False).aggregate(list(_TOLD.values()))
    at = pc.index_in(arrow(c["image"]), value_set=told["image"].combine_chunks())
    found: dict[str, Any] = {name: arrow(c[name]) for name in _USES}
    found |= {name: told["_".join(way)].take(at) for name, way in _TOLD.items()}
    scanned = pc.fill_null(found["scanned"], False)
    found |= {
        "scanned": scanned,
        "asked": pa.repeat(bool(len(image_scans)), len(c)),
        "matched": _matched(c, image_coverage),
        "tools": _joined(found["tools"]),
        "scan_age_days": arrow(days_since(_column(found["scanned_at"]), cluster)),
        "env_credentials": _joined(found["env_credentials"]),
        "history_credentials": pc.fill_null(found["history_credentials"], 0),
    }
    v = image_vulnerabilities
    counted = pc.if_else(arrow(v["suppressed"]), "suppressed", arrow(v["severity"]))
    rows = pa.table({"image": arrow(v["image"]), "severity": counted})
    for word in (*SEVERITIES, "suppressed"):
        counts = rows.filter(pc.equal(rows["severity"], word))["image"].value_counts()
        of = pc.index_in(arrow(c["image"]), value_set=pc.struct_field(counts, "values"))
        number = pc.fill_null(pc.struct_field(counts, "counts").take(of), 0)
        found[word] = pc.if_else(scanned, number, pa.scalar(None, pa.int64()))
    return frame(IMAGE_POSTURE.fitted(found))


#: Column to how it comes from the scans of an image, the newest last.
_TOLD = {
    "scanned": ("packages", "max"),
    "tools": ("tool", "distinct"),
    "scanned_at": ("scanned_at", "last"),
    "database_lag_days": ("lag", "last"),
    "os": ("os", "last"),
    "os_end_of_life": ("os_end_of_life", "max"),
    "image_created_at": ("image_created_at", "last"),
    "image_user": ("image_user", "last"),
    "image_source": ("image_source", "last"),
    "secrets": ("secrets", "max"),
    "env_credentials": ("env_credentials", "distinct"),
    "history_credentials": ("history_credentials", "max"),
}
_SCANNED = (
    "packages",
    "scanned_at",
    "os_end_of_life",
    "image_created_at",
    "image_user",
    "image_source",
    "history_credentials",
)
_DAY = 86_400_000_000


def _scans(
    image_coverage: pd.DataFrame,
    image_scans: pd.DataFrame,
    image_secrets: pd.DataFrame,
    tool_runs: pd.DataFrame,
) -> pa.Table:
    """Newest scan of each tool of each image, in the order of time."""
    import pyarrow as pa
    import pyarrow.compute as pc

    sure = image_coverage["newest"] & image_coverage["matched"].isin(["digest", "name"])
    cover, s = image_coverage[sure], image_scans
    at = pc.index_in(pairs(cover["tool"], cover["report"]), value_set=pairs(s["tool"], s["report"]))
    run = pc.index_in(arrow(s["report"]), value_set=arrow(tool_runs["report"]))
    built = pc.coalesce(
        arrow(s["database_built_at"]), arrow(tool_runs["database_built_at"]).take(run)
    )
    looked = arrow(s["scanned_at"]), built
    lag = pc.divide(pc.cast(pc.subtract(*looked), pa.int64()), _DAY)
    parts = (pc.fill_null(arrow(s[name]), "") for name in ("os_family", "os_version"))
    system = pc.utf8_trim_whitespace(pc.binary_join_element_wise(*parts, " "))
    reports = pairs(image_secrets["tool"], image_secrets["report"]).value_counts()
    of = pc.index_in(pairs(s["tool"], s["report"]), value_set=pc.struct_field(reports, "values"))
    by_run = pc.is_in(run, value_set=_naming(tool_runs["looked_for"], "secret"))
    places = pa.array(range(len(s)), pa.int32())
    searched = pc.or_(by_run, pc.is_in(places, value_set=_naming(s["covered"], "secret")))
    secrets = pc.coalesce(
        pc.struct_field(reports, "counts").take(of),
        pc.if_else(searched, pa.scalar(0, pa.int64()), pa.scalar(None, pa.int64())),
    )
    columns = {
        "image": arrow(cover["image"]),
        "tool": arrow(cover["tool"]),
        **{name: arrow(s[name]).take(at) for name in _SCANNED},
        "lag": lag.take(at),
        "os": pc.if_else(pc.equal(system, ""), pa.scalar(None, pa.string()), system).take(at),
        "secrets": secrets.take(at),
        "env_credentials": pc.binary_join(arrow(s["env_credentials"]), "\n").take(at),
    }
    columns["dated"] = pc.is_valid(columns["scanned_at"])
    order = ("image", "dated", "scanned_at", "tool")
    return pa.table(columns).sort_by([(name, "ascending") for name in order])


def _naming(lists: pd.Series[Any], word: str) -> pa.Array:
    """Places of the lists that hold a word."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = arrow(lists)
    rows = pc.list_parent_indices(texts).filter(pc.equal(pc.list_flatten(texts), word))
    return rows.cast(pa.int32())


def _matched(images: pd.DataFrame, image_coverage: pd.DataFrame) -> pa.Array:
    """Surest way in which any scan is of each image."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ways = pa.array(["digest", "name", "other", "unused"])
    rank = pc.index_in(arrow(image_coverage["matched"]), value_set=ways)
    found = pa.table({"image": arrow(image_coverage["image"]), "rank": rank})
    best = found.group_by("image", use_threads=False).aggregate([("rank", "min")])
    at = pc.index_in(arrow(images["image"]), value_set=best["image"].combine_chunks())
    return pc.fill_null(ways.take(best["rank_min"].combine_chunks().take(at)), "")


def _joined(lists: pa.Array) -> pa.Array:
    """Lists of joined texts as lists of their texts, each once and in order."""
    import pyarrow as pa

    texts = ["\n".join(filter(None, found or ())) for found in lists.to_pylist()]
    split = [sorted({*text.split("\n")}) if text else [] for text in texts]
    return pa.array(split, pa.list_(pa.string()))


def _column(values: pa.Array) -> pd.Series[Any]:
    import pandas as pd

    return pd.Series(pd.array(values, dtype=pd.ArrowDtype(values.type)))
