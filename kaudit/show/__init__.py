"""What notebook cells call: blocks, charts, and text made safe to show."""

from kaudit.show.explore import cases, control, evidence, finding, record, table
from kaudit.show.images import fix_plan, images, reconciliation, vulnerabilities
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
    "fix_plan",
    "frameworks",
    "gaps",
    "images",
    "layer",
    "limits",
    "overview",
    "provenance",
    "readiness",
    "reconciliation",
    "record",
    "summary",
    "table",
    "vulnerabilities",
]
