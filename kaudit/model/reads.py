"""What the code of a policy reads of the object that it judges."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from kaudit.model.policy_text import container_fields


class Reads(msgspec.Struct, frozen=True):
    """What was found by reading code.

    Attributes
    ----------
    known
        It could be read to the end; else there may be more.
    fields
        Paths that it reads, sorted: of a pod from ``spec``, of a container without its list.
    lists
        Those of containers, initContainers and ephemeralContainers that it looks at.
    parameters
        Names of the parameters that it reads; ``*`` where it may read any.
    constants
        Texts that it compares with, sorted.
    """

    known: bool = True
    fields: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()

    def unused(self, declared: Iterable[str]) -> list[str] | None:
        """Return those of the declared parameters that it never reads; None where unknown."""
        if not self.known:
            return None
        return [] if "*" in self.parameters else sorted({*declared} - {*self.parameters})

    def __add__(self, other: Reads) -> Reads:
        return Reads(
            self.known and other.known,
            *(
                tuple(sorted({*getattr(self, name), *getattr(other, name)}))
                for name in ("fields", "lists", "parameters", "constants")
            ),
        )


def named_in(*texts: str) -> Reads:
    """Tell of code that nobody takes apart which lists of containers it names."""
    return Reads(known=False, lists=tuple(container_fields(*texts)))
