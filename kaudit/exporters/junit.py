"""Results as JUnit, which every pipeline shows: a suite a layer, a test a control.

What could not be assessed is an error and not a pass; what nothing applies to is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from xml.etree import ElementTree

from kaudit.assessment import Assessment
from kaudit.conclude import ControlTally
from kaudit.model.words import Layer, Status
from kaudit.registry import Control, exporter
from kaudit.text import count, visible

#: Resources that a test names; the others are counted.
_MOST = 50
_COUNTED = ("failure", "error", "skipped")


@exporter("junit", suffix=".xml")
def results_junit(assessment: Assessment) -> Iterator[bytes]:
    """Write what fails with its resources, what could not be judged with the reason."""
    top = ElementTree.Element("testsuites", name="kaudit")
    for layer in Layer:
        controls = [control for control in assessment.controls if control.layer is layer]
        if controls:
            suite = ElementTree.SubElement(top, "testsuite", name=layer.value)
            for control in controls:
                _case(suite, assessment, control)
            _count(suite)
    _count(top)
    ElementTree.indent(top)
    yield b'<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(top) + b"\n"


def _case(suite: ElementTree.Element, assessment: Assessment, control: Control) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=f"{control.layer}.{control.severity}",
        name=f"{control.id} {control.title}",
    )
    tally = assessment.tallies[control.id]
    unknown = tally.not_assessed_ + tally.error_
    if tally.open:
        _add(case, "failure", _of(tally.open, tally, "fail"), assessment, Status.FAIL)
    elif unknown:
        said = _of(unknown, tally, "could not be assessed")
        _add(case, "error", said, assessment, Status.NOT_ASSESSED, Status.ERROR)
    elif not tally.population:
        ElementTree.SubElement(case, "skipped", message="there is nothing that it applies to")
    elif tally.manual_:
        ElementTree.SubElement(case, "skipped", message=_of(tally.manual_, tally, "need a person"))
    if tally.open and unknown:
        _note(case, _of(unknown, tally, "could not be assessed"))
    if tally.waived:
        _note(case, _of(tally.waived, tally, "fail and are accepted by a waiver"))


def _of(number: int, tally: ControlTally, what: str) -> str:
    return f"{number} of {tally.population} {what}"


def _add(
    case: ElementTree.Element, tag: str, said: str, assessment: Assessment, *statuses: Status
) -> None:
    control = (case.get("name") or "").partition(" ")[0]
    fault = ElementTree.SubElement(case, tag, message=said)
    results = (r for r in assessment.results_of(control, *statuses) if not r.waiver)
    lines = [visible(result.told) for result in islice(results, _MOST)]
    left = sum(1 for _ in results)
    if left:
        lines.append(f"and {count(left, 'other')}")
    fault.text = "\n".join(lines)


def _note(case: ElementTree.Element, text: str) -> None:
    out = case.find("system-out")
    if out is None:
        out = ElementTree.SubElement(case, "system-out")
    out.text = "\n".join(filter(None, (out.text, text)))


def _count(element: ElementTree.Element) -> None:
    """Write how many tests an element holds, and what became of them."""
    element.set("tests", str(len(element.findall(".//testcase"))))
    for name, tag in zip(("failures", "errors", "skipped"), _COUNTED, strict=True):
        element.set(name, str(len(element.findall(f".//{tag}"))))
