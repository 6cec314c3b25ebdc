"""Versions of Kubernetes: still supported, and near enough to each other."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from kaudit.ages import ended
from kaudit.columns import arrow, series
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

#: Minor version to the end of its maintenance (kubernetes.io/releases, November 2026).
SUPPORTED_UNTIL = {
    28: date(2024, 10, 22),
    29: date(2025, 2, 28),
    30: date(2025, 7, 15),
    31: date(2025, 11, 11),
    32: date(2026, 2, 28),
    33: date(2026, 6, 28),
    34: date(2026, 10, 27),
    35: date(2027, 2, 28),
    36: date(2027, 6, 28),
    37: date(2027, 10, 28),
}
#: When that list was gathered.
_KNOWN = datetime(2026, 11, 1, tzinfo=UTC)
#: Minor versions that a kubelet may be behind its API server since 1.28; two before that.
_SKEW, _SKEW_BEFORE, _SINCE = 3, 2, 28


@control(
    "KA-DEP-086",
    layer="deploy",
    severity="high",
    null="the version of the API server or of the kubelet is not known",
    expected="not newer than the API server, and at most three minor versions behind",
    shows=("kubelet_version",),
)
def kubelet_skewed(nodes: pd.DataFrame, cluster: pd.DataFrame) -> pd.Series[Any]:
    """Kubelets are as near to the API server's version as the skew policy asks.

    Beyond it nothing is tested: fields of security settings that a kubelet does not know are
    dropped without a word.

    Remedy:
        Upgrade the nodes with the control plane; never nodes first.

        kubeadm upgrade node

    Cases:
        # cluster: bad-behind
        {serverVersion: {gitVersion: v1.34.1, platform: linux/amd64}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: n}, status: {nodeInfo: {kubeletVersion: v1.30.2}}}
        # cluster: bad-ahead
        {serverVersion: {gitVersion: v1.34.1, platform: linux/amd64}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: n}, status: {nodeInfo: {kubeletVersion: v1.35.0}}}
        # cluster: ok-three-behind
        {serverVersion: {gitVersion: v1.34.1, platform: linux/amd64}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: n}, status: {nodeInfo: {kubeletVersion: v1.31.2}}}
        # cluster: ok-not-known
        {apiVersion: v1, kind: Node, metadata: {name: n}, status: {nodeInfo: {kubeletVersion: v1.20.2}}}
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    minors = cluster["minor"].dropna()
    if not len(minors):
        return series(pa.nulls(len(nodes), pa.bool_()), nodes)
    server, own = int(minors.iloc[0]), arrow(nodes["kubelet_minor"])
    oldest = server - (_SKEW if server >= _SINCE else _SKEW_BEFORE)
    return series(pc.or_(pc.greater(own, server), pc.less(own, oldest)), nodes)


@control(
    "KA-DEP-086a",
    layer="deploy",
    severity="high",
    null="the version of the kubelet is not known, or nobody told the moment of the evidence",
    expected="a minor version that is still maintained",
    shows=("kubelet_version",),
)
def version_unsupported(nodes: pd.DataFrame, cluster: pd.DataFrame) -> pd.Series[Any]:
    """The Kubernetes of each node is still maintained.

    A minor version gets fixes for fourteen months. Vendors may support theirs longer: then
    this is to be waived with the vendor's date as its end.

    Remedy:
        Upgrade one minor version at a time.

        kubeadm upgrade plan

    Cases:
        {apiVersion: v1, kind: Node, metadata: {name: bad-old}, status: {nodeInfo: {kubeletVersion: v1.30.2}}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: bad-older-than-the-list}, status: {nodeInfo: {kubeletVersion: v1.20.2}}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: ok-maintained}, status: {nodeInfo: {kubeletVersion: v1.34.1}}}
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    minors = arrow(nodes["kubelet_minor"])
    ends = pa.array(map(_end, minors.to_pylist()), pa.timestamp("us", tz="UTC"))
    over = arrow(ended(series(ends, nodes), cluster, _KNOWN))
    return series(pc.if_else(pc.less(minors, min(SUPPORTED_UNTIL)), True, over), nodes)


def _end(minor: int | None) -> datetime | None:
    """Moment after the last day of maintenance; None of a version that is not in the list."""
    last = SUPPORTED_UNTIL.get(minor) if minor is not None else None
    return datetime.combine(last + timedelta(days=1), time(), UTC) if last else None
