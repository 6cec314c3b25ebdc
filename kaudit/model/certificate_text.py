"""When certificates end that stand in objects as base64: bundles of authorities, and tls.crt."""

from __future__ import annotations

import binascii
from base64 import b64decode
from datetime import datetime

import msgspec
from msgspec import Raw

from kaudit.model.x509 import validities

#: Larger ones are not looked at.
_MOST = 1 << 20


def last_end(raw: Raw) -> datetime | None:
    """End of the certificate of a bundle that lasts longest; None where it holds none."""
    return max((end for _, end in _validities(raw)), default=None)


def first_end(raw: Raw) -> datetime | None:
    """End of the first certificate of a chain, which is the server's; None where it holds none."""
    return next((end for _, end in _validities(raw)), None)


def _validities(raw: Raw) -> list[tuple[datetime, datetime]]:
    if not 64 < len(bytes(raw)) < _MOST:
        return []
    try:
        return validities(b64decode(msgspec.json.decode(raw, type=str)))
    except (ValueError, IndexError, binascii.Error, msgspec.MsgspecError, RecursionError):
        return []
