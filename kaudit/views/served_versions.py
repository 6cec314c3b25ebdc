"""Objects of the External Secrets Operator in versions that its resource definitions serve, or not.

Source: external-secrets/external-secrets, ``config/crds/bases`` of v2: v1 is served, v1beta1 is
held but no longer served; PushSecrets are v1alpha1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import records
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd

_GROUP = "external-secrets.io"
_SERVED = ["v1"]


class ServedVersionRow(Trace, kw_only=True):
    kind: Annotated[str, doc("kind")]
    namespace: Annotated[str, doc("namespace; empty for a kind of the whole cluster")]
    name: Annotated[str, doc("name")]
    version: Annotated[str, doc("version that it is written in")]
    served: Annotated[list[str], doc("versions that the cluster serves, else that of today")]
    of_cluster: Annotated[bool, doc("the definition of the kind is in the evidence")]
    definitions: Annotated[
        list[str], doc("CRD of the kind, where the evidence does not hold it: it would decide")
    ]
    refused: Annotated[bool, doc("an API server would not take it")]


SERVED_VERSIONS = Table(
    "served_versions",
    ServedVersionRow,
    grain="one ExternalSecret or store, and the versions that are served",
    key=("kind", "namespace", "name", "raw", "raw_line"),
    resource=Resource("kind"),
)


@view(SERVED_VERSIONS, naming=("crds",), gathers=("secret_stores",))
def served_versions(
    external_secrets: pd.DataFrame, secret_stores: pd.DataFrame, crds: pd.DataFrame
) -> pd.DataFrame:
    """Compare versions; what a controller has spoken of was taken by its API server."""
    known = {c["defines"]: c["served"] for c in records(crds) if c["group"] == _GROUP}
    rows = []
    for found in (external_secrets, secret_stores):
        for r in records(found):
            version = r["api_version"].rpartition("/")[2]
            served = known.get(r["kind"], _SERVED)
            held = r["kind"] not in known and r["ready"] is not None
            rows.append(
                ServedVersionRow(
                    raw=r["raw"],
                    raw_line=r["raw_line"],
                    kind=r["kind"],
                    namespace=r["namespace"],
                    name=r["name"],
                    version=version,
                    served=served,
                    of_cluster=r["kind"] in known,
                    definitions=[] if r["kind"] in known else [r["raw"]],
                    refused=version not in served and not held,
                )
            )
    return frame(SERVED_VERSIONS.sorted(SERVED_VERSIONS.arrow(rows)))
