"""What there is to run tools on: images that run, and files that were read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from typing import Any, Protocol

from kaudit.errors import InputError
from kaudit.registry import FORMATS
from kaudit.source.events import Source
from kaudit.source.files import FileSource
from kaudit.source.run.tool import Target
from kaudit.views.image_reference import parsed, tagged

_RUNNING = re.compile(r"(?:^|@)(sha256:[0-9a-f]{64})$")
#: Raw records of what kubesec scores, where they stand alone in a file.
_SCORED = ("pods", "deployments.apps", "statefulsets.apps", "daemonsets.apps")
_MANIFESTS = (".yaml", ".yml", ".json")


class Gathered(Protocol):
    """What was collected so far."""

    def distinct(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Distinct values of columns of a table of pods."""
        ...

    def alone(self, raws: Sequence[str]) -> set[str]:
        """Names of the origins where records of some raw files stand, and no list of them."""
        ...


def targets(gathered: Gathered, sources: Iterable[Source]) -> list[Target]:
    """Images and files to run tools on, each once, in order."""
    return [*images(gathered), *files(gathered, sources)]


def images(gathered: Gathered) -> list[Target]:
    """Distinct images, by digest where it is known, else as they are written.

    An image that is known by the digest that runs is not looked up by its tag again, which
    may name another one by now.
    """
    found = set(gathered.distinct("containers", "image", "image_id"))
    found |= {
        (reference, None)
        for source, reference in gathered.distinct("volumes", "source", "reference")
        if source == "image"
    }
    known: dict[str, Target] = {}
    running: set[str] = set()
    loose: set[str] = set()
    for written, image_id in sorted(found, key=lambda pair: (pair[0] or "", pair[1] or "")):
        if not written:
            continue
        target, name = image(written, image_id or ""), tagged(parsed(written))
        if target.digest:
            running.add(name)
            known.setdefault(target.digest, target)
        else:
            loose.add(name)
    return [
        *sorted(known.values(), key=lambda target: target.name),
        *(Target("Image", name) for name in sorted(loose - running)),
    ]


def image(written: str, image_id: str = "") -> Target:
    """Return an image by the digest that runs, by the digest that is written, or by its tag.

    Its name is the one that the view ``images`` gives it.
    """
    name = parsed(written)
    at = _RUNNING.search(image_id) if "@" in image_id else None
    digest = at[1] if at else name.digest
    if not name.valid or not digest:
        return Target("Image", tagged(name))
    return Target("Image", f"{name.registry}/{name.repository}@{digest}", digest)


def refused(target: Target) -> str:
    """Say why a target is not given to any tool; empty where it may be."""
    if target.name.startswith("-"):
        return "begins with a dash: it would be taken for an option, so no tool was run"
    if target.kind == "Image" and not parsed(target.name).valid:
        return "is no image reference, so no tool was run"
    return ""


def registry_of(target: Target) -> str:
    """Registry of an image; empty for files."""
    return parsed(target.name).registry if target.kind == "Image" else ""


def files(gathered: Gathered, sources: Iterable[Source]) -> Iterator[Target]:
    """Dockerfiles, and manifests of workloads, that sources hold."""
    scored = gathered.alone(_SCORED)
    for source in sources:
        if not isinstance(source, FileSource):
            continue
        if source.text is not None:
            if source.label in scored:
                yield Target("Manifest", f"{source.label}.yaml", data=source.text)
            continue
        for name, path in _files(source):
            if any(fnmatch(path.name, pattern) for pattern in FORMATS["dockerfile"].files):
                yield Target("Dockerfile", name, path=path)
            elif name in scored and path.suffix.lower() in _MANIFESTS:
                yield Target("Manifest", name, path=path)


def _files(source: FileSource) -> list[tuple[str, Any]]:
    try:
        found, _ = source.files()
    except InputError:
        return []
    return [(name, path) for name, path in found if path.is_file()]
