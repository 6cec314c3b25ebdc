"""Results as JUnit: a test a control, and no pass for what could not be assessed."""

from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kaudit import registry
from kaudit.assess import assess
from kaudit.assessment import Assessment
from kaudit.collect import collect
from kaudit.exporters import junit
from kaudit.source.files import FileSource
from kaudit.waivers import load_waivers
from tests.exporters.test_sarif import PODS, WAIVED, WAIVERS

CONTROLS = ("KA-DEP-001", "KA-DEP-004", "KA-BLD-008", "KA-RUN-001")


def assessed(folder: Path, text: str, *controls: str) -> Assessment:
    (folder / "in").mkdir()
    (folder / "in" / "a.yaml").write_text(text)
    (folder / "w.yaml").write_text(WAIVERS)
    evidence = collect(FileSource(folder / "in"), as_of=datetime(2026, 1, 1, tzinfo=UTC))
    registry.load()
    wanted = [registry.find_control(id_) for id_ in controls]
    return assess(evidence, wanted, waivers=load_waivers(folder / "w.yaml"))


def written(assessment: Assessment) -> ElementTree.Element:
    return ElementTree.fromstring(b"".join(junit.results_junit(assessment)))


def case(top: ElementTree.Element, control: str) -> ElementTree.Element:
    cases = top.findall(".//testcase")
    return next(one for one in cases if (one.get("name") or "").split()[0] == control)


def texts(element: ElementTree.Element) -> dict[str, tuple[str | None, str | None]]:
    return {child.tag: (child.get("message"), child.text) for child in element}


def test_a_test_a_control(tmp_path: Path) -> None:
    top = written(assessed(tmp_path, f"{PODS}---{WAIVED}", *CONTROLS))
    assert top.tag == "testsuites"
    assert [suite.get("name") for suite in top] == ["build", "deploy", "runtime"]
    numbers = ("tests", "failures", "errors", "skipped")
    total = [int(top.get(name) or 0) for name in numbers]
    assert total == [sum(int(suite.get(name) or 0) for suite in top) for name in numbers]
    assert total[0] == 4
    found = case(top, "KA-DEP-001")
    assert found.get("classname") == "deploy.critical"
    assert texts(found) == {
        "failure": (
            "1 of 4 fail",
            "Pod shop/bad, container <script>\\u{202e}: container type: regular; privileged: true",
        ),
        "system-out": (
            None,
            "1 of 4 could not be assessed\n1 of 4 fail and are accepted by a waiver",
        ),
    }


def test_what_could_not_be_assessed_is_an_error(tmp_path: Path) -> None:
    good = "\n---\n".join(PODS.split("---")[1:])
    top = written(assessed(tmp_path, good, "KA-DEP-001"))
    message, text = texts(case(top, "KA-DEP-001"))["error"]
    assert message == "1 of 2 could not be assessed"
    assert (text or "").startswith("Pod shop/odd: broken (document 2 of a.yaml: Expected `array")
    assert (top.get("failures"), top.get("errors")) == ("0", "1")


def test_what_is_accepted_passes_and_says_so(tmp_path: Path) -> None:
    top = written(assessed(tmp_path, WAIVED, "KA-DEP-001"))
    assert texts(case(top, "KA-DEP-001")) == {
        "system-out": (None, "1 of 1 fail and are accepted by a waiver")
    }


def test_what_passes_is_silent(tmp_path: Path) -> None:
    top = written(assessed(tmp_path, PODS.split("---")[1], "KA-DEP-001"))
    assert texts(case(top, "KA-DEP-001")) == {}


def test_of_many_some_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(junit, "_MOST", 2)
    pods = [WAIVED.replace("known", f"p{number}") for number in range(5)]
    top = written(assessed(tmp_path, "---".join(pods), "KA-DEP-001"))
    _, text = texts(case(top, "KA-DEP-001"))["failure"]
    assert [line.split(",")[0] for line in (text or "").splitlines()] == [
        *("Pod shop/p0", "Pod shop/p1"),
        "and 3 others",
    ]


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    hostile = "\\x1b[31m]]>&\\u0000\\ufffe<a/>"
    pod = WAIVED.replace("{name: c,", f'{{name: "{hostile}",').replace("known", "p")
    content = b"".join(junit.results_junit(assessed(tmp_path, pod, "KA-DEP-001"))).decode()
    assert not {"\x1b", "\x00", "\ufffe"} & {*content}
    _, text = texts(case(ElementTree.fromstring(content), "KA-DEP-001"))["failure"]
    assert "\\u{1b}[31m]]>&\\u{0}\\u{fffe}<a/>" in (text or "")
