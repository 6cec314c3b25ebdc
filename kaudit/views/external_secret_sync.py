"""Whether what is fetched from secret stores arrived, and when.

An interval counts as missed three times over, and never before a quarter of an hour: the
controller backs off after errors, and works through many objects in turn
(external-secrets/external-secrets#4180).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.ages import older, seconds_since
from kaudit.columns import (
    arrow,
    assembled,
    flags,
    looked_up,
    over_lists,
    pairs,
    positions,
    series,
    text_is,
)
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_TIMES, _FLOOR = 3, 900


class ExternalSecretSyncRow(Trace, kw_only=True):
    kind: Annotated[str, doc("ExternalSecret or ClusterExternalSecret")]
    namespace: Annotated[str, doc("namespace; empty for a ClusterExternalSecret")]
    name: Annotated[str, doc("name")]
    uid: Annotated[str, doc("uid")]
    store_kind: Annotated[str, doc("SecretStore or ClusterSecretStore; empty: it names none")]
    store: Annotated[str, doc("name of its store; empty: it names none")]
    store_state: Annotated[
        str,
        doc(
            "ready, not ready, untold, missing; none: it names none; unknown: the evidence holds "
            "no store of the kind, or the object stands for many namespaces"
        ),
    ]
    target: Annotated[str, doc("name of what it makes")]
    creation_policy: Annotated[str, doc("Owner, Orphan, Merge, CreateOrMerge or None")]
    target_state: Annotated[
        str,
        doc(
            "owned: the Secret is there and it owns it; there: without; missing; none: it makes "
            "no Secret of its own"
        ),
    ]
    told: Annotated[bool, doc("a controller has said how it went")]
    ready: Annotated[bool | None, doc("condition Ready; null: none is told")]
    reason: Annotated[str | None, doc("reason of that condition")]
    refresh_policy: Annotated[str, doc("Periodic, OnChange or CreatedOnce; empty: unset")]
    refresh_interval: Annotated[str, doc("refreshInterval; 1h0m0s where it is unset")]
    generated: Annotated[bool, doc("its values are made by generators alone")]
    periodic: Annotated[bool, doc("asks its store again and again")]
    refreshed_at: Annotated[datetime | None, doc("last refresh")]
    age_seconds: Annotated[int | None, doc("whole seconds since the last refresh")]
    overdue: Annotated[
        bool | None,
        doc("three intervals and a quarter of an hour have passed since; null: cannot be told"),
    ]


EXTERNAL_SECRET_SYNC = Table(
    "external_secret_sync",
    ExternalSecretSyncRow,
    grain="one ExternalSecret or ClusterExternalSecret, and how it stands",
    key=("kind", "namespace", "name", "uid"),
    resource=Resource("kind"),
)
_COPIED = (
    *("raw", "raw_line", "kind", "namespace", "name", "uid", "store_kind", "store", "target"),
    *("creation_policy", "ready", "reason", "refresh_policy", "refresh_interval", "refreshed_at"),
)


@view(EXTERNAL_SECRET_SYNC, naming=("secret_stores", "secrets"))
def external_secret_sync(
    external_secrets: pd.DataFrame,
    cluster: pd.DataFrame,
    secret_stores: pd.DataFrame,
    secrets: pd.DataFrame,
) -> pd.DataFrame:
    """Join with stores and Secrets, and measure the last refresh against its interval."""
    import pyarrow as pa
    import pyarrow.compute as pc

    e = external_secrets
    age = seconds_since(e["refreshed_at"], cluster)
    every = pc.fill_null(arrow(e["refresh_seconds"]), 1.0)
    asks = pc.and_(arrow(text_is(e["refresh_policy"], "", "Periodic")), pc.greater(every, 0))
    periodic = series(pc.and_not(asks, arrow(e["immutable"])), e)
    longest = pc.add(pc.multiply(arrow(e["refresh_seconds"]), _TIMES), _FLOOR)
    beyond = series(pc.subtract(arrow(age), longest), e)
    overdue = arrow(older(beyond, 0, cluster))
    measured = pc.and_not(arrow(periodic), arrow(e["windowed"]))
    found: dict[str, Any] = {name: e[name] for name in _COPIED}
    found |= {
        "store_state": series(_store_state(e, secret_stores), e),
        "target_state": series(_target_state(e, secrets), e),
        "told": series(pc.is_valid(arrow(e["ready"])), e),
        "generated": over_lists(e["sources"], _generators) & (e["store"] == ""),
        "periodic": periodic,
        "age_seconds": age,
        "overdue": series(pc.if_else(measured, overdue, pa.scalar(None, pa.bool_())), e),
    }
    return assembled(e, found, EXTERNAL_SECRET_SYNC.names)


def _generators(sources: list[str]) -> bool:
    stores = ("SecretStore/", "ClusterSecretStore/")
    return bool(sources) and not any(text.startswith(stores) for text in sources)


def _store_state(e: pd.DataFrame, stores: pd.DataFrame) -> pa.Array:
    import pyarrow.compute as pc

    own = e["namespace"].where(e["store_kind"] == "SecretStore", "")
    at = positions(
        pairs(e["store_kind"], own, e["store"]),
        pairs(stores["kind"], stores["namespace"], stores["name"]),
    )
    told = arrow(looked_up(stores, at, "ready", e))
    there = at >= 0
    many = arrow((e["kind"] == "ClusterExternalSecret") & (e["store_kind"] == "SecretStore"))
    held = arrow(text_is(e["store_kind"], *stores["kind"].unique()))
    said = pc.if_else(pc.fill_null(told, False), "ready", "not ready")
    return pc.case_when(
        pc.make_struct(
            pc.equal(arrow(e["store"]), ""), pc.or_(many, pc.invert(held)), ~there, pc.is_null(told)
        ),
        "none",
        "unknown",
        "missing",
        "untold",
        said,
    )


def _target_state(e: pd.DataFrame, secrets: pd.DataFrame) -> pa.Array:
    import pyarrow.compute as pc

    made = pairs(secrets["namespace"], secrets["name"])
    at = positions(pairs(e["namespace"], e["target"]), made)
    kind, name = (looked_up(secrets, at, f"owner_{part}", e) for part in ("kind", "name"))
    owned = flags((kind == "ExternalSecret") & (name == e["name"]))
    own = text_is(e["creation_policy"], "Owner", "Orphan", "CreateOrMerge")
    makes = own & (e["kind"] == "ExternalSecret") & text_is(e["target_kind"], "Secret")
    return pc.case_when(
        pc.make_struct(pc.invert(arrow(makes)), at < 0, arrow(owned)),
        "none",
        "missing",
        "owned",
        "there",
    )
