"""What the guided hour calls beyond pandas."""

from pathlib import Path

import msgspec
import pytest

from kaudit import registry, show
from kaudit.evidence.bundle import Evidence
from kaudit.show.block_html import standalone
from kaudit.show.blocks import Code, Tone

SAMPLE = Path(__file__).parents[2] / "reports" / "sample" / "evidence.kaudit"


def test_a_control_that_keeps_its_word_is_told_so() -> None:
    found = show.cases("KA-DEP-001")
    assert (found.tone, found.title) == (Tone.OK, "KA-DEP-001 keeps its word")


def test_each_case_that_is_not_as_it_says_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    control = registry.find_control("KA-DEP-001")
    wrong = control.cases.replace("ok-unset", "bad-unset")
    monkeypatch.setitem(
        registry.CONTROLS, control.id, msgspec.structs.replace(control, cases=wrong)
    )
    found = show.cases("KA-DEP-001")
    assert found.tone is Tone.DANGER
    assert found.text == "- bad-unset: does not fail"


def test_evidence_shows_every_table_that_it_has() -> None:
    evidence = Evidence.open(SAMPLE)
    page = standalone(show.evidence(evidence))
    names = [*evidence.tables()["table"]]
    assert len(names) > 100
    assert [name for name in names if f">{name}<" not in page] == []
    assert "are shown" not in page


def test_a_block_follows_the_theme_of_jupyterlab() -> None:
    page = standalone(Code("$x$"))
    light = page.index('[data-jp-theme-light="true"] .kaudit {')
    dark = page.index('[data-jp-theme-light="false"] .kaudit {')
    assert page.index("prefers-color-scheme") < light < dark
    assert "#fff;" in page[light:dark]
    assert "--paper: #12181f" in page[dark:]
    assert "--paper: var(--jp-layout-color0" in page[dark:]
    assert '<div class="kaudit tex2jax_ignore mathjax_ignore">' in page
