"""A sheet to draw charts on, in points, reproducible to the byte.

matplotlib draws; the places are ours, measured with the metrics of the very font that is
drawn, so that nothing overlaps or is cut off. Text is never read as mathematics.
"""

from __future__ import annotations

import io
import warnings
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

from kaudit.text import visible

__all__ = [
    "COLOURS",
    "INK",
    "MUTED",
    "ON_DARK",
    "ON_LIGHT",
    "RULE",
    "Sheet",
    "fit",
    "on",
    "tint",
    "width",
]

# Ink, muted and rule change in a dark page; ON_LIGHT and ON_DARK stand on a fill and do not.
INK, MUTED, RULE = "#18222e", "#5d6b7a", "#d5dce4"
ON_LIGHT, ON_DARK = "#18222f", "#ffffff"

#: Colours by word; told apart with any colour vision, and by lightness in grey print.
COLOURS = {
    "critical": "#8c1d40",
    "high": "#c8501e",
    "medium": "#dda53a",
    "low": "#5b9bc4",
    "info": "#a9b4bf",
    "negligible": "#a9b4bf",
    "unknown": "#7d6b91",
    "fail": "#c8501e",
    "error": "#6d3f91",
    "not_assessed": "#aab4bf",
    "manual": "#5b9bc4",
    "pass": "#23837a",
    "not_applicable": "#e6eaee",
    "full": "#23837a",
    "partial": "#8cc5bd",
    "plain": "#3d6a94",
}
_RC: Any = {
    "svg.hashsalt": "kaudit",
    "svg.fonttype": "path",
    "text.parse_math": False,
    "font.family": ["DejaVu Sans"],
    "hatch.linewidth": 1.2,
    "hatch.color": "#ffffff",
    "axes.unicode_minus": False,
}


@cache
def _font(bold: bool) -> Any:
    import matplotlib as mpl
    from matplotlib.font_manager import get_font

    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    face = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return get_font([str(folder / face), str(folder / "LastResortHE-Regular.ttf")])


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Width of a line of text, in points."""
    return _width(text, bold) / 64 * size / 100


@lru_cache(maxsize=4096)
def _width(text: str, bold: bool) -> float:
    font = _font(bold)
    font.set_size(100, 72)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph that no font has
        font.set_text(text, 0.0)
    return float(font.get_width_height()[0])


def fit(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """Make collected text a label: one visible line, its middle cut to fit so many points."""
    label = visible(" ".join(text.split()))
    if len(label) > 200:
        label = f"{label[:100]}{label[-100:]}"
        if width(label, size, bold=bold) <= room:
            label = f"{label[:100]}…{label[100:]}"
    if width(label, size, bold=bold) <= room:
        return label
    low, high = 0, len(label)
    while low < high:
        keep = (low + high + 1) // 2
        if width(_middle(label, keep), size, bold=bold) <= room:
            low = keep
        else:
            high = keep - 1
    return _middle(label, low)


def _middle(label: str, keep: int) -> str:
    tail = keep // 2
    return f"{label[: keep - tail]}…{label[len(label) - tail :]}"


def on(fill: str) -> str:
    """Colour of text on a fill: dark or white, whichever has the greater contrast."""
    parts = [int(fill[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    # The dark ink has a luminance of 0.015.
    return ON_DARK if 1.05 / (light + 0.05) > (light + 0.05) / 0.065 else ON_LIGHT


class Sheet:
    """A drawing area with the origin at its upper left; lengths are points."""

    def __init__(self, wide: float, high: float) -> None:
        import matplotlib as mpl
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure

        self.wide, self.high = wide, high
        with mpl.rc_context(_RC):
            self._figure = Figure(figsize=(wide / 72, high / 72), dpi=72)
            FigureCanvasSVG(self._figure)
            self._axes = self._figure.add_axes((0, 0, 1, 1))
        self._axes.set_xlim(0, wide)
        self._axes.set_ylim(high, 0)
        self._axes.set_axis_off()

    def box(
        self,
        x: float,
        y: float,
        wide: float,
        high: float,
        colour: str,
        *,
        hatched: bool = False,
        outline: str = "none",
    ) -> None:
        """Fill a rectangle; hatched means *not known*."""
        from matplotlib.patches import Rectangle

        patch = Rectangle((x, y), wide, high, facecolor=colour, edgecolor=outline, linewidth=0.8)
        if hatched:
            patch.set(hatch="////", edgecolor="#ffffff", linewidth=0)
        self._axes.add_artist(patch)  # add_patch also works out limits, and these are set

    def line(self, x: float, y: float, to_x: float, to_y: float, colour: str = RULE) -> None:
        """Draw a hairline."""
        from matplotlib.lines import Line2D

        line = Line2D([x, to_x], [y, to_y], color=colour, linewidth=0.7, solid_capstyle="butt")
        self._axes.add_artist(line)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 9.0,
        colour: str = INK,
        align: Literal["left", "center", "right"] = "left",
        bold: bool = False,
        upward: bool = False,
    ) -> None:
        """Write a line of text, its middle at ``y``, upwards from there where told; it must fit."""
        weight = "bold" if bold else "normal"
        place: dict[str, Any] = {"ha": align, "va": "center_baseline"}
        if upward:
            place = {"ha": "center", "va": "bottom", "rotation": 90}
        self._axes.text(
            x,
            y,
            text,
            fontsize=size,
            color=colour,
            weight=weight,
            parse_math=False,
            **place,
        )

    def more(self, left_out: int, *, size: float, above: float = 9) -> None:
        """Say at the foot how many are left out, if any; ``above`` the lower edge."""
        if left_out > 0:
            self.text(0, self.high - above, f"and {left_out:,} more", size=size, colour=MUTED)

    def svg(self) -> bytes:
        """Return the drawing: no date, no creator, ids that depend on the content only."""
        import matplotlib as mpl

        out = io.StringIO()
        with mpl.rc_context(_RC), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")
            self._figure.savefig(
                out, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
            )
        return out.getvalue().encode()


def tint(colour: str, depth: float) -> str:
    """Mix a colour with white: 1 is the colour, 0 is white."""
    parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - (255 - part) * depth):02x}" for part in parts)
