"""Controllers whose owner is to stand for them, until that owner is seen.

A Deployment's template stands for those of its ReplicaSets, a CronJob's for those of its
Jobs, a Service's of Knative for those of its Configuration, Revisions and their Deployments.
Where the owner is not in the source, or could not be decoded, what it made is judged by its
own template.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from kaudit.model.place import Place
from kaudit.model.pod import Pod
from kaudit.model.workload import STANDING, Controller, Rollout, template_of
from kaudit.source.events import Batch, KindId

#: Kind, namespace and name of a controller.
Owner = tuple[str, str, str]


class Waiting(msgspec.Struct, gc=False):
    """A controller that waits for its owner.

    Attributes
    ----------
    owner
        What it says made it.
    index
        Place in its batch.
    place
        Identity and raw record.
    item
        The object; empty until the batch is kept.
    """

    owner: Owner
    index: int
    place: Place
    item: bytes = b""


class Orphans:
    """Owners with a template seen so far, and what waits for those not seen."""

    def __init__(self) -> None:
        self.owners: set[Owner] = set()
        #: Rollouts without a template, and the owner whose template they take.
        self.takers: dict[Owner, Owner] = {}
        self.waiting: list[Waiting] = []
        self._held: list[tuple[KindId, Waiting]] = []

    def see(self, found: Pod | Controller, place: Place, index: int) -> None:
        """Take notice of a controller of a batch."""
        if place.kind in STANDING and not isinstance(found, Pod):
            own = (place.kind, place.namespace, place.name)
            if template_of(found) is not None:
                self.owners.add(own)
            elif isinstance(found, Rollout) and (taken := found.spec.workload_ref):
                self.takers[own] = (taken.kind or "", place.namespace, taken.name or "")
        owner = found.metadata.controller
        if owner is not None and (kind := owner.called) in STANDING:
            named = (kind, place.namespace, owner.name)
            self.waiting.append(Waiting(named, index, msgspec.structs.replace(place)))

    def keep(self, batch: Batch) -> None:
        """Hold the objects of a batch that still wait at its end."""
        self.take_items(batch)
        self._hold((batch.group, batch.kind))

    def take_items(self, batch: Batch) -> None:
        """Let what waits keep its object of a batch, which is about to go."""
        for waiting in self.waiting:
            if not self._seen(waiting.owner):
                waiting.item = bytes(batch.items[waiting.index])

    def _hold(self, key: KindId) -> None:
        self._held += [(key, one) for one in self.waiting if not self._seen(one.owner)]
        self.waiting = []

    def join(self, other: Orphans, key: KindId, before: int) -> None:
        """Take over what another saw of objects of a kind, whose raw lines come after others."""
        self.owners |= other.owners
        self.takers |= other.takers
        for waiting in other.waiting:
            waiting.place.line += before
        self.waiting = other.waiting
        self._hold(key)

    def left(self) -> Iterator[tuple[KindId, Waiting]]:
        """Yield what waits in vain, once."""
        held, self._held = self._held, []
        yield from (entry for entry in held if not self._seen(entry[1].owner))

    def _seen(self, owner: Owner) -> bool:
        return owner in self.owners or self.takers.get(owner) in self.owners
