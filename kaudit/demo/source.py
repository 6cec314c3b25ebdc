"""The demo as an auditor's collection gave it: with the permissions held, and one refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from kaudit.demo.objects import NOW
from kaudit.model.words import Gap, Reason
from kaudit.registry import Read
from kaudit.source.events import Access, Event, KindId, Progress, silent
from kaudit.source.files import FileSource

_REFUSED = ("Secret", "sandbox")


class DemoSource(FileSource):
    """A dump of the demo; Secrets of one namespace were refused to who made it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, label="northwind-parcel")
        self.as_of = datetime.fromisoformat(NOW)

    def read(self, wanted: Mapping[KindId, Read], progress: Progress = silent) -> Iterator[Event]:
        """Yield the dump, what was asked before reading, and what was refused."""
        kind, namespace = _REFUSED
        for _, read in sorted(wanted.items()):
            allowed = read.kind != kind
            reason = "" if allowed else "allowed namespace by namespace"
            yield Access(read.group, read.plural, "", "list", allowed, reason)
        yield from super().read(wanted, progress)
        said = (
            'secrets is forbidden: User "auditor" cannot list resource "secrets" in API group "" '
            f'in the namespace "{namespace}"'
        )
        what = f"list secrets in {namespace}"
        yield Gap(what=what, reason=Reason.FORBIDDEN, kind=kind, namespace=namespace, detail=said)
