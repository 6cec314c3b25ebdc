"""What has the shape of a credential in a table is masked before it is sealed."""

import pyarrow as pa

from kaudit.evidence.seal import masked_table

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
