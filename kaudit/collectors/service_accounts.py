"""Service accounts; the names of their secrets, never a token."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from kaudit.model.namespace import ServiceAccount
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class ServiceAccountRow(Trace, kw_only=True):
    uid: Annotated[str, doc("uid")]
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always ServiceAccount")] = "ServiceAccount"
    automount_token: Annotated[bool | None, doc("automountServiceAccountToken as written")] = None
    labels: Annotated[list[str], doc("labels as sorted key=value")]
    annotation_keys: Annotated[list[str], doc("keys of its annotations, sorted")]
    secrets: Annotated[list[str], doc("names of its secrets")]
    image_pull_secrets: Annotated[list[str], doc("names of its image pull secrets")]
    cloud_identity: Annotated[str | None, doc("cloud role or account of its annotations")] = None
    created_at: Annotated[datetime | None, doc("creation time")] = None


SERVICE_ACCOUNTS = Table(
    "service_accounts",
    ServiceAccountRow,
    grain="one service account",
    key=("namespace", "name", "uid"),
    resource=Resource("kind"),
)
_CLOUD = (
    "eks.amazonaws.com/role-arn",
    "iam.gke.io/gcp-service-account",
    "azure.workload.identity/client-id",
)


@collector(
    Read("", "ServiceAccount", "serviceaccounts", ServiceAccount), tables=(SERVICE_ACCOUNTS,)
)
def service_accounts(found: ServiceAccount, at: Place) -> Iterator[Row]:
    """Yield one row a service account."""
    cloud = (found.metadata.annotation(key) for key in _CLOUD)
    yield ServiceAccountRow(
        raw=at.raw,
        raw_line=at.line,
        uid=at.uid,
        namespace=at.namespace,
        name=at.name,
        automount_token=found.automount_service_account_token,
        labels=found.metadata.label_texts,
        annotation_keys=found.metadata.annotation_keys,
        secrets=[s.name or "" for s in found.secrets or ()],
        image_pull_secrets=[s.name or "" for s in found.image_pull_secrets or ()],
        cloud_identity=next(filter(None, cloud), None),
        created_at=found.metadata.creation_timestamp,
    )
