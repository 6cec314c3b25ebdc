"""Compare what kaudit counts in a generated cluster with what its generator knows."""

from __future__ import annotations

import sys
from pathlib import Path

from kaudit.collect import collect
from kaudit.source.files import FileSource
from tests.truth import judged, seen, truth


def main(folder: Path) -> int:
    """Print every figure that differs; 1 where any does."""
    found, known = seen(judged(collect(FileSource(folder), raw=False), strict=False)), truth(folder)
    wrong = {name: (n, known.get(name, 0)) for name, n in found.items() if n != known.get(name, 0)}
    for name, (counted, expected) in wrong.items():
        print(f"{name}: counted {counted}, true {expected}")
    print(f"ground truth: {len(found) - len(wrong)} of {len(found)} figures match")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
