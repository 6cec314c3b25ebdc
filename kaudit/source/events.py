"""What a source yields while it is read, and the protocol that all sources keep."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

import msgspec

from kaudit.model.words import Gap
from kaudit.registry import Read

KindId = tuple[str, str]


class Origin(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One file, stream or list call that records come from: provenance.

    Attributes
    ----------
    name
        Path relative to what the user named (never absolute), or the request path.
    sha256, bytes
        Of what was read, before any decoding; of a live list over all its pages.
    verb
        ``read``, ``list`` or ``get``.
    at
        When it was read: only where the source itself tells the time (a live server).
    resource_version, pages, items
        Of a live list.
    format
        Of a tool's output.
    """

    name: str
    sha256: str = ""
    bytes: int = 0
    verb: str = "read"
    at: datetime | None = None
    resource_version: str = ""
    pages: int = 0
    items: int = 0
    format: str = ""

    def __post_init__(self) -> None:
        # Defaults are left out by identity, which text loses on its way between processes.
        self.verb = sys.intern(self.verb)


class Begin(msgspec.Struct):
    """An origin starts; later batches refer to it by ``number`` (unique, from 0).

    The fields of ``origin`` may be completed until the source is exhausted.
    """

    number: int
    origin: Origin


class Batch(msgspec.Struct):
    """Objects of one kind from one origin.

    Attributes
    ----------
    group, version, kind
        Of the objects.
    origin
        Number of the origin.
    items
        JSON of the objects, as bytes or Raw; of records of tools also what it is decoded into.
    positions
        Places in the origin, from 1: document and item as ``(3, 17)`` are told as 3 and 17;
        0 where there is no list.
    """

    group: str
    version: str
    kind: str
    origin: int
    items: Sequence[Any]
    positions: Sequence[tuple[int, int]]


class Made(msgspec.Struct, kw_only=True):
    """What became of a batch where it was read; what it is, only its maker knows.

    Attributes
    ----------
    origin
        Number of the origin.
    items, before
        Objects of the batch, and those of its list that came before them.
    faults
        Objects that could not be read, as gaps which name their place in the list.
    """

    origin: int
    items: int
    before: int = 0
    faults: bool = False


#: Makes something of a batch from an origin of this name, wherever it is read; where that
#: takes what was read before it, the batch itself is returned.
Maker = Callable[[Batch, str], Made | Batch]


class Listed(msgspec.Struct):
    """The source has told all it has of a kind (also when that is none)."""

    group: str
    kind: str


class ServerVersion(msgspec.Struct):
    """What the cluster says of itself."""

    git_version: str
    platform: str = ""


class Access(msgspec.Struct):
    """One cell of the preflight permission matrix of a live source."""

    group: str
    plural: str
    namespace: str
    verb: str
    allowed: bool
    reason: str = ""


Event = Begin | Batch | Made | Listed | ServerVersion | Access | Gap


class Progress(Protocol):
    """Hears how far a long run is; drawn by the command line only."""

    def __call__(self, step: str, done: int, total: int | None) -> None:
        """``step`` is what is being read; ``total`` None where unknown."""


def silent(step: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""


class Source(Protocol):
    """Where facts are read; read-only.

    Attributes
    ----------
    label
        How reports call it; no machine path.
    live
        True where a cluster answers: then a kind that is not listed is a failure, while
        files may simply not speak of it.
    as_of
        Moment the facts hold for, where the source tells it.
    """

    label: str
    live: bool
    as_of: datetime | None

    def read(self, wanted: Mapping[KindId, Read], progress: Progress = silent) -> Iterator[Event]:
        """Yield events; kinds that nobody wants are yielded too, to be counted.

        Raises
        ------
        InputError
            Nothing at all could be read.
        SourceError
            A cluster cannot be reached at all.
        """
        ...


@runtime_checkable
class Shared(Protocol):
    """A source that may be read in two processes.

    Attributes
    ----------
    make
        Called there with each batch; None: batches are yielded.
    """

    make: Maker | None
