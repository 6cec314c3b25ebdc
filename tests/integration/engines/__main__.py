"""``python -m tests.integration.engines``: build the programs, list them, say where they are."""

from __future__ import annotations

import argparse
import os
import sys

from tests.integration.engines.build import build_all
from tests.integration.engines.pins import Program, programs


def main() -> int:
    """Run the command; 1 where a program that was asked for could not be built."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.integration.engines", description=__doc__
    )
    parser.add_argument("name", nargs="*", help="a program; by default those of the first tier")
    parser.add_argument("--tier", type=int, help="every program up to this tier that builds")
    parser.add_argument("--list", action="store_true", help="print what is pinned, build nothing")
    parser.add_argument("--where", action="store_true", help="print paths only, build nothing")
    asked = parser.parse_args()
    known = programs()
    unknown = [name for name in asked.name if name not in known]
    if unknown:
        parser.error(f"there is no {unknown[0]}; there are: {', '.join(known)}")
    looks = asked.list or asked.where
    tier = asked.tier or (0 if asked.name else 99 if looks else 1)
    wanted = [
        program
        for program in known.values()
        if program.name in asked.name or (program.tier <= tier and not program.left_aside)
    ]
    if asked.where:
        tell("\n".join(str(program.path) for program in wanted))
        return 0
    if asked.list:
        tell("\n".join(map(line, known.values())))
        return 0
    missing = [program for program in wanted if not program.path.is_file()]
    tell(f"{len(wanted) - len(missing)} of {len(wanted)} programs are in the cache")
    os.nice(10)
    failed = [built.program.name for built in build_all(missing, tell) if built.fault]
    if failed:
        tell(f"not built: {', '.join(failed)}")
    return 1 if failed else 0


def line(program: Program) -> str:
    """Return what ``--list`` says of a program."""
    there = program.left_aside or ("built" if program.path.is_file() else "not built")
    return f"tier {program.tier}  {program.name:24}{program.version:12}{there}"


def tell(text: str) -> None:
    """Print at once, so that logs show progress."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
