"""Frames that are safe to look at: what they show has its control characters written out.

What was collected is hostile text, and a frame shows it on a terminal, where a control
sequence is obeyed, or on a page. The values stay what they are. What pandas makes of it as its
own (an index, a categorical, the result of ``str.extract``) shows itself as it is: print
it through :func:`kaudit.text.visible`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from kaudit.text import visible

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

__all__ = ["Frame", "Values"]


def _shown(method: Callable[..., Any]) -> Any:
    """Let a method that returns text, or writes it to ``buf``, show it."""

    @wraps(method)
    def safe(self: Any, buf: Any = None, *arguments: Any, **named: Any) -> str | None:
        text: str | None = method(self, None, *arguments, **named)
        if text is None or buf is None:
            return None if text is None else visible(text, lines=True)
        if hasattr(buf, "write"):
            buf.write(visible(text, lines=True))
        else:
            Path(buf).write_text(visible(text, lines=True), named.get("encoding") or "utf-8")
        return None

    return safe


def _cell(value: Any) -> Any:
    return visible(value, lines=True) if isinstance(value, str) else value


class Values(pd.Series):
    """A Series that shows its control characters, as :class:`Frame` does."""

    @property
    def _constructor(self) -> type[Values]:
        return Values

    @property
    def _constructor_expanddim(self) -> type[Frame]:
        return Frame

    to_string = _shown(pd.Series.to_string)
    to_markdown = _shown(pd.Series.to_markdown)

    def value_counts(self, *arguments: Any, **named: Any) -> Any:
        """Count the values; pandas forgets what it counts for."""
        return Values(super().value_counts(*arguments, **named))

    def describe(self, *arguments: Any, **named: Any) -> Any:  # type: ignore[misc]  # final
        """Describe the values; pandas forgets what it describes."""
        return Values(super().describe(*arguments, **named))


class Frame(pd.DataFrame):
    """A DataFrame that shows its control characters; what is cut from it is one too."""

    @property
    def _constructor(self) -> type[Frame]:
        return Frame

    @property
    def _constructor_sliced(self) -> type[Values]:
        return Values

    to_string = _shown(pd.DataFrame.to_string)
    to_markdown = _shown(pd.DataFrame.to_markdown)
    to_html = _shown(pd.DataFrame.to_html)

    def value_counts(self, *arguments: Any, **named: Any) -> Any:
        """Count equal rows, as :meth:`Values.value_counts`."""
        return Values(super().value_counts(*arguments, **named))

    def describe(self, *arguments: Any, **named: Any) -> Any:  # type: ignore[misc]  # final
        """Describe the columns, as :meth:`Values.describe`."""
        return Frame(super().describe(*arguments, **named))

    def __repr__(self) -> str:
        return visible(super().__repr__(), lines=True)

    def _repr_html_(self) -> str | None:
        with pd.option_context("display.html.use_mathjax", False):  # a name with $ is no formula
            html: str | None = super()._repr_html_()  # type: ignore[misc]  # not in the stubs
        return html and visible(html, lines=True)

    @property
    def style(self) -> Styler:
        """A Styler that escapes; pandas' own lets markup through."""
        made: Any = super().style.format(_cell, escape="html")
        for axis in ("index", "columns"):
            made = made.format_index(_cell, axis=axis, escape="html")
            made = made.format_index_names(_cell, axis=axis, escape="html")
        return made  # type: ignore[no-any-return]  # the stubs name a base class only
