"""What has the shape of a credential in a table is masked before it is sealed."""

import pyarrow as pa

from kaudit.evidence.seal import masked_table, suspicious

KEY = "AKIA" + "B2C3D4E5F6G7H8I9"


def test_texts_and_lists_of_texts_are_masked_and_counted() -> None:
    table = pa.table(
        {
            "name": ["a", None, f"key {KEY} here"],
            "args": pa.array([[KEY, "b"], None, []], pa.list_(pa.string())),
            "port": [1, 2, 3],
        }
    )
    found, hits = masked_table(table)
    assert hits == 2
    assert found.to_pydict() == {
        "name": ["a", None, "key [masked] here"],
        "args": [["[masked]", "b"], None, []],
        "port": [1, 2, 3],
    }
    assert found.schema == table.schema


def test_each_time_that_it_stands_there_counts() -> None:
    table = pa.table({"name": pa.chunked_array([[KEY, KEY], ["a", KEY]])})
    found, hits = masked_table(table)
    assert (found["name"].to_pylist(), hits) == (["[masked]", "[masked]", "a", "[masked]"], 3)


def test_a_table_without_any_is_the_table_that_it_was() -> None:
    table = pa.table({"name": ["a", None]})
    assert masked_table(table) == (table, 0)


def test_small_and_large_columns_are_searched_alike() -> None:
    large = ["x" * 1000] * 1999
    table = pa.table({"a": [*large, KEY], "b": [KEY, *["b"] * 1999], "c": [*large, "c"]})
    found, hits = masked_table(table)
    assert hits == 2
    assert (found["a"][-1].as_py(), found["b"][0].as_py()) == ("[masked]", "[masked]")
    assert found["c"] == table["c"]


def test_one_credential_in_any_table_makes_all_suspicious() -> None:
    clear = pa.table({"a": ["x", None], "n": [1, 2], "l": pa.array([["y"], None])})
    lists = pa.table({"b": pa.array([["z", f"-{KEY}-"]])})
    assert not suspicious([])
    assert not suspicious([clear, pa.table({"n": [1]})])
    assert suspicious([clear, lists])
    assert suspicious([pa.table({"a": ["x" * 1000] * 2000})])
