"""Large lists read through a window give what reading them whole gives."""

import hashlib
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaudit.model.words import Reason
from kaudit.source import files, json_windows
from kaudit.source.documents import EmptyList, Found, Item, Other, found_in
from kaudit.source.files import FileSource


def through(data: bytes, monkeypatch: pytest.MonkeyPatch, window: int = 64) -> list[Found] | None:
    monkeypatch.setattr(json_windows, "_WINDOW", window)
    heard = hashlib.sha256()
    found = json_windows.windowed(io.BytesIO(data), len(data), heard.update)
    if found is None:
        return None
    items = list(found)
    assert heard.digest() == hashlib.sha256(data).digest()
    return items


def pods(number: int) -> list[dict[str, object]]:
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"p{n}",
                "annotations": {"a": '},{"apiVersion":"v1"},{' * (n % 3)},
            },
            "spec": {"containers": [{"name": "a"}, {"name": "b"}]},
        }
        for n in range(number)
    ]


def plain(items: list[Found]) -> list[tuple[object, ...]]:
    return [
        (f.group, f.version, f.kind, bytes(f.raw), f.document, f.item)
        for f in items
        if isinstance(f, Item)
    ]


@pytest.mark.parametrize("indent", [None, 1, 4])
@pytest.mark.parametrize("window", [1, 50, 200, 5000, 1 << 20])
@pytest.mark.parametrize("last", [False, True])
def test_windows_of_any_size_give_the_same_items(
    indent: int | None, window: int, last: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = {"apiVersion": "v1", "kind": "List"}
    tail = {"metadata": {"resourceVersion": "", "x": [1, [2]]}}
    body = {"items": pods(12)}
    content = {**body, **head, **tail} if last else {**head, **tail, **body}
    data = json.dumps(content, indent=indent).encode()
    found = through(data, monkeypatch, window)
    assert found is not None
    assert len(found) == 12
    assert plain(found) == plain(list(found_in(data, yaml=False)))


def test_a_typed_list_gives_its_kind_to_items(monkeypatch: pytest.MonkeyPatch) -> None:
    items = [{"metadata": {"name": n}} for n in "abc"]
    data = json.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})
    found = through(data.encode(), monkeypatch)
    assert found is not None
    assert [(f.group, f.version, f.kind) for f in found if isinstance(f, Item)] == [
        ("", "v1", "Pod")
    ] * 3
    empty = b'{"kind":"PodList","apiVersion":"v1","items":[ ]}'
    assert through(empty, monkeypatch) == [EmptyList("", "Pod")]


@pytest.mark.parametrize(
    "data",
    [
        b'{"apiVersion":"v1","kind":"Pod","metadata":{}}',
        b'{"apiVersion":"v1","kind":"List","items":[{"a":1},',
        b'{"apiVersion":"v1","kind":"ConfigMap","items":[]}',
        b'{"note":"\\"items\\": [","kind":"List","apiVersion":"v1"}',
        b"",
        b"]]]]",
    ],
)
def test_what_is_no_whole_list_is_read_otherwise(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert through(data, monkeypatch) is None


@pytest.mark.parametrize("window", [64, 400, 1 << 20])
@pytest.mark.parametrize(
    ("old", "new", "after"),
    [
        ('"spec":', '"spec"', ["p7", "p8"]),
        ('"spec": {', '"spec": {"priority": NaN, ', ["p7", "p8"]),
        ('"name": "p6"', '"name": "\\ud800"', ["p7", "p8"]),
        ('"spec":', '}, "spec":', ["p8"]),
        ('"name": "p6"', '"name": "p6', []),
    ],
)
def test_an_item_that_breaks_costs_itself_alone(
    old: str, new: str, after: list[str], window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [json.dumps(pod) for pod in pods(9)]
    texts[6] = texts[6].replace(old, new)
    data = ('{"apiVersion":"v1","kind":"List","items":[' + ",".join(texts) + "]}").encode()
    found = through(data, monkeypatch, window)
    assert found is not None
    faults = [f for f in found if isinstance(f, Other)]
    assert all("breaks the JSON" in f.detail and f.reason is Reason.BROKEN for f in faults)
    assert faults[0].detail.startswith("item 7 of ")
    kept = [json.loads(bytes(f.raw))["metadata"]["name"] for f in found if isinstance(f, Item)]
    assert kept == ["p0", "p1", "p2", "p3", "p4", "p5", *after]
    plainly = [f for f in found_in(data, yaml=False) if isinstance(f, Item)]
    assert [json.loads(bytes(f.raw))["metadata"]["name"] for f in plainly] == kept


def test_what_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_windows, "LARGE", 2_000)
    texts = [json.dumps(pod) for pod in pods(200)]
    texts[6] = texts[6].replace('"spec": {', '"spec": {{')
    data = ('{"apiVersion":"v1","kind":"List","items":[' + ",".join(texts) + "]}").encode()
    found = through(data, monkeypatch, 400)
    assert found is not None
    assert len(found) == 7
    assert isinstance(found[-1], Other)
    assert found[-1].detail == "item 7 of the list or one after it breaks the JSON"


def test_what_stands_behind_a_broken_list_is_no_item() -> None:
    data = (
        b'{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a"}}],"metadata":{}}?'
    )
    found = list(found_in(data, yaml=False))
    assert [type(f) for f in found] == [Item, Other]


@settings(max_examples=60)
@given(
    values=st.lists(
        st.recursive(
            st.text() | st.integers(),
            lambda s: st.lists(s) | st.dictionaries(st.text(), s),
            max_leaves=8,
        ),
        max_size=6,
    ),
    indent=st.sampled_from([None, 2]),
    window=st.integers(1, 300),
)
def test_any_content_of_items(values: list[object], indent: int | None, window: int) -> None:
    items = [{"apiVersion": "v1", "kind": "Thing", "value": value} for value in values]
    data = json.dumps({"apiVersion": "v1", "items": items, "kind": "List"}, indent=indent).encode()
    with pytest.MonkeyPatch.context() as patch:
        found = through(data, patch, window)
    assert found is not None
    assert plain(found) == plain(list(found_in(data, yaml=False)))


def test_a_file_source_uses_windows_for_large_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = json.dumps({"apiVersion": "v1", "kind": "List", "items": pods(50)}).encode()
    (tmp_path / "pods.json").write_bytes(data)
    whole = list(FileSource(tmp_path).read({}))
    monkeypatch.setattr(files, "LARGE", 100)
    monkeypatch.setattr(json_windows, "_WINDOW", 512)
    streamed = list(FileSource(tmp_path).read({}))
    assert streamed == whole
