"""Resources have one number each, whichever table names them and however often."""

import pickle

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaudit import resources as module
from kaudit.observations import Words
from kaudit.resources import Resources, key_of
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


@given(st.lists(st.lists(st.text("ab/\u00e9", max_size=2)), max_size=4))
def test_keys_and_words_that_rest_keep_their_numbers(batches: list[list[str]]) -> None:
    plain, resting, words = Resources(), Resources(), Words()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MANY", 0)
        for batch in batches:
            keys = [key_of("Pod", "shop", name) for name in batch]
            assert resting.numbered(keys).tolist() == plain.numbered(keys).tolist()
            assert [words.texts[n] for n in words.numbers(batch)] == batch
            resting.rest()
            words.rest()
            assert resting.keys == plain.keys
            assert [*map(resting.parts, range(len(resting)))] == [
                *map(plain.parts, range(len(plain)))
            ]
            assert resting.order.tolist() == plain.order.tolist()
            assert len({*words.texts}) == len(words.texts)
    sent = pickle.loads(pickle.dumps(resting))
    assert Resources().of_others(sent).tolist() == list(range(len(plain)))


@given(st.lists(st.lists(st.text("ab", max_size=2), unique=True), max_size=4))
def test_columns_of_keys_are_numbered_as_their_texts(batches: list[list[str]]) -> None:
    plain, resting = Resources(), Resources()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MANY", 0)
        for batch in batches:
            others = Resources()
            others.numbered(batch)
            for _ in range(2):
                assert resting.of_others(others).tolist() == plain.numbered(batch).tolist()
                resting.forget()
            assert resting.keys == plain.keys
            resting.rest()


def test_equal_columns_of_two_frames_are_numbered_once() -> None:
    resources = Resources()
    first = resources.of(_subject("a", "b", "a"), _OWNER)
    assert first.tolist() == [0, 1, 0]
    assert resources.of(_subject("a", "b", "a"), _OWNER) is first
    assert resources.of(_subject("a", "b", "a", namespace="bank"), _OWNER).tolist() == [2, 3, 2]
    assert resources.of(_subject("b", "a", "a"), _OWNER).tolist() == [1, 0, 0]
    again = Resource("owner_kind", name="owner_name", container="=x")
    assert resources.of(_subject("a", "b", "a"), again).tolist() == [4, 5, 4]
