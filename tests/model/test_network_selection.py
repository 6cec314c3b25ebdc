"""Annotations that put pods on further networks, and what is left of them."""

from __future__ import annotations

import json
from ipaddress import ip_interface

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaudit.model.attached_networks import AttachmentSpec, guest_addresses
from kaudit.model.network_selection import reduced, selected

LIST = [{"name": "a", "interface": "net1", "mac": "m"}, {"name": "b", "namespace": "ops"}]
#: As Multus writes it on a pod that runs.
GOT = json.dumps(
    [
        {"name": "ovn-kubernetes", "ips": ["10.0.0.9"], "default": True},
        {"name": "web/a", "interface": "net1", "ips": ["10.2.0.7", "fd00::7"]},
    ]
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, []),
        ("  ", []),
        ("a", ["web/a"]),
        ("a, ops/b@net2,,c@eth5", ["web/a", "ops/b", "web/c"]),
        (json.dumps(LIST), ["web/a", "ops/b"]),
        ('[{"name": "ops/b", "ips": ["10.2.0.4/24", "fd00::4", "x"]}]', ["ops/b=10.2.0.4=fd00::4"]),
        ('[{"namespace": "ops"}]', []),
        ("[]", []),
        ("[", None),
        ('{"name": "a"}', None),
        ('"a"', None),
        ('[{"name": 5}]', None),
    ],
)
def test_networks_that_a_pod_asks_for(text: str | None, found: list[str] | None) -> None:
    assert selected(text, "web") == found


def test_addresses_that_it_got_stand_for_those_it_did_not_ask_for() -> None:
    assert selected("a, b", "web", GOT) == ["web/a=10.2.0.7=fd00::7", "web/b"]
    assert selected('[{"name": "a", "ips": ["10.2.0.4"]}]', "web", GOT) == ["web/a=10.2.0.4"]
    assert selected("a", "web", "[no") == ["web/a"]


def test_arguments_of_plugins_are_not_kept() -> None:
    text = json.dumps([{"name": "a", "cni-args": {"password": "p"}, "ips": ["10.0.0.1"]}])
    assert json.loads(reduced(text)) == [{"name": "a", "ips": ["10.0.0.1"]}]
    assert selected(reduced('[{"name": "a", "cni-args": '), "web") is None


@given(st.text(alphabet='ab/@,[]{}":. 10', max_size=40), st.text(alphabet='[]{}"ab', max_size=20))
def test_any_text_is_read_or_null(text: str, status: str) -> None:
    found = selected(text, "web", status)
    assert found == selected(reduced(text), "web", status)
    assert all("/" in one for one in found or ())


VERSION_2 = """
version: 2
ethernets:
  eth0:
    addresses: [ 10.0.2.2/24 ]
  enp2s0:
    addresses:
      - 10.2.0.1/24
      - "fd00::1/64"
    gateway4: 10.2.0.254
    nameservers:
      addresses: [192.0.2.53]
"""


def test_addresses_of_a_machine_are_those_of_its_other_interfaces() -> None:
    assert guest_addresses(VERSION_2) == ["10.2.0.1/24", "fd00::1/64"]
    assert guest_addresses("{" * 5000) == []


@given(st.text(alphabet="eth01: -[]\n./\"'addres", max_size=60))
def test_no_text_of_a_machine_is_more_than_addresses(text: str) -> None:
    found = guest_addresses(text)
    assert all(one in text and ip_interface(one) for one in found)
    assert guest_addresses("\n".join(f"- {one}" for one in found)) == found


@pytest.mark.parametrize(
    ("config", "network"),
    [
        (None, None),
        ('{"name": "blue", "type": "macvlan", "ipam": {"password": "p"}}', "blue"),
        ('{"cniVersion": "1.0.0", "name": "blue", "plugins": [{"type": "bridge"}]}', "blue"),
        ('{"type": "macvlan"}', None),
        ('{"name": ""}', None),
        ("no json", None),
        ('{"name": 5}', None),
    ],
)
def test_of_a_configuration_only_its_name_is_kept(config: str | None, network: str | None) -> None:
    kept = AttachmentSpec(config).config
    assert kept == (json.dumps({"name": network}, separators=(",", ":")) if network else None)
    assert AttachmentSpec(config).network == network
    assert AttachmentSpec(kept).network == network
