"""``python -m kaudit``."""

from kaudit.cli import main

main()
