"""Resources that the API server serves by itself: names, groups, and whether they have a namespace.

The table beside this module is what discovery of Kubernetes v1.36 answers, with the resources
that exist for authorization alone (users, groups, signers and the like).
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

import msgspec


class ApiResource(msgspec.Struct, frozen=True):
    """One resource: group, plural, singular and short names, and its scope."""

    group: str
    plural: str
    singular: str
    short: frozenset[str]
    namespaced: bool


@cache
def api_resources() -> tuple[ApiResource, ...]:
    """Return all of them, by group and plural."""
    text = files("kaudit.model").joinpath("api_resources.csv").read_text(encoding="utf-8")
    return tuple(
        ApiResource(
            row["group"],
            row["plural"],
            row["singular"],
            frozenset(row["short"].split()),
            row["scope"] == "namespace",
        )
        for row in csv.DictReader(text.splitlines())
    )


@cache
def cluster_scoped() -> frozenset[tuple[str, str]]:
    """Group and plural of those that have no namespace."""
    return frozenset((r.group, r.plural) for r in api_resources() if not r.namespaced)
