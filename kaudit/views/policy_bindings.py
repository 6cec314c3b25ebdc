"""What the bindings of an admission policy make of it.

A policy does nothing until a binding names it; what a failed validation leads to is said by
the binding alone, and failurePolicy only by what happens to expressions that cannot be
evaluated (Kubernetes, "Validating Admission Policy", v1.34).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import assembled, series
from kaudit.model.meta import pairs_of
from kaudit.registry import view
from kaudit.selectors import selector
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class PolicyBindingRow(Trace, kw_only=True):
    kind: Annotated[str, doc("ValidatingAdmissionPolicy or MutatingAdmissionPolicy")]
    name: Annotated[str, doc("name")]
    failure_policy: Annotated[str, doc("Fail or Ignore")]
    bindings: Annotated[list[str], doc("names of its bindings, sorted")]
    actions: Annotated[list[str], doc("validationActions of its bindings, sorted")]
    effective: Annotated[bool, doc("a binding denies, or mutates")]
    takes_parameters: Annotated[bool, doc("it names a kind of parameters")]
    without_parameters: Annotated[
        list[str], doc("bindings that name no parameters though it takes some, or admit without")
    ]
    bound: Annotated[bool, doc("a binding names it")]
    empty: Annotated[
        bool | None,
        doc("a binding selects no namespace; null: it selects, and no namespace is known"),
    ] = None


POLICY_BINDINGS = Table(
    "policy_bindings",
    PolicyBindingRow,
    grain="one admission policy of Kubernetes, with its bindings",
    key=("kind", "name"),
    resource=Resource("kind", namespace=""),
)


@view(POLICY_BINDINGS, naming=("namespaces",))
def policy_bindings(
    admission_policies: pd.DataFrame, admission_bindings: pd.DataFrame, namespaces: pd.DataFrame
) -> pd.DataFrame:
    """Gather the bindings of each policy."""
    import pyarrow as pa

    p = admission_policies
    bound: dict[tuple[str, str], list[dict[Any, Any]]] = {}
    for binding in admission_bindings.to_dict("records"):
        key = (binding["kind"].removesuffix("Binding"), binding["policy"])
        bound.setdefault(key, []).append(binding)
    labels = [
        {"kubernetes.io/metadata.name": name} | pairs_of(texts)
        for name, texts in zip(namespaces["name"], namespaces["labels"], strict=True)
    ]
    rows = [_row(policy, bound, labels) for policy in p.to_dict("records")]
    copied = ("raw", "raw_line", "kind", "name", "failure_policy")
    found: dict[str, Any] = {name: p[name] for name in copied}
    for field in POLICY_BINDINGS.schema:
        if field.name not in found:
            found[field.name] = series(pa.array([row[field.name] for row in rows], field.type), p)
    return assembled(p, found, POLICY_BINDINGS.names)


def _row(
    policy: dict[Any, Any],
    bound: dict[tuple[str, str], list[dict[Any, Any]]],
    labels: list[dict[str, str]],
) -> dict[str, Any]:
    own = bound.get((policy["kind"], policy["name"]), [])
    validates, takes = (
        policy["kind"].startswith("Validating"),
        isinstance(policy["param_kind"], str),
    )
    actions = sorted({action for b in own for action in b["actions"]})
    return {
        "bindings": sorted(b["name"] for b in own),
        "actions": actions,
        "effective": "Deny" in actions if validates else bool(own),
        "takes_parameters": takes and bool(own),
        "without_parameters": sorted(b["name"] for b in own if takes and _admits_without(b)),
        "bound": bool(own),
        "empty": _empty([b["namespace_selector"] for b in own], labels),
    }


def _admits_without(binding: dict[Any, Any]) -> bool:
    return not isinstance(binding["param"], str) or binding["param_missing"] == "Allow"


def _empty(selectors: list[Any], labels: list[dict[str, str]]) -> bool | None:
    texts = [text for text in selectors if isinstance(text, str) and text != "{}"]
    if texts and not labels:
        return None
    return any(not any(map(selector(text), labels)) for text in texts)
