"""Rows that follow from the specs of pods: made once of each spec, for all pods that have it.

Pods of one template differ in their node and in the name of the volume of their token. Specs
that are otherwise the same have the same rows, but for whose they are and for that name.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from kaudit.model.place import Place
from kaudit.model.pod import Pod, PodSpec
from kaudit.model.workload import Controller, pod_of
from kaudit.registry import Collector
from kaudit.table import Row, Table, arrays
from kaudit.tables.owned import SPEC

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

#: How the API server calls the volume of a pod's token, before some letters of the pod's own.
_TOKEN = "kube-api-access-"  # noqa: S105  no secret
#: Stands for that name; no text of JSON holds it.
_SIGN = b"\xff"
#: Column that may hold it.
_VOLUME = "volume"
_encode = msgspec.json.Encoder().encode


class SpecRows:
    """What collectors of specs tell of some pods; its length is how many they are.

    Parameters
    ----------
    collectors
        Of the kind of the objects; those that take a spec are asked.
    """

    def __init__(self, collectors: Sequence[Collector]) -> None:
        asked = [c for c in collectors if c.of_spec]
        self._told = [_Told(c, table) for c in asked for table in c.tables]
        self._functions = [c.function for c in asked]
        self._adders = {told.table.row: told.rows.append for told in self._told}
        self._own = [(told.owned, told.own) for told in self._told if told.own is not None]
        self._known: dict[bytes, int] = {}
        #: What the first pod of each spec calls the volume of its token.
        self._first: list[str] = []
        #: Of each pod: whose rows they are, the number of its spec, and what it calls it.
        self._places: list[Place] = []
        self._specs = array("q")
        self._called: list[str] = []

    def __len__(self) -> int:
        return len(self._places)

    def add(self, found: Pod | Controller, place: Place) -> None:
        """Take a pod, or what makes pods."""
        made = pod_of(found, orphan=place.orphan) if self._functions else None
        if made is None:
            return
        text, token = _alike(made.spec)
        number = self._known.setdefault(text, len(self._known))
        if number == len(self._first):
            self._first.append(token)
            for function in self._functions:
                for row in function(made.spec):
                    self._adders[type(row)](row)
            for told in self._told:
                told.ends.append(len(told.rows))
        for owned, own in self._own:
            owned += own(made, place)
        self._places.append(place)
        self._specs.append(number)
        self._called.append(token)

    def columns(self) -> Iterator[tuple[str, pa.Table]]:
        """Yield the columns of each table of which there are rows, by its name."""
        import numpy as np
        import pyarrow as pa

        if not self._places:
            return
        specs = np.frombuffer(self._specs, dtype=np.int64)
        whose = _whose(self._places)
        for told in self._told:
            pods, rows = told.numbers(specs)
            if len(pods):
                found = {n: c.take(pa.array(rows)) for n, c in told.of_specs().items()}
                found |= {n: c.take(pa.array(pods)) for n, c in whose.items()} | told.of_pods()
                if _VOLUME in found and any(self._first):
                    found[_VOLUME] = self._named(found[_VOLUME], pods)
                schema = told.table.schema
                columns = [found[name] for name in schema.names]
                yield told.table.name, pa.Table.from_arrays(columns, schema=schema)

    def _named(self, volumes: pa.Array, pods: Numbers) -> pa.Array:
        """Names of volumes, that of the token as each pod calls it."""
        import pyarrow as pa
        import pyarrow.compute as pc

        whose = pa.array(pods)
        first = pa.array([self._first[number] for number in self._specs], pa.string()).take(whose)
        own = pa.array(self._called, pa.string()).take(whose)
        return pc.if_else(pc.equal(volumes, first), own, volumes)


class _Told:
    """Rows of one table.

    Attributes
    ----------
    rows, ends
        Of all specs; those of a spec end where those of the next begin.
    owned
        What the pods have of their own, in the order of their rows.
    """

    def __init__(self, collector: Collector, table: Table) -> None:
        self.table, self.own = table, collector.own
        self.rows: list[Row] = []
        self.ends = array("q", [0])
        self.owned: list[Row] = []

    def numbers(self, specs: Numbers) -> tuple[Numbers, Numbers]:
        """Of each row of the pods: the number of its pod, and of the row of the spec."""
        import numpy as np

        ends = np.frombuffer(self.ends, dtype=np.int64)
        counts = ends[specs + 1] - ends[specs]
        before = ends[specs] - np.cumsum(counts) + counts
        pods = np.repeat(np.arange(len(specs)), counts)
        return pods, np.repeat(before, counts) + np.arange(len(pods))

    def of_specs(self) -> dict[str, pa.Array]:
        """Columns that specs tell."""
        schema, _ = _schemas(self.table, self._own)
        return dict(zip(schema.names, arrays(self.rows, self.table.row, schema), strict=True))

    def of_pods(self) -> dict[str, pa.Array]:
        """Columns that pods have of their own."""
        if self._own is None:
            return {}
        _, schema = _schemas(self.table, self._own)
        return dict(zip(schema.names, arrays(self.owned, self._own, schema), strict=True))

    @property
    def _own(self) -> type[Row] | None:
        return type(self.owned[0]) if self.owned else None


@cache
def _schemas(table: Table, own: type[Row] | None) -> tuple[pa.Schema, pa.Schema]:
    """Columns of a table that specs tell, and those that pods have of their own."""
    import pyarrow as pa

    owned = {*own.__struct_fields__} if own else set()
    told = [field for field in table.schema if field.name not in owned | {*SPEC}]
    return pa.schema(told), pa.schema([f for f in table.schema if f.name in owned])


def _alike(spec: PodSpec) -> tuple[bytes, str]:
    """What a spec says, the same for all that differ in nothing but their own; name of the token.

    A name that means anything but the volume of the token is nobody's own.
    """
    node, spec.node_name = spec.node_name, None
    text = _encode(spec)
    spec.node_name = node
    token = next((v.name for v in spec.volumes or () if v.name.startswith(_TOKEN)), "")
    if not token:
        return text, ""
    quoted = _encode(token)
    mounts = (m.name for _, _, c in spec.typed_containers for m in c.volume_mounts or ())
    names = [*mounts, *(volume.name for volume in spec.volumes or ())]
    if text.count(quoted) != names.count(token):
        return text, ""
    return text.replace(quoted, _SIGN), token


def _whose(places: Sequence[Place]) -> dict[str, pa.Array]:
    """What rows say of their pods."""
    import pyarrow as pa

    return {
        "raw": pa.array([p.raw for p in places], pa.string()),
        "raw_line": pa.array([p.line for p in places], pa.int64()),
        "pod_uid": pa.array([p.uid for p in places], pa.string()),
        "namespace": pa.array([p.namespace for p in places], pa.string()),
        "pod": pa.array([p.name for p in places], pa.string()),
    }
