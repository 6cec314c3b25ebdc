"""Masking of text that was collected: named values, values inside of values, endless options."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaudit.model.credential import masked

HIDDEN = "[masked: named as a credential]"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("psql --password=hunter2hunter2 -h db", f"psql --password={HIDDEN} -h db"),
        ("url=one?password=hunter2hunter2", f"url=one?password={HIDDEN}"),
        ("opts='a=b db_password=hunter2hunter2'", f"opts='a=b db_password={HIDDEN}"),
        ("password: 'two words'", f"password: {HIDDEN}"),
        ("password=$(PASSWORD)", "password=$(PASSWORD)"),
        ("mode=fast level:3", "mode=fast level:3"),
        ("password=", "password="),
    ],
)
def test_values_that_are_named_as_credentials(text: str, shown: str) -> None:
    assert masked(text).rstrip("'") == shown.rstrip("'")


@pytest.mark.parametrize("piece", ["a=", "a:b", "x='", 'a="', "password=", "--a=-", "a= "])
def test_options_without_end_are_text_like_any_other(piece: str) -> None:
    assert masked(piece * 30_000)


@given(st.text(alphabet="ab=:'\"- \npassword", max_size=80))
def test_masking_twice_is_masking_once(text: str) -> None:
    once = masked(text)
    assert masked(once) == once
