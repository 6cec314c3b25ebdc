"""Files, folders and streams give the same tables; what is broken is named."""

import gzip
import json
import os
import subprocess
import threading
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pytest

from kaudit import registry
from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.errors import InputError
from kaudit.model.words import Reason, Status
from kaudit.source import files, shares
from kaudit.source.files import FileSource

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "shop"},
    "spec": {"containers": [{"name": "c", "image": "i:1", "securityContext": {"runAsUser": 0}}]},
}
YAML = """\
# Source: chart/templates/pod.yaml
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop}
spec:
  containers:
    - name: c
      image: i:1
      securityContext: {runAsUser: 0}
"""
JSON = json.dumps(POD)
LIST = json.dumps({"apiVersion": "v1", "kind": "List", "items": [POD]}, indent=4)
TYPED = json.dumps(
    {
        "apiVersion": "v1",
        "kind": "PodList",
        "items": [{k: v for k, v in POD.items() if k in ("metadata", "spec")}],
    }
)
FORMS = {
    "pod.yaml": YAML.encode(),
    "crlf.yaml": YAML.replace("\n", "\r\n").encode(),
    "bom.yaml": b"\xef\xbb\xbf" + YAML.encode(),
    "utf16.yaml": YAML.encode("utf-16"),
    "marks.yaml": f"---\n---\n{YAML}...\n---\n# nothing\n".encode(),
    "flow.yaml": JSON.encode(),
    "list.yaml": b"apiVersion: v1\nkind: List\nitems:\n- " + JSON.encode(),
    "pod.json": JSON.encode(),
    "list.json": LIST.encode(),
    "typed.json": TYPED.encode(),
    "lines.jsonl": JSON.encode() + b"\n",
    "row.json": JSON.encode() + b"\n\n" + b'{"gitVersion": "v1.34.1"}',
    "packed.yaml.gz": gzip.compress(YAML.encode(), mtime=0),
    "packed.json.gz": gzip.compress(LIST.encode(), mtime=0),
}


def containers(source: FileSource) -> list[dict[Hashable, Any]]:
    frame = collect(source, raw=False)["containers"]
    return frame.drop(columns=["raw", "raw_line"]).to_dict("records")


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FORMS[name])
    expected = containers(FileSource.of_text(YAML))
    assert len(expected) == 1
    assert expected[0]["run_as_user"] == 0
    assert repr(containers(FileSource(tmp_path / name))) == repr(expected)
    assert repr(containers(FileSource(tmp_path))) == repr(expected)


@pytest.mark.parametrize(
    "last", [YAML, "{kind: Pod, apiVersion: v1, metadata: {name: z}}\n", f"{JSON}\n"]
)
def test_documents_of_one_file_may_be_json_and_yaml(tmp_path: Path, last: str) -> None:
    (tmp_path / "mixed.yaml").write_text(f"{JSON}\n---\n{last}---\n{YAML}")
    evidence = collect(FileSource(tmp_path / "mixed.yaml"), raw=False)
    assert len(evidence.frames.base("records")) == 3
    assert not [gap for gap in evidence.gaps if gap.reason == "broken"]


def test_lists_in_a_list_are_told_and_kinds_may_be_called_lists(tmp_path: Path) -> None:
    named = {"apiVersion": "example.com/v1", "kind": "AllowList", "metadata": {"name": "a"}}
    inner = {"apiVersion": "v1", "kind": "PodList", "items": [POD]}
    listed = {"apiVersion": "v1", "kind": "List", "items": [inner, POD, named], "metadata": "odd"}
    (tmp_path / "list.json").write_text(json.dumps(listed) + json.dumps(named))
    evidence = collect(FileSource(tmp_path / "list.json"), raw=False)
    (gap,) = (gap for gap in evidence.gaps if gap.reason == "broken")
    assert "item 1 of document 1 is a list itself" in gap.detail
    inventory = evidence.frames.base("inventory")
    assert dict(zip(inventory["kind"], inventory["objects"], strict=True)) == {
        "Pod": 1,
        "AllowList": 2,
    }


