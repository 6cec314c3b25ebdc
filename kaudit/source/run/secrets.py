"""What engines of policies are given of Secrets, and whose verdicts on them count.

A Secret is given with its name, labels and type, and the annotations that evidence keeps; never
with a value. What a policy says that may read more of it is not known.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from kaudit.model.kept_reads import Kept, is_given
from kaudit.model.meta import Metadata
from kaudit.source.run.without_secrets import without_secrets

Object = dict[str, Any]
#: File of the policies whose verdicts on Secrets are not taken.
UNJUDGED = "unjudged.yaml"
UNREAD = "Secrets were not read: what it says of them is not known"
BEYOND = (
    "engines are given no values of Secrets, and it may read more of them than names, "
    "labels, types and known annotations: what it says of Secrets is not known"
)
LOOKED_UP = (
    "it may look up Secrets, of which engines are given no values, or nothing where they were "
    "not read, so it was not evaluated"
)
LIKE_ONE = "a part of it looks like a credential, so no engine of policies was given it"


class SecretsSeen(msgspec.Struct):
    """What was read of Secrets.

    Attributes
    ----------
    given
        Some were laid down.
    unread
        A source was not asked for them, or refused.
    kept
        What was kept of every one.
    left_out
        Namespace and name of those that were not laid down.
    """

    given: bool = False
    unread: bool = False
    kept: Kept = Kept()
    left_out: list[tuple[str, str]] = []

    def take(self, found: Object, *, live: bool) -> Object | None:
        """Return what engines are given of a Secret; None where a part looks like a credential.

        A live server tells either the metadata or, in a table, name and type.
        """
        meta = found["metadata"]
        self.kept &= _kept(found, live=live)
        made = _reduced(found)
        if made is None:
            self.left_out.append((str(meta.get("namespace") or ""), str(meta.get("name") or "")))
            return None
        self.given = True
        return made

    @property
    def looked_up(self) -> Kept | None:
        """What policies may look up of Secrets; None where not all were laid down."""
        return None if self.unread or self.left_out else self.kept


def _kept(found: Object, *, live: bool) -> Kept:
    typed = "type" in found
    return Kept(labels=not typed, annotations=not typed, type=typed) if live else Kept()


def _reduced(found: Object) -> Object | None:
    meta = found["metadata"]
    labels, notes = meta.get("labels"), meta.get("annotations")
    kept = {name: meta[name] for name in ("name", "namespace") if isinstance(meta.get(name), str)}
    if isinstance(labels, dict):
        kept["labels"] = {k: v for k, v in labels.items() if isinstance(v, str)}
    if isinstance(notes, dict):
        kept["annotations"] = {k: v for k, v in notes.items() if is_given(k) and v is not None}
    made: Object = {"apiVersion": found["apiVersion"], "kind": "Secret", "metadata": kept}
    if isinstance(found.get("type"), str):
        made["type"] = found["type"]
    return made if _plain(kept) and without_secrets(made) == made else None


def _plain(meta: Object) -> bool:
    """Tell whether evidence would keep metadata as they are."""
    try:
        shown = msgspec.json.decode(msgspec.json.encode(meta), type=Metadata)
    except msgspec.ValidationError:
        return False
    notes = {key: shown.annotation(key) for key in shown.annotations or ()}
    return not shown.credentials and notes == meta.get("annotations", {})


def unjudged(folder: Path) -> list[dict[str, str]]:
    """Return the policies whose verdicts on Secrets are not taken."""
    lines = (folder / UNJUDGED).read_bytes().splitlines()
    return [msgspec.json.decode(line) for line in lines if line != b"---"]
