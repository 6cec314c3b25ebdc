"""The typesetter of reports on paper, which remembers what it has set."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from kaudit.errors import ReportError

__all__ = ["Typesetter"]

_TEMPLATE = "report.typ"
_DATA = "doc.json"


class Typesetter:
    """Sets data by the one fixed template; of data that it set before, only what is new costs.

    The data lie in a file and are no input of the system's: whatever is set depends on those.
    """

    def __init__(self) -> None:
        import typst

        self._folder = TemporaryDirectory(prefix="kaudit-")
        folder = Path(self._folder.name)
        self._data = folder / _DATA
        (folder / _TEMPLATE).write_bytes((files("kaudit.template") / _TEMPLATE).read_bytes())
        self._compiler = typst.Compiler(
            str(folder / _TEMPLATE),
            root=str(folder),
            font_paths=[str(_fonts())],
            ignore_system_fonts=True,
        )

    def pdf(self, data: Mapping[str, Any]) -> bytes:
        """Return the PDF of data, made at its date.

        Raises
        ------
        ReportError
            The typesetter refused it.
        """
        import typst

        self._give(data)
        at = int(datetime(*data["date"]).replace(tzinfo=UTC).timestamp())
        try:
            found = self._compiler.compile(pdf_standards=["a-2a", "ua-1"], timestamp=at)
        except typst.TypstError as error:
            raise ReportError(f"the PDF could not be set: {error}") from error
        return cast(bytes, found)  # it is a list where pages are pictures

    def learn(self, data: Mapping[str, Any]) -> None:
        """Set data and write nothing: the PDF of data that begin like them costs less."""
        self._give(data)
        self._compiler.query("<nothing>")

    def _give(self, data: Mapping[str, Any]) -> None:
        self._data.write_text(json.dumps(data, ensure_ascii=False), "utf-8")

    def close(self) -> None:
        """Remove its folder."""
        self._folder.cleanup()


def _fonts() -> Path:
    # matplotlib carries DejaVu and a font of last resort; importing it costs half a second.
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise ReportError("the PDF needs the fonts of matplotlib, which is not installed")
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
