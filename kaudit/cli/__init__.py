"""The command line: parse, call, print."""

from __future__ import annotations

import sys
from pathlib import Path

# Their order is the order of the help.
# isort: off
from kaudit.cli import evidence, judgement, gate, reports, operation, catalogue  # noqa: F401
from kaudit.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line, as ``kaudit`` or as a plugin of kubectl."""
    plugin = Path(sys.argv[0]).stem == "kubectl-kaudit"
    app(prog_name="kubectl kaudit" if plugin else None)
