"""A chain of risk as a picture: its links from outside to the loss, and where to cut it."""

from __future__ import annotations

from kaudit.model.risk import Chain, Link, State
from kaudit.show.block_canvas import COLOURS, MUTED, ON_LIGHT, Sheet, fit, on, width
from kaudit.show.blocks import Figure
from kaudit.show.charts import FULL
from kaudit.text import visible

__all__ = ["chain_figure"]

_HEAD, _HIGH, _GAP, _PAD = 24.0, 92.0, 22.0, 7.0
_ACROSS = 3
_SIZE, _SMALL = 8.4, 7.2
_STRIP = 15.0
_PAPER, _FILL, _CUT = "#ffffff", "#eef3f8", COLOURS["pass"]
#: Colours of the layers' strips.
_LAYERS = {
    "build": "#3d6a94",
    "deploy": "#6d3f91",
    "runtime": "#8c1d40",
    "network": "#23837a",
    "secrets": "#8a5a12",
}


def chain_figure(chain: Chain) -> Figure:
    """Draw the links of the proven patterns of a chain, in the course of an attack.

    Where none is proven, those of the possible ones. Links that were seen are full; those that
    the evidence does not tell of are hatched; the one that is best broken is framed.
    """
    links = chain.course
    rows = -(-len(links) // _ACROSS)
    sheet = Sheet(FULL, _HEAD + rows * _HIGH + max(rows - 1, 0) * _GAP + 4)
    badge = chain.severity.value
    room = width(badge, _SMALL, bold=True) + 10
    sheet.box(0, 3, room, 15, COLOURS[badge])
    sheet.text(room / 2, 10.5, badge, size=_SMALL, colour=on(COLOURS[badge]), align="center")
    sheet.text(room + 8, 10.5, fit(chain.label, 10, FULL - room - 8, bold=True), size=10, bold=True)
    across = min(_ACROSS, max(len(links), 1))
    wide = (FULL - _GAP * (across - 1)) / across
    for at, link in enumerate(links):
        line, column = divmod(at, across)
        x, y = column * (wide + _GAP), _HEAD + line * (_HIGH + _GAP)
        _box(sheet, x, y, wide, link, cut=link.signal == chain.remedy)
        if at + 1 < len(links):
            if column + 1 < across:
                _arrow(sheet, x + wide + 3, y + _HIGH / 2, _GAP - 6)
            else:
                _turn(sheet, x + wide / 2, y + _HIGH + 2, wide / 2)
    return Figure(sheet.svg(), _words(chain))


def _box(sheet: Sheet, x: float, y: float, wide: float, link: Link, *, cut: bool) -> None:
    known = link.state is State.HOLDS
    colour = _LAYERS[link.layer.value]
    if cut:
        sheet.box(x - 3, y - 3, wide + 6, _HIGH + 6, _CUT)
        sheet.box(x - 1.2, y - 1.2, wide + 2.4, _HIGH + 2.4, _PAPER)
    sheet.box(x, y, wide, _HIGH, _FILL if known else _PAPER, outline=colour)
    sheet.box(x, y, wide, _STRIP, colour if known else COLOURS["not_assessed"], hatched=not known)
    word = link.layer.value if known else f"{link.layer.value}: unknown"
    ink = on(colour)
    if not known:  # clear the hatching behind the word
        sheet.box(x + _PAD - 3, y + 1, width(word, _SMALL, bold=True) + 6, _STRIP - 2, _PAPER)
        ink = ON_LIGHT
    sheet.text(x + _PAD, y + _STRIP / 2, word, size=_SMALL, colour=ink, bold=True)
    if cut:
        sheet.text(
            *(x + wide - _PAD, y + _STRIP / 2, "break here"), size=_SMALL, colour=ink, align="right"
        )
    top = y + _STRIP + 10
    lines = _wrapped(link.title, _SIZE, wide - 2 * _PAD, 3)
    for line in lines:
        sheet.text(x + _PAD, top, line, size=_SIZE, colour=ON_LIGHT)
        top += 11
    left = max(1, int((y + _HIGH - top) // 9.2))
    for line in _wrapped(link.observed or link.reason, _SMALL, wide - 2 * _PAD, left):
        sheet.text(x + _PAD, top + 1, line, size=_SMALL, colour="#4a5866")
        top += 9.2


def _wrapped(text: str, size: float, room: float, most: int) -> list[str]:
    """Break text between words into lines; the last is cut to fit."""
    words = visible(" ".join(text.split()))[:600].split(" ")
    lines = [""]
    for at, word in enumerate(words):
        longer = f"{lines[-1]} {word}".strip()
        if width(longer, size) <= room:
            lines[-1] = longer
        elif len(lines) == most:
            lines[-1] = fit(f"{lines[-1]} {' '.join(words[at:])}", size, room)
            break
        else:
            lines[-1] = fit(lines[-1], size, room)
            lines.append(word)
    lines[-1] = fit(lines[-1], size, room)
    return [line for line in lines if line]


def _arrow(sheet: Sheet, x: float, y: float, long: float) -> None:
    sheet.line(x, y, x + long, y, MUTED)
    sheet.line(x + long - 4, y - 3, x + long, y, MUTED)
    sheet.line(x + long - 4, y + 3, x + long, y, MUTED)


def _turn(sheet: Sheet, x: float, y: float, back: float) -> None:
    """Lead from the end of a line of boxes to the beginning of the next."""
    middle = y + _GAP / 2 - 2
    sheet.line(x, y, x, middle, MUTED)
    sheet.line(x, middle, back, middle, MUTED)
    sheet.line(back, middle, back, y + _GAP - 5, MUTED)
    sheet.line(back - 3, y + _GAP - 9, back, y + _GAP - 5, MUTED)
    sheet.line(back + 3, y + _GAP - 9, back, y + _GAP - 5, MUTED)


def _words(chain: Chain) -> str:
    links = "; then ".join(
        f"{link.layer.value}: {link.title}"
        + (f" ({visible(link.observed)[:200]})" if link.observed else "")
        + ("" if link.state is State.HOLDS else ", which the evidence does not tell")
        for link in chain.course
    )
    cut = f" Break it at: {chain.cut.title}." if chain.cut else ""
    return f"{visible(chain.label)}, {chain.because}. {links}.{cut}"
