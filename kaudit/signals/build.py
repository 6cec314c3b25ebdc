"""Signals of the build layer: what runs has known flaws, or is not known at all."""

from __future__ import annotations

from kaudit.chains import of_controls

of_controls(
    "exploitable",
    "KA-BLD-005",
    "KA-BLD-005a",
    "KA-BLD-004",
    layer="build",
    stage="weakness",
    effort="a new image",
    urgent=(("KA-BLD-005", "KA-BLD-005a"), "a flaw that is exploited, or likely to be"),
    title="A flaw of its image is exploited, likely to be, or critical with a fix overdue",
    remedy="Build the image with the fixed package, and roll it out.",
)
of_controls(
    "unverified",
    "KA-BLD-001",
    "KA-BLD-003",
    "KA-BLD-011",
    "KA-BLD-012",
    layer="build",
    stage="weakness",
    effort="a review",
    title="Nobody knows what its image is: not scanned, not signed, or another than was scanned",
    remedy="Scan and sign the image that runs, and admit only such.",
)
