"""What the Pod Security labels of a namespace mean to the admission plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import assembled, over_lists, over_texts, series
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd

_RANK = {"privileged": 0, "baseline": 1, "restricted": 2}


class NamespaceSecurityRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always Namespace")]
    name: Annotated[str, doc("name")]
    platform: Annotated[bool, doc("a namespace of Kubernetes itself")]
    enforce: Annotated[str | None, doc("label enforce as written")]
    enforce_version: Annotated[str | None, doc("label enforce-version as written")]
    audit: Annotated[str | None, doc("label audit as written")]
    warn: Annotated[str | None, doc("label warn as written")]
    labelled: Annotated[bool, doc("has an enforce label")]
    enforces: Annotated[str, doc("level in force; privileged where unset, restricted if mistyped")]
    mistyped: Annotated[bool, doc("a level, version or label name that Kubernetes does not know")]
    pinned: Annotated[bool, doc("enforce-version is a fixed version")]
    pinned_minor: Annotated[int | None, doc("minor version that enforce is pinned to")]
    weaker_audit: Annotated[bool, doc("audit is weaker than enforce")]
    weaker_warn: Annotated[bool, doc("warn is weaker than enforce")]
    unguarded: Annotated[bool, doc("neither baseline nor restricted is enforced")]


NAMESPACE_SECURITY = Table(
    "namespace_security",
    NamespaceSecurityRow,
    grain="one namespace and what its Pod Security labels mean",
    key=("name",),
    resource=Resource("kind", namespace=""),
)


@view(NAMESPACE_SECURITY)
def namespace_security(namespaces: pd.DataFrame) -> pd.DataFrame:
    """Read the labels as the plugin does (kubernetes.io, Pod Security Admission, v1.34)."""
    import pyarrow as pa

    n = namespaces
    enforce = n["enforce"].fillna("")
    wrong_level = over_texts(n["enforce"], lambda text: text not in _RANK)
    wrong_version = over_texts(n["enforce_version"], lambda text: _minor(text) is None)
    wrong = wrong_level | wrong_version
    for mode in ("audit", "warn"):
        wrong = wrong | over_texts(n[mode], lambda text: text not in _RANK)
        wrong = wrong | over_texts(n[f"{mode}_version"], lambda text: _minor(text) is None)
    rank = series(pa.array([_RANK.get(text, 2) for text in enforce], pa.int64()), n)
    rank = rank.where(enforce != "", 0)
    names = {value: key for key, value in _RANK.items()}
    minors = [_minor(text) if isinstance(text, str) else None for text in n["enforce_version"]]
    pinned = [m if m is not None and m >= 0 else None for m in minors]
    copied = "raw raw_line kind name enforce enforce_version audit warn".split()
    found: dict[str, Any] = {name: n[name] for name in copied}
    found |= {
        "platform": over_texts(n["name"], lambda text: text.startswith("kube-")),
        "labelled": enforce != "",
        "enforces": series(pa.array([names[r] for r in rank.tolist()], pa.string()), n),
        "mistyped": wrong | over_lists(n["other_psa_labels"], bool),
        "pinned": series(pa.array([p is not None for p in pinned], pa.bool_()), n),
        "pinned_minor": series(pa.array(pinned, pa.int64()), n),
        "weaker_audit": _rank(n["audit"]) < rank,
        "weaker_warn": _rank(n["warn"]) < rank,
        "unguarded": rank == 0,
    }
    return assembled(n, found, [column.name for column in NAMESPACE_SECURITY.columns])


def _rank(column: pd.Series[Any]) -> pd.Series[Any]:
    import pyarrow as pa

    return series(pa.array([_RANK.get(t, 0) for t in column.fillna("")], pa.int64()), column)


def _minor(version: str) -> int | None:
    """Minor version; -1 for latest, None where it is no version."""
    if version == "latest":
        return -1
    major, _, minor = version.removeprefix("v").partition(".")
    return int(minor) if major == "1" and minor.isdigit() and version[:1] == "v" else None
