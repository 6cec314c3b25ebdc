"""What conditions refer to, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaudit.model.falco_condition import read


@pytest.mark.parametrize(
    ("text", "macros", "words", "fields"),
    [
        ("spawned_process and container", ["container", "spawned_process"], [], []),
        ("not (a or not b)", ["a", "b"], [], []),
        ('evt.dir=< and proc.name in (sh, "my shell")', [], ["sh"], ["evt.dir", "proc.name"]),
        ("proc.aname[2] exists", [], [], ["proc.aname[2]"]),
        ("ka.uri.param[a b] = x", [], [], ["ka.uri.param[a b]"]),
        ("fd.name pmatch (dirs, (/etc))", [], ["/etc", "dirs"], ["fd.name"]),
        ("tolower(proc.name) = sh", [], [], ["proc.name"]),
        ("proc.name = val(proc.pname)", [], [], ["proc.name", "proc.pname"]),
        ('proc.cmdline contains "and (not"', [], [], ["proc.cmdline"]),
        ("evt.type in ()", [], [], ["evt.type"]),
        ("evt.num<0", [], [], ["evt.num"]),
        ("proc.name startswith oneof (sh, ba)", [], ["ba", "sh"], ["proc.name"]),
        ("proc.name glob anyof shells and a", ["a"], ["shells"], ["proc.name"]),
        ("proc.name contains oneof and a", ["a"], [], ["proc.name"]),
        ("proc.name in shells or a", ["a"], ["shells"], ["proc.name"]),
        ("fd.name contains ->1.2.3.4 and a", ["a"], [], ["fd.name"]),
        ("fd.types intersects val(proc.env)", [], [], ["fd.types", "proc.env"]),
        ("getopt(proc.args)[x] = 1 and a", ["a"], [], ["proc.args"]),
        ('concat(join("/", (proc.name, 5)), evt.arg[a]) = x', [], [], ["evt.arg[a]", "proc.name"]),
        ("proc.args[1] iglob *.sh and not(a)", ["a"], [], ["proc.args[1]"]),
        ("fd.name regex '^/a(b|c)$'", [], [], ["fd.name"]),
        ("a and(b or(c))", ["a", "b", "c"], [], []),
        ("fd.sip != '0.0.0.0' and fd.sport >= 1024", [], [], ["fd.sip", "fd.sport"]),
    ],
)
def test_references(text: str, macros: list[str], words: list[str], fields: list[str]) -> None:
    found = read(text)
    assert found.fault == ""
    assert (list(found.macros), list(found.words), list(found.fields)) == (macros, words, fields)


@pytest.mark.parametrize(
    "text",
    ["", "and", "a and", "(a", "a)", "a b", "proc.name =", "proc.name in (a", "not", "= a", "'a"],
)
def test_what_is_no_condition_is_told(text: str) -> None:
    assert read(text).fault


def test_deep_nesting_is_refused() -> None:
    assert "deep" in read("(" * 5000 + "a" + ")" * 5000).fault


@given(st.text(alphabet="ab.()=<>!,'\"[] \nnotadri", max_size=60))
def test_any_text_is_read_or_told(text: str) -> None:
    found = read(text)
    assert found.fault or found.macros or found.fields
