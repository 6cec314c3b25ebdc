"""Patterns of policy engines: ``*`` and ``?`` alone mean something."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaudit.model.glob import matches


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("", "", True),
        ("", "a", False),
        ("*", "", True),
        ("?", "", False),
        ("?", "a", True),
        ("??", "a", False),
        ("kube-*", "kube-", True),
        ("*-system", "kube-system-x", False),
        ("a*b*c", "abbcbc", True),
        ("a*b?", "aab", False),
        ("[ab]", "a", False),
        ("a.c", "abc", False),
        ("A", "a", False),
    ],
)
def test_what_a_pattern_stands_for(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


@given(st.text(alphabet="ab*?.", max_size=8), st.text(alphabet="ab.\n", max_size=8))
def test_it_agrees_with_the_expression_that_says_the_same(pattern: str, text: str) -> None:
    said = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)
    assert matches(pattern, text) is bool(re.fullmatch(said, text, re.DOTALL))
