"""Vulnerabilities of images: each flaw of each package once, whatever tools name it.

Tools give the same flaw different ids (CVE-…, GHSA-…, DSA-…) and the same package different
names. A flaw goes by its CVE where any of its ids is one; a package by its package URL,
without what it says of the distribution (package-url/purl-spec).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, pairs, sorted_lists
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame
from kaudit.tables.scans import SEVERITIES

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class ImageVulnerabilityRow(Trace, kw_only=True):
    image: Annotated[str, doc("the image (images)")]
    advisory: Annotated[str, doc("CVE of the flaw, else the id that a tool gives it")]
    ids: Annotated[list[str], doc("ids that tools give it, sorted")]
    package: Annotated[str, doc("package, as the package URL names it")]
    version: Annotated[str, doc("version of the package")]
    package_type: Annotated[str, doc("deb, apk, npm, …, of the first tool by name")]
    severity: Annotated[str, doc("worst severity that a tool gives it")]
    severities: Annotated[list[str], doc("tool=severity, sorted")]
    tools: Annotated[list[str], doc("tools that name it, sorted")]
    fix: Annotated[str, doc("fixed where any tool knows a fix; else wont_fix, not_fixed, unknown")]
    fixed_versions: Annotated[list[str], doc("versions without the flaw, by tool")]
    cvss_score: Annotated[float | None, doc("highest CVSS base score that a tool gives")] = None
    epss: Annotated[float | None, doc("highest probability of exploitation that a tool gives")] = (
        None
    )
    known_exploited: Annotated[
        bool | None, doc("a tool says that it is exploited; null: none says anything")
    ] = None
    suppressed: Annotated[bool, doc("every tool that names it left it out by an exception")]
    suppressed_by: Annotated[list[str], doc("exceptions that left it out, sorted")]
    published_at: Annotated[datetime | None, doc("when the flaw was published, at the latest")] = (
        None
    )
    findings: Annotated[int, doc("findings of tools that name it")]
    running: Annotated[bool, doc("a Pod object uses the image")]
    namespaces: Annotated[list[str], doc("namespaces that use the image, sorted")]
    workloads: Annotated[int, doc("workloads that use the image")]
    pods: Annotated[int, doc("pods that use the image")]


IMAGE_VULNERABILITIES = Table(
    "image_vulnerabilities",
    ImageVulnerabilityRow,
    grain="one flaw of one package of one image",
    key=("image", "advisory", "package", "version"),
    resource=Resource("=Image", namespace="", name="image"),
)
_FIXES = ("fixed", "wont_fix", "not_fixed", "unknown")
#: Package types whose package URL names the distribution before the package.
_OF_SYSTEMS = r"^pkg:(?:deb|apk|rpm|alpm)/(?:[^/@?#]+/)?(?P<name>[^/@?#]+)"
_OF_LANGUAGES = r"^pkg:[^/]+/(?P<name>[^@?#]+)"


@view(IMAGE_VULNERABILITIES)
def image_vulnerabilities(
    images: pd.DataFrame, image_coverage: pd.DataFrame, vulnerabilities: pd.DataFrame
) -> pd.DataFrame:
    """Bring what the newest scans of each image name together."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(vulnerabilities):
        return IMAGE_VULNERABILITIES.empty()
    found = _of_images(image_coverage, vulnerabilities)
    keys = ["image", "advisory", "package", "version"]
    grouped = found.group_by(keys, use_threads=False).aggregate(list(_GATHERED.values()))
    columns: dict[str, Any] = {name: grouped[name] for name in keys}
    columns |= {name: grouped["_".join(way)] for name, way in _GATHERED.items()}
    columns |= {
        "severity": pa.array(SEVERITIES).take(columns["severity"]),
        "fix": pa.array(_FIXES).take(columns["fix"]),
    }
    at = pc.index_in(columns["image"], value_set=arrow(images["image"]))
    columns |= {
        name: pc.fill_null(arrow(images[name]).take(at), unset) for name, unset in _USES.items()
    }
    columns["namespaces"] = arrow(images["namespaces"]).take(at)
    for name in _LISTS:
        columns[name] = sorted_lists(columns[name])
    return frame(IMAGE_VULNERABILITIES.sorted(IMAGE_VULNERABILITIES.fitted(columns)))


