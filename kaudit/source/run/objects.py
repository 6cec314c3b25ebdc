"""Objects that policy engines are run on: as they were read, without secrets, in a private folder.

What is sealed holds the fields that kaudit reads; policies may read any other. So objects are
laid down while they are read, and are gone with the folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

import msgspec

from kaudit.model.meta import LAST_APPLIED
from kaudit.registry import FORMATS, Read
from kaudit.source.events import Batch, Event, KindId, Listed, Progress, Source, silent
from kaudit.source.run.secrets import SecretsSeen
from kaudit.source.run.versions import followed
from kaudit.source.run.without_secrets import without_secrets

#: Groups of policies, and of reports on them: no engine judges those here.
POLICY_GROUPS = frozenset(
    [
        "config.gatekeeper.sh",
        "constraints.gatekeeper.sh",
        "expansion.gatekeeper.sh",
        "externaldata.gatekeeper.sh",
        "kyverno.io",
        "mutations.gatekeeper.sh",
        "openreports.io",
        "policies.kyverno.io",
        "reports.kyverno.io",
        "status.gatekeeper.sh",
        "templates.gatekeeper.sh",
        "wgpolicyk8s.io",
    ]
)
#: Kinds that are never laid down.
_LEFT_OUT = frozenset([("", "Event"), ("events.k8s.io", "Event")])
_SECRET = ("", "Secret")
Object = dict[str, Any]


class Objects:
    """What was laid down: policies in memory, all other objects in a file.

    Parameters
    ----------
    folder
        Private; whoever makes it drops it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "objects.yaml"
        self.policies: list[Object] = []
        self.namespaces: dict[str, dict[str, str]] = {}
        self.count = 0
        self.repeated: list[tuple[str, str, str]] = []
        self.secrets = SecretsSeen()
        self.older = False
        self._seen: set[tuple[str, str, str, str]] = set()
        self._file: TextIO | None = None

    def take(self, batch: Batch, read: Read | None, *, live: bool = False) -> None:
        """Lay down the objects of a batch."""
        if batch.group in FORMATS or (batch.group, batch.kind) in _LEFT_OUT:
            return
        version = f"{batch.group}/{batch.version}" if batch.group else batch.version
        for item in batch.items:
            try:
                found = msgspec.json.decode(item)
            except msgspec.DecodeError:
                continue  # told as a gap by whoever collects it
            if isinstance(found, dict) and isinstance(found.get("metadata"), dict):
                told = {"apiVersion": version, "kind": batch.kind}
                of_secret = (batch.group, batch.kind) == _SECRET
                found = found | told if of_secret else told | found
                namespaced = of_secret or (read is not None and read.namespaced)
                self._put(found, batch.group, namespaced=namespaced, live=live)

    def _put(self, found: Object, group: str, *, namespaced: bool, live: bool) -> None:
        meta = found["metadata"]
        meta.pop("managedFields", None)
        if isinstance(notes := meta.get("annotations"), dict):
            notes.pop(LAST_APPLIED, None)
        if namespaced:
            meta["namespace"] = meta.get("namespace") or "default"
        if group in POLICY_GROUPS:
            self.policies.append(found)
            return
        if found["kind"] == "Namespace" and not group:
            labels = meta.get("labels")
            self.namespaces[str(meta.get("name"))] = labels if isinstance(labels, dict) else {}
        if self._again(found, group):
            return
        if (group, found["kind"]) == _SECRET:
            made = self.secrets.take(found, live=live)
            if made is None:
                return
            found = made
        self.older = self.older or followed(found) is not None
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8")
        self._file.write("---\n" + _encoded(without_secrets(found)) + "\n")
        self.count += 1

    def _again(self, found: Object, group: str) -> bool:
        """Tell whether an object of the name is there already: engines know one by its name."""
        meta = found["metadata"]
        kind, space, name = (
            str(found["kind"]),
            str(meta.get("namespace") or ""),
            str(meta.get("name") or ""),
        )
        key = (group, kind, space, name)
        if not name or key not in self._seen:
            self._seen.add(key)
            return False
        self.repeated.append((kind, space, name))
        return True

    def write_followed(self, path: Path) -> None:
        """Write all objects once more, each in a version that is served."""
        with self.path.open(encoding="utf-8") as file, path.open("w", encoding="utf-8") as out:
            for line in file:
                found = None if line == "---\n" else followed(msgspec.json.decode(line))
                out.write(line if found is None else _encoded(found) + "\n")

    def done(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


@contextmanager
def objects_beside() -> Iterator[Objects]:
    """Yield a place for objects that is gone afterwards."""
    with TemporaryDirectory(prefix="kaudit-objects-") as name:
        objects = Objects(Path(name))
        try:
            yield objects
        finally:
            objects.done()


class Watched:
    """A source whose objects are laid down while they are read."""

    def __init__(self, source: Source, objects: Objects) -> None:
        self.source, self.objects = source, objects
        self.live, self.label, self.as_of = source.live, source.label, source.as_of

    def read(self, wanted: Mapping[KindId, Read], progress: Progress = silent) -> Iterator[Event]:
        """Yield what the source yields."""
        told = not self.live and _SECRET in wanted
        for event in self.source.read(wanted, progress):
            if isinstance(event, Batch):
                read = wanted.get((event.group, event.kind))
                self.objects.take(event, read, live=self.live)
            told = told or (isinstance(event, Listed) and (event.group, event.kind) == _SECRET)
            yield event
        self.objects.secrets.unread = self.objects.secrets.unread or not told
        self.as_of = self.source.as_of


def _encoded(value: Object) -> str:
    return msgspec.json.encode(value).decode()


def made_by(template: Object) -> str:
    """Kind of constraint that a ConstraintTemplate makes; empty where it is none."""
    found: Any = template
    for name in ("spec", "crd", "spec", "names"):
        found = found.get(name) if isinstance(found, dict) else None
    return str(found.get("kind") or "") if isinstance(found, dict) else ""