def test_a_pipe_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(YAML,))
    writer.start()
    source = FileSource(path)
    assert len(containers(source)) == 1
    writer.join()
    assert source.label == "stream"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("bad.yaml", b"kind: Pod\n  x: [", "line 2: mapping values are not allowed"),
        ("cut.json", JSON.encode()[:60], "the JSON ends or breaks at line 1"),
        ("binary.yaml", b"\x00\x01\x02\xff", "line 1"),
        ("empty.yaml", b"", "holds no Kubernetes object"),
        ("notes.yaml", b"just: notes\n", "holds no Kubernetes object"),
        ("broken.json.gz", b"\x1f\x8bnot gzip", "cannot be unpacked"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_error(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as fault:
        collect(FileSource(tmp_path / name), raw=False)
    assert said in str(fault.value)
    assert str(fault.value).count(name) == 1


def test_one_bad_file_among_many_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(YAML)
    (tmp_path / "bad.yaml").write_text("kind: Pod\n  x: [")
    evidence = collect(FileSource(tmp_path), raw=False)
    assert len(evidence["pods"]) == 1
    (gap,) = [g for g in evidence.gaps if g.failed]
    assert (gap.reason, gap.name) == (Reason.BROKEN, "bad.yaml")
    assert "line 2" in gap.detail
    assert {"pods", "containers", "rbac_rules"} <= set(gap.tables)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(YAML)
    (tmp_path / "large.yaml").write_text(YAML + "#" * 4000)
    evidence = collect(FileSource(tmp_path, largest=2000), raw=False)
    (gap,) = [g for g in evidence.gaps if g.failed]
    assert (gap.reason, gap.name) == (Reason.TOO_LARGE, "large.yaml")
    bomb = gzip.compress(b"#" * 100_000, mtime=0)
    (tmp_path / "large.yaml").unlink()
    (tmp_path / "bomb.yaml.gz").write_bytes(bomb)
    evidence = collect(FileSource(tmp_path, largest=2000), raw=False)
    assert [g.name for g in evidence.gaps if g.failed] == ["bomb.yaml.gz"]


def unread(folder: Path) -> dict[str, str]:
    """Files that are gaps, each with its reason."""
    evidence = collect(FileSource(folder), raw=False)
    failed = [g for g in evidence.gaps if g.failed]
    assert all({"pods", "rbac_rules"} <= set(g.tables) for g in failed)
    results = list(assess(evidence).iter_results())
    lost = {r.control for r in results if r.status is Status.NOT_ASSESSED and r.kind == "File"}
    judged = {r.control for r in results if r.status is not Status.NOT_ASSESSED}
    whole = set(registry.CONTROLS) - judged  # on the cluster as such: its one row is not assessed
    of_objects = set(registry.CONTROLS) - {"KA-RUN-021"}  # which is about what was read itself
    assert (lost | whole if failed else lost) == (of_objects if failed else set())
    return {g.name: g.detail.partition(": ")[2] for g in failed}


def test_links_out_of_the_folder_and_loops_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "pod.yaml").write_text(YAML.replace("name: p", "name: secret"))
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "pod.yaml").write_text(YAML)
    (folder / "loop").symlink_to(folder)
    (folder / "self.txt").symlink_to(folder / "self.txt")
    assert unread(folder) == {}
    (folder / "out.yaml").symlink_to(tmp_path / "outside" / "pod.yaml")
    (folder / "away").symlink_to(tmp_path / "outside")
    assert unread(folder) == {
        "away": "a link out of the folder",
        "out.yaml": "a link out of the folder",
    }
    assert collect(FileSource(folder), raw=False)["pods"]["pod"].tolist() == ["p"]


def test_what_is_there_and_cannot_be_read_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(YAML)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "gone.yaml").symlink_to(tmp_path / "nothing")
    (tmp_path / "sub" / "self.json").symlink_to(tmp_path / "sub" / "self.json")
    os.mkfifo(tmp_path / "pipe.json")
    assert unread(tmp_path) == {
        "pipe.json": "no regular file",
        "sub/gone.yaml": "a link to nothing",
        "sub/self.json": "a link to nothing",
    }


def test_a_folder_that_holds_nothing_else_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"gone\.yaml: a link to nothing"):
        collect(FileSource(tmp_path), raw=False)


def test_a_file_that_may_not_be_read_is_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_text(YAML)
    (tmp_path / "theirs.yaml").write_text(YAML)
    read = Path.read_bytes

    def refused(path: Path) -> bytes:
        if path.name == "theirs.yaml":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    assert unread(tmp_path) == {"theirs.yaml": "cannot be read: Permission denied"}


def test_a_folder_that_may_not_be_listed_is_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_text(YAML)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "pod.yaml").write_text(YAML)
    scandir = os.scandir

    def refused(path: Any) -> Any:
        if Path(path).name == "theirs":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert unread(tmp_path) == {"theirs": "cannot be listed: Permission denied"}


def test_kinds_that_are_not_known_are_counted(tmp_path: Path) -> None:
    odd = "{apiVersion: example.com/v1, kind: Gadget, metadata: {name: g}}"
    evidence = collect(FileSource.of_text(f"{YAML}---\n{odd}\n---\n{odd}"), raw=False)
    inventory = evidence["inventory"]
    row = inventory[inventory["kind"] == "Gadget"]
    assert row[["group", "version", "objects", "collected"]].values.tolist() == [
        ["example.com", "v1", 2, False]
    ]


def test_what_is_defined_twice_is_said_and_judged_twice() -> None:
    other = YAML.replace("i:1", "j:1")
    evidence = collect(FileSource.of_text(f"{YAML}---\n{other}"), raw=False)
    assert sorted(evidence["containers"]["image"]) == ["i:1", "j:1"]
    (gap,) = [g for g in evidence.gaps if g.reason is Reason.AMBIGUOUS]
    assert "defined 2 times" in gap.detail


