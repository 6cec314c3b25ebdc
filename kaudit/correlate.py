"""Engine: what was judged, and what was seen, to chains of risk on one workload.

Signals say of each workload whether something holds, does not hold or is unknown; correlations
say where signals meet. What the evidence does not tell stays unknown, link by link: a chain of
which some links are proven and others unknown is shown as such and ranked below those that
are proven.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from kaudit import chains
from kaudit.assessment import Assessment
from kaudit.card import small_table
from kaudit.chains import Correlation
from kaudit.model.risk import Chain, Link, Pattern, Stage, State
from kaudit.model.words import Gap, Layer
from kaudit.signal_states import States, Workloads, states_of
from kaudit.source.events import Progress, silent
from kaudit.text import count

if TYPE_CHECKING:
    import pandas as pd


_COLUMNS = (
    *("rank", "severity", "state", "kind", "namespace", "name", "pods", "patterns", "links"),
    *("unknown", "because", "remedy"),
)

#: Chains that show themselves in a notebook, under these heads.
_SHOWN = 10
_HEADS = ("rank", "severity", "state", "workload", "because", "break first")


class Risks:
    """Chains of risk, worst first.

    Attributes
    ----------
    chains
        One :class:`~kaudit.model.risk.Chain` for each workload, or namespace, on which a pattern
        holds or may hold.
    signals
        States of every signal, by name.
    workloads
        What was looked at.
    gaps
        Reads of the evidence that failed.
    """

    def __init__(
        self,
        chains: tuple[Chain, ...],
        signals: dict[str, States],
        workloads: Workloads,
        gaps: tuple[Gap, ...] = (),
    ) -> None:
        self.chains, self.signals, self.workloads = chains, signals, workloads
        self.gaps = gaps

    @property
    def proven(self) -> tuple[Chain, ...]:
        """Chains with a pattern all of whose links are proven."""
        return tuple(chain for chain in self.chains if chain.state is State.HOLDS)

    @property
    def possible(self) -> tuple[Chain, ...]:
        """Chains of which links are unknown."""
        return tuple(chain for chain in self.chains if chain.state is State.UNKNOWN)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a chain, worst first.

        Columns are ``rank``, ``severity``, ``state`` (``holds`` or ``unknown``), the workload
        (``kind``, ``namespace``, ``name``) and its ``pods``, ``patterns`` (ids), ``links``
        (titles of what is proven), ``unknown`` (titles of what is not), ``because`` (why it
        stands where it does) and ``remedy`` (what breaks most with least effort).
        """
        from kaudit.frame import Frame

        rows = [
            {
                "rank": chain.rank,
                "severity": chain.severity.value,
                "state": chain.state.value,
                "kind": chain.kind,
                "namespace": chain.namespace,
                "name": chain.name,
                "pods": chain.pods,
                "patterns": [p.id for p in chain.patterns],
                "links": [link.title for link in chain.links if link.state is State.HOLDS],
                "unknown": [link.title for link in chain.links if link.state is State.UNKNOWN],
                "because": chain.because,
                "remedy": chain.cut.remedy if chain.cut else "",
            }
            for chain in self.chains
        ]
        return Frame(rows, columns=list(_COLUMNS))

    def document(self, chains: Iterable[Chain] | None = None) -> dict[str, Any]:
        """Return the chains as ``kaudit risks --format json`` writes them: ``kaudit/risks/v1``.

        Every signal is counted, so that what is unknown shows even where no chain rests on it.

        Parameters
        ----------
        chains
            Those to write; all by default.

        Returns
        -------
        dict
            Of the shape that the JSON Schema ``risks-v1`` describes.
        """
        return {
            "schema": "kaudit/risks/v1",
            "workloads": len(self.workloads),
            "proven": len(self.proven),
            "possible": len(self.possible),
            "signals": [
                {
                    "signal": name,
                    "title": states.signal.title,
                    "layer": states.signal.layer,
                    "holds": int(states.holds.sum()),
                    "unknown": int(states.unknown.sum()),
                }
                for name, states in sorted(self.signals.items())
            ],
            "gaps": self.gaps,
            "chains": list(self.chains if chains is None else chains),
        }

    def __repr__(self) -> str:
        return f"<Risks: {len(self.proven)} proven, {len(self.possible)} possible>"

    def _repr_html_(self) -> str:
        shown = self.chains[:_SHOWN]
        left = f"; the first {len(shown)}" if len(shown) < len(self.chains) else ""
        title = (
            f"{count(len(self.proven), 'chain')} proven, {len(self.possible)} possible, "
            f"on {count(len(self.workloads), 'workload')}{left}"
        )
        rows = [
            (
                chain.rank,
                chain.severity.value,
                "proven" if chain.state is State.HOLDS else "possible",
                chain.label,
                chain.because,
                chain.cut.title if chain.cut else "",
            )
            for chain in shown
        ]
        return small_table(title, rows, _HEADS)


