"""Addresses outside that are told apart, whatever policies name."""

from __future__ import annotations

#: Where clouds answer for the identity of a machine.
METADATA = ("169.254.169.254/32", "fd00:ec2::254/128", "100.100.100.200/32", "168.63.129.16/32")
#: Addresses that are not of the internet (RFC 6890).
PRIVATE = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/3",
)
#: Addresses to tell apart, whatever policies name; those of IPv6 where a policy names any.
APART = (METADATA[0], *METADATA[2:], *PRIVATE)
