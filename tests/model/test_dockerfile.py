"""The parser of Dockerfiles does what BuildKit's does."""

import pytest

from kaudit.model.dockerfile import Fault, Heredoc, has_variable, parse, substituted, unquoted


def texts(text: str) -> list[tuple[str, int, str]]:
    return [(one.name, one.line, one.text) for one in parse(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("FROM a", [("FROM", 1, "a")]),
        ("\ufeff\n# c\n\nfrom  a  as b\r\n", [("FROM", 4, "a  as b")]),
        ("RUN a \\\n  b\n", [("RUN", 1, "a   b")]),
        ("RUN a \\ \n# c\n\n  b\nUSER u", [("RUN", 1, "a   b"), ("USER", 5, "u")]),
        ("RUN a \\", [("RUN", 1, "a")]),
        ("RUN a \\\\\nUSER u", [("RUN", 1, "a \\\\"), ("USER", 2, "u")]),
        (
            "# escape=`\nRUN a `\n b\nRUN c:\\\nUSER u",
            [("RUN", 2, "a  b"), ("RUN", 4, "c:\\"), ("USER", 5, "u")],
        ),
        ("# c\n# escape=`\nRUN a \\\n b", [("RUN", 3, "a  b")]),
        ("# syntax=x\n# escape=`\nRUN a `\n b", [("RUN", 3, "a  b")]),
        ("RUN\ta", [("RUN", 1, "a")]),
    ],
)
def test_lines(text: str, found: list[tuple[str, int, str]]) -> None:
    assert texts(text) == found


def test_flags_lists_and_pairs() -> None:
    copy, run, env, old, argument, onbuild = parse(
        'COPY --from=b --chown="1:1" ["a b", "/c"]\n'
        "RUN --mount=type=cache,target=/c --network=none make\n"
        "ENV A=1 B=\"x y\" C='$D' E=f\\ g\n"
        "ENV OLD some value\n"
        "ARG V W=2\n"
        'ONBUILD CMD ["x"]\n'
    )
    assert copy.flags == [("from", "b"), ("chown", "1:1")]
    assert (copy.items, copy.flag("chown")) == (["a b", "/c"], "1:1")
    assert (run.text, run.flag("network")) == ("make", "none")
    assert env.pairs == [("A", "1"), ("B", "x y"), ("C", "$D"), ("E", "f g")]
    assert old.pairs == [("OLD", "some value")]
    assert argument.pairs == [("V", None), ("W", "2")]
    assert (onbuild.name, onbuild.items, onbuild.trigger) == ("CMD", ["x"], True)


def test_a_list_that_is_none_is_a_command() -> None:
    (run,) = parse("RUN [ -f a ] && b")
    assert run.items is None


@pytest.mark.parametrize(
    ("text", "heredocs"),
    [
        ("RUN <<EOF\na\nEOF\nUSER u", [Heredoc("EOF", "a")]),
        ("RUN <<-EOF\n\ta\n\tEOF\nUSER u", [Heredoc("EOF", "a")]),
        ("RUN <<'EOF' cat\n# no comment\n\nEOF\nUSER u", [Heredoc("EOF", "# no comment\n")]),
        ('COPY <<A <<"B" /x/\n1\nA\n2\nB\nUSER u', [Heredoc("A", "1"), Heredoc("B", "2")]),
        ("RUN a=$((1<<2))\nUSER u", []),
        ("ENV A=<<EOF\nUSER u", []),
    ],
)
def test_here_documents(text: str, heredocs: list[Heredoc]) -> None:
    first, second = parse(text)
    assert first.heredocs == heredocs
    assert second.name == "USER"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("FROM a\nFROMM b", "line 2: 'FROMM' is no instruction"),
        ("FROM", "line 1: FROM needs an argument"),
        ("RUN --network=none", "line 1: RUN needs an argument"),
        ("ONBUILD ONBUILD RUN a", "line 1: ONBUILD needs another instruction"),
        ("ENV A", "line 1: ENV needs a name and a value"),
        ("LABEL a=1 b", "line 1: 'b' has no value"),
        ("RUN <<EOF\na", "line 1: the here-document 'EOF' has no end"),
    ],
)
def test_what_is_refused(text: str, says: str) -> None:
    with pytest.raises(Fault, match=says):
        parse(text)
    faults: list[str] = []
    parse(text, faults)
    assert faults == [says]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$A-${A}", "1-1"),
        ("${B:-2}${B-3}${A:-4}", "231"),
        ("${A:+5}${B:+6}${E+7}${E:+8}", "57"),
        ("$E.", "."),
        ("$B", "$B"),
        ("$$ ${ $1", "$$ ${ $1"),
    ],
)
def test_substitution(text: str, found: str) -> None:
    assert substituted(text, {"A": "1", "E": ""}) == found


def test_variables_and_quotes() -> None:
    assert has_variable("a${B}")
    assert not has_variable("a$")
    assert unquoted("\"a b\"'$c'\\d") == "a b$cd"
