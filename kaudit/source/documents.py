"""Split text into raw Kubernetes objects: JSON without parsing it, YAML through libyaml."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw

from kaudit.model.words import Reason
from kaudit.text import shorten

#: Today's group of kinds that older manifests put elsewhere, or that their authors took for
#: core kinds: the API server refuses those, but what they mean is plain.
_MOVED = {
    **{("", kind): "apps" for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")},
    **{("", kind): "batch" for kind in ("CronJob", "Job")},
    **{("", kind): "networking.k8s.io" for kind in ("Ingress", "NetworkPolicy")},
    **{
        ("", kind): "rbac.authorization.k8s.io"
        for kind in ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
    },
    ("extensions", "Deployment"): "apps",
    ("extensions", "DaemonSet"): "apps",
    ("extensions", "ReplicaSet"): "apps",
    ("extensions", "Ingress"): "networking.k8s.io",
    ("extensions", "NetworkPolicy"): "networking.k8s.io",
    ("", "DeploymentConfig"): "apps.openshift.io",
}


class Head(msgspec.Struct, gc=False, rename="camel"):
    """What tells the kind of a document."""

    api_version: str | None = None
    kind: str | None = None
    git_version: str | None = None
    server_version: ServerHead | None = None
    platform: str | None = None


class ServerHead(msgspec.Struct, gc=False, rename="camel"):
    """serverVersion of ``kubectl version -o json``."""

    git_version: str = ""
    platform: str = ""


class _Items(msgspec.Struct, gc=False):
    items: list[Raw] | msgspec.UnsetType | None = msgspec.UNSET
    metadata: Any = None


class _Answer(msgspec.Struct, gc=False):
    """What a server says in the place of objects."""

    status: Any = None
    reason: Any = None
    message: Any = None


class Item(msgspec.Struct, gc=False):
    """One raw object with its identity and its place: document and item, from 1."""

    group: str
    version: str
    kind: str
    raw: Raw | bytes
    document: int
    item: int


class Other(msgspec.Struct):
    """A document that is no object: ``kind`` tells what it is, or what is wrong with it.

    ``of`` is the group and kind that it would hold, where it tells.
    """

    kind: str
    detail: str
    reason: Reason = Reason.NOT_IN_SOURCE
    of: tuple[str, str] | None = None
    git_version: str = ""
    platform: str = ""


class EmptyList(msgspec.Struct):
    """A typed list without items: all there is of a kind."""

    group: str
    kind: str


Found = Item | Other | EmptyList
head_of = msgspec.json.Decoder(Head).decode
items_of = msgspec.json.Decoder(_Items).decode
_answer = msgspec.json.Decoder(_Answer).decode
#: What a server answers in the place of objects: group and kind.
_ANSWERS = {("", "Status"), ("meta.k8s.io", "Table")}
#: Why it is not read: only an attack nests so deeply.
TOO_DEEP = "nested too deeply, and refused"
#: Letters of what a server said that a gap repeats.
_SAID = 300
#: How servers and kubectl begin an object; what it says further down, its decoder compares.
_USUAL = re.compile(rb'\s*\{\s*"apiVersion"\s*:\s*"([\w./-]+)"\s*,\s*"kind"\s*:\s*"(\w+)"\s*,')
_LOG = re.compile(rb"^==== (?:START|END) logs for container .*====\s*$", re.MULTILINE)
#: What stands behind an item of a list.
_AFTER = re.compile(rb"\s*(,\s*|\]|\Z)")
#: What stands between documents of YAML.
_SEPARATOR = re.compile(rb"^---(?:\s|$)", re.MULTILINE)


def split_version(api_version: str, kind: str) -> tuple[str, str]:
    """Group (today's) and version of an ``apiVersion``."""
    group, _, version = api_version.rpartition("/")
    return _MOVED.get((group, kind), group), version


@lru_cache(maxsize=4096)
def _identity(api_version: bytes, kind: bytes) -> tuple[str, str, str]:
    name = kind.decode()
    return *split_version(api_version.decode(), name), name


def json_documents(data: bytes) -> Iterator[Found]:
    """Objects of JSON text: one document, several in a row, or lines."""
    try:
        yield from _json_one(data, 1)
        return
    except msgspec.DecodeError as fault:
        line = data.count(b"\n") + 1
        first = f"the JSON ends or breaks at line {line} or before: {fault}"
    except RecursionError:
        first = TOO_DEEP
    chunks = list(_json_many(data))
    if len(chunks) <= 1:
        yield from _cut_off(data, first)
        return
    for number, chunk in enumerate(chunks, start=1):
        try:
            yield from _json_one(chunk, number)
        except (msgspec.DecodeError, RecursionError) as fault:
            said = TOO_DEEP if isinstance(fault, RecursionError) else fault
            yield Other("broken", f"document {number}: {said}", Reason.BROKEN)


def _json_one(data: bytes | Raw, document: int) -> Iterator[Found]:
    try:
        head = head_of(data)
    except msgspec.ValidationError:
        yield Other("no object", f"document {document} is no Kubernetes object")
        return
    kind = head.kind or ""
    if not kind or not head.api_version:
        version = head.git_version or (
            head.server_version.git_version if head.server_version else ""
        )
        if version:
            platform = head.platform or (
                head.server_version.platform if head.server_version else ""
            )
            yield Other("version", "", git_version=version, platform=platform)
        else:
            yield Other("no object", f"document {document} has no apiVersion and kind")
        return
    group, version = split_version(head.api_version, kind)
    if (group, kind) in _ANSWERS:
        yield from _no_objects(data, kind, document)
        return
    if not kind.endswith("List"):
        yield Item(group, version, kind, data, document, 0)
        return
    try:
        found = items_of(data)
    except msgspec.ValidationError as fault:
        yield Other("broken", f"document {document}: {fault}", Reason.BROKEN)
        return
    items = found.items
    named = isinstance(found.metadata, dict) and found.metadata.get("name")
    if not isinstance(items, list) and named:  # a kind that is called so
        yield Item(group, version, kind, data, document, 0)
        return
    typed = kind != "List"
    if items is msgspec.UNSET:
        yield _no_list(kind, (group, kind.removesuffix("List")) if typed else None, document)
        return
    part = part_of_list(found.metadata, document)
    if not items and typed and part is None:
        yield EmptyList(group, kind.removesuffix("List"))
    for number, raw in enumerate(items or (), start=1):
        yield of_list(raw, group, version, kind.removesuffix("List"), typed, document, number)
    if part is not None:
        yield part


def _no_list(kind: str, of: tuple[str, str] | None, document: int) -> Other:
    """Tell of a list whose items are gone: a server writes them, none as null or []."""
    detail = f"document {document} is a {kind} without items; write items: [] where there are none"
    return Other("broken", detail, Reason.BROKEN, of=of)


def part_of_list(metadata: Any, document: int) -> Other | None:
    """Tell of a list that says itself that the server holds more of it."""
    if not isinstance(metadata, dict) or not metadata.get("continue"):
        return None
    detail = f"document {document} is the first part of a list; get it whole, without a limit"
    return Other("part", detail, Reason.PARTIAL)


def _no_objects(data: bytes | Raw, kind: str, document: int) -> Iterator[Other]:
    """Tell of what a server gave in the place of the objects that were asked for."""
    if kind == "Table":
        detail = f"document {document} is a Table to be printed; give the objects (-o json)"
        yield Other("broken", detail, Reason.BROKEN)
        return
    said = _answer(data)
    if said.status != "Success":
        why = shorten(str(said.message or said.reason or "no reason is given"), _SAID)
        detail = f"document {document} is no object but a refusal: {why}"
        yield Other("broken", detail, Reason.BROKEN)


def of_list(
    raw: Raw, group: str, version: str, kind: str, typed: bool, document: int, number: int
) -> Found:
    """Tell what an item of a list is; where the list is typed, items need not say so.

    A list of lists is none: neither the API server nor kubectl takes it.
    """
    if found := _USUAL.match(raw):
        identity = _identity(*found.groups())
    else:
        try:
            head = head_of(raw)
        except msgspec.ValidationError:
            head = Head()
        except RecursionError:
            detail = f"item {number} of document {document} is {TOO_DEEP}"
            return Other("broken", detail, Reason.BROKEN)
        if head.kind and head.api_version:
            identity = *split_version(head.api_version, head.kind), head.kind
        elif typed:
            identity = group, version, kind
        else:
            detail = f"item {number} of document {document} has no apiVersion and kind"
            return Other("broken", detail, Reason.BROKEN)
    if identity[2].endswith("List") and _listed(raw):
        detail = f"item {number} of document {document} is a list itself; give its items"
        return Other("broken", f"{detail} in one list", Reason.BROKEN)
    return Item(*identity, raw, document, number)


def _listed(raw: Raw) -> bool:
    try:
        return isinstance(items_of(raw).items, list)
    except (msgspec.ValidationError, RecursionError):  # what is too deep, its decoder tells
        return False


def _json_many(data: bytes) -> Iterator[bytes]:
    """Cut text where one JSON document ends and the next begins; logs between are dropped."""
    text = _LOG.sub(b"", data)
    for start, end, _ in _pieces(text):
        yield text[start:end]


def _pieces(text: bytes) -> Iterator[tuple[int, int, bool]]:
    """Yield where objects begin and end in text, and whether they end at all."""
    depth, start, quoted, at = 0, -1, False, 0
    for mark in re.finditer(rb'["\\{}\[\]]', text):
        position, sign = mark.start(), mark[0]
        if position < at:
            continue
        if quoted:
            if sign == b"\\":
                at = position + 2
            elif sign == b'"':
                quoted = False
        elif sign == b'"' and depth:
            quoted = True
        elif sign in b"{[" and (depth or sign == b"{"):
            if depth == 0:
                start = position
            depth += 1
        elif sign in b"}]" and depth:
            depth -= 1
            if depth == 0:
                yield start, position + 1, True
    if depth:
        yield start, len(text), False


def whole_objects(text: bytes, *, more: bool = False) -> Iterator[tuple[Raw | None, int]]:
    """Yield the objects of a list, and where the next begins; None for what breaks the JSON.

    What is cut off at the end is left out; where ``more`` follows, so is an object that no
    comma was seen behind.
    """
    at = 0
    for start, end, whole in _pieces(text):
        after = _AFTER.match(text, end)
        if not whole or (more and after is not None and after[1] == b""):
            return
        alone = after is not None and not text[at:start].strip()
        at = after.end() if after is not None else end
        yield (Raw(text[start:end]) if alone and _is_json(text[start:end]) else None), at
        if after is not None and after[1] == b"]":
            return


def broken_item(number: int) -> Other:
    """Tell of an item of the only list that is no JSON."""
    return Other("broken", f"item {number} of document 1 breaks the JSON", Reason.BROKEN)


def _cut_off(data: bytes, fault: str) -> Iterator[Found]:
    """Keep the whole items of a list whose end is missing, or some of which break it."""
    opening = re.search(rb'"items"\s*:\s*\[', data)
    if opening is not None:
        head = re.search(rb'"kind"\s*:\s*"(\w*)List"', data[: opening.start()])
        version = re.search(rb'"apiVersion"\s*:\s*"([\w./]+)"', data[: opening.start()])
        kind = head[1].decode() if head else ""
        group, number_ = split_version(version[1].decode() if version else "v1", kind)
        for number, (raw, _) in enumerate(whole_objects(data[opening.end() :]), start=1):
            if raw is None:
                yield broken_item(number)
            else:
                yield of_list(raw, group, number_, kind, bool(kind), 1, number)
    yield Other("broken", fault, Reason.BROKEN)


def yaml_documents(data: bytes) -> Iterator[Found]:
    """Objects of a YAML stream; ``List`` items one by one."""
    from kaudit.model.yaml_stream import Fault, documents  # YAML is slow to import

    for number, (line, content) in enumerate(documents(data), start=1):
        if isinstance(content, Fault):
            hint = "; render templates first" if b"{{" in data else ""
            yield Other("broken", f"line {content.line}: {content.what}{hint}", Reason.BROKEN)
            continue
        try:
            text = msgspec.json.encode(content)
        except (TypeError, ValueError, msgspec.MsgspecError) as fault:
            yield Other("broken", f"line {line}: {fault}", Reason.BROKEN)
            continue
        if isinstance(content, dict):
            yield from _json_one(text, number)
        else:
            yield Other("no object", f"line {line}: a document that is no object")


def found_in(data: bytes, *, yaml: bool) -> Iterator[Found]:
    """Objects in text; whether it is YAML is only a hint, JSON is tried where it starts so."""
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start in (b"{", b"[") and (not yaml or not _flow_yaml(data)):
        yield from json_documents(data.removeprefix(b"\xef\xbb\xbf"))
    else:
        yield from yaml_documents(data)


def _flow_yaml(data: bytes) -> bool:
    """Tell whether text that starts like JSON is YAML, in its first document or a later one."""
    if _is_json(data):
        return False
    if next(iter(_json_many(data)), b"")[:2] not in (b'{"', b"{\n", b"{ ", b"{\r"):
        return True
    several = _SEPARATOR.search(data) and not _LOG.search(data)
    return bool(several) and not all(map(_is_json, _json_many(data)))


def _is_json(document: bytes) -> bool:
    try:
        head_of(document)
    except (msgspec.ValidationError, RecursionError):
        return True
    except msgspec.DecodeError:
        return False
    return True
