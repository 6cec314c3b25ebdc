"""What notebook cells call: blocks, charts, and text made safe to show."""

from kaudit.show.explore import cases, control, evidence, finding, record, table
from kaudit.show.sections import (
    catalogue,
    cover,
    frameworks,
    gaps,
    layer,
    limits,
    overview,
    provenance,
    readiness,
    summary,
)

__all__ = [
    "cases",
    "catalogue",
    "control",
    "cover",
    "evidence",
    "finding",
    "frameworks",
    "gaps",
    "layer",
    "limits",
    "overview",
    "provenance",
    "readiness",
    "record",
    "summary",
    "table",
]
