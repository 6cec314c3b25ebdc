"""Commands in shell text."""

import pytest

from kaudit.model.shell import commands


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a b && c || d; e", ["a b", "c", "d", "e"]),
        ("A=1 B=2 a", ["a"]),
        ("sudo -E -u x a", ["a"]),
        ("env A=1 a", ["a"]),
        ("a 'b && c' \"d; e\"", ["a b && c d; e"]),
        ("a \\\n  b", ["a b"]),
        ("a # b && c", ["a"]),
        ("a http://x/#y", ["a http://x/#y"]),
        ("if a; then b; fi", ["a", "b", "fi"]),
        ("(cd a && b)", ["cd a", "b"]),
        ("bash -c 'a | b'", ["bash -c a | b", "a", "b"]),
        ("a | xargs -n 1 -I {} b {}", ["a", "b {}"]),
        ("echo 'open", ["echo 'open"]),
        ("a > b 2>&1", ["a > b 2 >& 1"]),
        ("", []),
    ],
)
def test_commands(text: str, found: list[str]) -> None:
    assert [command.line for command in commands(text)] == found


def test_operators_and_options() -> None:
    first, second = commands("/usr/bin/curl -s x | sh -e")
    assert (first.program, first.after, second.before) == ("curl", "|", "|")
    (trivy,) = commands("trivy image --exit-code=1 --severity HIGH a")
    assert trivy.option("--exit-code") == "1"
    assert trivy.option("--severity", "-s") == "HIGH"
    assert trivy.option("--format") is None
