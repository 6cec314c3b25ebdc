"""What the settings of a secret store point at: Secrets and service accounts, no value.

Each provider has settings of its own. Common to all is how they name objects of the cluster:
``{name, key}`` or ``…Ref`` for a Secret, ``serviceAccountRef`` for an account (External Secrets
Operator, ``apis/meta/v1``). That is all that is kept of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw, field

from kaudit.model.credential import by_name
from kaudit.model.meta import ABSENT, Part

#: No settings nest deeper.
_DEPTH = 12
_ACCOUNT = re.compile(r"serviceaccount(ref)?$", re.IGNORECASE)
_SECRET = re.compile(r"ref$", re.IGNORECASE)
#: Certificates of authorities, which are public.
_TRUST = re.compile(r"^ca(Provider|Bundle|Cert.*)?$")
#: Client certificates with their keys.
_CERTIFICATE = re.compile(r"^(m?tls|(client)?cert(ificate)?(Key)?)$", re.IGNORECASE)


class Reference(Part):
    """What one setting points at.

    ``kind`` is Secret or ServiceAccount, or literal for a credential that is written out.
    """

    path: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""

    @property
    def certificate(self) -> bool:
        """Whether it is a client certificate or its key."""
        return self.kind == "Secret" and any(_CERTIFICATE.match(p) for p in self.path.split("."))

    @property
    def static(self) -> bool:
        """Whether it is a credential that holds until somebody changes it."""
        return self.kind in ("Secret", "literal") and not self.certificate


class References(Part):
    """All that is kept of settings."""

    kept_references: list[Reference] = field(default_factory=list)


_decode = msgspec.json.Decoder(References).decode
_NULL = Raw(b"null")


def reduced(settings: Raw) -> Raw:
    """Settings without anything but their references; reduced ones stay as they are."""
    if settings in (ABSENT, _NULL):
        return settings
    found = msgspec.json.decode(settings)
    if not isinstance(found, dict):
        raise TypeError("settings of a store: expected an object")
    if set(found) <= {"keptReferences"}:
        return Raw(msgspec.json.encode(_decode(settings)))
    return Raw(msgspec.json.encode(References(sorted(_walk(found), key=_order))))


def references(settings: Raw) -> list[Reference]:
    """References of settings that were reduced."""
    return [] if settings in (ABSENT, _NULL) else _decode(settings).kept_references


def _order(found: Reference) -> tuple[str, ...]:
    return found.path, found.kind, found.namespace, found.name


def _walk(settings: Any, path: tuple[str, ...] = ()) -> Iterator[Reference]:
    if isinstance(settings, list) and len(path) < _DEPTH:
        for entry in settings:
            yield from _walk(entry, path)
    if not isinstance(settings, dict) or len(path) > _DEPTH:
        return
    if path and (found := _reference(settings, path)):
        yield found
        return
    for key, value in settings.items():
        if not _TRUST.match(key):
            yield from _walk(value, (*path, key))


def _reference(settings: dict[str, Any], path: tuple[str, ...]) -> Reference | None:
    name, value = settings.get("name"), settings.get("value")
    if isinstance(value, str) and value and by_name(path[-1]):
        return Reference(".".join(path), "literal")
    if not isinstance(name, str) or not name:
        return None
    if _ACCOUNT.search(path[-1]):
        kind = "ServiceAccount"
    elif isinstance(settings.get("key"), str) or _SECRET.search(path[-1]):
        kind = "Secret"
    else:
        return None
    namespace = settings.get("namespace")
    return Reference(".".join(path), kind, namespace if isinstance(namespace, str) else "", name)
