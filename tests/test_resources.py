"""Resources have one number each, whichever table names them and however often."""

import pandas as pd
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from kaudit.observations import Words
from kaudit.resources import Resources
from kaudit.table import Resource, frame

_OWNER = Resource("owner_kind", name="owner_name")


def _subject(*names: str, namespace: str = "shop") -> pd.DataFrame:
    rows = [{"owner_kind": "Job", "namespace": namespace, "owner_name": name} for name in names]
    return frame(pa.Table.from_pylist(rows))


@given(st.lists(st.lists(st.text("ab", max_size=2))))
def test_keys_have_one_number_each(batches: list[list[str]]) -> None:
    resources, words = Resources(), Words()
    for batch in batches:
        assert [resources.keys[n] for n in resources.numbered(batch)] == batch
        assert [words.texts[n] for n in words.numbers(batch)] == batch
    assert len({*resources.keys}) == len(resources.keys)
    assert len({*words.texts}) == len(words.texts)


def test_equal_columns_of_two_frames_are_numbered_once() -> None:
    resources = Resources()
    first = resources.of(_subject("a", "b", "a"), _OWNER)
    assert first.tolist() == [0, 1, 0]
    assert resources.of(_subject("a", "b", "a"), _OWNER) is first
    assert resources.of(_subject("a", "b", "a", namespace="bank"), _OWNER).tolist() == [2, 3, 2]
    assert resources.of(_subject("b", "a", "a"), _OWNER).tolist() == [1, 0, 0]
    again = Resource("owner_kind", name="owner_name", container="=x")
    assert resources.of(_subject("a", "b", "a"), again).tolist() == [4, 5, 4]
