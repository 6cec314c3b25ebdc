"""Which policies decide on one connection, and how."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from kaudit.model.connectivity import Network
from kaudit.model.policy import ALLOW
from kaudit.model.stages import Step

_SAID = {"allow": "allows", "deny": "denies", "pass": "passes on"}


class Reason(msgspec.Struct, frozen=True):
    """What one policy has to do with a connection.

    Attributes
    ----------
    direction
        ``egress`` of the source, ``ingress`` of the destination.
    policy
        Kind and name; empty where no policy decides.
    effect
        ``allows``, ``denies``, ``passes on``, ``isolates`` (nothing else allows it), or
        ``decides nothing``; ``may`` before it where the policy is not understood.
    rule
        Place of the rule, from 0.
    """

    direction: str
    policy: str
    effect: str
    rule: int | None = None


def reasons(network: Network, node: int, peer: int, direction: str, ports: int) -> list[Reason]:
    """Reasons for what the policies of a node say of a peer on a port."""
    if node >= network.pods:
        return [Reason(direction, "", "decides nothing: it is outside")]
    if network.hosts >> node & 1:
        return [Reason(direction, "", "decides nothing: it is on the network of its node")]
    found: list[Reason] = []
    for stage in network.stages(node, direction):
        here = list(_matching(network, stage.steps, peer, direction, ports))
        found += here
        if any(r.effect in ("allows", "denies") for r in here):
            return found
        if stage.may_close and not any(r.effect == "passes on" for r in here):
            closing = [
                network.policies[number]
                for number in stage.policies
                if getattr(network.policies[number], direction)
            ]
            word = "isolates" if stage.closes else "may isolate"
            return [*found, *(Reason(direction, policy.label, word) for policy in closing)]
    return found or [Reason(direction, "", "decides nothing: no policy applies")]


def _matching(
    network: Network, steps: tuple[Step, ...], peer: int, direction: str, ports: int
) -> Iterator[Reason]:
    """Rules that match, up to the one that decides; allowing ones beside it are named too."""
    decided = ""
    for step in steps:
        if not step.peers >> peer & 1 or not step.ports & ports:
            continue
        if decided and step.action != decided:
            return
        word = _SAID[step.action]
        label = network.policies[step.policy].label
        if not step.clear:
            yield Reason(direction, label, f"may be one that {word}", step.place)
            continue
        if decided != ALLOW or step.action == ALLOW:
            yield Reason(direction, label, word, step.place)
        decided = step.action
        if decided != ALLOW:
            return
