"""``kaudit``, and ``python -m kaudit``."""

from __future__ import annotations

import os

_INTERRUPTED = 130


def main() -> None:
    """Run the command line; whoever interrupts while it is imported sees no traceback."""
    try:
        from kaudit.cli import main as run
    except KeyboardInterrupt:
        os._exit(_INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