@pytest.mark.parametrize("place", ["/dev/null", "/dev/zero"])
def test_devices_are_no_source(place: str) -> None:
    with pytest.raises(InputError, match="neither a file nor a folder"):
        collect(FileSource(Path(place)), raw=False)


def test_an_empty_list_of_a_kind_that_nobody_reads() -> None:
    text = '{"apiVersion":"shop.example/v1","kind":"BasketList","items":[]}'
    evidence = collect(FileSource.of_text(text))
    assert len(evidence["inventory"]) == 0
    assert not [gap for gap in evidence.gaps if gap.failed]


@pytest.mark.parametrize("items", [[], [POD]])
@pytest.mark.parametrize("name", ["pods.json", "list.yaml"])
@pytest.mark.parametrize("large", [False, True])
def test_the_first_part_of_a_list_is_not_all_there_is(
    items: list[Any], name: str, large: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(files, "LARGE", 10)
        monkeypatch.setattr(shares, "_LONG", 10)
    meta = {"continue": "eyJ2IjoibWV0", "remainingItemCount": 7}
    listed = {"apiVersion": "v1", "kind": "PodList", "metadata": meta, "items": items}
    (tmp_path / name).write_text(json.dumps(listed))
    (tmp_path / "other.yaml").write_text("{apiVersion: v1, kind: Namespace, metadata: {name: n}}")
    evidence = collect(FileSource(tmp_path), raw=False)
    assert len(evidence["pods"]) == len(items)
    (gap,) = (gap for gap in evidence.gaps if gap.failed)
    assert (gap.reason, gap.name) == (Reason.PARTIAL, name)
    assert "is the first part of a list; get it whole" in gap.detail
    assert "pods" in gap.tables
    statuses = {r.status for r in assess(evidence).iter_results() if r.control == "KA-DEP-001"}
    assert Status.NOT_ASSESSED in statuses


TWICE = {
    "another kind": '"kind": "Secret", "data": {"a": "aHVudGVyMg=="}',
    "another version": '"apiVersion": "apps/v1"',
}


@pytest.mark.parametrize("further", TWICE.values(), ids=list(TWICE))
def test_an_item_that_says_twice_what_it_is_becomes_a_gap(further: str, tmp_path: Path) -> None:
    liar = f"{JSON[:-1]}, {further}}}"
    (tmp_path / "list.json").write_text(
        f'{{"apiVersion": "v1", "kind": "List", "items": [{JSON}, {liar}]}}'
    )
    evidence = collect(FileSource(tmp_path))
    assert len(evidence["pods"]) == 1
    assert not len(evidence["secrets"])
    (gap,) = (gap for gap in evidence.gaps if gap.reason is Reason.BROKEN)
    assert "item 2 of document 1 of list.json: it says twice what it is" in (gap.detail or "")


def test_items_are_known_whatever_they_begin_with(tmp_path: Path) -> None:
    keys = [("kind", "apiVersion"), ("spec", "apiVersion", "kind"), ("apiVersion", "kind")]
    items = [
        {**{key: POD[key] for key in first}, **POD, "metadata": {"name": f"p{at}"}}
        for at, first in enumerate(keys)
    ]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=2)
    (tmp_path / "list.json").write_text(text)
    assert sorted(collect(FileSource(tmp_path))["pods"]["pod"]) == ["p0", "p1", "p2"]


def test_names_that_are_no_text_are_written_out(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path)
    Path(os.fsdecode(folder + b"/caf\xe9.yaml")).write_text(YAML)
    Path(os.fsdecode(folder + b"/\xff.yaml")).write_text("a: [\n")
    found = collect(FileSource(tmp_path), out=tmp_path / "e.kaudit")
    names = [origin.name for origin in found.manifest.origins]
    assert names == ["\\u{dcff}.yaml", "caf\\u{dce9}.yaml"]
    assert [gap.name for gap in found.gaps if gap.failed] == ["\\u{dcff}.yaml"]
    assert len(found["pods"]) == 1


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (gzip.compress(b"kind: Pod\n" * 999, mtime=0)[:-9], "cannot be unpacked: it ends too soon"),
        (b"kind: Pod\n", "cannot be unpacked: Not a gzipped file (b'ki')"),
    ],
)
def test_what_cannot_be_unpacked_says_why(tmp_path: Path, data: bytes, why: str) -> None:
    (tmp_path / "good.yaml").write_text(YAML)
    (tmp_path / "bad.yaml.gz").write_bytes(data)
    assert unread(tmp_path) == {"bad.yaml.gz": why}


def test_folders_may_be_as_deep_as_a_system_lets(tmp_path: Path) -> None:
    place = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1_200):  # deeper than Python calls itself
        os.mkdir("d", dir_fd=place)
        inner = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    file = os.open("pod.yaml", os.O_CREAT | os.O_WRONLY, dir_fd=place)
    os.write(file, YAML.encode())
    os.close(file)
    os.close(place)
    try:
        assert len(collect(FileSource(tmp_path))["pods"]) == 1
    finally:
        subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)
