"""Why what fails was admitted: the enforcement point that came nearest to a denial.

Decided once for each class of pods that no point can tell apart. The checks of the Pod
Security Standards are those of the level and the version that the namespace enforces.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from kaudit.admission_faults import POD, faults
from kaudit.columns import arrow, kept_labels, matched, pairs, positions, text_is
from kaudit.enforcement import LISTS, AdmissionTables, Case, Outcome, Policies, nearest
from kaudit.model.admission_causes import CAUSES, CHECKS, COVERED, DENIED
from kaudit.model.glob import matches
from kaudit.model.kinds import CONTROLLERS
from kaudit.model.meta import pairs_of
from kaudit.policy_scope import Asked
from kaudit.registry import view
from kaudit.remembered import remembered
from kaudit.table import Resource, Table, Trace, doc, frame
from kaudit.views.enforced_levels import TIMES, Levels
from kaudit.views.pod_security import PodSecurity

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa


class AdmissionCauseRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace")]
    owner_kind: Annotated[str, doc("kind of the topmost known owner of the pods")]
    owner_name: Annotated[str, doc("name of the topmost known owner")]
    platform: Annotated[bool, doc("in a namespace of Kubernetes itself")]
    control: Annotated[str, doc("control that they fail, of those that admission can enforce")]
    cause: Annotated[str, doc("why they were admitted, in one word")]
    because: Annotated[str, doc("the cause in a sentence")]
    engine: Annotated[str, doc("engine that came nearest to a denial; empty: none")]
    policy: Annotated[str, doc("its policy, with the rule; of PodSecurity the namespace")]
    clause: Annotated[str, doc("field that decided")]
    containers: Annotated[list[str], doc("lists of containers at fault; empty: the pod itself")]
    covered: Annotated[bool, doc("a point that denies is for them")]
    unexplained: Annotated[bool, doc("they should have been denied")]
    pods: Annotated[int, doc("pods of this owner, with this cause")]


ADMISSION_CAUSES = Table(
    "admission_causes",
    AdmissionCauseRow,
    grain="one cause for one workload, control and set of lists, in one part of the pods",
    key=("namespace", "owner_kind", "owner_name", "control", "cause", "engine", "policy", "clause"),
    resource=Resource("owner_kind", name="owner_name"),
    pods=True,
    summed=True,
)


@view(
    ADMISSION_CAUSES,
    naming=(
        *AdmissionTables._fields,
        *("workloads", "pod_security_config"),
    ),
)
def admission_causes(
    pod_context: pd.DataFrame,
    security_context: pd.DataFrame,
    container_resources: pd.DataFrame,
    image_references: pd.DataFrame,
    pod_volumes: pd.DataFrame,
    pods: pd.DataFrame,
    containers: pd.DataFrame,
    volumes: pd.DataFrame,
    probes: pd.DataFrame,
    cluster: pd.DataFrame,
    admission: AdmissionTables,
    namespaces: pd.DataFrame,
    namespace_security: pd.DataFrame,
    workloads: pd.DataFrame,
    pod_security_config: pd.DataFrame,
) -> pd.DataFrame:
    """Ask every point about every class of pods that fail a control."""
    import numpy as np

    policies = _policies(*admission, namespaces)
    live = text_is(pod_context["origin"], "object").to_numpy(dtype=bool)
    codes = faults(
        pod_context,
        security_context,
        container_resources,
        image_references,
        pod_volumes,
        cluster,
    )
    levels = _levels(namespaces, namespace_security, cluster, pod_security_config)
    broken = levels.broken(PodSecurity(pods, containers, volumes, probes), pods)
    classes = _Classes(pod_context, policies, levels, workloads)
    order = positions(pod_context["pod_uid"], pods["pod_uid"])
    found: list[Any] = []
    outcomes: list[tuple[Outcome, int]] = []
    seen: dict[tuple[Outcome, int], int] = {}
    for control in sorted(codes):
        at = np.flatnonzero((codes[control] > 0) & live)
        if not len(at):
            continue
        checks = [broken[check][order[at]] for check in CHECKS.get(control, ()) if check in broken]
        refused = np.any(checks, axis=0) if checks else np.zeros(len(at), dtype=bool)
        key = classes.codes[at] * 32 + codes[control][at].astype(np.int64) * 2 + refused
        unique, first, back = np.unique(key, return_index=True, return_inverse=True)
        rows = at[first]
        same = classes.telling(control)[rows] * 32 + unique % 32
        _, first, of = np.unique(same, return_index=True, return_inverse=True)
        verdicts = np.empty(len(first), dtype=np.int64)
        for number in np.argsort(first).tolist():
            one = int(rows[first[number]])
            lists = int(codes[control][one])
            broke = bool(unique[first[number]] & 1)
            outcome = _decide(control, one, lists, broke, classes)
            verdicts[number] = seen.setdefault((outcome, lists), len(seen))
            if len(seen) > len(outcomes):
                outcomes.append((outcome, lists))
        found.append((control, at, verdicts[of][back]))
    return _gathered(pod_context, found, outcomes)


def _decide(control: str, row: int, lists: int, refused: bool, classes: _Classes) -> Outcome:
    case = classes.case(control, row, 0 if lists & POD else lists)
    points = [*classes.policies.outcomes(case)]
    of_level = classes.levels.outcome(case, refused)
    return nearest([*points, of_level] if of_level else points)


#: The same for every part of the pods.
_levels = remembered(lambda *frames: Levels(*frames))


@remembered
def _policies(*frames: pd.DataFrame) -> Policies:
    *tables, namespaces = frames
    return Policies(AdmissionTables(*tables), namespaces)


_KINDS = {text.partition(".")[0]: text for text in CONTROLLERS}


class _Classes:
    """Pods in classes that no enforcement point can tell apart."""

    def __init__(
        self,
        pod_context: pd.DataFrame,
        policies: Policies,
        levels: Levels,
        workloads: pd.DataFrame,
    ) -> None:
        import numpy as np

        c = pod_context
        self.policies, self.levels = policies, levels
        keys = policies.label_keys
        wild = [key for key in keys if "*" in key or "?" in key]
        self.labels = kept_labels(c["labels"], lambda key: _named(key, keys, wild))
        at = matched(
            [c[column] for column in ("namespace", "owner_kind", "owner_name")],
            [workloads[column] for column in ("namespace", "kind", "name")],
        )
        self.namespaces, self.kinds = arrow(c["namespace"]), arrow(c["owner_kind"])
        self.static = c["static"].to_numpy(dtype=bool)
        self.made = arrow(c["created_at"])
        self.owner_made = _taken(workloads, at)
        of_levels = [
            _coded(self.namespaces),
            self.static.astype(np.int64),
            *(_before(self.made, c["namespace"], levels, name) for name in TIMES),
        ]
        self.runtimes = arrow(c["runtime_class"]) if levels.runtimes else None
        if self.runtimes is not None:
            of_levels.append(_coded(self.runtimes.fill_null("")))
        if levels.users:
            of_levels.append(_coded(self.kinds))
        parts = [
            of_levels[0],
            _coded(self.kinds),
            _coded(_joined(self.labels)),
            of_levels[1],
            _buckets(self.made, policies.times),
            _buckets(self.owner_made, policies.times),
            *of_levels[2:],
        ]
        self.names = arrow(c["pod"]) if policies.names_objects else None
        if self.names is not None:
            parts.append(_coded(self.names))
        self.codes = _numbered(parts)
        self._of_levels = _numbered([*of_levels, (parts[4] == 0).astype(np.int64)])
        self._known: dict[int, Case] = {}

    def telling(self, control: str) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Number of each pod among those that what speaks of a control can tell apart."""
        return self.codes if self.policies.demanding(control) else self._of_levels

    def case(self, control: str, row: int, lists: int) -> Case:
        """Return the case of one pod and control."""
        code = int(self.codes[row])
        alike = self._known.get(code)
        if alike is None:
            alike = self._known[code] = self._case(row)
        return msgspec.structs.replace(alike, control=control, lists=lists)

    def _case(self, row: int) -> Case:
        """Return the case of all pods of a class, for no control yet."""
        namespace, kind = self.namespaces[row].as_py(), self.kinds[row].as_py()
        spaces = self.policies.spaces.get(namespace)
        labels = pairs_of(self.labels[row].as_py())
        return Case(
            "",
            Asked("Pod", namespace, spaces, labels, self.names and self.names[row].as_py()),
            Asked(_KINDS[kind], namespace, spaces) if kind in _KINDS else None,
            static=bool(self.static[row]),
            made_at=self.made[row].as_py(),
            owner_made_at=self.owner_made[row].as_py(),
            runtime=self.runtimes[row].as_py() or "" if self.runtimes is not None else "",
        )


