"""Drawings as SVG: boxes, lines and texts, to the byte as matplotlib writes them.

matplotlib's figures place, transform and clip whatever may be drawn; here all that is known
before, and the same drawing takes a fifth of the time. Texts are outlines from its fonts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Literal, NamedTuple

from kaudit.show.block_letters import SCALE, Letters, digits, least, letters, outline

__all__ = ["Box", "Line", "Writing", "drawing"]

_HEAD = """\
<?xml version="1.0" encoding="utf-8" standalone="no"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN"
  "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="{w}pt" height="{h}pt" \
viewBox="0 0 {w} {h}" xmlns="http://www.w3.org/2000/svg" version="1.1">
 <metadata>
  <rdf:RDF xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:cc="http://creativecommons.org/ns#" \
xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
   <cc:Work>
    <dc:type rdf:resource="http://purl.org/dc/dcmitype/StillImage"/>
    <dc:format>image/svg+xml</dc:format>
   </cc:Work>
  </rdf:RDF>
 </metadata>
 <defs>
  <style type="text/css">*{{stroke-linejoin: round; stroke-linecap: butt}}</style>
 </defs>
 <g id="figure_1">
  <g id="patch_1">
   <path d="M 0 {h} 
L {w} {h} 
L {w} 0 
L 0 0 
L 0 {h} 
z
" style="fill: none"/>
  </g>
  <g id="axes_1">
"""  # noqa: W291  as it is written there
_CLIP = """\
  </g>
 </g>
 <defs>
  <clipPath id="{clip}">
   <rect x="0" y="0" width="{w}" height="{h}"/>
  </clipPath>
 </defs>
"""
_HATCH = """\
  <pattern id="{id}" patternUnits="userSpaceOnUse" x="0" y="0" width="72" height="72">
   <rect x="0" y="0" width="73" height="73" fill="{fill}"/>
   <path d="{lines}" style="fill: #ffffff; stroke: #ffffff; stroke-width: 1.0; \
stroke-linecap: butt; stroke-linejoin: miter"/>
  </pattern>
"""
_SHARES = {"left": 0.0, "center": 0.5, "right": 1.0}  # of a text, left of its place
_HATCHING = "".join(f"M {at} {at + 72} \nL {at + 72} {at} \n" for at in range(-36, 37, 3))


class Box(NamedTuple):
    """A rectangle; colours are ``#rrggbb`` or ``none``."""

    x: float
    y: float
    wide: float
    high: float
    fill: str
    outline: str
    hatched: bool


class Line(NamedTuple):
    """A hairline."""

    x: float
    y: float
    to_x: float
    to_y: float
    colour: str


class Writing(NamedTuple):
    """A line of text."""

    x: float
    y: float
    text: str
    size: float
    colour: str
    align: Literal["left", "center", "right"]
    bold: bool
    upward: bool


def drawing(
    wide: float,
    high: float,
    boxes: Sequence[Box],
    lines: Sequence[Line],
    writings: Sequence[Writing],
) -> bytes:
    """Return a drawing of so many points: boxes, lines on them, and texts on all."""
    size = {"w": digits(wide), "h": digits(high)}
    clip = _id("p", _bounds(wide, high))
    parts = [_HEAD.format(**size)]
    parts += [_box(number, box, clip) for number, box in enumerate(boxes, 2)]
    parts += [_line(number, line, clip) for number, line in enumerate(lines, 1)]
    known: set[str] = set()
    shown = (writing for writing in writings if writing.text)
    for number, writing in enumerate(shown, 1):
        parts += _writing(number, writing, wide, high, known)
    if boxes or lines:
        parts.append(_CLIP.format(clip=clip, **size))
    else:
        parts.append("  </g>\n </g>\n")
    hatches = dict.fromkeys(box.fill for box in boxes if box.hatched)
    if hatches:
        found = "".join(
            _HATCH.format(id=_hatch(fill), fill=fill, lines=_HATCHING) for fill in hatches
        )
        parts.append(f" <defs>\n{found} </defs>\n")
    parts.append("</svg>\n")
    return "".join(parts).encode()


