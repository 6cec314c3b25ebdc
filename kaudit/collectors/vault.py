"""Vault: whether it is initialised and unsealed, and how its seal is made.

Source: developer.hashicorp.com/vault, "/sys/health" and "/sys/seal-status".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from msgspec import Raw

from kaudit.errors import InputError
from kaudit.model import vault
from kaudit.model.numbered import Numbered, members
from kaudit.model.place import Place
from kaudit.model.taken import Content, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Resource, Row, Table, Trace, doc


class VaultRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always Vault")] = "Vault"
    name: Annotated[str, doc("its address, or the file that tells of it")]
    initialized: Annotated[bool | None, doc("has keys; null: not told")] = None
    sealed: Annotated[bool | None, doc("cannot decrypt what it stores; null: not told")] = None
    standby: Annotated[bool | None, doc("waits for the active one to fail")] = None
    seal: Annotated[str, doc("shamir, awskms, transit, …; empty: not told")]
    shares: Annotated[int | None, doc("parts that its key is split into")] = None
    threshold: Annotated[int | None, doc("parts that unseal it")] = None
    version: Annotated[str, doc("version; empty: not told")]
    storage: Annotated[str, doc("raft, consul, file, …; empty: not told")]


VAULTS = Table(
    "vaults",
    VaultRow,
    grain="one Vault, as it tells of itself without a login",
    key=("name", "raw", "raw_line"),
    resource=Resource("kind", namespace=""),
)


@tool(
    "vault-status",
    title="Vault status",
    help="Status of a Vault (vault status -format=json); --vault asks one.",
    recognise=lambda content: (
        {"initialized", "sealed"} <= content.keys or {"vaultAddress", "health"} <= content.keys
    ),
)
def take_vault_status(content: Content) -> Iterator[Taken]:
    """Take the status of one Vault."""
    body = members(content.whole)
    if "health" not in body and "sealed" not in body:
        raise InputError("is no status of a Vault", hint="vault status -format=json writes one")
    numbered = Numbered(content.report)
    name = {"address": body["vaultAddress"]} if "vaultAddress" in body else {}
    parts = {key: body[key] for key in ("health", "seal") if key in body}
    yield numbered.whole(**name, **(parts or {"health": Raw(content.whole)}))


@collector(Read.of("vault-status", "Report", "reports", vault.Status), tables=(VAULTS,))
def vaults(found: vault.Status, at: Place) -> Iterator[Row]:
    """Yield one row a Vault."""
    health, seal = found.health, found.seal

    def told(field: str) -> Any:
        value = getattr(health, field)
        return getattr(seal, field) if value is None else value

    yield VaultRow(
        raw=at.raw,
        raw_line=at.line,
        name=found.address or found.report,
        initialized=told("initialized"),
        sealed=told("sealed"),
        standby=told("standby"),
        seal=told("type") or "",
        shares=told("n"),
        threshold=told("t"),
        version=told("version") or "",
        storage=told("storage_type") or "",
    )
