"""What gator and kyverno are run on: the policies of a cluster, or proposed ones.

Each is run as things are, and once more without what excepts from its policies: the difference
is what exceptions hide. Neither sees a cluster or a network: policies that ask for more (images'
signatures, data of other systems) are left out, and are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from kaudit.errors import InputError
from kaudit.model.tool_run import CLUSTER, PROPOSED, WITHOUT
from kaudit.model.words import Gap, Reason
from kaudit.source.run.for_gator import excluded, excludes, for_gator
from kaudit.source.run.for_kyverno import excluding, for_kyverno
from kaudit.source.run.lay_out import group_of, id_of
from kaudit.source.run.objects import POLICY_GROUPS, Object, Objects
from kaudit.source.run.secrets import LIKE_ONE
from kaudit.source.run.tool import Target


def policies_in(paths: Iterable[Path]) -> list[Object]:
    """Policies in files of YAML or JSON, in the order of the files.

    Raises
    ------
    InputError
        A file cannot be read, or none holds a policy.
    """
    from kaudit.model.yaml_stream import Fault, documents  # YAML is slow to import

    found: list[Object] = []
    given = [*paths]
    for path in given:
        for file in sorted(path.rglob("*.y*ml")) if path.is_dir() else [path]:
            try:
                text = file.read_bytes()
            except OSError as fault:
                raise InputError(f"cannot be read: {fault.strerror}", where=file) from None
            for _, document in documents(text):
                if isinstance(document, Fault):
                    raise InputError(document.what, where=f"{file}:{document.line}")
                found += [one for one in _objects(document) if group_of(one) in POLICY_GROUPS]
    if not found:
        hint = "give constraints and their templates, or policies of Kyverno"
        raise InputError("holds no policy", where=", ".join(map(str, given)), hint=hint)
    return found


def _objects(document: Any) -> Iterator[Object]:
    if isinstance(document, dict):
        items = document.get("items")
        for one in items if isinstance(items, list) else [document]:
            if isinstance(one, dict) and one.get("kind") and isinstance(one.get("metadata"), dict):
                yield one


def laid_out(objects: Objects, proposed: Sequence[Object] | None) -> tuple[list[Target], list[Gap]]:
    """Write policies beside the objects; return what engines are run on, and what was left out.

    Parameters
    ----------
    proposed
        Policies to judge by in the place of the cluster's own; None takes those.
    """
    objects.done()
    gaps = [*_repeated(objects), *_unlike(objects)]
    if not objects.count:
        return [], gaps
    if proposed is not None:
        own = [one for one in objects.policies if one["kind"] in ("ConstraintTemplate", "Config")]
        given = {id_of(one) for one in proposed}
        held = [one for one in own if id_of(one) not in given]
        held += [one for one in objects.policies if one["kind"] == "PolicyException"]
        found = [*proposed, *held]
        targets = [*for_gator(objects, found, PROPOSED, gaps, "webhook", only=given)]
        targets += for_kyverno(objects, found, PROPOSED, gaps)
        return targets, gaps
    found = objects.policies
    targets = [*for_gator(objects, found, CLUSTER, gaps, "audit")]
    if targets and (excludes(found, "audit") or any(map(excluded, found))):
        targets += for_gator(objects, found, WITHOUT, [], "")
    of_kyverno = for_kyverno(objects, found, CLUSTER, gaps)
    if of_kyverno and (
        any(one["kind"] == "PolicyException" for one in found) or any(map(excluding, found))
    ):
        of_kyverno += for_kyverno(objects, found, WITHOUT, [])
    return [*targets, *of_kyverno], gaps


def _repeated(objects: Objects) -> Iterator[Gap]:
    for kind, namespace, name in sorted(set(objects.repeated)):
        yield Gap(
            what=f"{kind} {namespace + '/' if namespace else ''}{name}",
            reason=Reason.AMBIGUOUS,
            kind=kind,
            namespace=namespace,
            name=name,
            tables=("policy_verdicts",),
            detail="defined several times; engines of policies were given the first definition",
        )


def _unlike(objects: Objects) -> Iterator[Gap]:
    for namespace, name in sorted(set(objects.secrets.left_out)):
        yield Gap(
            what=f"Secret {namespace}/{name}",
            reason=Reason.PARTIAL,
            kind="Secret",
            namespace=namespace,
            name=name,
            tables=("policy_verdicts",),
            detail=LIKE_ONE,
        )
