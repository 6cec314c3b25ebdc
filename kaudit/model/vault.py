"""Health and seal of a Vault as it tells them without a login (HashiCorp Vault, ``/sys/health``).

Of both answers only what says how it stands is declared.
"""

from __future__ import annotations

import msgspec

from kaudit.model.meta import Int
from kaudit.model.numbered import Whole


class Health(msgspec.Struct, gc=False, omit_defaults=True):
    """sys/health, sys/seal-status, or ``vault status -format=json``: they overlap."""

    initialized: bool | None = None
    sealed: bool | None = None
    standby: bool | None = None
    type: str | None = None
    t: Int | None = None
    n: Int | None = None
    version: str | None = None
    storage_type: str | None = None
    recovery_seal: bool | None = None
    migration: bool | None = None


class Status(Whole, kw_only=True):
    """Record of one Vault."""

    address: str = ""
    health: Health = msgspec.field(default_factory=Health)
    seal: Health = msgspec.field(default_factory=Health)
