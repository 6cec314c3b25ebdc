"""What policies see of the rows of the view network_pods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from kaudit.columns import arrow, plain_rows, series
from kaudit.model.profiles import Profile

if TYPE_CHECKING:
    import pandas as pd


def standing(pods: pd.DataFrame) -> pd.DataFrame:
    """Pods, without templates whose pods are there."""
    import numpy as np

    owner = ("namespace", "owner_kind", "owner_name")
    objects = pods[(pods["origin"] == "object").to_numpy(bool)]
    live = set(plain_rows(objects, *owner))
    here = [
        origin == "object" or (namespace, kind, name) not in live
        for namespace, kind, name, origin in plain_rows(pods, *owner, "origin")
    ]
    return pods[np.array(here, bool)]


def of_all_parts(pods: pd.DataFrame) -> pd.DataFrame:
    """Pods that several parts of the evidence see alike, as the one row that they are."""
    import numpy as np
    import pyarrow as pa

    owner = ("namespace", "owner_kind", "owner_name", "origin")
    alike = (*owner, "host_network", "addressed", "attached")
    lists = ("labels", "named_ports", "addresses")
    known: dict[tuple[Any, ...], int] = {}
    counts: dict[int, int] = {}
    names = arrow(pods["pod"]).to_pylist()
    for at, (count, *cells) in enumerate(plain_rows(pods, "pods", *alike, *lists)):
        key = (*cells[: len(alike)], *map(tuple, cells[len(alike) :]))
        first = known.setdefault(key, at)
        total = counts.pop(first, 0) + count
        if names[at] < names[first]:
            known[key] = first = at
        counts[first] = total
    if len(counts) == len(pods):
        return pods
    order = sorted(counts)
    merged = pods.iloc[np.array(order)].copy()
    merged["pods"] = series(pa.array([counts[at] for at in order], pa.int64()), merged)
    columns = ["namespace", "owner_kind", "owner_name", "pod"]
    return merged.sort_values(columns, kind="stable").reset_index(drop=True)


def seen(pods: pd.DataFrame) -> Iterator[Profile]:
    """What policies see of each row of the view network_pods."""
    columns = ("namespace", "labels", "named_ports", "host_network", "addressed", "addresses")
    for namespace, labels, ports, host, addressed, addresses in plain_rows(pods, *columns):
        yield Profile(
            namespace,
            tuple(labels),
            tuple(ports),
            host,
            tuple(map(int, addresses)) if addressed else None,
        )


def distinct(pods: Iterable[Profile]) -> tuple[list[Profile], list[int]]:
    """Distinct profiles, and which of them each is."""
    numbers: dict[Profile, int] = {}
    found = [numbers.setdefault(profile, len(numbers)) for profile in pods]
    return list(numbers), found
