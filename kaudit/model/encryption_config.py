"""How an API server encrypts what it stores: providers and their order, never a key.

Source: kubernetes.io, "Encrypting Confidential Data at Rest": the first entry that matches a
resource counts, and its first provider encrypts what is written.
"""

from __future__ import annotations

from typing import Any

import msgspec

#: Names of resources that stand for Secrets too.
_OF_SECRETS = ("secrets", "*.", "*.*")


class Found(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of one file: of each provider the name and the version of its API."""

    report: str
    file: str
    secrets: list[str] = []
    kms_version: str = ""
    matched: bool = False
    resources: list[str] = []


def reduced(document: Any) -> dict[str, Any]:
    """What is kept of an EncryptionConfiguration.

    >>> key = {"keys": [{"name": "a", "secret": "c2VjcmV0"}]}
    >>> entry = {"resources": ["secrets"], "providers": [{"aescbc": key}, {"identity": {}}]}
    >>> reduced({"resources": [entry]})["secrets"]
    ['aescbc', 'identity']

    Raises
    ------
    TypeError
        It is not of the form.
    """
    kept: dict[str, Any] = {"secrets": [], "kms_version": "", "matched": False, "resources": []}
    entries = document.get("resources") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise TypeError("resources: expected a list")
    for entry in entries:
        if not isinstance(entry, dict):
            raise TypeError("resources: expected objects")
        names = [str(name) for name in entry.get("resources") or ()]
        kept["resources"] += names
        if kept["matched"] or set(names).isdisjoint(_OF_SECRETS):
            continue
        providers = [p for p in entry.get("providers") or () if isinstance(p, dict) and p]
        kept["matched"] = True
        kept["secrets"] = [str(next(iter(provider))) for provider in providers]
        first = next(iter(providers[0].values())) if providers else None
        if kept["secrets"][:1] == ["kms"] and isinstance(first, dict):
            kept["kms_version"] = str(first.get("apiVersion") or "v1")
    return kept
