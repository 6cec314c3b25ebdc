"""What policies see of the rows of the view network_pods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from kaudit.columns import arrow, plain_rows, series
from kaudit.groups import Groups
from kaudit.model.profiles import Profile

if TYPE_CHECKING:
    import pandas as pd


#: What policies, and what is said of them, tell rows apart by.
ALIKE = (
    *("namespace", "owner_kind", "owner_name", "origin", "host_network", "addressed", "attached"),
    *("labels", "named_ports", "addresses"),
)


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
    import pyarrow.compute as pc

    groups = Groups(*(pods[name] for name in ALIKE))
    if len(groups) == len(pods):
        return pods
    of, name = pa.array(groups.of), arrow(pods["pod"])
    by_name = [("of", "ascending"), ("name", "ascending")]
    order = pc.sort_indices(pa.table({"of": of, "name": name}), by_name).to_numpy()
    chosen = order[np.unique(groups.of[order], return_index=True)[1]]  # the first name of each
    order = np.argsort(chosen)
    merged: pd.DataFrame = pods.iloc[chosen[order]].copy()
    merged["pods"] = series(pa.array(groups.total(arrow(pods["pods"]))[order]), merged)
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
