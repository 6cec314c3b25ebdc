"""YAML as kubectl takes it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaudit.model.yaml_stream import Fault, documents


def read(text: str | bytes) -> list[Any]:
    return [content for _, content in documents(text.encode() if isinstance(text, str) else text)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0644", 420),
        ("0o644", 420),
        ("0x1f", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("-12", -12),
        ("08", 8),
        ("1e3", 1000),
        ("1.0", 1),
        ("1.5", 1.5),
        ("yes", True),
        ("Off", False),
        ("y", "y"),
        ("n", "n"),
        ("~", None),
        ("", None),
        ("null", None),
        ("12:30", "12:30"),
        ("1:1:1", "1:1:1"),
        ("2026-01-02", "2026-01-02"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("1Gi", "1Gi"),
        ("500m", "500m"),
        ("v1", "v1"),
        ("'yes'", "yes"),
        ('"0644"', "0644"),
        ("!!str 0644", "0644"),
        ("=", "="),
        ("<none>", "<none>"),
    ],
)
def test_plain_scalars(text: str, value: object) -> None:
    (found,) = read(f"a: {text}\n")
    assert found == {"a": value}
    assert type(found["a"]) is type(value)


def test_keys_become_text_and_later_ones_win() -> None:
    assert read("{1: a, true: b, x: 1, x: 2}") == [{"1": "a", "true": "b", "x": 2}]


def test_merge_keys_and_anchors() -> None:
    text = "base: &b {x: 1, y: 2}\none: {<<: *b, y: 3}\ntwo: {<<: [{z: 1}, *b]}\nsame: *b\n"
    assert read(text) == [
        {
            "base": {"x": 1, "y": 2},
            "one": {"x": 1, "y": 3},
            "two": {"x": 1, "y": 2, "z": 1},
            "same": {"x": 1, "y": 2},
        }
    ]


def test_a_broken_document_costs_only_itself_and_says_its_line() -> None:
    found = list(documents(b"a: 1\n---\nb: [1,\nc: }\n---\nd: 4\n"))
    assert [content for _, content in found if not isinstance(content, Fault)] == [
        {"a": 1},
        {"d": 4},
    ]
    (fault,) = [content for _, content in found if isinstance(content, Fault)]
    assert 3 <= fault.line <= 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: !!python/object:os.system x", "is not understood"),
        ("a: !secret x", "is not understood"),
        ("a: !!int x", "is no int"),
        ("[1, 2]: a", "a key must be text"),
        ("<<: 3", "takes a mapping"),
        ("a: &a [*a]", ""),
        ("a: *nobody", "undefined alias"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    (fault,) = read(text)
    assert isinstance(fault, Fault)
    assert said in fault.what


def test_bombs_and_deep_nesting_are_refused() -> None:
    bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    bomb += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert isinstance(read("\n".join(bomb))[0], Fault)
    assert isinstance(read("[" * 5000 + "]" * 5000)[0], Fault)


def test_marks_comments_and_directives() -> None:
    text = "%YAML 1.1\n---\n# only a comment\n---\na: |\n  --- not a mark\nb: 1\n...\n---\nc: 2\n"
    assert [c for c in read(text) if c is not None] == [{"a": "--- not a mark\n", "b": 1}, {"c": 2}]


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8", exclude_categories=["C"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(codec="ascii", categories=["L"]), min_size=1), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150)
@given(
    content=st.dictionaries(
        st.text(st.characters(codec="ascii", categories=["L"]), min_size=2),
        plain,
        min_size=1,
        max_size=4,
    )
)
def test_json_is_read_as_json(content: dict[str, Any]) -> None:
    assert read(json.dumps(content, ensure_ascii=False)) == [content]


@settings(max_examples=100)
@given(text=st.binary(max_size=200))
def test_any_bytes_give_content_or_a_fault(text: bytes) -> None:
    for line, content in documents(text):
        assert line >= 1
        assert isinstance(content, Fault) or json.dumps(content) is not None