def correlate(assessment: Assessment, *, progress: Progress = silent) -> Risks:
    """Find the chains of risk in what was assessed.

    Parameters
    ----------
    assessment
        What was judged by the whole catalogue; what was not judged is unknown.
    progress
        Told which signal is looked at.

    Returns
    -------
    Risks
        Chains ranked by: proven before possible, severity, how many stages of an attack they
        go through, what will not wait, how many patterns hold, how many layers and links meet,
        fewer unknown links, more pods, and the name.
    """
    chains.load()
    workloads = Workloads.of(assessment.evidence.frames)
    places = {"workload": workloads, "namespace": workloads.namespaces(assessment.evidence.frames)}
    signals: dict[str, States] = {}
    by_need = sorted(chains.SIGNALS.items(), key=lambda item: (bool(item[1].via), item[0]))
    for done, (name, signal) in enumerate(by_need):
        progress(f"signal {name}", done, len(chains.SIGNALS))
        signals[name] = states_of(signal, assessment, places[signal.about], signals)
    progress("signals", len(signals), len(signals))
    found: dict[tuple[str, int], list[Pattern]] = {}
    for _, correlation in sorted(chains.CORRELATIONS.items()):
        for row, pattern in _patterns(correlation, signals):
            found.setdefault((correlation.about, row), []).append(pattern)
    unranked = [
        _chain(row, patterns, signals, places[about]) for (about, row), patterns in found.items()
    ]
    ranked = [
        msgspec.structs.replace(chain, rank=rank)
        for rank, chain in enumerate(sorted(unranked, key=_attention), start=1)
    ]
    gaps = tuple(gap for gap in assessment.evidence.gaps if gap.failed)
    return Risks(tuple(ranked), signals, workloads, gaps)


def _patterns(
    correlation: Correlation, signals: dict[str, States]
) -> Iterator[tuple[int, Pattern]]:
    """Yield the rows of workloads for which a correlation holds or may hold."""
    import numpy as np
    import pandas as pd

    states = [signals[name] for name in correlation.signals]
    columns = [state.column for state in states]
    truth = correlation.function(*columns)
    proven = truth.fillna(False).to_numpy(bool)
    some = np.any([state.holds for state in states], axis=0)
    chosen = np.flatnonzero(proven | (truth.isna().to_numpy(bool) & some))
    nowhere = pd.Series(np.zeros(len(truth), bool), index=truth.index, dtype=truth.dtype)
    needed = []
    for place in range(len(columns)):
        without = correlation.function(*columns[:place], nowhere, *columns[place + 1 :])
        needed.append(~without.fillna(True).to_numpy(bool))
    for row in chosen.tolist():
        kept = [at for at, s in enumerate(states) if s.holds[row] or s.unknown[row]]
        yield (
            row,
            Pattern(
                id=correlation.id,
                title=correlation.title,
                severity=correlation.severity,
                layer=correlation.layer,
                state=State.HOLDS if proven[row] else State.UNKNOWN,
                signals=tuple(correlation.signals[at] for at in kept),
                breaks=tuple(correlation.signals[at] for at in kept if needed[at][row]),
            ),
        )


def _chain(
    row: int, patterns: list[Pattern], signals: dict[str, States], workloads: Workloads
) -> Chain:
    """Join the patterns that meet on one workload."""
    names = {name for pattern in patterns for name in pattern.signals}
    links = sorted((signals[name].link(row) for name in names), key=_course)
    proven = [p for p in patterns if p.state is State.HOLDS]
    state = State.HOLDS if proven else State.UNKNOWN
    severity = min((p.severity for p in proven or patterns), key=lambda s: s.rank)
    workload = workloads.row(row)
    chain = Chain(
        rank=0,
        **workload,
        severity=severity,
        state=state,
        because="",
        patterns=tuple(
            sorted(patterns, key=lambda p: (p.state is not State.HOLDS, p.severity.rank, p.id))
        ),
        links=tuple(links),
        remedy=_remedy(proven, links),
    )
    return msgspec.structs.replace(chain, because=_because(chain))


def _course(link: Link) -> tuple[int, int, str]:
    return list(Stage).index(link.stage), list(Layer).index(link.layer), link.signal


def _remedy(proven: list[Pattern], links: list[Link]) -> str:
    """Signal whose end breaks most patterns, with the least effort where several do."""
    candidates = [
        (-sum(link.signal in p.breaks for p in proven), link.effort.rank, *_course(link))
        for link in links
        if link.state is State.HOLDS
    ]
    broken = [found for found in candidates if found[0]]
    return min(broken)[-1] if broken else ""


def _because(chain: Chain) -> str:
    """Say in words and counts what the rank rests on."""
    proven = [p for p in chain.patterns if p.state is State.HOLDS]
    held = [link for link in chain.links if link.state is State.HOLDS]
    layers = [layer.value for layer in Layer if any(link.layer is layer for link in held)]
    unknown = len(chain.links) - len(held)
    parts = [
        f"{chain.severity}",
        f"{chain.stages} of {count(len(Stage), 'stage')}",
        *_urgent(chain),
        f"{count(len(proven), 'pattern')} proven"
        if proven
        else f"{count(len(chain.patterns), 'pattern')} possible, none proven",
        f"{count(len(held), 'link')} in {count(len(layers), 'layer')} ({', '.join(layers)})",
    ]
    if unknown:
        parts.append(f"{count(unknown, 'link')} unknown")
    nothing = "no pod" if chain.kind == "Namespace" else "a template only"
    parts.append(count(chain.pods, "pod") if chain.pods else nothing)
    return ", ".join(parts)


def _urgent(chain: Chain) -> list[str]:
    """What will not wait, of the links of its patterns."""
    return sorted({link.urgent for link in chain.course if link.urgent})


def _attention(chain: Chain) -> tuple[Any, ...]:
    held = [link for link in chain.links if link.state is State.HOLDS]
    proven = sum(p.state is State.HOLDS for p in chain.patterns)
    return (
        chain.state is not State.HOLDS,
        chain.severity.rank,
        -chain.stages,
        -len(_urgent(chain)),
        -proven,
        -len({link.layer for link in held}),
        -len(held),
        len(chain.links) - len(held),
        -chain.pods,
        chain.namespace,
        chain.kind,
        chain.name,
    )
