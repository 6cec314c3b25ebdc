"""Risks, where layers meet: the worst chains as pictures, all of them as a table."""

from __future__ import annotations

from functools import lru_cache

from kaudit.assessment import Assessment
from kaudit.correlate import Risks, correlate
from kaudit.model.risk import Chain, State
from kaudit.show import blocks as b
from kaudit.show.chain_figure import chain_figure
from kaudit.text import count

#: Chains that are drawn, and that are listed.
DRAWN, LISTED = 5, 40


@lru_cache(maxsize=2)
def correlated(assessment: Assessment) -> Risks:
    """Correlate an assessment once, however many cells ask."""
    return correlate(assessment)


def worst(assessment: Assessment) -> b.Block:
    """Page one: the worst chain that is proven, as a picture, and how many there are."""
    found = correlated(assessment)
    if not found.proven:
        return nothing(found)
    first = found.proven[0]
    title = f"{count(len(found.proven), 'workload')} on which a chain of risk is proven"
    text = f"The worst: {first.because}."
    return b.Stack((b.Callout(b.Tone.DANGER, title, text + _cut(first)), chain_figure(first)))


def risks(assessment: Assessment, drawn: int = DRAWN) -> b.Stack:
    """Chains of risk: what was looked for, the worst as pictures, all with their rank.

    The picture of the very worst is left to :func:`worst`, on page one.
    """
    found = correlated(assessment)
    parts: list[b.Block] = [_numbers(found)]
    if not found.chains:
        parts.append(nothing(found))
    for chain in found.proven[:drawn]:
        if chain is not found.proven[0]:
            parts.append(chain_figure(chain))
        parts.append(links_of(chain))
    if found.chains:
        parts.append(_listed(found))
    return b.Stack((*parts, _signals(found)))


def nothing(found: Risks) -> b.Callout:
    """Say that no chain is proven, and what was not seen."""
    unknown = sum(bool(states.unknown.any()) for states in found.signals.values())
    if found.possible:
        text = "Links that would prove them are unknown; what is missing is said at each."
        title = f"No chain is proven, {count(len(found.possible), 'chain')} possible"
        return b.Callout(b.Tone.WARNING, title, text)
    if unknown:
        text = f"{count(unknown, 'signal')} of {len(found.signals)} unknown for some workload."
        return b.Callout(b.Tone.WARNING, "No chain was found, and not all was seen", text)
    return b.Callout(b.Tone.OK, "No chain of risk was found")


def _cut(chain: Chain) -> str:
    return f" Break it first: {' '.join(chain.cut.remedy.split())}" if chain.cut else ""


def _numbers(found: Risks) -> b.Numbers:
    layers = max((len({x.layer for x in c.links}) for c in found.proven), default=0)
    return b.Numbers(
        (
            b.Number("proven", len(found.proven), "every link seen", b.Tone.DANGER),
            b.Number("possible", len(found.possible), "a link is unknown", b.Tone.WARNING),
            b.Number("workloads", len(found.workloads), "looked at"),
            b.Number("layers", layers, "meet on one workload at most"),
        ),
        caption="Chains of risk",
    )


def links_of(chain: Chain) -> b.Table:
    """List the links of a chain with what was seen, or why not."""
    return b.Table.of(
        f"{chain.rank}. {chain.label}: {chain.because}",
        [
            "layer",
            b.Column("link", weight=2),
            b.Column("seen, or why it is unknown", weight=3),
            ("controls", "code"),
            ("raw record", "code"),
        ],
        [
            (
                link.layer.value,
                link.title,
                link.observed if link.state is State.HOLDS else f"unknown: {link.reason}",
                "\n".join(link.controls),
                f"{link.raw}:{link.raw_line}" if link.raw else "",
            )
            for link in chain.links
        ],
        note="; ".join(f"{p.id} {p.title}" for p in chain.patterns) + "." + _cut(chain),
    )


def _listed(found: Risks) -> b.Table:
    return b.Table.of(
        "All chains, worst first",
        [
            ("rank", "number"),
            ("severity", "severity"),
            b.Column("workload", weight=2),
            ("patterns", "code"),
            b.Column("because", weight=3),
            b.Column("break first", weight=2),
        ],
        [
            (
                c.rank,
                c.severity,
                c.label,
                "\n".join(p.id for p in c.patterns),
                c.because,
                c.cut.title if c.cut else "",
            )
            for c in found.chains[:LISTED]
        ],
        total=len(found.chains),
        note="Ranked by: proven before possible, severity, stages of an attack, what will not "
        "wait, patterns, layers and links that meet, fewer unknown links, pods, name.",
        annex="tables/risks.csv",
    )


def _signals(found: Risks) -> b.Table:
    return b.Table.of(
        "Signals that were looked for",
        [
            "layer",
            b.Column("signal", weight=3),
            ("workloads", "number"),
            ("unknown", "number"),
        ],
        [
            (s.signal.layer, s.signal.title, int(s.holds.sum()), int(s.unknown.sum()))
            for _, s in sorted(found.signals.items(), key=lambda x: (x[1].signal.layer, x[0]))
        ],
    )
