"""Signals of the runtime layer: something was seen, or nobody looks."""

from __future__ import annotations

from kaudit.chains import of_controls

of_controls(
    "alerted",
    "KA-RUN-006",
    shown_by=("KA-RUN-006a",),
    layer="runtime",
    stage="sign",
    effort="a review",
    title="A sensor has raised an alert on it that nobody closed",
    remedy="Isolate its pods, keep their evidence, and find how the command came to run.",
)
of_controls(
    "unwatched",
    "KA-RUN-006a",
    layer="runtime",
    stage="sign",
    effort="a review",
    title="That it is quiet is not shown: no ready sensor on its nodes, or no log of it",
    remedy="Run the sensor on every node, and keep what it writes.",
)
