"""As which user each container runs, the image's configuration and the pod taken together.

The pod's runAsUser beats the user in the image (Kubernetes API reference, core v1,
SecurityContext, v1.34). With runAsNonRoot the kubelet refuses to start an image whose user is
root, or is a name, for it cannot tell who that is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, assembled, over_texts, series
from kaudit.model.whole import whole
from kaudit.registry import view
from kaudit.table import Table, doc
from kaudit.tables.owned import CONTAINER, CONTAINER_KEY, OWNED_CONTAINER, OfContainer

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class ImageUserRow(OfContainer, kw_only=True):
    linux: Annotated[bool, doc("not declared to be a Windows pod")]
    separate: Annotated[bool, doc("its pod has a user namespace: root there is nobody outside")]
    image: Annotated[str, doc("image reference as written; empty where unset")]
    image_user: Annotated[
        str | None, doc("user in the image's configuration; null: no scan tells, empty: none named")
    ] = None
    run_as_user: Annotated[int | None, doc("effective runAsUser; null: the image decides")] = None
    run_as_non_root: Annotated[bool, doc("effective runAsNonRoot is true")]
    root: Annotated[bool | None, doc("runs as user 0; null: cannot be told")] = None
    refused: Annotated[bool | None, doc("the kubelet refuses to start it; null: not told")] = None


IMAGE_USERS = Table(
    "image_users",
    ImageUserRow,
    grain="one container, and the user that it runs as",
    key=CONTAINER_KEY,
    resource=OWNED_CONTAINER,
    pods=True,
)
_COPIED = (
    *CONTAINER,
    "linux",
    "image",
    "run_as_user",
    "run_as_non_root",
)


@view(IMAGE_USERS, decided={"linux": (), "run_as_non_root": ()})
def image_users(
    security_context: pd.DataFrame, image_references: pd.DataFrame, image_scans: pd.DataFrame
) -> pd.DataFrame:
    """Look the image's user up by the digest that runs, or by the one in the reference."""
    import pyarrow as pa
    import pyarrow.compute as pc

    c = security_context
    user = _of_image(c, image_references, image_scans)
    uid = arrow(c["run_as_user"])
    named = pc.is_valid(user)
    column = series(user, c)
    zero = arrow(over_texts(column, _is_root))
    number = arrow(over_texts(column, lambda text: whole(text.partition(":")[0]) is not None))
    nothing = pa.scalar(None, pa.bool_())
    demanded = arrow(c["run_as_non_root"])
    would = pc.if_else(pc.is_valid(uid), pc.equal(uid, 0), pc.if_else(named, zero, nothing))
    unclear = pc.if_else(pc.is_valid(uid), False, pc.if_else(named, pc.invert(number), nothing))
    refused = pc.and_kleene(demanded, pc.or_kleene(would, unclear))
    found: dict[str, Any] = {name: c[name] for name in _COPIED}
    found |= {
        "separate": c["own_user_namespace"],
        "image_user": column,
        "root": series(pc.and_kleene(would, pc.invert(demanded)), c),
        "refused": series(refused, c),
    }
    return assembled(c, found, IMAGE_USERS.names)


def _is_root(user: str) -> bool:
    """Whether the user of an image is root: none named, 0, root, with any group."""
    name = user.partition(":")[0]
    return name in ("", "root") or whole(name) == 0


def _of_image(
    c: pd.DataFrame, image_references: pd.DataFrame, image_scans: pd.DataFrame
) -> pa.Array:
    """User in the configuration of each container's image, as the newest scan tells it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    s = image_scans[image_scans["image_user"].notna()].sort_values(
        ["scanned_at", "report"], na_position="first"
    )
    lists = arrow(s["registry_digests"])
    digests = pa.concat_arrays(
        [
            pc.list_flatten(lists),
            arrow(s["manifest_digest"]).cast(pa.string()),
            arrow(s["config_digest"]).cast(pa.string()),
        ]
    )
    users = arrow(s["image_user"]).cast(pa.string())
    users = pa.concat_arrays([users.take(pc.list_parent_indices(lists)), users, users])
    known = pa.table({"digest": digests, "user": users}).filter(pc.is_valid(digests))
    known = known.group_by("digest", use_threads=False).aggregate([("user", "last")])
    # Image volumes come after the containers of the view, which has these in their order.
    r = image_references.head(len(c))
    found = pa.nulls(len(c), pa.string())
    for name in ("running_digest", "running_config", "digest"):
        at = pc.index_in(arrow(r[name]), value_set=known["digest"].combine_chunks())
        found = pc.coalesce(found, known["user_last"].combine_chunks().take(at))
    return found
