"""Objects with nulls where the structs expect something: read as Kubernetes reads them."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

_ANY = inspect.AnyType()
_ZEROS: dict[type, Any] = {
    inspect.StrType: "",
    inspect.BoolType: False,
    inspect.IntType: 0,
    inspect.FloatType: 0.0,
}


def without_nulls(item: msgspec.Raw | bytes, model: type[msgspec.Struct]) -> bytes:
    """JSON of an object for ``model``, with null members left out and null items zero.

    So the API server decodes them: ``spec: null`` is no spec, ``["a", null]`` is
    ``["a", ""]``. Whole manifests do carry them, such as a ``metadata:`` with nothing below.

    Raises
    ------
    msgspec.DecodeError
        It is no JSON.
    """
    return msgspec.json.encode(_plain(msgspec.json.decode(item), _kind(model)))


@cache
def _kind(model: type[msgspec.Struct]) -> inspect.Type:
    return inspect.type_info(model)


def _plain(value: Any, kind: inspect.Type) -> Any:
    if isinstance(kind, inspect.UnionType):
        return _plain(value, _chosen(value, kind))
    if isinstance(kind, inspect.StructType) and isinstance(value, dict):
        fields = {f.encode_name: f.type for f in kind.fields}
        return {
            k: _plain(v, fields[k]) if k in fields else v for k, v in value.items() if v is not None
        }
    if isinstance(kind, inspect.DictType) and isinstance(value, dict):
        return {k: _item(v, kind.value_type) for k, v in value.items()}
    if isinstance(kind, inspect.ListType) and isinstance(value, list):
        return [_item(v, kind.item_type) for v in value]
    return value


def _chosen(value: Any, kind: inspect.UnionType) -> inspect.Type:
    """Member of a union that an object or a list can belong to."""
    wanted: tuple[type[inspect.Type], ...] = ()
    if isinstance(value, dict):
        wanted = (inspect.StructType, inspect.DictType)
    elif isinstance(value, list):
        wanted = (inspect.ListType,)
    return next((member for member in kind.types if isinstance(member, wanted)), _ANY)


def _item(value: Any, kind: inspect.Type) -> Any:
    if value is not None:
        return _plain(value, kind)
    if isinstance(kind, inspect.StructType):
        return {}
    return _ZEROS.get(type(kind))
