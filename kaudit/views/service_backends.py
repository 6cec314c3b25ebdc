"""Workloads behind Services: by their selector, or where they have none by EndpointSlices.

Source: Kubernetes, "Service" (v1.34). Selectors are evaluated once for each class of pods
with the same owner and the same of those labels that Services speak of. Pods that have ended
stand behind nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, NamedTuple

from kaudit.columns import arrow, kept_labels, plain_rows
from kaudit.groups import Groups
from kaudit.model.label_index import LabelIndex, members
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class ServiceBackendRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always Service")] = "Service"
    namespace: Annotated[str, doc("namespace of the Service and of the workload")]
    service: Annotated[str, doc("name of the Service")]
    owner_kind: Annotated[str, doc("kind of the workload")]
    owner_name: Annotated[str, doc("name of the workload")]
    platform: Annotated[bool, doc("in a namespace of Kubernetes itself")]
    found_by: Annotated[str, doc("selector, or endpoints: those of an EndpointSlice")]
    pods: Annotated[int, doc("pods behind; 0: a template only")]


SERVICE_BACKENDS = Table(
    "service_backends",
    ServiceBackendRow,
    grain="one workload behind one Service",
    key=("namespace", "service", "owner_kind", "owner_name"),
    resource=Resource("kind", name="service"),
)


class _Owner(NamedTuple):
    kind: str
    name: str
    platform: bool


class _Classes(NamedTuple):
    """Pods of a namespace with the same labels that Services speak of, owner, and how many."""

    owners: list[tuple[_Owner, int]]
    labelled: LabelIndex

    def selected(self, asked: set[str]) -> Iterator[tuple[_Owner, int]]:
        """Those that carry all labels that are asked for."""
        found = self.labelled.all
        for text in asked:
            key, _, value = text.partition("=")
            found &= self.labelled.having(key, value)
        return map(self.owners.__getitem__, members(found))


@view(SERVICE_BACKENDS)
def service_backends(
    services: pd.DataFrame, pod_context: pd.DataFrame, endpoint_slices: pd.DataFrame
) -> pd.DataFrame:
    """Find the workloads behind each Service."""
    spoken = {
        text.partition("=")[0] for (texts,) in plain_rows(services, "selector") for text in texts
    }
    classes = _classes(pod_context, spoken)
    named = _named(pod_context, endpoint_slices)
    columns = ("namespace", "name", "selector", "raw", "raw_line")
    rows = []
    for namespace, name, wanted, raw, line in plain_rows(services, *columns):
        asked, owners = set(wanted), defaultdict[_Owner, int](int)
        if asked and namespace in classes:
            for owner, count in classes[namespace].selected(asked):
                owners[owner] += count
        found = owners if asked else named.get((namespace, name), {})
        rows += [
            ServiceBackendRow(
                raw=raw,
                raw_line=line,
                namespace=namespace,
                service=name,
                owner_kind=owner.kind,
                owner_name=owner.name,
                platform=owner.platform,
                found_by="selector" if asked else "endpoints",
                pods=count,
            )
            for owner, count in found.items()
        ]
    return frame(SERVICE_BACKENDS.sorted(SERVICE_BACKENDS.arrow(rows)))


def _classes(context: pd.DataFrame, spoken: set[str]) -> dict[str, _Classes]:
    """Pods by namespace."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ended = pc.is_in(arrow(context["phase"]), pa.array(["Succeeded", "Failed"]))
    here = pc.invert(pc.fill_null(ended, False))
    labels = kept_labels(context["labels"], spoken.__contains__)
    names = ("namespace", "owner_kind", "owner_name", "platform")
    keys = [*(arrow(context[name]).filter(here) for name in names), labels.filter(here)]
    alive = pc.equal(arrow(context["origin"]), "object").filter(here)
    groups = Groups(*keys)
    cells = (groups.one(key).to_pylist() for key in keys)
    counts = groups.total(alive).tolist()
    found: dict[str, list[tuple[tuple[_Owner, int], list[str]]]] = defaultdict(list)
    for space, kind, name, platform, texts, count in zip(*cells, counts, strict=True):
        found[space].append(((_Owner(kind, name, platform), count), texts))
    return {
        space: _Classes([owner for owner, _ in some], LabelIndex(texts for _, texts in some))
        for space, some in found.items()
    }


def _named(context: pd.DataFrame, slices: pd.DataFrame) -> dict[tuple[str, str], dict[_Owner, int]]:
    """By Service: owners of the pods of its own namespace that its EndpointSlices name."""
    wanted: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for namespace, service, pods in zip(
        slices["namespace"], slices["service"], slices["pods"], strict=True
    ):
        for pod in pods:
            if isinstance(service, str) and pod.startswith(f"{namespace}/"):
                wanted[pod].add((namespace, service))
    found: dict[tuple[str, str], dict[_Owner, int]] = defaultdict(lambda: defaultdict(int))
    if not wanted:
        return found
    objects = context[(context["origin"] == "object").to_numpy(bool)]
    columns = ("namespace", "pod", "owner_kind", "owner_name", "platform")
    for namespace, pod, kind, name, platform in zip(*(objects[c] for c in columns), strict=True):
        for service in wanted.get(f"{namespace}/{pod}", ()):
            found[service][_Owner(kind, name, bool(platform))] += 1
    return found
