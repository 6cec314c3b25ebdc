"""Cases say the same in another order, and of objects that there are twice.

What a control finds in a case must not hang on which document comes first, nor on its being
the only one of its shape: lookups that take the first row alone fail here.
"""

import re

import pytest

from kaudit import registry
from kaudit.assess import assess
from kaudit.cases import Case, cases, collected
from kaudit.model.words import Status

registry.load()

_NAME = re.compile(r"\b(bad|ok)-")
_NAMED = re.compile(r"name: *[\"']?((?:bad|ok)-[\w./:-]+)")
_FILE = re.compile(r"\s*\{?kaudit-file:")
#: Controls whose finding rightly hangs on how many there are.
_COUNTING = {
    "KA-DEP-072b": "the same right is given twice",
    "KA-RUN-004": "a file beside the manifests names the one policy",
    "KA-RUN-006": "the log names one pod",
    "KA-RUN-011": "the log names one pod",
    "KA-RUN-012": "twins have the uid of one owner",
    "KA-RUN-012a": "twins have the uid of one owner",
}
CASES = [
    pytest.param(control, case.manifests, id=control.id)
    for control in registry.CONTROLS.values()
    for case in cases(control.cases)
    if not case.name and "# parameters:" not in case.manifests
]


def documents(text: str) -> list[str]:
    return [d.strip("\n") for d in re.split(r"^---[ \t]*\n", text, flags=re.M) if d.strip()]


def faults(control: registry.Control, found: list[str]) -> list[str]:
    """Names that do not fail, or fail, though they say otherwise."""
    text = "\n---\n".join(found) + "\n"
    results = assess(collected(Case("", text)), [control], strict=True).iter_results()
    failed = {r.name for r in results if r.status is Status.FAIL}
    named = set(_NAMED.findall(text))
    return sorted(name for name in named if name.startswith("bad-") != (name in failed))


@pytest.mark.parametrize(("control", "manifests"), CASES)
def test_the_last_document_may_come_first(control: registry.Control, manifests: str) -> None:
    assert faults(control, documents(manifests)[::-1]) == []


@pytest.mark.parametrize(
    ("control", "manifests"), [case for case in CASES if case.id not in _COUNTING]
)
def test_twins_fail_as_their_models(control: registry.Control, manifests: str) -> None:
    found = documents(manifests)
    twins = [d for d in found if _NAME.search(d) and not _FILE.match(d)]
    assert faults(control, found + [_NAME.sub(r"\1-twin-", d) for d in twins]) == []
