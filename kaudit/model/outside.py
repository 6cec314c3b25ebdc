"""What reaches an entry of the cluster from outside, as far as its object tells.

Sources: Kubernetes, "Service" and "Ingress" (v1.34); the documentation of the AWS Load
Balancer Controller (an Ingress without scheme is internal), of GKE (class ``gce-internal``)
and of the Application Gateway controller; RFC 1918, 4193, 6598 for addresses that the
internet does not route. Firewalls before the cluster cannot be seen from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from ipaddress import ip_address, ip_network


class Reach(StrEnum):
    """From where an entry is reached."""

    INTERNET = "internet"
    RANGES = "ranges"
    NODES = "nodes"
    INSIDE = "inside"


_EVERYWHERE = {"0.0.0.0/0", "::/0"}
#: Addresses of carriers' networks, which Python counts as neither private nor global.
_SHARED = ip_network("100.64.0.0/10")


def routed(address: str) -> bool:
    """Whether the internet may reach an address; names are taken for public ones.

    >>> routed("203.0.113.7"), routed("10.1.2.3"), routed("lb.example.com")
    (True, False, True)
    """
    try:
        found = ip_address(address)
    except ValueError:
        # Names of internal load balancers of AWS say so.
        return bool(address) and not address.startswith("internal-")
    # Ranges set apart for documentation stand for public addresses in examples.
    documented = any(
        found in ip_network(net)
        for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
        if ip_network(net).version == found.version
    )
    shared = found.version == 4 and found in _SHARED
    return documented or not (found.is_private or found.is_link_local or shared)


def reach_of(
    addresses: Sequence[str], *, ranges: Iterable[str] = (), internal: bool = False
) -> tuple[Reach, bool]:
    """From where a load balancer is reached, and whether that is only assumed.

    >>> reach_of(["203.0.113.7"])
    (<Reach.INTERNET: 'internet'>, False)
    >>> reach_of([], internal=True)
    (<Reach.INSIDE: 'inside'>, False)
    """
    if internal or (addresses and not any(routed(address) for address in addresses)):
        return Reach.INSIDE, False
    narrowed = list(ranges)
    if narrowed and _EVERYWHERE.isdisjoint(narrowed):
        return Reach.RANGES, False
    return Reach.INTERNET, not addresses


def ingress_is_internal(ingress_class: str, annotations: dict[str, str]) -> bool:
    """Whether an Ingress asks for a balancer that the internet does not reach."""
    scheme = annotations.get("alb.ingress.kubernetes.io/scheme")
    if scheme is not None:
        return scheme == "internal"
    if annotations.get("appgw.ingress.kubernetes.io/use-private-ip") == "true":
        return True
    return ingress_class in ("alb", "gce-internal")


def names_meet(ours: str, theirs: str) -> bool:
    """Whether two host names, each perhaps ``*.…`` or empty for any, can be one.

    >>> names_meet("*.example.com", "shop.example.com"), names_meet("a.com", "b.com")
    (True, False)
    """
    one, other = ours.lower(), theirs.lower()
    if not one or not other or one == other:
        return True
    wide_one, wide_other = one.startswith("*."), other.startswith("*.")
    if wide_one and wide_other:
        return one.endswith(other[1:]) or other.endswith(one[1:])
    if wide_one:
        return other.endswith(one[1:])
    return wide_other and one.endswith(other[1:])
