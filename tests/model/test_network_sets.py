"""Sets of ports, addresses and labels as numbers, and Calico's expressions."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaudit.model.address_space import AddressRange, AddressSpace, Block, cidrs_of, range_of
from kaudit.model.calico_selector import SelectorError, parsed
from kaudit.model.label_index import LabelIndex, keys_of, members
from kaudit.model.port_space import PortRange, PortSpace

spans = st.tuples(st.sampled_from(("TCP", "UDP")), st.integers(0, 70_000), st.integers(0, 70_000))


@given(st.lists(spans, max_size=4), st.integers(1, 65535))
def test_a_set_holds_the_ports_that_it_was_made_of(
    named: list[tuple[str, int, int]], port: int
) -> None:
    ranges = [PortRange(*one) for one in named]
    space = PortSpace(ranges)
    bits = 0
    for one in ranges:
        bits |= space.bits(one)
    wanted = any(r.protocol == "TCP" and r.from_port <= port <= r.to_port for r in ranges)
    assert bool(bits & space.containing("TCP", port)) is wanted
    back = list(space.ranges(bits))
    assert any(r.protocol == "TCP" and r.from_port <= port <= r.to_port for r in back) is wanted
    assert space.within(back) & bits == bits == space.meeting(back)


addresses = st.integers(0, 2**32 - 1)
blocks = st.builds(
    lambda address, length: str(ip_network((address, length), strict=False)),
    addresses,
    st.integers(0, 32),
)


@given(st.lists(blocks, max_size=4), st.lists(blocks, max_size=2), addresses)
def test_an_address_is_in_the_blocks_of_its_class(
    cidrs: list[str], excepts: list[str], address: int
) -> None:
    named = [Block(cidr, tuple(excepts)) for cidr in cidrs]
    space, here = AddressSpace(named), ip_address(address)
    number = space.class_of(str(here))
    assert number is not None
    for block in named:
        inside = here in ip_network(block.cidr) and not any(
            here in ip_network(part) for part in block.excepts
        )
        assert bool(space.bits(block) >> number & 1) is inside
    whole = [one for ranges in space.classes for one in ranges]
    assert list(cidrs_of(whole)) == ["0.0.0.0/0"]


def test_both_families_are_told_apart() -> None:
    space = AddressSpace([Block("fd00::/8"), Block("0.0.0.0/0")])
    assert [next(iter(cidrs_of(ranges))) for ranges in space.classes] == [
        "0.0.0.0/0",
        "::/1",
        "fd00::/8",
    ]
    assert AddressSpace([]).class_of("::1") is None
    assert range_of("1.2.3.4") == AddressRange(0x01020304, 0x01020305)
    assert range_of("nowhere") is None


PODS: tuple[list[str], ...] = (["app=web"], ["app=db", "tier=back"], [], ["app=", "tier=front"])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("all()", [0, 1, 2, 3]),
        ("", [0, 1, 2, 3]),
        ("global()", []),
        ("app == 'web'", [0]),
        ('app != "web"', [1, 2, 3]),
        ("has(tier) && !(app == 'db')", [3]),
        ("app == 'web' || tier == 'back' && has(app)", [0, 1]),
        ("app in { 'web', 'db' }", [0, 1]),
        ("app not in {'web','db'}", [2, 3]),
        ("tier starts with 'b'", [1]),
        ("tier ends with 't'", [3]),
        ("tier contains 'ro'", [3]),
        ("app == ''", [3]),
    ],
)
def test_an_expression_selects(text: str, found: list[int]) -> None:
    assert list(members(parsed(text)(LabelIndex(PODS)))) == found


@pytest.mark.parametrize(
    "text", ["app", "app ==", "app == web", "(all()", "all() all()", "app = 'a'", "$", "in {'a'}("]
)
def test_what_is_no_expression_is_told(text: str) -> None:
    with pytest.raises(SelectorError):
        parsed(text)


def test_keys_are_those_that_a_selector_speaks_of() -> None:
    assert keys_of("a == 'x' && !has(b)") == {"a", "b"}
    assert keys_of('{"matchLabels":{"a":"x"},"matchExpressions":[{"key":"b"}]}') == {"a", "b"}


def test_what_all_carry_need_not_be_written_for_each() -> None:
    index = LabelIndex(PODS, ["space=a", "app=web"])
    for text in ("space == 'a'", "has(space)", "app == 'web'", "space starts with 'a'"):
        assert index.selected(text) == index.all, text
    assert not index.selected("space == 'b'")


@given(st.text(alphabet="ab'(){}&|!=, in", max_size=20))
def test_no_text_makes_the_reader_crash(text: str) -> None:
    try:
        chosen = parsed(text)
    except SelectorError:
        return
    assert chosen(LabelIndex(PODS)) < 16
