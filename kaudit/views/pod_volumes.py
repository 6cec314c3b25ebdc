"""Volumes with their owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import assembled, owned, text_is
from kaudit.model.standards import VOLUME_SOURCES
from kaudit.registry import view
from kaudit.table import Table, doc
from kaudit.tables.owned import OWNER, POD_KEY, OfVolume

if TYPE_CHECKING:
    import pandas as pd


class PodVolumeRow(OfVolume, kw_only=True):
    source: Annotated[str, doc("source as in the API: hostPath, emptyDir, secret, …")]
    reference: Annotated[str | None, doc("name of what it shows")]
    path: Annotated[str | None, doc("hostPath.path as written")]
    medium: Annotated[str | None, doc("emptyDir.medium")]
    size_limit_bytes: Annotated[int | None, doc("emptyDir.sizeLimit")]
    of_host: Annotated[bool, doc("is a hostPath")]
    of_scratch: Annotated[bool, doc("is an emptyDir")]
    restricted: Annotated[bool, doc("its source is allowed by the restricted level")]


POD_VOLUMES = Table(
    "pod_volumes",
    PodVolumeRow,
    grain="one volume of a pod, with its owner",
    key=(*POD_KEY, "volume"),
    resource=OWNER,
    pods=True,
)

_COPIED = [
    "raw",
    "raw_line",
    "pod_uid",
    "namespace",
    "pod",
    "volume",
    "source",
    "reference",
    "path",
    "medium",
    "size_limit_bytes",
]


@view(POD_VOLUMES)
def pod_volumes(volumes: pd.DataFrame, pod_context: pd.DataFrame) -> pd.DataFrame:
    """Name the owner of each volume, and what its source means."""
    found: dict[str, Any] = {name: volumes[name] for name in _COPIED}
    found |= owned(volumes, pod_context)
    found |= {
        "of_host": text_is(volumes["source"], "hostPath"),
        "of_scratch": text_is(volumes["source"], "emptyDir"),
        "restricted": text_is(volumes["source"], *VOLUME_SOURCES),
    }
    return assembled(volumes, found, POD_VOLUMES.names)
