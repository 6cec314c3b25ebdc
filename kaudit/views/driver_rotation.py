"""Whether the Secrets Store CSI driver fetches again what it has mounted.

Source: secrets-store-csi-driver.sigs.k8s.io, "Auto rotation of mounted contents": it is off unless
the driver is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, assembled, over_lists, over_texts, text_is
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class DriverRotationRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of its pod")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("name of the pod, or of the object with the template")]
    origin: Annotated[str, doc("object: a Pod object; template: what a controller would make")]
    owner_kind: Annotated[str, doc("kind of the topmost known owner")]
    owner_name: Annotated[str, doc("name of the topmost known owner")]
    platform: Annotated[bool, doc("in a namespace of Kubernetes itself")]
    container: Annotated[str, doc("name of the container")]
    container_type: Annotated[str, doc("init, sidecar, regular or ephemeral")]
    args: Annotated[list[str], doc("args, credentials masked")]
    rotates: Annotated[bool, doc("fetches again what it has mounted")]


DRIVER_ROTATION = Table(
    "driver_rotation",
    DriverRotationRow,
    grain="one container of the Secrets Store CSI driver",
    key=("namespace", "pod", "pod_uid", "container_type", "container"),
    resource=Resource("owner_kind", name="owner_name", container="container"),
    pods=True,
)


@view(DRIVER_ROTATION)
def driver_rotation(security_context: pd.DataFrame) -> pd.DataFrame:
    """Choose the containers of the driver by name and image, and read their flags."""
    import pyarrow.compute as pc

    s = security_context
    named = arrow(text_is(s["container"], "secrets-store"))
    image = arrow(over_texts(s["image"], lambda text: "secrets-store" in text))
    chosen = pc.and_(named, image).to_numpy(zero_copy_only=False)
    found = s[chosen].reset_index(drop=True)
    columns = [column.name for column in DRIVER_ROTATION.columns]
    of: dict[str, Any] = {name: found[name] for name in columns if name in found.columns}
    of["rotates"] = over_lists(found["args"], _rotates) | over_lists(found["command"], _rotates)
    return assembled(found, of, columns)


def _rotates(words: list[str]) -> bool:
    flags = {word.lstrip("-") for word in words}
    return not flags.isdisjoint(("enable-secret-rotation", "enable-secret-rotation=true"))