def _named(key: str, keys: frozenset[str], wild: list[str]) -> bool:
    """Whether policies may speak of a label."""
    return key in keys or any(matches(pattern, key) for pattern in wild)


def _taken(workloads: pd.DataFrame, at: Any) -> Any:
    import pyarrow as pa

    return arrow(workloads["created_at"]).take(pa.array(at, mask=at < 0))


def _numbered(
    parts: Sequence[np.ndarray[Any, np.dtype[np.int64]]],
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Number of each row among those that differ in any part."""
    import numpy as np

    code = np.zeros(len(parts[0]), dtype=np.int64)
    for part in parts:
        _, code = np.unique(code * (int(part.max(initial=0)) + 1) + part, return_inverse=True)
    return code


def _coded(values: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
    codes = values.dictionary_encode().indices
    found: np.ndarray[Any, np.dtype[np.int64]] = (
        codes.fill_null(0).to_numpy(zero_copy_only=False).astype("int64")
    )
    return found


def _joined(lists: Any) -> Any:
    import pyarrow.compute as pc

    return pc.binary_join(lists, "\x1f")


def _buckets(times: Any, among: Sequence[datetime]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Place of each time among those of policies; one place more where it is not told."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    stamp = pa.timestamp("us", tz="UTC")
    edges = pc.cast(pa.array(among, stamp), pa.int64()).to_numpy(zero_copy_only=False)
    own = pc.fill_null(pc.cast(pc.cast(times, stamp), pa.int64()), -1)
    values = own.to_numpy(zero_copy_only=False)
    found: np.ndarray[Any, np.dtype[np.int64]] = np.searchsorted(edges, values, side="right") + 1
    found[pc.is_null(times).to_numpy(zero_copy_only=False)] = 0
    return found


def _before(
    made: Any, namespaces: pd.Series[Any], levels: Levels, name: str
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Tell of each pod whether it was made before a moment of its own namespace."""
    import pyarrow as pa
    import pyarrow.compute as pc

    codes = arrow(namespaces).dictionary_encode()
    moments = [levels.of.get(space, {}).get(name) for space in codes.dictionary.to_pylist()]
    own = pa.array(moments, pa.timestamp("us", tz="UTC")).take(codes.indices)
    before = pc.fill_null(pc.less(pc.cast(made, own.type), own), False)
    found: np.ndarray[Any, np.dtype[np.int64]] = before.to_numpy(zero_copy_only=False)
    return found.astype("int64")


def _gathered(
    pod_context: pd.DataFrame, found: list[Any], outcomes: list[tuple[Outcome, int]]
) -> pd.DataFrame:
    """One row a workload, control and outcome, with how many pods it is of."""
    import numpy as np
    import pyarrow as pa

    c = pod_context
    owners = pairs(c["namespace"], c["owner_kind"], c["owner_name"]).dictionary_encode()
    of_pod = owners.indices.to_numpy(zero_copy_only=False).astype("int64")
    written = arrow(c["raw_line"]).to_numpy(zero_copy_only=False).astype("int64")
    parts: list[Any] = []
    for control, at, verdict in found:
        key = of_pod[at] * (len(outcomes) + 1) + verdict
        _, first, back, count = np.unique(
            key, return_index=True, return_inverse=True, return_counts=True
        )
        lowest = np.full(len(first), np.iinfo(np.int64).max)
        np.minimum.at(lowest, back, written[at])
        parts.append((lowest, at[first], verdict[first], count, [control] * len(first)))
    empty = np.zeros(0, dtype=np.int64)
    lines, rows, verdicts, counts = (
        np.concatenate([empty, *(part[place] for part in parts)]) for place in range(4)
    )
    columns: dict[str, Any] = {
        name: arrow(c[name]).take(pa.array(rows))
        for name in ("raw", "namespace", "owner_kind", "owner_name", "platform")
    }
    columns |= {"raw_line": pa.array(lines), "pods": pa.array(counts)}
    columns["control"] = pa.array([control for part in parts for control in part[4]], pa.string())
    columns |= _said(outcomes, pa.array(verdicts))
    return frame(ADMISSION_CAUSES.sorted(ADMISSION_CAUSES.fitted(columns)))


def _said(outcomes: list[tuple[Outcome, int]], verdicts: pa.Array) -> dict[str, pa.Array]:
    """Columns that tell of outcomes, which the verdicts number."""
    import pyarrow as pa

    said = [one for one, _ in outcomes]
    texts = {
        "cause": [one.cause for one in said],
        "because": [CAUSES[one.cause] for one in said],
        "engine": [one.engine for one in said],
        "policy": [one.policy for one in said],
        "clause": [one.clause for one in said],
    }
    columns = {name: pa.array(values, pa.string()) for name, values in texts.items()}
    lists = [[name for bit, (_, name) in LISTS.items() if mask & bit] for _, mask in outcomes]
    columns["containers"] = pa.array(lists, pa.list_(pa.string()))
    columns["covered"] = pa.array([one.cause in COVERED for one in said], pa.bool_())
    columns["unexplained"] = pa.array([one.cause == DENIED for one in said], pa.bool_())
    return {name: values.take(verdicts) for name, values in columns.items()}
