"""Declare what meets: ``@signal``, :func:`of_controls` and ``@correlation``.

A signal says of each workload whether something holds: it is a function of tables and views,
like a control, or the failure of any of some controls. A correlation is a function of signals,
columns of workloads that are true, false or unknown, and says by ``&`` and ``|`` where they
meet: what is unknown stays unknown, and never becomes false.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

import msgspec

from kaudit import registry
from kaudit.errors import RegistryError
from kaudit.model.risk import Effort, Stage
from kaudit.model.words import Layer, Severity
from kaudit.registry import parse_docstring
from kaudit.table import Resource
from kaudit.text import meant

if TYPE_CHECKING:
    import pandas as pd

F = TypeVar("F", bound=Callable[..., Any])


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """A registered signal.

    Attributes
    ----------
    name
        By which correlations ask for it.
    layer, stage, effort
        Of the link that it makes; ``effort`` is what it takes to break it.
    title, rationale, remedy, cases
        Of the docstring.
    about
        ``workload``, or ``namespace`` where the rows of its subject are about namespaces.
    controls
        Controls whose failure it is; then it has no function.
    shown_by
        Controls that must hold before silence means that there is nothing.
    via, to
        How other workloads are reached, and the signals that they hold, where it is that such a
        one is reached: ``network``, ``node`` or ``rights``.
    urgent
        Those of its controls whose failure will not wait, and what that is called.
    subject, needs, shows
        As of a control: the table whose rows it judges, others, and what is shown of a row.
    workload
        Columns of the subject that name the workload, where they are not those of its resource.
    clears
        Needed tables whose rows can end it: a gap in them makes doubtful what seems to hold.
    null
        What a null in its mask means.
    """

    name: str
    layer: Layer
    stage: Stage
    effort: Effort
    title: str
    rationale: str = ""
    remedy: str
    cases: str = ""
    about: str = "workload"
    controls: tuple[str, ...] = ()
    shown_by: tuple[str, ...] = ()
    via: str = ""
    to: tuple[str, ...] = ()
    urgent: tuple[tuple[str, ...], str] = ((), "")
    subject: str = ""
    needs: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    clears: tuple[str, ...] = ()
    null: str = ""
    workload: Resource | None = None
    function: Callable[..., pd.Series[Any]] | None = None

    def judge(self, *frames: pd.DataFrame) -> pd.Series[Any]:
        """Tell where it holds in the rows of the subject.

        Raises
        ------
        RegistryError
            It rests on controls alone.
        """
        if self.function is None:
            raise RegistryError(f"signal {self.name} judges no table")
        return self.function(*frames)

    @property
    def resource(self) -> Resource:
        """How rows of the subject name the workload that they are about."""
        found = self.workload or registry.TABLES[self.subject].resource
        if found is None:
            raise RegistryError(f"signal {self.name}: table {self.subject} names no resource")
        return found


class Correlation(msgspec.Struct, frozen=True, kw_only=True):
    """A registered correlation: function of signals."""

    id: str
    name: str
    layer: Layer
    severity: Severity
    title: str
    rationale: str
    remedy: str
    cases: str
    signals: tuple[str, ...]
    function: Callable[..., pd.Series[Any]]

    @property
    def about(self) -> str:
        """What its signals are about, all of them."""
        return SIGNALS[self.signals[0]].about


SIGNALS: dict[str, Signal] = {}
CORRELATIONS: dict[str, Correlation] = {}


def signal(
    *,
    layer: Layer | str,
    stage: Stage | str,
    effort: Effort | str,
    shows: tuple[str, ...] = (),
    clears: tuple[str, ...] = (),
    null: str = "",
    workload: Resource | None = None,
    about: str = "workload",
) -> Callable[[F], F]:
    """Register a function of tables that is true for rows of workloads where it holds.

    Its name is the name of the signal. Its first parameter names a table whose rows are about
    workloads, or about namespaces. See :class:`Signal` for the parameters.
    """

    def register(function: F) -> F:
        name = function.__name__
        subject, *needs = inspect.signature(function).parameters
        _keep(
            Signal(
                name=name,
                layer=Layer(layer),
                stage=Stage(stage),
                effort=Effort(effort),
                subject=subject,
                needs=tuple(needs),
                shows=shows,
                clears=clears,
                null=null,
                workload=workload,
                about=about,
                function=function,
                **_said(f"signal {name}", function),
            )
        )
        return function

    return register


class Link(TypedDict):
    """What a signal without a function says of the link that it makes; see :class:`Signal`."""

    layer: Layer | str
    stage: Stage | str
    effort: Effort | str
    title: str
    remedy: str


def of_controls(
    name: str,
    *controls: str,
    shown_by: tuple[str, ...] = (),
    urgent: tuple[tuple[str, ...], str] = ((), ""),
    **link: Unpack[Link],
) -> None:
    """Register the signal that any of some controls fails for a workload.

    A failure of its namespace, of an image that it runs or of itself counts. Where a control of
    ``shown_by`` does not hold, the workload is unknown rather than free of it. ``urgent`` names
    those whose failure will not wait, and says why.
    """
    _keep(_linking(link, name=name, controls=controls, shown_by=shown_by, urgent=urgent))


def of_neighbours(name: str, *to: str, via: str, **link: Unpack[Link]) -> None:
    """Register the signal that a workload leads to another that holds any of some signals.

    ``via`` says how: by the ``network``, on its ``node``, or by its ``rights``.
    """
    _keep(_linking(link, name=name, via=via, to=to))


def _linking(link: Link, **rest: Any) -> Signal:
    return Signal(
        layer=Layer(link["layer"]),
        stage=Stage(link["stage"]),
        effort=Effort(link["effort"]),
        title=link["title"],
        remedy=link["remedy"],
        **rest,
    )


class _Said(TypedDict):
    title: str
    rationale: str
    remedy: str
    cases: str


def _said(owner: str, function: Callable[..., Any]) -> _Said:
    """What a docstring says, its title without the stop: it is part of a chain."""
    parts = parse_docstring(owner, inspect.getdoc(function) or "")
    return _Said(
        title=parts["title"].rstrip("."),
        rationale=parts["rationale"],
        remedy=parts["remedy"],
        cases=parts["cases"],
    )


def _keep(found: Signal) -> None:
    if found.name in SIGNALS:
        raise RegistryError(f"two signals are named {found.name}")
    SIGNALS[found.name] = found


def correlation(id: str, *, layer: Layer | str, severity: Severity | str) -> Callable[[F], F]:
    """Register a function of signals, named by its parameters, that says where they meet."""

    def register(function: F) -> F:
        if id in CORRELATIONS:
            raise RegistryError(f"two correlations have the id {id}")
        CORRELATIONS[id] = Correlation(
            id=id,
            name=function.__name__,
            layer=Layer(layer),
            severity=Severity(severity),
            signals=tuple(inspect.signature(function).parameters),
            function=function,
            **_said(id, function),
        )
        return function

    return register


def load() -> None:
    """Load the catalogue, and check that what signals and correlations name is there.

    Raises
    ------
    RegistryError
        It is not; names what is near.
    """
    registry.load()
    for found in SIGNALS.values():
        for id_ in (*found.controls, *found.shown_by):
            _known(id_, registry.CONTROLS, f"signal {found.name}", "control")
        for table in (found.subject, *found.needs) if found.function else ():
            _known(table, registry.TABLES, f"signal {found.name}", "table or view")
        for name in found.to:
            _known(name, SIGNALS, f"signal {found.name}", "signal")
            if SIGNALS[name].via:
                raise RegistryError(f"signal {found.name}: {name} leads on itself")
    for item in CORRELATIONS.values():
        for name in item.signals:
            _known(name, SIGNALS, f"correlation {item.id}", "signal")
        if len({SIGNALS[name].about for name in item.signals}) > 1:
            raise RegistryError(f"correlation {item.id}: workloads and namespaces never meet")


def _known(name: str, among: dict[str, Any], owner: str, what: str) -> None:
    if name not in among:
        raise RegistryError(f"{owner}: no {what} is named {name}; {meant(name, sorted(among))}")
