"""Certificates, wherever they are told of, and how long they still hold."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.ages import remaining_days, sooner
from kaudit.columns import arrow
from kaudit.parameters import parameters
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class CertificateExpiryRow(Trace, kw_only=True):
    kind: Annotated[str, doc("Certificate, Secret, a kind of webhooks, or APIService")]
    namespace: Annotated[str, doc("namespace; empty for a kind of the whole cluster")]
    name: Annotated[str, doc("name")]
    part: Annotated[str, doc("status, tls.crt, or caBundle with the name of the webhook")]
    begins_at: Annotated[datetime | None, doc("begin of its validity")]
    expires_at: Annotated[datetime | None, doc("end of its validity")]
    renewed: Annotated[bool, doc("cert-manager renews it, so it need not hold long")]
    kept_by: Annotated[list[str], doc("Certificates that may renew it; * any: it is a Secret")]
    days_left: Annotated[int | None, doc("whole days left; below 0: it has ended")]
    ending: Annotated[
        bool | None,
        doc(
            "it has ended, or ends too soon: within certificate_min_days, or, where it is "
            "renewed, past its renewal; null: not told"
        ),
    ]


CERTIFICATE_EXPIRY = Table(
    "certificate_expiry",
    CertificateExpiryRow,
    grain="one certificate, or the last to end of a bundle",
    key=("kind", "namespace", "name", "part", "raw", "raw_line"),
    resource=Resource("kind"),
)


@view(CERTIFICATE_EXPIRY, gathers=("secrets", "webhooks", "api_services"))
def certificate_expiry(
    certificates: pd.DataFrame,
    secrets: pd.DataFrame,
    webhooks: pd.DataFrame,
    api_services: pd.DataFrame,
    cluster: pd.DataFrame,
) -> pd.DataFrame:
    """Put certificates of all kinds under one another, and measure what is left of them."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    kept = set(zip(certificates["namespace"], certificates["secret"], strict=True))
    own = [pair not in kept for pair in zip(secrets["namespace"], secrets["name"], strict=True)]
    of_secrets = secrets[secrets["expires_at"].notna().to_numpy(bool) & np.array(own, dtype=bool)]
    bundles = [f[f["ca_expires_at"].notna().to_numpy(bool)] for f in (webhooks, api_services)]
    found = pa.concat_tables(
        [
            _part(certificates, "expires_at", "status", "renews_at"),
            _part(of_secrets, "expires_at", "tls.crt"),
            *(_part(f, "ca_expires_at", "caBundle") for f in bundles),
        ]
    )
    table = frame(found)
    left = remaining_days(table["expires_at"], cluster)
    late = sooner(remaining_days(table["renews_at"], cluster), -1, cluster)
    soon = sooner(left, parameters().certificate_min_days, cluster)
    over = sooner(left, 0, cluster)
    renewed = table["renews_at"].notna()
    ending = pc.if_else(arrow(renewed), pc.or_kleene(arrow(late), arrow(over)), arrow(soon))
    any_one, none = (pa.scalar(names, pa.list_(pa.string())) for names in (["*"], []))
    kept_by = pc.if_else(pc.equal(arrow(table["kind"]), "Secret"), any_one, none)
    columns: dict[str, Any] = {n: arrow(table[n]) for n in table.columns if n != "renews_at"}
    columns |= {"renewed": arrow(renewed), "days_left": arrow(left), "ending": ending}
    columns["kept_by"] = kept_by
    return frame(CERTIFICATE_EXPIRY.sorted(CERTIFICATE_EXPIRY.fitted(columns)))


def _part(rows: pd.DataFrame, column: str, part: str, renews: str = "") -> pa.Table:
    import pyarrow as pa

    many = len(rows)
    text, time = pa.string(), pa.timestamp("us", tz="UTC")
    hook = "webhook" in rows.columns
    parts = [f"{part} {name}" for name in rows["webhook"]] if hook else [part] * many
    given = rows.columns
    return pa.table(
        {
            "kind": arrow(rows["kind"]),
            "namespace": arrow(rows["namespace"]) if "namespace" in given else [""] * many,
            "name": arrow(rows["name"]),
            "part": parts,
            "begins_at": arrow(rows["begins_at"]) if "begins_at" in given else [None] * many,
            "expires_at": arrow(rows[column]),
            "renews_at": arrow(rows[renews]) if renews else [None] * many,
            "raw": arrow(rows["raw"]),
            "raw_line": arrow(rows["raw_line"]),
        },
        schema=pa.schema(
            {
                **dict.fromkeys(("kind", "namespace", "name", "part"), text),
                **dict.fromkeys(("begins_at", "expires_at", "renews_at"), time),
                "raw": text,
                "raw_line": pa.int64(),
            }
        ),
    )
