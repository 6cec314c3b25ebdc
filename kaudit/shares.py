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
_MANY = 6


class Shares(NamedTuple):
    """Views that are everybody's, and positions of controls by share, the largest first."""

    common: tuple[str, ...]
    positions: list[list[int]]


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
        under = rests.setdefault(control.subject, set())
        for name in (control.subject, *control.needs):
            under |= registry.views_under(name, given)
    many = Counter(view for under in rests.values() for view in under)
    common = {view for view, subjects in many.items() if subjects >= _MANY}
    share_of: dict[str, set[str]] = {}
    for subject, under in rests.items():
        one = {subject}
        for view in sorted(under - common):
            one |= share_of.get(view, set())
        views = {view for name in one for view in rests[name] - common}
        share_of |= dict.fromkeys((*views, *one), one)
    found: dict[int, list[int]] = {}
    for position, control in enumerate(controls):
        found.setdefault(id(share_of[control.subject]), []).append(position)
    size = {
        number: len({view for at in some for view in rests[controls[at].subject] - common})
        for number, some in found.items()
    }
    order = sorted(found, key=lambda number: (-size[number], found[number][0]))
    return Shares(tuple(sorted(common)), [found[number] for number in order])
