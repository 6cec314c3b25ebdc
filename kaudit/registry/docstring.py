"""Docstrings of controls, taken apart into what reports say."""

from __future__ import annotations

import re
import textwrap

from kaudit.errors import RegistryError

_SECTION = re.compile(r"^(Remedy|Cases):[ \t]*$", re.MULTILINE)


def parse_docstring(owner: str, text: str) -> dict[str, str]:
    """Split a control's docstring into title, rationale, remedy and cases.

    Raises
    ------
    RegistryError
        A part is missing; names it.
    """
    head, *rest = _SECTION.split(text)
    title, _, rationale = head.strip().partition("\n\n")
    parts = {
        "title": " ".join(title.split()),
        "rationale": "\n\n".join(" ".join(p.split()) for p in rationale.strip().split("\n\n")),
        **{
            name.lower(): textwrap.dedent(body.strip("\n")).rstrip() + "\n"
            for name, body in zip(rest[::2], rest[1::2], strict=True)
        },
    }
    for part in ("title", "rationale", "remedy", "cases"):
        if not parts.get(part, "").strip():
            raise RegistryError(f"{owner}: its docstring has no {part}")
    return parts
