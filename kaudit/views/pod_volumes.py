"""Volumes with their owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import assembled, owned, text_is
from kaudit.model.standards import VOLUME_SOURCES
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class PodVolumeRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of its pod")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
    volume: Annotated[str, doc("name of the volume")]
    origin: Annotated[str, doc("object: a Pod object; template: what a controller would make")]
    owner_kind: Annotated[str, doc("kind of the topmost known owner")]
    owner_name: Annotated[str, doc("name of the topmost known owner")]
    platform: Annotated[bool, doc("in a namespace of Kubernetes itself")]
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
    key=("namespace", "pod", "pod_uid", "volume"),
    resource=Resource("owner_kind", name="owner_name"),
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
    return assembled(volumes, found, [column.name for column in POD_VOLUMES.columns])
