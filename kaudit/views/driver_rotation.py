"""Whether the Secrets Store CSI driver fetches again what it has mounted.

Source: secrets-store-csi-driver.sigs.k8s.io, "Auto rotation of mounted contents": it is off unless
the driver is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, assembled, over_lists, over_texts, text_is
from kaudit.registry import view
from kaudit.table import Table, doc
from kaudit.tables.owned import CONTAINER_KEY, OWNED_CONTAINER, OfPod

if TYPE_CHECKING:
    import pandas as pd


class DriverRotationRow(OfPod, kw_only=True):
    container: Annotated[str, doc("name of the container")]
    container_type: Annotated[str, doc("init, sidecar, regular or ephemeral")]
    args: Annotated[list[str], doc("args, credentials masked")]
    rotates: Annotated[bool, doc("fetches again what it has mounted")]


DRIVER_ROTATION = Table(
    "driver_rotation",
    DriverRotationRow,
    grain="one container of the Secrets Store CSI driver",
    key=CONTAINER_KEY,
    resource=OWNED_CONTAINER,
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
    columns = DRIVER_ROTATION.names
    of: dict[str, Any] = {name: found[name] for name in columns if name in found.columns}
    of["rotates"] = over_lists(found["args"], _rotates) | over_lists(found["command"], _rotates)
    return assembled(found, of, columns)


def _rotates(words: list[str]) -> bool:
    flags = {word.lstrip("-") for word in words}
    return not flags.isdisjoint(("enable-secret-rotation", "enable-secret-rotation=true"))
