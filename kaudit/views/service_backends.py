"""Workloads behind Services: by their selector, or where they have none by EndpointSlices.

Source: Kubernetes, "Service" (v1.34). Selectors are evaluated once for each class of pods
with the same owner and the same of those labels that Services speak of. Pods that have ended
stand behind nothing.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, NamedTuple

from kaudit.columns import SEPARATOR, arrow, kept_in_lists
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


@view(SERVICE_BACKENDS)
def service_backends(
    services: pd.DataFrame, pod_context: pd.DataFrame, endpoint_slices: pd.DataFrame
) -> pd.DataFrame:
    """Find the workloads behind each Service."""
    spoken = {text.partition("=")[0] for texts in services["selector"] for text in texts}
    classes = _classes(pod_context, spoken)
    named = _named(pod_context, endpoint_slices)
    columns = ("namespace", "name", "selector", "raw", "raw_line")
    rows = []
    for namespace, name, wanted, raw, line in zip(*(services[c] for c in columns), strict=True):
        asked, owners = set(wanted), defaultdict[_Owner, int](int)
        for labels, owner, count in classes.get(namespace, ()) if asked else ():
            if asked <= labels:
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


def _classes(
    context: pd.DataFrame, spoken: set[str]
) -> dict[str, list[tuple[frozenset[str], _Owner, int]]]:
    """Pods by namespace: labels that Services speak of, owner, and how many pods."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ended = pc.is_in(arrow(context["phase"]), pa.array(["Succeeded", "Failed"]))
    labels = kept_in_lists(context["labels"], lambda label: label.partition("=")[0] in spoken)
    grouped = pa.table(
        {
            "namespace": arrow(context["namespace"]),
            "kind": arrow(context["owner_kind"]),
            "name": arrow(context["owner_name"]),
            "platform": arrow(context["platform"]),
            "labels": pc.binary_join(labels, SEPARATOR),
            "alive": pc.cast(pc.equal(arrow(context["origin"]), "object"), pa.int64()),
        }
    ).filter(pc.invert(pc.fill_null(ended, False)))
    keys = ["namespace", "kind", "name", "platform", "labels"]
    found: dict[str, list[tuple[frozenset[str], _Owner, int]]] = defaultdict(list)
    for r in grouped.group_by(keys).aggregate([("alive", "sum")]).to_pylist():
        texts = frozenset(r["labels"].split(SEPARATOR)) if r["labels"] else frozenset()
        owner = _Owner(r["kind"], r["name"], r["platform"])
        found[r["namespace"]].append((texts, owner, r["alive_sum"]))
    return found


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
