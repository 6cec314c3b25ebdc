"""Options that several commands take together: declared once, as the fields of a NamedTuple."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from inspect import Parameter
from typing import Any, get_type_hints

from kaudit.bundles import bundles_of


def spread(function: Callable[..., None]) -> Callable[..., None]:
    """Return a command of single options for one whose parameters may stand for several.

    Such a parameter is annotated with a NamedTuple, whose fields are the options.
    """
    signature, groups = inspect.signature(function), bundles_of(function)
    if not groups:
        return function

    @wraps(function)
    def command(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{option: given.pop(option) for option in group._fields})
        function(**given)

    own = get_type_hints(function, include_extras=True)
    options: list[Parameter] = []
    for name, parameter in signature.parameters.items():
        if name in groups:
            options += _fields(groups[name])
        else:
            options.append(parameter.replace(kind=Parameter.KEYWORD_ONLY, annotation=own[name]))
    command.__signature__ = signature.replace(parameters=options)  # type: ignore[attr-defined]
    command.__annotations__ = {option.name: option.annotation for option in options}
    return command


def _fields(group: Any) -> list[Parameter]:
    hints, defaults = get_type_hints(group, include_extras=True), group._field_defaults
    return [
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            default=defaults.get(name, Parameter.empty),
            annotation=hints[name],
        )
        for name in group._fields
    ]
