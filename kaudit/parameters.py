"""What an auditor decides: allow-lists and limits that controls judge by.

They are part of what is re-performed: reports state them, and the command line takes them
as ``-P name=value`` or from a YAML file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import msgspec

from kaudit.errors import InputError


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Decisions of the auditor.

    Attributes
    ----------
    allowed_registries
        Registries, or registry/repository prefixes, that images may come from; none given
        leaves that control unassessed.
    owner_labels
        Label keys of which a workload must carry one.
    secret_max_age_days
        Days after which a Secret should have been rotated.
    """

    allowed_registries: tuple[str, ...] = ()
    owner_labels: tuple[str, ...] = ("team", "owner", "app.kubernetes.io/managed-by-team")
    secret_max_age_days: int = 90


_current: ContextVar[Parameters] = ContextVar("kaudit_parameters", default=Parameters())


def parameters() -> Parameters:
    """Return the parameters in force."""
    return _current.get()


@contextmanager
def using(chosen: Parameters) -> Iterator[None]:
    """Put parameters in force for a while."""
    token = _current.set(chosen)
    try:
        yield
    finally:
        _current.reset(token)


def parse(values: Mapping[str, Any]) -> Parameters:
    """Build parameters from names and values; texts of lists are split at commas.

    Raises
    ------
    InputError
        A name is unknown or a value does not fit.
    """
    kinds = {f.name: f.type for f in msgspec.structs.fields(Parameters)}
    ready: dict[str, Any] = {}
    for name, value in values.items():
        if name not in kinds:
            raise InputError(f"there is no parameter {name!r}", hint=f"known: {', '.join(kinds)}")
        many = isinstance(value, str) and kinds[name] is not int
        ready[name] = [v.strip() for v in value.split(",") if v.strip()] if many else value
    try:
        return msgspec.convert(ready, Parameters, strict=False)
    except msgspec.ValidationError as fault:
        raise InputError(f"a parameter does not fit: {fault}") from None
