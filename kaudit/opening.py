"""Evidence from what the user names: bundles are opened, anything else is collected."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kaudit.errors import InputError
from kaudit.evidence.bundle import Evidence
from kaudit.source.events import Progress, Source, silent
from kaudit.source.open import is_bundle, open_source
from kaudit.source.tools import ToolSource

if TYPE_CHECKING:
    from kaudit.source.run.tool import Settings


def evidence_of(
    names: Sequence[str],
    *,
    out: Path | None = None,
    raw: bool = False,
    as_of: datetime | None = None,
    secrets: str = "none",
    kinds: Sequence[str] = (),
    outputs: Sequence[tuple[str, Path]] = (),
    scan: Settings | None = None,
    vault: str = "",
    progress: Progress = silent,
) -> Evidence:
    """Return the evidence that words of the command line name.

    Parameters
    ----------
    names
        One bundle, or any number of sources: files, folders, ``-``, ``context:NAME``.
    out
        Where to seal what is collected; None keeps it in memory.
    raw
        Keep raw records in memory.
    kinds
        Plural names of the kinds to collect; all by default.
    outputs
        What tools wrote: name of the format, and file or folder.
    scan
        How to run tools on the images and files that are found; None runs none.
    vault
        Address of a Vault to ask how it stands; empty asks none.

    Raises
    ------
    InputError
        A name means nothing, a bundle stands beside sources, or all that is given is broken.
    """
    from kaudit.collect import collect

    bundles = [name for name in names if is_bundle(name)]
    if bundles:
        if scan is not None and (scan.policies or scan.proposed):
            hint = "engines need whole objects: give the cluster, or the manifests"
            raise InputError("holds redacted records only", where=bundles[0], hint=hint)
        if len(names) > 1 or outputs or scan or vault:
            raise InputError("sealed evidence cannot be mixed with other sources", where=bundles[0])
        return Evidence.open(names[0])
    stdin: Any = getattr(sys.stdin, "buffer", None)
    sources: list[Source] = [open_source(n, stdin=stdin, secrets=secrets) for n in names]
    sources += [ToolSource(format, path) for format, path in outputs]
    if vault:
        from kaudit.source.vault import VaultSource

        sources.append(VaultSource(vault))
    if not sources:
        raise InputError("nothing to collect from", hint="name a SOURCE, or what a tool wrote")
    with ExitStack() as stack:
        then, read = None, sources
        if scan is not None:
            from kaudit.source.run.objects import Watched, objects_beside
            from kaudit.source.run.scan import after

            objects = None
            if scan.policies or scan.proposed:
                beside = objects = stack.enter_context(objects_beside())
                read = [Watched(source, beside) for source in sources]
            then = after(sources, scan, objects)
        return collect(
            *read,
            out=out,
            raw=raw,
            kinds=kinds,
            as_of=as_of,
            then=then,
            strict=True,
            progress=progress,
        )
