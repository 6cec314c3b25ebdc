"""Annotations that put a pod on networks beside its primary one, or say what a policy is for.

Of their JSON only names and addresses are kept: arguments of plugins may hold anything.

Sources: "Kubernetes Network Custom Resource Definition De-facto Standard", v1.3 (Network Plumbing
Working Group), sections 4 and 5, and its MultiNetworkPolicy.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_interface

import msgspec

#: Networks that a pod asks for; those that it got; those that a MultiNetworkPolicy is about.
NETWORKS = "k8s.v1.cni.cncf.io/networks"
STATUS = "k8s.v1.cni.cncf.io/network-status"
POLICY_FOR = "k8s.v1.cni.cncf.io/policy-for"
ANNOTATIONS = (NETWORKS, STATUS, POLICY_FOR)
#: Stands for what could not be read.
_UNREADABLE = "["


class Selection(msgspec.Struct, omit_defaults=True):
    """One element of an annotation where it is JSON."""

    name: str = ""
    namespace: str | None = None
    ips: list[str] | None = None


_decode = msgspec.json.Decoder(list[Selection]).decode


def _is_json(text: str) -> bool:
    return any(mark in text for mark in '[{"')


def reduced(text: str) -> str:
    """Leave names and addresses of an annotation.

    >>> reduced('[{"name": "blue", "cni-args": {"password": "x"}}]')
    '[{"name":"blue"}]'
    """
    if not _is_json(text):
        return text
    try:
        return msgspec.json.encode(_decode(text)).decode()
    except msgspec.DecodeError:
        return _UNREADABLE


def selected(text: str | None, namespace: str, status: str | None = None) -> list[str] | None:
    """Definitions that an annotation names, as ``namespace/name``, each with ``=address`` after.

    None where the annotation cannot be read. Addresses that a pod got, which ``status`` tells,
    stand for those that were not asked for.

    >>> selected("blue, ops/red@net1", "web")
    ['web/blue', 'ops/red']
    >>> selected('[{"name": "blue", "ips": ["10.1.0.4/24"]}]', "web")
    ['web/blue=10.1.0.4']
    >>> selected("blue", "web", '[{"name": "web/blue", "ips": ["10.1.0.5"]}]')
    ['web/blue=10.1.0.5']
    """
    if not text or not text.strip():
        return []
    try:
        asked = _decode(text) if _is_json(text) else list(_short(text))
    except msgspec.DecodeError:
        return None
    got = _got(status)
    found = []
    for one in asked:
        if one.name:
            name = named(one.name, one.namespace or namespace)
            found.append(with_addresses(name, one.ips or got.get(name) or ()))
    return found


def _short(text: str) -> Iterable[Selection]:
    return (Selection(part.strip().partition("@")[0]) for part in text.split(","))


def _got(status: str | None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    try:
        told = _decode(status or "[]")
    except msgspec.DecodeError:
        return found
    for one in told:
        found.setdefault(one.name, []).extend(one.ips or ())
    return found


def named(text: str, namespace: str) -> str:
    """``namespace/name`` of a definition that may be named without its namespace."""
    return text if "/" in text else f"{namespace}/{text}"


def with_addresses(name: str, addresses: Iterable[str]) -> str:
    """A definition and the addresses on it; what is no address is left out."""
    return "=".join((name, *filter(None, map(address, addresses))))


def address(text: str) -> str:
    """The address of ``10.1.0.4/24``; nothing where it is none."""
    try:
        return str(ip_interface(text).ip)
    except ValueError:
        return ""
