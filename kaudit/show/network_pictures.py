"""Who may connect to whom, as a grid of namespaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kaudit.show.block_canvas import COLOURS, MUTED, RULE, Sheet, fit, width
from kaudit.show.blocks import Figure
from kaudit.show.charts import FULL
from kaudit.text import visible

__all__ = ["namespace_matrix"]

_SIZE, _SMALL, _MOST, _CELL = 8.6, 7.6, 24, 17.0
#: Verdict to colour, mark and word.
_LOOKS = {
    "all": (COLOURS["fail"], "■", "any port"),
    "some": ("#eac9a2", "▪", "some ports"),
    "unknown": (COLOURS["not_assessed"], "?", "unknown"),
    "denied": ("none", "", "denied"),
}


def namespace_matrix(
    names: Sequence[str], verdicts: Mapping[tuple[str, str], str], *, caption: str
) -> Figure:
    """Draw from which namespace (row) pods may connect to which (column).

    Parameters
    ----------
    names
        Namespaces in their order; the first 24 are drawn.
    verdicts
        Pair of names to ``all``, ``some``, ``unknown`` or ``denied``.
    caption
        Title of the figure.
    """
    shown = list(names[:_MOST])
    label = max([60.0, *(width(fit(n, _SIZE, 150), _SIZE) + 28 for n in shown)])
    cell = min(_CELL, (FULL - label) / max(len(shown), 1))
    top = 40.0
    more = len(names) - len(shown)
    sheet = Sheet(FULL, top + cell * len(shown) + (20 if more > 0 else 4))
    x = 0.0
    for key, (_, _, word) in _LOOKS.items():
        _cell(sheet, x, 4, 11, key)
        sheet.text(x + 16, 9.5, word, size=_SMALL, colour=MUTED)
        x += 30 + width(word, _SMALL)
    for at, name in enumerate(shown):
        y = top + cell * at
        sheet.text(
            *(label + cell * (at + 0.5), top - 9, str(at + 1)),
            size=_SMALL,
            colour=MUTED,
            align="center",
        )
        sheet.text(18, y + cell / 2, str(at + 1), size=_SMALL, colour=MUTED, align="right")
        sheet.text(24, y + cell / 2, fit(name, _SIZE, label - 30), size=_SIZE)
        for column, other in enumerate(shown):
            key = verdicts.get((name, other), "denied")
            _cell(sheet, label + cell * column + 1, y + 1, cell - 2, key)
    sheet.more(more, size=_SMALL)
    return Figure(sheet.svg(), f"{caption}. {_words(shown, verdicts)}.", caption)


def _cell(sheet: Sheet, x: float, y: float, size: float, key: str) -> None:
    fill, _, _ = _LOOKS[key]
    if fill == "none":
        sheet.box(x + 0.4, y + 0.4, size - 0.8, size - 0.8, "none", outline=RULE)
    else:
        sheet.box(x, y, size, size, fill, hatched=key == "unknown")


def _words(names: Sequence[str], verdicts: Mapping[tuple[str, str], str]) -> str:
    """Say row by row to whom; a namespace that may reach no other is named too."""
    found = []
    for name in names:
        reached = {
            key: [o for o in names if o != name and verdicts.get((name, o), "denied") == key]
            for key in ("all", "some", "unknown")
        }
        parts = [
            f"{_LOOKS[key][2]} of {', '.join(visible(o) for o in others)}"
            if len(others) < len(names) - 1
            else f"{_LOOKS[key][2]} of every other"
            for key, others in reached.items()
            if others
        ]
        found.append(f"{visible(name)}: {'; '.join(parts) or 'no other'}")
    return ". ".join(found)
