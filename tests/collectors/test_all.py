"""What holds for every collector: declarations, hostile input, nulls, and rows made again."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from kaudit import registry
from kaudit.collect import collect
from kaudit.model.nulls import without_nulls
from kaudit.model.place import Place
from kaudit.registry import Collector, Read
from kaudit.spec_rows import SpecRows
from kaudit.table import Row, Table
from tests.memory_source import MemorySource, broken, rows

registry.load()
READS: dict[tuple[str, str], Read] = {
    read.id: read for c in registry.COLLECTORS.values() for read in c.reads if not read.tool
}
COLLECTED: dict[str, Table] = {t.name: t for c in registry.COLLECTORS.values() for t in c.tables}
BY_ROW = {table.row: table for table in COLLECTED.values()}
#: One kind for each struct: kinds that share one are decoded and read alike.
STRUCTS = list({(r.model, r.namespaced): r for r in READS.values()}.values())
each_kind = pytest.mark.parametrize("read", READS.values(), ids=lambda r: r.raw)
each_struct = pytest.mark.parametrize("read", STRUCTS, ids=lambda r: r.raw)
each_table = pytest.mark.parametrize("table", registry.TABLES.values(), ids=lambda t: t.name)


def collectors_of(read: Read) -> list[Collector]:
    return [c for c in registry.COLLECTORS.values() if any(r.id == read.id for r in c.reads)]


def rows_of(read: Read, item: bytes) -> list[Row]:
    """Rows of one object, and their Arrow tables: nothing but ValidationError may come."""
    found: Any = msgspec.json.decode(item, type=read.model)
    place = Place(
        group=read.group,
        kind=read.kind,
        namespace=found.metadata.namespace or "default",
        name=found.metadata.name or "",
        uid="u",
        raw=read.raw,
        line=1,
    )
    collectors = collectors_of(read)
    made = [row for c in collectors if not c.of_spec for row in c.function(found, place)]
    told = SpecRows(collectors)
    told.add(found, place)
    for name, columns in told.columns():
        assert columns.schema == registry.TABLES[name].schema
        made += [registry.TABLES[name].row(**row) for row in columns.to_pylist()]
    for kind in {type(row) for row in made}:
        alike = [row for row in made if type(row) is kind]
        assert BY_ROW[kind].arrow(alike).num_rows == len(alike)
    return made


# --- declarations


@each_table
def test_tables_say_what_they_hold(table: Table) -> None:
    assert table.grain
    assert not table.grain.endswith(".")
    for column in table.columns:
        assert column.sentence.strip() == column.sentence != ""
        assert "|" not in column.sentence
        assert "\n" not in column.sentence


@each_table
def test_keys_are_columns_without_nulls(table: Table) -> None:
    columns = {c.name: c for c in table.columns}
    assert [name for name in table.key if columns[name].nullable] == []
    assert [name for name in table.key if columns[name].kind == "texts"] == []


@pytest.mark.parametrize("table", COLLECTED.values(), ids=lambda t: t.name)
def test_collected_rows_lead_to_their_record(table: Table) -> None:
    assert [c.name for c in table.columns][-2:] == ["raw", "raw_line"]


def test_a_kind_is_read_in_one_way() -> None:
    for collector in registry.COLLECTORS.values():
        for read in (read for read in collector.reads if not read.tool):
            assert read == READS[read.id], f"{collector.name} reads {read.kind} in another way"


def test_structs_hold_only_numbers_and_times_that_columns_can_hold() -> None:
    for read in READS.values():
        for path, kind in leaves(inspect.type_info(read.model)):
            if isinstance(kind, inspect.DateTimeType):
                assert kind.tz is True, f"{read.kind}{path} takes a time without zone"


def leaves(kind: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(kind, inspect.UnionType):
        for member in kind.types:
            yield from leaves(member, path)
    elif isinstance(kind, inspect.StructType):
        for field in kind.fields:
            yield from leaves(field.type, f"{path}.{field.encode_name}")
    elif isinstance(kind, inspect.ListType):
        yield from leaves(kind.item_type, f"{path}[]")
    elif isinstance(kind, inspect.DictType):
        yield from leaves(kind.value_type, f"{path}{{}}")
    else:
        yield path, kind


# --- nulls, as the API server reads them


def nulls(kind: Any) -> Iterator[Any]:
    """An object for each place of a struct, with null at that place."""
    if isinstance(kind, inspect.UnionType):
        for member in kind.types:
            yield from nulls(member)
    elif isinstance(kind, inspect.StructType):
        for field in kind.fields:
            yield {field.encode_name: None}
            for inner in nulls(field.type):
                yield {field.encode_name: inner}
    elif isinstance(kind, inspect.ListType):
        yield [None]
        for inner in nulls(kind.item_type):
            yield [inner]
    elif isinstance(kind, inspect.DictType):
        yield {"k": None}
        for inner in nulls(kind.value_type):
            yield {"k": inner}


@each_struct
def test_null_anywhere_is_read(read: Read) -> None:
    tried = 0
    for found in nulls(inspect.type_info(read.model)):
        item = msgspec.json.encode(found)
        try:
            msgspec.json.decode(item, type=read.model)
        except msgspec.ValidationError:
            item = without_nulls(item, read.model)
        rows_of(read, item)
        tried += 1
    assert tried >= 13  # apiVersion, kind, metadata and what that holds


@each_kind
def test_an_object_without_anything_is_read(read: Read) -> None:
    item = {"apiVersion": f"{read.group}/v1".strip("/"), "kind": read.kind, "metadata": {}}
    evidence = collect(MemorySource(item))
    assert broken(evidence) == []


def test_null_members_and_items() -> None:
    item = (
        b'{"metadata":null,"spec":{"containers":[null,{"args":["a",null],"image":null}],'
        b'"nodeSelector":{"a":null}},"status":null,"other":null}'
    )
    model = READS["", "Pod"].model
    assert msgspec.json.decode(without_nulls(item, model)) == {
        "spec": {
            "containers": [{}, {"args": ["a", ""]}],
            "nodeSelector": {"a": None},
        }
    }


# --- wrong types and random objects

WRONG: tuple[Any, ...] = (
    7,
    -1.5,
    True,
    "text",
    [],
    {},
    [{}],
    [None],
    {"a": []},
    2**63,
    10**30,
    "é" * 40,
)


def wrong(kind: Any, value: Any) -> Iterator[Any]:
    """The value at each place of a struct, one level of lists and objects deep at a time."""
    if isinstance(kind, inspect.UnionType):
        for member in kind.types:
            yield from wrong(member, value)
    elif isinstance(kind, inspect.StructType):
        for field in kind.fields:
            yield {field.encode_name: value}
            for inner in wrong(field.type, value):
                yield {field.encode_name: inner}
    elif isinstance(kind, inspect.ListType):
        for inner in wrong(kind.item_type, value):
            yield [inner]
    elif isinstance(kind, inspect.DictType):
        yield {"k": value, "nginx.ingress.kubernetes.io/k": value}


@each_struct
def test_wrong_types_are_refused_or_read(read: Read) -> None:
    refused = 0
    for value in WRONG:
        for found in wrong(inspect.type_info(read.model), value):
            try:
                rows_of(read, msgspec.json.encode(found))
            except msgspec.ValidationError:
                refused += 1
    assert refused > 100


@each_kind
def test_a_broken_object_is_one_gap(read: Read) -> None:
    api = f"{read.group}/v1".strip("/")
    bad = {"apiVersion": api, "kind": read.kind, "metadata": {"name": "bad", "labels": ["x"]}}
    good = {"apiVersion": api, "kind": read.kind, "metadata": {"name": "good"}}
    evidence = collect(MemorySource(bad, good))
    expected = "Expected `object | null`, got `array` - at `$.metadata.labels`"
    assert broken(evidence) == [(f"{read.named} bad", expected)]
    assert rows(evidence, "inventory", "kind", "objects") == [{"kind": read.kind, "objects": 2}]


texts = st.text(max_size=6) | st.sampled_from(["=cmd()", "<script>", "\x1b[2J", "Always", "a=b"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def later(kind: Any) -> st.SearchStrategy[Any]:
    """The same, made when it is asked for: structs may hold themselves."""

    def made() -> st.SearchStrategy[Any]:
        return near(kind)

    return st.deferred(made)


def near(kind: Any) -> st.SearchStrategy[Any]:
    """Values that mostly fit a struct, and sometimes do not."""
    if isinstance(kind, inspect.UnionType):
        return st.one_of([near(member) for member in kind.types])
    if isinstance(kind, inspect.StructType):
        fields = {f.encode_name: later(f.type) for f in kind.fields}
        if not fields:
            return st.just({})
        return st.lists(st.sampled_from(sorted(fields)), max_size=6, unique=True).flatmap(
            lambda names: st.fixed_dictionaries({name: fields[name] for name in names})
        )
    if isinstance(kind, inspect.ListType):
        return st.lists(near(kind.item_type), max_size=2)
    if isinstance(kind, inspect.DictType):
        return st.dictionaries(texts, near(kind.value_type), max_size=2)
    plain: dict[type, st.SearchStrategy[Any]] = {
        inspect.NoneType: st.none(),
        inspect.BoolType: st.booleans(),
        inspect.IntType: st.integers(-(2**63), 2**63 - 1),
        inspect.FloatType: st.floats(allow_nan=False, allow_infinity=False),
        inspect.StrType: texts,
        inspect.DateTimeType: st.sampled_from(
            ["2026-01-01T00:00:00Z", "1970-01-01T00:00:00+14:00"]
        ),
    }
    return plain.get(type(kind), texts)


@each_struct
@settings(max_examples=25, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_random_objects_are_refused_or_read(read: Read, data: st.DataObject) -> None:
    kind = inspect.type_info(read.model)
    found = data.draw(st.dictionaries(texts, values, max_size=2) | near(kind))
    try:
        rows_of(read, msgspec.json.encode(found))
    except msgspec.ValidationError:
        return


# --- evidence: what is kept gives the same rows again


@each_struct
@settings(max_examples=25, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_kept_records_give_the_same_rows(read: Read, data: st.DataObject) -> None:
    found = data.draw(near(inspect.type_info(read.model)))
    try:
        first: Any = msgspec.json.decode(msgspec.json.encode(found), type=read.model)
    except msgspec.ValidationError:
        return
    kept = msgspec.json.encode(first)
    assert msgspec.json.encode(msgspec.json.decode(kept, type=read.model)) == kept
    assert rows_of(read, kept) == rows_of(read, msgspec.json.encode(found))


HOSTILE = ["<script>x</script>", "=1+1", "a\x1b[2Jb", "\u202ea", "a'\";--", "../../x", "{{7*7}}"]


@each_kind
def test_hostile_names_are_kept_as_they_are(read: Read) -> None:
    api = f"{read.group}/v1".strip("/")
    named = [{"name": text, "labels": {text: text}} for text in HOSTILE]
    items = [{"apiVersion": api, "kind": read.kind, "metadata": meta} for meta in named]
    evidence = collect(MemorySource(*items))
    assert [evidence.record(read.raw, n)["metadata"] for n in range(1, 8)] == named


def test_hostile_names_in_rows() -> None:
    named = [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": n}} for n in HOSTILE]
    evidence = collect(MemorySource(*named))
    assert sorted(row["name"] for row in rows(evidence, "nodes")) == sorted(HOSTILE)
