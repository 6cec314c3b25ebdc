"""Single things show themselves in a notebook: escaped, short, and of our own fields."""

from datetime import date
from typing import Any

import pytest

import kaudit as ka
from kaudit.card import small_table
from kaudit.model.words import Gap, Layer, Reason, Severity, Status
from kaudit.registry import find_control
from kaudit.result import Result
from kaudit.waivers import Waiver

HOSTILE = "<script>alert(1)</script>\x1b[2J\u202e"
THINGS: dict[str, Any] = {
    "gap": Gap(what=HOSTILE, reason=Reason.BROKEN, detail=HOSTILE * 100, tables=("pods", HOSTILE)),
    "waiver": Waiver(
        id=HOSTILE, control="*", reason=HOSTILE, owner="o", approver="a", expires=date(2026, 1, 2)
    ),
    "result": Result(
        "KA-DEP-001", Status.NOT_ASSESSED, Severity.HIGH, Layer.DEPLOY, name=HOSTILE, reason=HOSTILE
    ),
}


@pytest.mark.parametrize("thing", THINGS.values(), ids=THINGS)
def test_hostile_text_is_escaped_and_short(thing: Any) -> None:
    page = thing._repr_html_()
    assert "<script" not in page
    assert not {"\x1b", "\u202e"} & set(page)
    assert r"&lt;script&gt;alert(1)&lt;/script&gt;\u{1b}[2J\u{202e}" in page
    assert len(page) < 4000


def test_a_control_shows_what_it_asks_and_not_how() -> None:
    page = find_control("KA-DEP-001")._repr_html_()
    assert "KA-DEP-001 No container runs in privileged mode." in page
    assert ">critical<" in page
    assert "function" not in page
    assert "apiVersion" not in page


def test_what_is_empty_is_left_out() -> None:
    page = THINGS["result"]._repr_html_()
    assert "KA-DEP-001: not assessed" in page
    assert "observed" not in page


def test_a_name_with_dollars_is_no_formula() -> None:
    assert small_table("$x$", [("a", 1)], ("b", "c")).startswith('<div class="tex2jax_ignore ')


def test_an_assessment_gives_the_results_of_a_control_by_its_id() -> None:
    from tests.test_waivers import plain

    a = plain()
    assert list(a) == a._ipython_key_completions_() == sorted(a.by_control)
    assert set(a["KA-DEP-001"]["control"]) == {"KA-DEP-001"}
    assert set(a["KA-DEP-001"]["status"]) == {"pass", "fail"}
    with pytest.raises(ka.KauditError, match="did you mean KA-DEP-001"):
        a["KA-DEP-0001"]
