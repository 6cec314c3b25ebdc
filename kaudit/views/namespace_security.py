"""What the Pod Security labels of a namespace mean to the admission plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import assembled, over_lists, over_texts, series
from kaudit.model.standards import pinned_minor
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
    enforces: Annotated[
        str,
        doc(
            "level in force; where unset the default of the API server's configuration, "
            "privileged where that is not given; restricted if mistyped"
        ),
    ]
    by_default: Annotated[bool, doc("that level is a default of the configuration that is given")]
    exempt: Annotated[bool, doc("the configuration exempts it: no level holds")]
    mistyped: Annotated[bool, doc("a level, version or label name that Kubernetes does not know")]
    pinned: Annotated[bool, doc("enforce-version is a fixed version")]
    pinned_minor: Annotated[int | None, doc("minor version that enforce is pinned to")]
    weaker_audit: Annotated[bool, doc("audit is weaker than enforce")]
    weaker_warn: Annotated[bool, doc("warn is weaker than enforce; unset it follows")]
    unguarded: Annotated[bool, doc("neither baseline nor restricted is enforced, or it is exempt")]


NAMESPACE_SECURITY = Table(
    "namespace_security",
    NamespaceSecurityRow,
    grain="one namespace and what its Pod Security labels mean",
    key=("name",),
    resource=Resource("kind", namespace=""),
)


@view(NAMESPACE_SECURITY, naming=("pod_security_config",))
def namespace_security(namespaces: pd.DataFrame, pod_security_config: pd.DataFrame) -> pd.DataFrame:
    """Read the labels as the plugin does (kubernetes/pod-security-admission, api/helpers.go).

    A mistyped enforce means restricted, a mistyped audit or warn privileged; without a warn
    label what is enforced is warned of as well, unless it is mistyped.
    """
    import pyarrow as pa

    n = namespaces
    wrong = over_lists(n["other_psa_labels"], bool)
    for mode in ("enforce", "audit", "warn"):
        wrong = wrong | over_texts(n[mode], lambda text: text not in _RANK)
        wrong = wrong | over_texts(n[f"{mode}_version"], _no_version)
    rank = over_texts(n["enforce"], lambda text: _RANK.get(text, 2), unset=0, type_=pa.int64())
    labelled = series(pa.array(n["enforce"].notna().to_numpy(dtype=bool)), n)
    default = _RANK.get(_default(pod_security_config), 0)
    by_default = ~labelled & (default > 0)
    in_force = rank.mask(by_default, default)
    spared = {name for names in pod_security_config["exempt_namespaces"] for name in names}
    exempt = over_texts(n["name"], lambda text: text in spared)
    names = {value: key for key, value in _RANK.items()}
    minors = [pinned_minor(t) if isinstance(t, str) else None for t in n["enforce_version"]]
    told_by_default = n["warn"].isna() & over_texts(n["enforce"], lambda text: text in _RANK)
    copied = ("raw", "raw_line", "kind", "name", "enforce", "enforce_version", "audit", "warn")
    found: dict[str, Any] = {name: n[name] for name in copied}
    found |= {
        "platform": over_texts(n["name"], lambda text: text.startswith("kube-")),
        "labelled": labelled,
        "enforces": series(pa.array([names[r] for r in in_force.tolist()], pa.string()), n),
        "by_default": by_default,
        "exempt": exempt,
        "mistyped": wrong,
        "pinned": series(pa.array([m is not None for m in minors], pa.bool_()), n),
        "pinned_minor": series(pa.array(minors, pa.int64()), n),
        "weaker_audit": _rank(n["audit"]) < rank,
        "weaker_warn": (_rank(n["warn"]) < rank) & ~told_by_default,
        "unguarded": (in_force == 0) | exempt,
    }
    return assembled(n, found, NAMESPACE_SECURITY.names)


def _default(given: pd.DataFrame) -> str:
    """Level where no label says so: that of every configuration given, else privileged."""
    levels = {*given["enforce"].tolist()}
    return str(levels.pop()) if len(levels) == 1 else "privileged"


def _rank(column: pd.Series[Any]) -> pd.Series[Any]:
    """Strictness of an audit or warn label; a mistyped one counts for nothing."""
    import pyarrow as pa

    return over_texts(column, lambda text: _RANK.get(text, 0), unset=0, type_=pa.int64())


def _no_version(label: str) -> bool:
    return label != "latest" and pinned_minor(label) is None
