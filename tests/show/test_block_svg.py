"""A drawing is the one that matplotlib makes of the same boxes, lines and texts."""

import io
import re
import warnings
from typing import Any

import matplotlib as mpl
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from kaudit.show.block_svg import Box, Line, Writing, drawing

RC: Any = {
    "svg.hashsalt": "kaudit",
    "svg.fonttype": "path",
    "font.family": ["DejaVu Sans"],
    "hatch.linewidth": 1.0,
    "axes.unicode_minus": False,
}


def of_matplotlib(
    wide: float, high: float, boxes: list[Box], lines: list[Line], writings: list[Writing]
) -> str:
    out = io.StringIO()
    with mpl.rc_context(RC), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = Figure(figsize=(wide / 72, high / 72), dpi=72)
        FigureCanvasSVG(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, wide)
        axes.set_ylim(high, 0)
        axes.set_axis_off()
        for b in boxes:
            patch = Rectangle((b.x, b.y), b.wide, b.high, fc=b.fill, ec=b.outline, lw=0.8)
            if b.hatched:
                patch.set(hatch="////", edgecolor="#ffffff", linewidth=0)
            axes.add_artist(patch)
        for line in lines:
            xs, ys = [line.x, line.to_x], [line.y, line.to_y]
            axes.add_artist(Line2D(xs, ys, color=line.colour, lw=0.7, solid_capstyle="butt"))
        for w in writings:
            place: Any = {"ha": w.align, "va": "center_baseline"}
            if w.upward:
                place = {"ha": "center", "va": "bottom", "rotation": 90}
            weight = "bold" if w.bold else "normal"
            style: Any = {"fontsize": w.size, "color": w.colour, "weight": weight}
            axes.text(w.x, w.y, w.text, parse_math=False, **style, **place)
        figure.savefig(
            out, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    return out.getvalue()


WIDE, HIGH = 300.0, 123.7
COLOURS = st.sampled_from(["#c8501e", "#aab4bf", "#ffffff", "#18222e"])


def upto(most: float) -> st.SearchStrategy[float]:
    return st.one_of(
        st.floats(0, most), st.integers(0, int(most * 8)).map(lambda eighths: eighths / 8)
    )


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x, y, wide, high = (draw(upto(side / 2)) for side in (WIDE, HIGH, WIDE, HIGH))
    kind = draw(st.sampled_from(["filled", "outlined", "empty", "hatched"]))
    fill = "none" if kind == "empty" else draw(COLOURS)
    outline = draw(COLOURS) if kind in ("outlined", "empty") else "none"
    return Box(x, y, 1 + wide, 1 + high, fill, outline, kind == "hatched")


LINES = st.builds(Line, upto(WIDE), upto(HIGH), upto(WIDE), upto(HIGH), COLOURS)
TEXTS = st.one_of(
    st.sampled_from(
        ["", "fi AVA ✕", "漢字", "Ẫlq", "a\u0301b", "-- x <a> & y ---", "  two  ", " "]
    ),
    st.text(st.characters(min_codepoint=32, exclude_categories=("C", "Z")), max_size=12),
)
WRITINGS = st.builds(
    Writing,
    upto(WIDE),
    upto(HIGH),
    TEXTS,
    st.sampled_from([9.0, 7.8, 8.8, 10.0]),
    COLOURS,
    st.sampled_from(["left", "center", "right"]),
    st.booleans(),
    st.booleans(),
)
NUMBER = re.compile(r"-?\d+\.\d{6}\b")


@settings(max_examples=60, deadline=None)
@given(st.lists(boxes(), max_size=5), st.lists(LINES, max_size=3), st.lists(WRITINGS, max_size=5))
def test_it_is_what_matplotlib_draws(
    boxes: list[Box], lines: list[Line], writings: list[Writing]
) -> None:
    assume(boxes or lines or any(writing.text for writing in writings))
    found = drawing(WIDE, HIGH, boxes, lines, writings).decode()
    wanted = of_matplotlib(WIDE, HIGH, boxes, lines, writings)
    # A number half way between two of six digits may be rounded up there and down here.
    assert NUMBER.sub("n", found) == NUMBER.sub("n", wanted)
    for one, other in zip(NUMBER.findall(found), NUMBER.findall(wanted), strict=True):
        assert abs(float(one) - float(other)) < 1.5e-6