def _id(kind: str, content: str) -> str:
    return kind + sha256(f"kaudit{content}".encode()).hexdigest()[:10]


def _bounds(wide: float, high: float) -> str:
    """Write the drawing area as it stands in the id of its clip, measured in inches and back."""
    sides = (0.0, 0.0, wide / 72 * 72, high / 72 * 72)
    return f"({', '.join(f'np.float64({side!r})' for side in sides)})"


def _hatch(fill: str) -> str:
    red, green, blue = (int(fill[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _id("h", str(("////", (red, green, blue, 1.0), (1.0, 1.0, 1.0, 1.0), 1.0)))


def _box(number: int, box: Box, clip: str) -> str:
    x, y = digits(box.x), digits(box.y)
    to_x, to_y = digits(box.x + box.wide), digits(box.y + box.high)
    back = f"L {x} {y} \n" if box.fill == "none" else ""
    path = f"M {x} {y} \nL {to_x} {y} \nL {to_x} {to_y} \nL {x} {to_y} \n{back}z\n"
    style = f"fill: {f'url(#{_hatch(box.fill)})' if box.hatched else box.fill}"
    if box.outline != "none" and not box.hatched:
        style += f"; stroke: {box.outline}; stroke-width: 0.8; stroke-linejoin: miter"
    return _shape(f"patch_{number}", path, clip, style)


def _line(number: int, line: Line, clip: str) -> str:
    start, end = (line.x, line.y), (line.to_x, line.to_y)
    path = f"M {' '.join(map(digits, start))} \nL {' '.join(map(digits, end))} \n"
    style = f"fill: none; stroke: {line.colour}; stroke-width: 0.7"
    return _shape(f"line2d_{number}", path, clip, style)


def _shape(name: str, path: str, clip: str, style: str) -> str:
    return (
        f'   <g id="{name}">\n'
        f'    <path d="{path}" clip-path="url(#{clip})" style="{style}"/>\n'
        "   </g>\n"
    )


def _writing(
    number: int, writing: Writing, wide: float, high: float, known: set[str]
) -> Iterator[str]:
    """Write a text; outlines that are not known yet are put into it."""
    found = letters(writing.text, writing.bold)
    scale = writing.size / SCALE
    x, y = _place(writing, found, wide, high)
    turned = " rotate(-90)" if writing.upward else ""
    comment = re.sub("-(?=-)", "- ", _escaped(writing.text))
    yield (
        f'   <g id="text_{number}">\n'
        f"    <!-- {comment} -->\n"
        f'    <g style="fill: {writing.colour}" transform="translate({digits(x)} {digits(y)})'
        f'{turned} scale({digits(scale)} {digits(-scale)})">\n'
    )
    new = dict.fromkeys(name for name, _, _ in found.glyphs if name not in known)
    known.update(new)
    if new:
        yield "     <defs>\n"
        yield from (f'      <path id="{name}"{outline(name)}/>\n' for name in new)
        yield "     </defs>\n"
    for name, right, up in found.glyphs:
        place = f' transform="translate({digits(right)} {digits(up)})"' if right or up else ""
        yield f'     <use xlink:href="#{name}"{place}/>\n'
    yield "    </g>\n   </g>\n"


def _place(writing: Writing, found: Letters, wide: float, high: float) -> tuple[float, float]:
    """Tell where a text starts; matplotlib reckons in these steps, up to the last digit."""
    scale = writing.size / SCALE
    least_up, least_down = least(writing.bold, writing.size)
    up = max(found.tall * scale - found.deep * scale, least_up)
    down = max(found.deep * scale, least_down)
    long = found.wide * scale
    if writing.upward:
        right, above = up - (up + down) / 2, 0.0
    else:
        right, above = -long * _SHARES[writing.align], -up / 2
    wider, higher = wide / 72 * 72, high / 72 * 72
    x = right + wider * (1 / wide) * writing.x
    y = higher - (above + (higher * (1 / -high) * writing.y + higher * (-high * (1 / -high))))
    return x, y


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
