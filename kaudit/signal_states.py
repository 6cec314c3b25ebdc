"""Whether a signal holds for each workload, does not, or is unknown.

A gap never ends a signal: where a table that it needs could not be read, workloads for which
it is not seen are unknown. Where the missing rows could have ended it, what seems to hold is
unknown too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from kaudit import registry
from kaudit.assessment import Assessment
from kaudit.chains import Signal
from kaudit.columns import SEPARATOR, arrow, pairs, positions, series
from kaudit.evidence.frames import Frames
from kaudit.limits import reach, said
from kaudit.model import platform
from kaudit.model.risk import Link, State
from kaudit.model.words import Gap, Status
from kaudit.neighbours import RELATIONS, beyond
from kaudit.result import Result, observed

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    Flags: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

_OPEN = (Status.NOT_ASSESSED, Status.ERROR, Status.MANUAL)


class Workloads:
    """The workloads of the evidence, in the order of namespace, kind and name.

    Its namespaces stand in one of their own, for signals that are about them.
    """

    def __init__(self, rows: list[dict[str, Any]], images: dict[str, list[int]]) -> None:
        self.rows = rows
        self._images = images
        self._at = {(r["kind"], r["namespace"], r["name"]): at for at, r in enumerate(rows)}
        self._in: dict[str, list[int]] = {}
        for at, row in enumerate(rows):
            self._in.setdefault(row["namespace"] or row["name"], []).append(at)

    @classmethod
    def of(cls, frames: Frames) -> Workloads:
        """Gather them from the uses of images: every pod and template has one."""
        uses = frames.get("image_uses")
        found: dict[tuple[str, str, str], dict[str, Any]] = {}
        columns = ("namespace", "owner_kind", "owner_name", "platform", "running", "pods", "image")
        used: dict[str, set[tuple[str, str, str]]] = {}
        for namespace, kind, name, of_platform, running, pods, image in zip(
            *(arrow(uses[c]).to_pylist() for c in columns), strict=True
        ):
            key = (namespace, kind, name)
            row = found.setdefault(
                key,
                {"kind": kind, "namespace": namespace, "name": name, "platform": of_platform}
                | {"pods": 0},
            )
            row["pods"] = max(row["pods"], pods if running else 0)
            used.setdefault(image, set()).add(key)
        order = sorted(found)
        place = {key: at for at, key in enumerate(order)}
        images = {image: sorted(place[key] for key in keys) for image, keys in used.items()}
        return cls([found[key] for key in order], images)

    def namespaces(self, frames: Frames) -> Workloads:
        """Gather the namespaces: read, with workloads in them, or with rights that are given."""
        named = (("namespaces", "name"), ("rbac_bindings", "namespace"))
        columns = [arrow(frames.get(table)[column]) for table, column in named]
        pods = {name: 0 for column in columns for name in column.unique().to_pylist()}
        for row in self.rows:
            pods[row["namespace"]] = pods.get(row["namespace"], 0) + row["pods"]
        rows = [
            {"kind": "Namespace", "namespace": "", "name": name, "pods": pods[name]}
            | {"platform": name in platform.NAMESPACES}
            for name in sorted(pods)
            if name
        ]
        return Workloads(rows, {})

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, at: int) -> dict[str, Any]:
        """Kind, namespace, name, platform and pods of a workload."""
        return self.rows[at]

    def label(self, at: int) -> str:
        """Kind, namespace and name of a workload in one text."""
        row = self.rows[at]
        return f"{row['kind']} {row['namespace']}/{row['name']}"

    def touched(self, kind: str, namespace: str, name: str) -> list[int]:
        """Workloads that something about a resource is about: itself, its namespace, its image."""
        if (own := self._at.get((kind, namespace, name))) is not None:
            return [own]
        if kind == "Image":
            return self._images.get(name, [])
        return self._in.get(name, []) if kind == "Namespace" else []

    def inside(self, namespace: str) -> list[int]:
        """Workloads of a namespace; all of them where it is empty."""
        return self._in.get(namespace, []) if namespace else list(range(len(self.rows)))

    def key(self) -> pa.Array:
        """Kind, namespace and name joined, as :func:`~kaudit.columns.pairs` joins them."""
        import pyarrow as pa

        return pa.array(
            [SEPARATOR.join((r["kind"], r["namespace"], r["name"])) for r in self.rows], pa.string()
        )


class States:
    """A signal on each workload, or on each namespace."""

    def __init__(self, signal: Signal, places: Workloads) -> None:
        import numpy as np

        self.signal = signal
        self.places = places
        self.holds: Flags = np.zeros(len(places), bool)
        self._reasons: dict[int, str] = {}
        self._seen: dict[int, dict[str, Any]] = {}

    @property
    def unknown(self) -> Flags:
        """Where the evidence does not tell."""
        import numpy as np

        found = np.zeros(len(self.holds), bool)
        found[list(self._reasons)] = True
        return found & ~self.holds

    @property
    def column(self) -> pd.Series[Any]:
        """True, false, or null where it is unknown."""
        import pandas as pd
        import pyarrow as pa

        values = pa.array(self.holds, mask=self.unknown)
        return pd.Series(pd.array(values, dtype=pd.ArrowDtype(pa.bool_())))

    def see(self, at: int, **what: Any) -> None:
        """Note that it holds, and where that was first seen."""
        self.holds[at] = True
        self._seen.setdefault(at, what)

    def doubt(self, at: int, reason: str) -> None:
        """Note that it is unknown where it is not seen to hold; the first reason stands."""
        self._reasons.setdefault(at, reason)

    def revoke(self, at: int, reason: str) -> None:
        """Note that what was seen may have been ended by something that was not read."""
        self.holds[at] = False
        self._reasons[at] = reason

    def link(self, at: int) -> Link:
        """Return the link of a workload, which holds or is unknown."""
        s = self.signal
        holds = bool(self.holds[at])
        seen = self._seen[at] if holds else {}
        hurried, why = s.urgent
        urgent = not set(hurried).isdisjoint(seen.get("controls", ()))
        return Link(
            signal=s.name,
            title=s.title,
            layer=s.layer,
            stage=s.stage,
            effort=s.effort,
            remedy=s.remedy.strip(),
            state=State.HOLDS if holds else State.UNKNOWN,
            reason="" if holds else self._reasons.get(at, ""),
            urgent=why if urgent else "",
            **seen,
        )


def states_of(
    signal: Signal, assessment: Assessment, workloads: Workloads, known: Mapping[str, States]
) -> States:
    """Work out a signal for every workload; ``known`` are those that others lead to."""
    found = States(signal, workloads)
    if signal.via:
        _of_neighbours(found, assessment, workloads, known)
    elif signal.function is None:
        _of_controls(found, assessment, workloads)
    else:
        _of_tables(found, assessment, workloads)
    return found


def _of_controls(found: States, assessment: Assessment, workloads: Workloads) -> None:
    failures: dict[int, list[Result]] = {}
    for id_ in (*found.signal.controls, *found.signal.shown_by):
        if id_ not in assessment.by_control:
            for at in workloads.inside(""):
                found.doubt(at, f"{id_} was not applied")
            continue
        shows = id_ in found.signal.shown_by
        for result in assessment.by_control[id_].results(Status.FAIL, *_OPEN):
            places = workloads.touched(result.kind, result.namespace, result.name)
            if result.status is Status.FAIL and not shows:
                for at in places:
                    failures.setdefault(at, []).append(result)
                continue
            for at in places or (() if result.name else workloads.inside(result.namespace)):
                found.doubt(at, f"{id_}: {result.reason or result.observed}")
    for at, results in failures.items():
        first = min(results, key=lambda r: (r.severity.rank, r.control, r.name, r.container))
        where = f"{first.container}: " if first.container else ""
        found.see(
            at,
            observed=f"{where}{first.observed}",
            controls=tuple(sorted({result.control for result in results})),
            table=assessment.by_control[first.control].control.subject,
            raw=first.raw,
            raw_line=first.raw_line,
        )


def _of_tables(found: States, assessment: Assessment, workloads: Workloads) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    signal, frames = found.signal, assessment.evidence.frames
    subject = frames.get(signal.subject)
    mask = arrow(signal.judge(subject, *(frames.get(name) for name in signal.needs)))
    resource = signal.resource
    names = (resource.kind, resource.namespace, resource.name)
    nowhere = series(pa.nulls(len(subject), pa.string()).fill_null(""), subject)
    at = positions(pairs(*(subject[n] if n else nowhere for n in names)), workloads.key())
    holds = pc.fill_null(mask, False).to_numpy(zero_copy_only=False) & (at >= 0)
    rows = np.flatnonzero(holds)
    places, first = np.unique(at[rows], return_index=True)
    shown = subject.iloc[rows[first]]
    texts = observed(subject, pa.array(rows[first]), signal.shows).to_pylist()
    for place, text, raw, line in zip(
        places.tolist(), texts, shown["raw"], shown["raw_line"], strict=True
    ):
        found.see(place, observed=text, table=signal.subject, raw=raw, raw_line=int(line))
    unknown = pc.is_null(mask).to_numpy(zero_copy_only=False) & (at >= 0)
    for place in np.unique(at[unknown]).tolist():
        found.doubt(place, signal.null)
    _of_gaps(found, assessment, workloads, (signal.subject, *signal.needs), signal.clears)


def _of_neighbours(
    found: States, assessment: Assessment, workloads: Workloads, known: Mapping[str, States]
) -> None:
    """Lead from each workload to those that hold a signal, or may hold one."""
    import numpy as np

    work_out, needs, clears = RELATIONS[found.signal.via]
    near = work_out(assessment.evidence.frames, workloads.key())
    ends = [known[name] for name in found.signal.to]
    holding = np.any([states.holds for states in ends], axis=0)
    reached, doubtful = beyond(near, np.flatnonzero(holding).tolist(), len(workloads))
    for place, target in reached.items():
        states = next(states for states in ends if states.holds[target])
        link = states.link(target)
        other = workloads.label(target)
        what = f"{other}: {states.signal.title[:1].lower()}{states.signal.title[1:]}"
        found.see(place, observed=what, table=link.table, raw=link.raw, raw_line=link.raw_line)
    for place in doubtful:
        found.doubt(place, "whether it leads to one that is known to hold is not told")
    unknown = np.any([states.unknown for states in ends], axis=0) & ~holding
    perhaps, more = beyond(near, np.flatnonzero(unknown).tolist(), len(workloads))
    for place in more:
        found.doubt(place, "whether it leads to one, and what that holds, is not told")
    for place, target in perhaps.items():
        states = next(states for states in ends if states.unknown[target])
        reason = states.link(target).reason
        found.doubt(place, f"{workloads.label(target)}: {reason}")
    _of_gaps(found, assessment, workloads, needs, clears)


def _of_gaps(
    found: States,
    assessment: Assessment,
    workloads: Workloads,
    tables: tuple[str, ...],
    clears: tuple[str, ...],
) -> None:
    needed = set(registry.base_tables(*tables))
    clearing = set(registry.base_tables(*clears)) if clears else set()
    own = {registry.subject_table(tables[0])}
    for gap in sorted(assessment.evidence.gaps, key=lambda gap: not gap.failed):
        # A source that says nothing of further kinds has none of them.
        touched = (needed if gap.failed else own).intersection(gap.tables)
        if touched:
            _doubt(found, gap, clearing, workloads.inside(reach(gap, touched)))


def _doubt(found: States, gap: Gap, clearing: set[str], places: Sequence[int]) -> None:
    for at in places:
        found.doubt(at, said(gap))
    if gap.failed and not clearing.isdisjoint(gap.tables):
        for at in places:
            if found.holds[at]:
                found.revoke(at, said(gap))
