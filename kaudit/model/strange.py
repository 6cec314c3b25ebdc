"""Fields that a struct does not declare: what a newer engine may mean by them nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from kaudit.model.meta import ABSENT

#: Where a struct keeps the names of fields that it does not know.
NAME = "strange"
_MOST, _LONGEST = 20, 100


def noted(value: Any, kind: type, parts: Mapping[str, type], also: Iterable[str] = ()) -> Any:
    """Note in every object of a decoded value which fields its struct does not declare.

    Parameters
    ----------
    value
        Object, or list of such.
    kind
        Its struct, which keeps the names in ``strange``.
    parts
        Fields that hold structs of their own, in objects of any struct.
    also
        Fields that are known, though no struct keeps them.
    """
    if isinstance(value, list):
        for one in value:
            noted(one, kind, parts, also)
    elif isinstance(value, dict):
        known = {field.encode_name for field in msgspec.structs.fields(kind)} | {*also}
        strange = sorted(name[:_LONGEST] for name in value.keys() - known)[:_MOST]
        for name, of_part in parts.items():
            if name in known:
                noted(value.get(name), of_part, parts, also)
        if strange:
            value[NAME] = sorted({*value.get(NAME, ()), *strange})
    return value


def kept(
    raw: Raw,
    decode: Callable[[bytes], Any],
    kind: type,
    parts: Mapping[str, type],
    also: Iterable[str] = (),
) -> Raw:
    """Return of a block what its structs declare, with the names of what they do not.

    Parameters
    ----------
    raw
        JSON of the block; what is not there stays so.
    decode
        Into the struct, or into a list of such.
    kind, parts, also
        See :func:`noted`.
    """
    if raw == ABSENT:
        return raw
    marked = msgspec.json.encode(noted(msgspec.json.decode(raw), kind, parts, also))
    return Raw(msgspec.json.encode(decode(marked)))
