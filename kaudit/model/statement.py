"""What an auditor states of a network's segmentation, and whether policies keep it.

A statement is one sentence::

    pci accepts only from frontend and shop/gateway on 443
    pci reaches only pci and kube-system/coredns
    sandbox never reaches data on 5432
    sandbox never reaches data even through others
    shop/web must reach shop/api on TCP/8080

Who is meant is a namespace, ``namespace/name``, ``namespace/name[Kind]`` (``*`` stands for any
text), an address block, or ``internet``. Ports are ``443``, ``UDP/53`` or ``TCP/8000-8010``.
What is inside of the ones spoken of is their own matter: only their outside is judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

import msgspec

from kaudit.errors import InputError
from kaudit.model.address_space import range_of
from kaudit.model.port_space import LAST, PROTOCOLS, PortRange
from kaudit.model.whole import whole

ONLY_FROM, ONLY_TO, NEVER, MUST = "accepts only from", "reaches only", "never reaches", "must reach"
_THROUGH = " even through others"
_FORM = re.compile(
    rf"(?P<subject>.+?)\s+(?P<verb>{ONLY_FROM}|{ONLY_TO}|{NEVER}|{MUST})\s+(?P<peers>.+?)"
    rf"(?P<through>{_THROUGH})?(?:\s+on\s+(?P<ports>.+))?"
)
_WHO = re.compile(r"(?P<namespace>[^/\[\]\s]+)(?:/(?P<name>[^/\[\]\s]+)(?:\[(?P<kind>[\w*]+)\])?)?")
_PORT = re.compile(r"(?:(?P<protocol>[A-Za-z]+)/)?(?P<first>\d+)(?:-(?P<last>\d+))?")
_HINT = "write such as: pci accepts only from frontend on 443"


class Workload(msgspec.Struct, frozen=True, order=True):
    """A workload, or a pod that nothing owns."""

    namespace: str
    name: str
    kind: str

    @property
    def label(self) -> str:
        """``namespace/name[Kind]``."""
        return f"{self.namespace}/{self.name}[{self.kind}]"


class Who(msgspec.Struct, frozen=True):
    """Workloads by globs, or addresses: a block, or ``internet``."""

    namespace: str = ""
    name: str = "*"
    kind: str = "*"
    outside: str = ""

    def means(self, workload: Workload) -> bool:
        """Whether a workload is meant."""
        return (
            not self.outside
            and fnmatchcase(workload.namespace, self.namespace)
            and fnmatchcase(workload.name, self.name)
            and fnmatchcase(workload.kind, self.kind)
        )


class Statement(msgspec.Struct, frozen=True):
    """A statement, as it was written and as it is understood."""

    id: str
    says: str
    verb: str
    subject: tuple[Who, ...]
    peers: tuple[Who, ...]
    ports: tuple[PortRange, ...]
    through: bool = False


def parsed(id: str, says: str) -> Statement:
    """Understand a sentence.

    Raises
    ------
    InputError
        It is no statement; says what of it means nothing.
    """
    found = _FORM.fullmatch(" ".join(says.split()))
    if found is None:
        raise InputError(f"statement {id}: {says!r} means nothing", hint=_HINT)
    if found["through"] and found["verb"] != NEVER:
        raise InputError(f"statement {id}: only never reaches goes through others", hint=_HINT)
    return Statement(
        id,
        says,
        found["verb"],
        tuple(_who(id, text) for text in _listed(found["subject"])),
        tuple(_who(id, text) for text in _listed(found["peers"])),
        tuple(_port(id, text) for text in _listed(found["ports"] or "")),
        bool(found["through"]),
    )


def _listed(text: str) -> list[str]:
    return [part.strip() for part in re.split(r",|\band\b", text) if part.strip()]


def _who(id: str, text: str) -> Who:
    if text == "internet" or ("/" in text and range_of(text) is not None):
        return Who(outside=text)
    found = _WHO.fullmatch(text)
    if found is None:
        hint = "write namespace, namespace/name[Kind], an address block or internet"
        raise InputError(f"statement {id}: {text!r} names nobody", hint=hint)
    return Who(found["namespace"], found["name"] or "*", found["kind"] or "*")


def _port(id: str, text: str) -> PortRange:
    found = _PORT.fullmatch(text)
    protocol = ((found and found["protocol"]) or "TCP").upper()
    first = (found and whole(found["first"])) or 0
    last = (found and whole(found["last"] or found["first"])) or 0
    if protocol not in PROTOCOLS or not 1 <= first <= last <= LAST:
        raise InputError(f"statement {id}: {text!r} is no port", hint="write 443 or UDP/53")
    return PortRange(protocol, first, last)


def understood(texts: Iterable[tuple[str, str]]) -> tuple[Statement, ...]:
    """Understand sentences by their ids, which must differ.

    Raises
    ------
    InputError
        Two have one id, or one means nothing.
    """
    found: dict[str, Statement] = {}
    for id, says in texts:
        if id in found:
            raise InputError(f"two statements have the id {id}")
        found[id] = parsed(id, says)
    return tuple(found.values())


def written(texts: Iterable[str]) -> tuple[Statement, ...]:
    """Understand sentences with their ids before them, as ``PCI-1: pci accepts only from …``.

    Raises
    ------
    InputError
        One has no id, or :func:`understood` refuses it.
    """
    pairs = []
    for text in texts:
        id, colon, says = text.partition(":")
        if not colon or not id.strip():
            hint = "write such as PCI-1: pci accepts only from frontend on 443"
            raise InputError(f"statement {text!r} has no id", hint=hint)
        pairs.append((id.strip(), says.strip()))
    return understood(pairs)
