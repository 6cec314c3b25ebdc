"""Decorator that registers controls."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from kaudit.errors import RegistryError
from kaudit.model.words import Layer, Severity
from kaudit.registry.docstring import parse_docstring
from kaudit.registry.entries import CONTROLS, Control
from kaudit.registry.loading import check_control, load
from kaudit.text import meant

F = TypeVar("F", bound=Callable[..., Any])
W = TypeVar("W", Layer, Severity)


def control(
    id: str,
    *,
    layer: Layer | str,
    severity: Severity | str,
    expected: str,
    shows: tuple[str, ...] = (),
    applies: str = "",
    weak: tuple[str, ...] = (),
    hides: tuple[str, ...] = (),
    rests_on: str = "",
    undoes: Mapping[str, tuple[str, ...]] | None = None,
    named_by: Mapping[str, str] | None = None,
    null: str = "",
    compares: bool = False,
    against: tuple[str, ...] = (),
    references: Mapping[str, tuple[str, ...]] | None = None,
) -> Callable[[F], F]:
    """Register a function of a subject table that returns True where the fault is.

    Once the catalogue is loaded, as in a notebook, a name that is not there fails at once.

    Parameters
    ----------
    id
        ``KA-<LAYER>-<NNN>``, with a letter for a part.
    layer, severity
        Words of the vocabulary.
    expected
        The desired observation in a few words.
    shows
        Columns of the subject that a finding shows.
    applies
        Boolean column of the subject; rows where it is False are not applicable.
    weak
        Needed tables whose gap cannot turn a pass around (see :class:`Control`).
    hides
        Needed tables of which a failed read cannot turn a fail around: it may hide one.
    rests_on
        Column of texts of the subject: what a pass of the row rests on, such as engines.
    undoes
        Each of those texts to needed tables that may undo such a pass (see :class:`Control`).
    named_by
        Needed tables, each with a column of the subject that lists the names of those of its
        objects that decide the row, ``*`` for any (see :class:`Control`).
    null
        A sentence that says why the result can be unknown for a row; without it a null in
        the mask is an error.
    compares
        The rows are compared with each other: where some were not read, those that were cannot
        pass, wherever they are.
    against
        Needed tables that each row is measured against as a whole: what could not be read of them
        in one namespace is missed in all.
    references
        Framework id to requirement ids, beside those of ``frameworks/mappings.csv``.

    Returns
    -------
    Callable
        A decorator that gives the function back as it is.

    Raises
    ------
    RegistryError
        Its id is taken or malformed, a word is none, its docstring lacks a part, or it names a
        table or column that is not there.

    Examples
    --------
    >>> @ka.control("MY-DEP-001", layer="deploy", severity="low", expected="no", shows=("image",))
    ... def of_docker_hub(security_context):
    ...     '''No image comes from Docker Hub.
    ...
    ...     Its limits stop a roll-out.
    ...
    ...     Remedy:
    ...         Mirror it.
    ...
    ...     Cases:
    ...         {apiVersion: v1, kind: Pod, metadata: {name: bad-hub},
    ...          spec: {containers: [{name: c, image: docker.io/library/nginx}]}}
    ...         ---
    ...         {apiVersion: v1, kind: Pod, metadata: {name: ok-mirror},
    ...          spec: {containers: [{name: c, image: example.com/nginx}]}}
    ...     '''
    ...     return security_context["image"].str.startswith("docker.io/").fillna(False)
    >>> ka.show.cases("MY-DEP-001").title
    'MY-DEP-001 keeps its word'
    >>> sorted(ka.assess("demo.kaudit", control="MY-DEP-001").findings["kind"].unique())
    ['DaemonSet', ...]
    """

    def register(function: F) -> F:
        again = id in CONTROLS and CONTROLS[id].module == function.__module__ == "__main__"
        if id in CONTROLS and not again:  # a cell of a notebook may run twice
            raise RegistryError(f"two controls have the id {id}")
        if not re.fullmatch(r"[A-Z]{2,5}-[A-Z]{3}-\d{3}[a-z]?", id):
            raise RegistryError(f"control id {id}: expected something like KA-DEP-001")
        subject, *needs = inspect.signature(function).parameters
        parts = parse_docstring(id, inspect.getdoc(function) or "")
        found = Control(
            id=id,
            name=function.__name__,
            layer=_word(Layer, layer, id),
            severity=_word(Severity, severity, id),
            expected=expected,
            subject=subject,
            needs=tuple(needs),
            weak=weak,
            hides=hides,
            rests_on=rests_on,
            undoes=dict(undoes or {}),
            named_by=dict(named_by or {}),
            shows=shows,
            applies=applies,
            null=null,
            compares=compares,
            against=against,
            references={k: tuple(v) for k, v in (references or {}).items()},
            function=function,
            module=function.__module__,
            **parts,
        )
        if function.__module__ == "__main__":
            load()
        if load.cache_info().currsize:  # what comes later must fit by itself
            check_control(found)
        CONTROLS[id] = found
        return function

    return register


def _word(words: type[W], given: str, owner: str) -> W:
    """Return the word of a vocabulary that was given, or raise RegistryError."""
    try:
        return words(given)
    except ValueError:
        what = f"control {owner}: {given!r} is no {words.__name__.lower()}"
        raise RegistryError(f"{what}; {meant(given, words)}") from None