#: Column to how it comes from the findings of tools.
_GATHERED = {
    "ids": ("id", "distinct"),
    "package_type": ("package_type", "first"),
    "severity": ("severity", "min"),
    "severities": ("tool_severity", "distinct"),
    "tools": ("tool", "distinct"),
    "fix": ("fix", "min"),
    "fixed_versions": ("fixed_versions", "distinct"),
    "cvss_score": ("cvss_score", "max"),
    "epss": ("epss", "max"),
    "known_exploited": ("known_exploited", "max"),
    "suppressed": ("suppressed", "min"),
    "suppressed_by": ("suppressed_by", "distinct"),
    "published_at": ("published_at", "min"),
    "findings": ("id", "count"),
    "raw": ("raw", "first"),
    "raw_line": ("raw_line", "first"),
}
_LISTS = ("namespaces", "ids", "severities", "tools", "fixed_versions", "suppressed_by")
#: Column of the image to what it is where nobody uses the image.
_USES = {"running": False, "workloads": 0, "pods": 0}


def _of_images(image_coverage: pd.DataFrame, vulnerabilities: pd.DataFrame) -> pa.Table:
    """Findings of the newest scan of each tool of each image, in the order of tools."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    v = vulnerabilities
    sure = image_coverage["newest"] & image_coverage["matched"].isin(["digest", "name", "unused"])
    cover = image_coverage[sure]
    scans = pa.table(
        {"scan": pairs(cover["tool"], cover["report"]), "image": arrow(cover["image"])}
    )
    findings = pa.table({"scan": pairs(v["tool"], v["report"]), "row": np.arange(len(v))})
    both = scans.join(findings, keys="scan", join_type="inner", use_threads=False)
    both = both.sort_by([("image", "ascending"), ("row", "ascending")]).combine_chunks()
    taken = {name: arrow(v[name]).take(both["row"].combine_chunks()) for name in _TAKEN}
    return pa.table(
        {
            **taken,
            "image": both["image"],
            "advisory": advisories(taken["id"], taken["aliases"]),
            "package": package_names(taken["purl"], taken["package"]),
            "severity": pc.index_in(taken["severity"], value_set=pa.array(SEVERITIES)),
            "tool_severity": pc.binary_join_element_wise(taken["tool"], taken["severity"], "="),
            "fix": pc.index_in(taken["fix"], value_set=pa.array(_FIXES)),
            "fixed_versions": pc.binary_join(taken["fixed_versions"], ", "),
        }
    )


_TAKEN = (
    "tool",
    "id",
    "aliases",
    "package",
    "version",
    "package_type",
    "purl",
    "severity",
    "fix",
    "fixed_versions",
    "cvss_score",
    "epss",
    "known_exploited",
    "suppressed",
    "suppressed_by",
    "published_at",
    "raw",
    "raw_line",
)


def advisories(ids: pa.Array, aliases: pa.Array) -> pa.Array:
    """CVE of each flaw: its own id, else the first of its other ids that is one, else its id."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows, names = pc.list_parent_indices(aliases), pc.list_flatten(aliases)
    cves = pc.starts_with(names, "CVE-")
    found = pa.table({"row": rows.filter(cves), "cve": names.filter(cves)})
    first = found.group_by("row").aggregate([("cve", "min")])
    at = pc.index_in(pa.array(range(len(ids)), first["row"].type), value_set=first["row"])
    other = first["cve_min"].combine_chunks().take(at)
    return pc.if_else(pc.starts_with(ids, "CVE-"), ids, pc.coalesce(other, ids))


def package_names(purls: pa.Array, names: pa.Array) -> pa.Array:
    """Name of each package as its URL gives it, else as the tool does."""
    import pyarrow.compute as pc

    lower = pc.utf8_lower(purls)
    of_system = pc.struct_field(pc.extract_regex(lower, _OF_SYSTEMS), "name")
    of_language = pc.struct_field(pc.extract_regex(lower, _OF_LANGUAGES), "name")
    plain = pc.replace_substring(pc.utf8_lower(names), ":", "/")
    return pc.replace_substring(pc.coalesce(of_system, of_language, plain), "%40", "@")
