"""Operating system and container runtime of nodes, and how long they are supported.

The table beside this module is of 2026-11, as the projects announce their ends (standard support,
or long-term support of the project itself): Ubuntu by distro-info-data, Debian by its LTS project,
containerd by its RELEASES.md, others by endoflife.date. Kernels are left out: distributions mend
them without a new version. What the table does not know is not judged.
"""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated

from kaudit.ages import ended
from kaudit.columns import records
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class NodeSupportRow(Trace, kw_only=True):
    node: Annotated[str, doc("node")]
    part: Annotated[str, doc("os or runtime")]
    written: Annotated[str, doc("as the node tells it; empty: it does not")]
    known_as: Annotated[str | None, doc("name in the table; null: not known there")] = None
    support_ends_at: Annotated[datetime | None, doc("end of its support; null: not known")] = None
    ended: Annotated[bool | None, doc("its support has ended; null: not known")] = None


NODE_SUPPORT = Table(
    "node_support",
    NodeSupportRow,
    grain="one operating system or container runtime of a node",
    key=("node", "part"),
    resource=Resource("=Node", namespace="", name="node"),
)
_KNOWN = datetime(2026, 11, 1, tzinfo=UTC)


@cache
def _table() -> tuple[tuple[str, re.Pattern[str], str, datetime], ...]:
    text = (files("kaudit.views") / "node_support.csv").read_text(encoding="utf-8")
    return tuple(
        (
            row["part"],
            re.compile(row["pattern"]),
            row["name"],
            datetime.fromisoformat(row["supported_until"]).replace(tzinfo=UTC),
        )
        for row in csv.DictReader(text.splitlines())
    )


@view(NODE_SUPPORT)
def node_support(nodes: pd.DataFrame, cluster: pd.DataFrame) -> pd.DataFrame:
    """Look both up."""
    rows = []
    for node in records(nodes):
        for part, column in (("os", "os_image"), ("runtime", "container_runtime")):
            written = node[column] or ""
            found = next(
                ((name, end) for of, p, name, end in _table() if of == part and p.search(written)),
                (None, None),
            )
            rows.append(
                NodeSupportRow(
                    raw=node["raw"],
                    raw_line=node["raw_line"],
                    node=node["name"],
                    part=part,
                    written=written,
                    known_as=found[0],
                    support_ends_at=found[1],
                )
            )
    made = frame(NODE_SUPPORT.sorted(NODE_SUPPORT.arrow(rows)))
    return made.assign(ended=ended(made["support_ends_at"], cluster, _KNOWN))
