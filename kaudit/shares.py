"""Work of controls in shares that two processes can do apart.

Controls that rest on a view that few others rest on make one share, so that it is computed
once; what many rest on is computed before the work is shared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

from kaudit import registry
from kaudit.registry import Control

#: Subjects from which a view that they rest on is everybody's.
_MANY = 14


class Share(NamedTuple):
    """Positions of controls, and the tables and views that they alone rest on."""

    positions: list[int]
    alone: frozenset[str]


class Shares(NamedTuple):
    """Views that are everybody's, and the shares, the largest first."""

    common: tuple[str, ...]
    shares: list[Share]


def shares(controls: Sequence[Control], given: Collection[str] = ()) -> Shares:
    """Put controls into shares.

    Parameters
    ----------
    controls
        In any order.
    given
        Views that are computed already.
    """
    rests: dict[str, set[str]] = {}
    for control in controls:
        found = registry.resting_on(control.subject, *control.needs, given=given)
        rests.setdefault(control.subject, set()).update(found)
    many = Counter(name for names in rests.values() for name in names)
    common = {n for n, subjects in many.items() if n in registry.VIEWS and subjects >= _MANY}
    share_of: dict[str, set[str]] = {}
    for subject, names in rests.items():
        own = sorted(names.intersection(registry.VIEWS) - common)
        share = {subject}.union(*(share_of[view] for view in own if view in share_of))
        share_of |= dict.fromkeys(own, share)
        for other in share:
            share_of[other] = share
            share_of |= {n: share for n in rests[other] - common if n in registry.VIEWS}
    positions: dict[int, list[int]] = {}
    for position, control in enumerate(controls):
        positions.setdefault(id(share_of[control.subject]), []).append(position)
    under = {
        number: {name for at in some for name in rests[controls[at].subject]} - common
        for number, some in positions.items()
    }
    users = Counter(name for names in under.values() for name in names)
    order = sorted(positions, key=lambda number: (-len(under[number]), positions[number][0]))
    return Shares(
        tuple(sorted(common)),
        [
            Share(positions[number], frozenset(n for n in under[number] if users[n] == 1))
            for number in order
        ],
    )
