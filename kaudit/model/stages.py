"""What the stages of policies decide for one node: peers, and the ports that they may use.

A stage is tried after the other; in each the first rule that speaks of a port decides it. Sets
of nodes and of ports are whole numbers with one bit each; see kaudit.model.connectivity.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from kaudit.model.policy import ALLOW, DENY


class Access(msgspec.Struct, frozen=True):
    """Peers that are treated alike in one direction: ports that they may use, or perhaps may."""

    peers: int
    allowed: int
    unclear: int = 0


class Step(msgspec.Struct, frozen=True):
    """A rule against one node: peers, ports and what it does to them."""

    peers: int
    ports: int
    action: str
    clear: bool
    policy: int
    place: int


class Stage(msgspec.Struct, frozen=True):
    """Rules that are tried together, and what becomes of ports that none speaks of."""

    steps: tuple[Step, ...]
    closes: bool
    may_close: bool
    policies: tuple[int, ...]


def decided(stages: Sequence[Stage], peers: int, ports: int) -> tuple[Access, ...]:
    """What stages leave of all peers and ports, peers that are treated alike together."""
    everything = {(ports, 0): peers}
    least = _passed(stages, everything, lenient=False)
    doubtful = any(
        stage.closes != stage.may_close or not all(step.clear for step in stage.steps)
        for stage in stages
    )
    if not doubtful:
        return tuple(Access(peers, ports) for ports, peers in least.items())
    most = _passed(stages, everything, lenient=True)
    found: dict[tuple[int, int], int] = {}
    for allowed, some in least.items():
        for perhaps, others in most.items():
            if both := some & others:
                key = (allowed, perhaps & ~allowed)
                found[key] = found.get(key, 0) | both
    return tuple(Access(peers, *ports) for ports, peers in found.items())


def _passed(
    stages: Sequence[Stage], groups: dict[tuple[int, int], int], *, lenient: bool
) -> dict[int, int]:
    """Peers by the ports that they are allowed, at least or at most."""
    for stage in stages:
        here = {(open_, allowed, 0): peers for (open_, allowed), peers in groups.items()}
        for step in stage.steps:
            action = step.action
            if not step.clear:
                if (action == ALLOW) != lenient and action != "pass":
                    continue
                action = ALLOW if lenient else DENY
            here = _stepped(here, step, action)
        closes = stage.closes if lenient else stage.may_close
        groups = {}
        for (open_, allowed, passed), peers in here.items():
            key = (passed if closes else open_ | passed, allowed)
            groups[key] = groups.get(key, 0) | peers
    found: dict[int, int] = {}
    for (open_, allowed), peers in groups.items():
        found[open_ | allowed] = found.get(open_ | allowed, 0) | peers
    return found


_Groups = dict[tuple[int, int, int], int]


def _stepped(groups: _Groups, step: Step, action: str) -> _Groups:
    """Groups after one rule: those that it cuts come apart."""
    found: _Groups = {}
    for key, peers in groups.items():
        open_, allowed, passed = key
        inside, ports = peers & step.peers, open_ & step.ports
        if not inside or not ports:
            found[key] = found.get(key, 0) | peers
            continue
        if rest := peers & ~step.peers:
            found[key] = found.get(key, 0) | rest
        if action == ALLOW:
            changed = (open_ & ~ports, allowed | ports, passed)
        elif action == DENY:
            changed = (open_ & ~ports, allowed, passed)
        else:
            changed = (open_ & ~ports, allowed, passed | ports)
        found[changed] = found.get(changed, 0) | inside
    return found
