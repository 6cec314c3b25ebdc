r"""Collected text made safe to show: on a page, on paper, in a cell, on a terminal.

What an audited cluster says about itself is hostile text. Characters that cannot be seen
but change what is seen (controls, bidirectional marks, private use, surrogates) are
written out as ``\u{202e}``; nothing is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "anchor",
    "count",
    "defused",
    "is_text",
    "meant",
    "shorten",
    "split_long",
    "visible",
    "visible_surrogates",
]

# Ranges and not unicodedata: the same text has to give the same bytes whatever version of
# Unicode this Python knows. General categories Cc, Cf, Co, Cs, Zl, Zp and noncharacters,
# of Unicode 16.
_HIDDEN = (
    "\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"
    "\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2065-\u206f\ud800-\uf8ff\ufdd0-\ufdef\ufeff"
    "\ufff0-\ufffb\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f\U000f0000-\U0010ffff"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(1, 15))
)
_ANY = re.compile(f"[{_HIDDEN}]")
_ANY_BUT_LINES = re.compile(f"(?![\t\n])[{_HIDDEN}]")
# Marks that are stacked without end paint over the neighbouring rows.
_STACK = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{5,}"
)
_SEAM = re.compile(r"(?<=[/._:@=,;&?-])(?=[A-Za-z0-9])|(?<=[a-z])(?=[A-Z])")
# Some spreadsheets skip blanks, and know the full-width forms too.
_FORMULA = re.compile("\\s*[=+\\-@|%\t\r\n\uff1d\uff0b\uff0d\uff20]")


def _code(match: re.Match[str]) -> str:
    return "".join(f"\\u{{{ord(character):x}}}" for character in match[0])


def visible(text: str, *, lines: bool = False) -> str:
    r"""Write characters that cannot be seen as ``\u{...}``.

    Parameters
    ----------
    text
        Any text, also with lone surrogates.
    lines
        Keep newlines and tabs; a carriage return before a newline goes.
    """
    if text.isascii() and text.isprintable():
        return text
    if not lines:
        return _STACK.sub(_code, _ANY.sub(_code, text))
    return _STACK.sub(_code, _ANY_BUT_LINES.sub(_code, text.replace("\r\n", "\n")))


def is_text(name: object) -> bool:
    """Tell whether a name of a file is text: bytes that are none stand in it as surrogates."""
    return not re.search("[\ud800-\udfff]", str(name))


def visible_surrogates(text: str) -> str:
    """Write out only what no encoding can carry."""
    return re.sub("[\ud800-\udfff]", _code, text)


def defused(cell: object) -> object:
    r"""Return a value that is safe in a cell of CSV or XLSX.

    Text that a spreadsheet would take for a formula gets a leading apostrophe; numbers,
    truth values and None stay what they are. Anything else becomes text first.
    """
    if cell is None or isinstance(cell, bool | int | float):
        return cell
    text = str(cell)
    shown = visible(text, lines=True)
    return f"'{shown}" if _FORMULA.match(text) else shown


#: What words and items of a list end with.
_BREAK = re.compile(r"[\s,;]+")


def shorten(text: str, length: int) -> str:
    """Cut visible text to at most so many characters, an ellipsis in its middle.

    The middle goes because names of one workload differ at their ends. What is cut are whole
    words and items, where that leaves at least half of what could stay.

    >>> shorten("get,list,watch,create,patch,delete", 25), shorten("web-6d4cf56db6-x7k2p", 9)
    ('get,list,…patch,delete', 'web-…7k2p')
    """
    if len(text) <= length:
        return text
    tail = (length - 1) // 2
    start, end = length - 1 - tail, len(text) - tail
    breaks = [found.end() for found in _BREAK.finditer(text)]
    start = max((at for at in breaks if start // 2 <= at <= start), default=start)
    end = min((at for at in breaks if end <= at <= end + tail // 2), default=end)
    return f"{text[:start]}…{text[end:]}"


def split_long(text: str, *, longest: int = 15, piece: int = 8) -> list[list[str]]:
    """Split text at blanks, and words longer than ``longest`` into pieces.

    Where a setter cannot break a digest, it prints over the edge of the page. Words are
    split after punctuation and between the words of a camelCase name, and what is still
    long into so many characters. Joining all pieces, with a blank between words, gives the
    text back.
    """
    return [
        [word] if len(word) <= longest else _pieces(word, longest, piece)
        for word in text.split(" ")
    ]


def _pieces(word: str, longest: int, piece: int) -> list[str]:
    found: list[str] = []
    for part in _SEAM.split(word):
        if len(part) <= longest:
            found.append(part)
        else:
            found.extend(part[at : at + piece] for at in range(0, len(part), piece))
    return found


def count(number: int, one: str, many: str = "") -> str:
    """Say a number of things: ``1 row``, ``1,204 rows``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def meant(word: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """Say which of the known words somebody may have meant, or which there are.

    Parameters
    ----------
    word
        What was written.
    known
        The words that there are, in the order to name them.
    otherwise
        What to say where none is near; by default all that are known.
    """
    names = list(known)
    plain = {name.lower(): name for name in names}
    begun = [name for name in names if word and name.lower().startswith(word.lower())]
    begun.sort(key=len)
    near = begun or [plain[low] for low in get_close_matches(word.lower(), plain, cutoff=0.7)]
    if near:
        return f"did you mean {_either(near[:5])}?"
    return otherwise or (f"known: {', '.join(names)}" if names else "none is known")


def _either(words: list[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def anchor(text: str, *, prefix: str = "", taken: Iterable[str] = ()) -> str:
    """Make an id for a link target: ASCII letters, digits, ``.`` and ``-``.

    Other characters are written as their code, so two texts never share an id; one that
    is taken already gets a number.
    """
    name = prefix + re.sub(r"[^A-Za-z0-9.-]", lambda m: f"_{ord(m[0]):x}_", text)
    found, number, used = name, 2, set(taken)
    while found in used:
        found, number = f"{name}-{number}", number + 1
    return found
