"""Any text is read or is unknown: no exception, no time without end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kaudit.model import cel_reads, rego_reads
from kaudit.model.kyverno_reads import RuleReader, context_of
from kaudit.model.kyverno_scope import autogen, filters, scope

quickly = settings(max_examples=150)
PIECES = [
    *(
        "package p\n",
        "violation[x] {",
        "}",
        "[",
        "]",
        "(",
        ")",
        "{",
        "|",
        ":=",
        "=",
        "\n",
        " ",
        ",",
    ),
    *(
        "input.review.object",
        ".spec",
        ".containers",
        "[_]",
        "object",
        "variables.",
        "x",
        "some x in ",
    ),
    *(
        "not ",
        "every ",
        "if ",
        "else ",
        "contains ",
        "'",
        '"',
        "`",
        "\\",
        "?",
        ":",
        ".all(c, ",
        "c.",
    ),
    *(
        "{{",
        "}}",
        "request.object",
        "[]",
        "[?",
        "*",
        "@",
        "&",
        "||",
        "element",
        "#",
        "//",
        "1",
        ".",
    ),
]
code = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), code),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(code, st.just("list")), inner, max_size=3),
    ),
    max_leaves=12,
)


@quickly
@given(code, code)
def test_any_text_is_rego_or_unknown(first: str, second: str) -> None:
    rego_reads.reads_of(first, [second])
    rego_reads.reads_of(f"package p\n{first}", [])
    rego_reads.reads_of(f"package p\nviolation[x] {{ x := {first} }}", [])


@quickly
@given(code, code)
@example("", "0*0 == 1 % 2")
@example("-x / 2", "variables.x * 2 < 3 - 1")
def test_any_text_is_cel_or_unknown(first: str, second: str) -> None:
    cel_reads.reads_of([("x", first)], [second, "variables.x"])


@quickly
@given(json, json)
def test_any_json_is_a_rule_or_unknown(part: Any, context: Any) -> None:
    ways = ("pattern", "anyPattern", "deny", "foreach", "cel", "podSecurity", "assert")
    for way in ways:
        RuleReader(context_of(context)).reads({way: part})
    RuleReader({}).reads({"foreach": [{"list": "request.object.spec.containers", "pattern": part}]})


HOSTILE = {
    "brackets": "[" * 50_000,
    "braces": "{" * 50_000,
    "calls": "f(" * 20_000,
    "quotes": '"' * 49_999,
    "long quotes": '"""' + "a" * 50_000,
    "backslashes": '"' + "\\" * 50_001,
    "signs": "-" * 50_000,
    "members": "a" + ".b" * 50_000,
    "sums": "+".join(["object"] * 20_000),
    "choices": "a?" * 20_000,
    "masks": "[masked: " * 10_000,
    "loops": "object.all(c, " * 2_000,
    "expressions": "{{" * 20_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_ends(name: str) -> None:
    text = HOSTILE[name]
    cel_reads.reads_of([], [text])
    rego_reads.reads_of(f"package p\nviolation[x] {{ x := {text} }}", [])
    RuleReader({}).reads({"deny": {"conditions": [{"key": f"{{{{ {text} }}}}"}]}, "pattern": text})


def test_rules_that_grow_without_end() -> None:
    rules = "\n".join(f"r{i}(x) = y {{ y := [r{i + 1}(x), r{i + 1}([x])] }}" for i in range(60))
    found = rego_reads.reads_of(f"package p\n{rules}\nviolation[x] {{ x := r0(input) }}", [])
    assert found.known in (True, False)
    twice = [(f"v{i}", f"variables.v{i + 1}.x + variables.v{i + 1}.y") for i in range(60)]
    assert cel_reads.reads_of([*twice, ("v60", "object")], ["variables.v0"]).known is False


@quickly
@given(st.lists(st.sampled_from(["Pod", "Deployment", "*", "v1/Pod", "a/b/C/d", "", "/", "Pod/x"])))
def test_any_kinds_make_a_scope(kinds: list[str]) -> None:
    import msgspec

    match = filters(msgspec.json.encode({"any": [{"resources": {"kinds": kinds}}]}).decode())
    assert scope(match, filters(None)).known
    autogen([(match, filters(None))], None)
