"""What each Secret is for, and who keeps it: a store, a controller, or nobody that is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from kaudit.columns import records
from kaudit.model.secret_class import CREDENTIALS, manager_of, secret_class
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class SecretManagementRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always Secret")] = "Secret"
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    uid: Annotated[str, doc("uid")]
    type: Annotated[str | None, doc("type; null where only metadata was read")]
    purpose: Annotated[
        str,
        doc(
            "opaque, tls, registry, ssh, basic auth, untold: only metadata was read; service "
            "account token, bootstrap token, helm release, argo cd, terraform state, kubeadm "
            "certificates, webhook certificate"
        ),
    ]
    credential: Annotated[bool, doc("somebody has put a credential there, as far as is known")]
    manager: Annotated[
        str,
        doc(
            "ExternalSecret, PushSecret, SealedSecret, Vault Secrets Operator, Secrets Store CSI, "
            "cert-manager, or operator of a kind that owns it; empty: nobody is known to keep it"
        ),
    ]
    managed: Annotated[bool, doc("somebody keeps it")]
    copies: Annotated[list[str], doc("Secrets of other namespaces with the same noted hash")]
    compared: Annotated[bool, doc("a hash of its values is noted, so copies would be seen")]


SECRET_MANAGEMENT = Table(
    "secret_management",
    SecretManagementRow,
    grain="one Secret, and who keeps it",
    key=("namespace", "name", "uid"),
    resource=Resource("kind"),
)


@view(
    SECRET_MANAGEMENT,
    naming=(
        "external_secrets",
        "push_secrets",
        "sealed_secrets",
        "secret_provider_classes",
        "certificates",
    ),
)
def secret_management(
    secrets: pd.DataFrame,
    external_secrets: pd.DataFrame,
    push_secrets: pd.DataFrame,
    sealed_secrets: pd.DataFrame,
    secret_provider_classes: pd.DataFrame,
    certificates: pd.DataFrame,
) -> pd.DataFrame:
    """Judge each Secret by its metadata, then by what says that it makes it."""
    keepers = dict(
        [
            *(((r["namespace"], r["secret"]), "PushSecret") for r in records(push_secrets)),
            *(((r["namespace"], r["secret"]), "cert-manager") for r in records(certificates)),
            *(((r["namespace"], r["name"]), "SealedSecret") for r in records(sealed_secrets)),
            *_mounted(secret_provider_classes),
            *_fetched(external_secrets),
        ]
    )
    copies: dict[str, list[str]] = {}
    found = records(secrets, *_READ)
    for row in found:
        if row["data_hash"]:
            copies.setdefault(row["data_hash"], []).append(f"{row['namespace']}/{row['name']}")
    rows = []
    for row in found:
        labels = dict(text.partition("=")[::2] for text in row["labels"])
        purpose = secret_class(
            row["type"], row["namespace"], row["name"], labels, row["service_account"]
        )
        manager = manager_of(row["owners"], labels, row["annotation_keys"])
        manager = manager or keepers.get((row["namespace"], row["name"]), "")
        home = f"{row['namespace']}/"
        same = copies.get(row["data_hash"] or "", ())
        rows.append(
            SecretManagementRow(
                raw=row["raw"],
                raw_line=row["raw_line"],
                namespace=row["namespace"],
                name=row["name"],
                uid=row["uid"],
                type=row["type"],
                purpose=purpose,
                credential=purpose in CREDENTIALS,
                manager=manager,
                managed=manager != "",
                copies=[other for other in same if not other.startswith(home)],
                compared=row["data_hash"] is not None,
            )
        )
    return frame(SECRET_MANAGEMENT.arrow(rows))


_READ = (
    *("raw", "raw_line", "namespace", "name", "uid", "type", "labels", "service_account"),
    *("owners", "annotation_keys", "data_hash"),
)


def _fetched(asked: pd.DataFrame) -> Iterator[tuple[tuple[str, str], str]]:
    names = ("target_kind", "creation_policy", "namespace", "provisioned_namespaces", "target")
    for row in records(asked, *names):
        if row["target_kind"] == "Secret" and row["creation_policy"] != "None":
            for home in (row["namespace"], *row["provisioned_namespaces"]):
                yield (home, row["target"]), "ExternalSecret"


def _mounted(classes: pd.DataFrame) -> Iterator[tuple[tuple[str, str], str]]:
    for row in records(classes):
        for name in row["secrets"]:
            yield (row["namespace"], name), "Secrets Store CSI"
