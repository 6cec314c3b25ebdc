"""Taking what looks like a credential out of objects, whatever their kind."""

from __future__ import annotations

import re
from typing import Any

from kaudit.model.credential import by_shape, masked, masked_arguments, verdict
from kaudit.model.meta import LAST_APPLIED

Object = dict[str, Any]


def without_secrets(found: Object) -> Object:
    """Return an object without what looks like a credential; images are as they are.

    >>> without_secrets({"kind": "Pod", "env": [{"name": "DB_PASSWORD", "value": "hunter2"}]})
    {'kind': 'Pod', 'env': [{'name': 'DB_PASSWORD', 'value': '[masked: named as a credential]'}]}
    """
    kept = {name: _clean(name, value) for name, value in found.items()}
    if found.get("kind") == "ConfigMap":
        for part in ("data", "binaryData"):
            if isinstance(pairs := found.get(part), dict):
                kept[part] = {key: _named(key, value) for key, value in pairs.items()}
    return kept


def _clean(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        if name == "annotations":
            return {
                key: _HIDDEN if key == LAST_APPLIED else _text(one, masked)
                for key, one in value.items()
            }
        if value.get("kind") == "Secret":  # in a Template, say, or in a bundle of objects
            value = {key: _hidden(key, one) for key, one in value.items()}
        kept = {key: _clean(key, one) for key, one in value.items()}
        if isinstance(value.get("name"), str) and isinstance(value.get("value"), str):
            kept["value"] = _named(value["name"], value["value"])
        return kept
    if isinstance(value, list):
        if name in ("args", "command") and all(isinstance(one, str) for one in value):
            return masked_arguments(value)
        return [_clean(name, one) for one in value]
    return _text(value, _by_shape)


def _hidden(name: str, value: Any) -> Any:
    """Hide the values of a Secret that lies in another object."""
    if name not in ("data", "stringData") or not isinstance(value, dict):
        return value
    return dict.fromkeys(value, _HIDDEN)


_HIDDEN = "[masked: value of a Secret]"
#: What stands where a credential was.
_MASK = re.compile(r"\[masked: [\w ()/\-]{1,60}\]")


def _named(name: str, value: Any) -> Any:
    if not isinstance(value, str) or _MASK.fullmatch(value):
        return value
    kind = verdict(name, value)
    return f"[masked: {kind}]" if kind else masked(value)


def _by_shape(text: str) -> str:
    return masked(text) if by_shape(text) else text


def _text(value: Any, change: Any) -> Any:
    return change(value) if isinstance(value, str) else value
