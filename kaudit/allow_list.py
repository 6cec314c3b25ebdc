"""Images that come from elsewhere than the auditor's allow-list of registries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import arrow, over_texts, series, text_is
from kaudit.parameters import parameters

if TYPE_CHECKING:
    import pandas as pd


#: Registries that no longer serve images, or only until they are switched off: the Kubernetes
#: project's old host (frozen April 2023) and GitHub's (replaced by ghcr.io).
RETIRED = ("k8s.gcr.io", "docker.pkg.github.com")


def outside(image_references: pd.DataFrame) -> pd.Series[Any]:
    """Whether each image is from outside; null where no list was given.

    References that are none, and registries that are retired, always are. An entry matches
    whole parts of a name: registry.corp does not match registry.corp.evil.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    allowed = parameters().allowed_registries
    wrong = ~image_references["valid"] | text_is(image_references["registry"], *RETIRED)
    if not allowed:
        return series(pc.if_else(arrow(wrong), True, pa.scalar(None, pa.bool_())), wrong)
    name = pc.binary_join_element_wise(
        arrow(image_references["registry"]), arrow(image_references["repository"]), "/"
    )
    prefixes = tuple(f"{entry.removesuffix('*').rstrip('/')}/" for entry in allowed)
    inside = over_texts(series(name, wrong), lambda text: f"{text}/".startswith(prefixes))
    return wrong | ~inside
