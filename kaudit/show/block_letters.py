"""Lines of text as outlines of the letters of the drawing font, which matplotlib brings."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["SCALE", "Letters", "digits", "font", "least", "letters", "outline"]

#: Size at which letters are measured.
SCALE = 100
#: Outlines of letters, by the name of font and glyph.
_OUTLINES: dict[str, str] = {}


class Letters(NamedTuple):
    """A line of text at :data:`SCALE`: how wide, tall and deep it is, and where its glyphs are."""

    wide: float
    tall: float
    deep: float
    glyphs: list[tuple[str, float, float]]


@cache
def font(bold: bool) -> Any:
    """Return the font of drawings, of matplotlib's own: the same on any machine."""
    import matplotlib as mpl
    from matplotlib.font_manager import get_font

    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    face = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return get_font([str(folder / face), str(folder / "LastResortHE-Regular.ttf")])


@lru_cache(maxsize=4096)
def letters(text: str, bold: bool) -> Letters:
    """Return a line of text, measured without hinting."""
    from matplotlib.ft2font import LoadFlags
    from matplotlib.textpath import text_to_path

    face = font(bold)
    face.set_size(SCALE, 72)
    known: Any = _OUTLINES  # only asked for names
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph that no font has
        face.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
        wide, tall = (units / 64 for units in face.get_width_height())
        deep = face.get_descent() / 64
        glyphs, new, _ = text_to_path.get_glyphs_with_font(
            face, text, glyph_map=known, return_new_glyphs_only=True
        )
    _OUTLINES.update({name: _outline(*path) for name, path in new.items()})
    return Letters(wide, tall, deep, [(name, x, y) for name, x, y, _ in glyphs])


@cache
def least(bold: bool, size: float) -> tuple[float, float]:
    """Return how high and how deep any line of text is at least."""
    face = font(bold)
    unit = 1 / face.get_sfnt_table("head")["unitsPerEm"] * size
    system = face.get_sfnt_table("OS/2")
    return system["sTypoAscender"] * unit, -system["sTypoDescender"] * unit


def outline(name: str) -> str:
    """Return a letter as attributes of a path, in sixty-fourths of a unit."""
    return _OUTLINES[name]


def digits(value: float) -> str:
    """Write a number with six digits at most."""
    return f"{value:f}".rstrip("0").rstrip(".")


def _outline(vertices: Any, codes: Iterable[int]) -> str:
    points = iter((vertices * 64).tolist())
    found = []
    for letter, group in _steps(codes):
        at = [digits(value) for _ in range(group) for value in next(points)]
        found.append("z\n" if letter == "z" else f"{letter} {' '.join(at)} \n")
    path = f' d="{"".join(found)}"' if found else ""
    return f'{path} transform="scale(0.015625)"'


def _steps(codes: Iterable[int]) -> Iterator[tuple[str, int]]:
    """Yield each step of a path, and how many points it has."""
    kinds = {1: ("M", 1), 2: ("L", 1), 3: ("Q", 2), 4: ("C", 3), 79: ("z", 1)}
    todo = iter(codes)
    for code in todo:
        letter, count = kinds[int(code)]
        for _ in range(count - 1):
            next(todo)
        yield letter, count
