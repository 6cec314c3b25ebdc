"""What admission policies of Kubernetes itself demand, of what, and how strictly.

Source: Kubernetes reference, ValidatingAdmissionPolicy (admissionregistration.k8s.io/v1): a
policy does nothing without a binding, and holds where both of them match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from kaudit.columns import records
from kaudit.model import kinds
from kaudit.model.admission import MatchResources
from kaudit.model.enforced import demand_on_pods
from kaudit.model.meta import LabelSelector, Requirement
from kaudit.registry import view
from kaudit.table import frame
from kaudit.tables.policy_anatomy import PolicyAnatomyRow, anatomy, containers_read

if TYPE_CHECKING:
    import pandas as pd

ADMISSION_POLICY_ANATOMY = anatomy(
    "admission_policy_anatomy", "one binding of an admission policy, or a policy without one"
)
_matched = msgspec.json.Decoder(MatchResources).decode
_ALL = ["CONNECT", "CREATE", "DELETE", "UPDATE"]


@view(ADMISSION_POLICY_ANATOMY)
def admission_policy_anatomy(
    admission_policies: pd.DataFrame, admission_bindings: pd.DataFrame
) -> pd.DataFrame:
    """Join each policy with its bindings; a policy that nothing binds is off."""
    bound: dict[tuple[str, str], list[dict[str, Any]]] = {}
    unbound: list[dict[str, Any] | None] = [None]
    for binding in records(admission_bindings):
        key = (binding["kind"].removesuffix("Binding"), binding["policy"])
        bound.setdefault(key, []).append(binding)
    rows = [
        _row(policy, binding)
        for policy in records(admission_policies)
        for binding in bound.get((policy["kind"], policy["name"])) or unbound
    ]
    return frame(ADMISSION_POLICY_ANATOMY.sorted(ADMISSION_POLICY_ANATOMY.arrow(rows)))


def _row(policy: dict[str, Any], binding: dict[str, Any] | None) -> PolicyAnatomyRow:
    mutates = policy["kind"].startswith("Mutating")
    mode, said = _mode(binding, mutates)
    scoped = _scope(policy, binding)
    demands = demand_on_pods(policy, scoped["kinds"], judges=not mutates)
    known, lists = policy["reads_known"], policy["container_fields"]
    return PolicyAnatomyRow(
        raw=policy["raw"],
        raw_line=policy["raw_line"],
        engine="ValidatingAdmissionPolicy",
        kind=policy["kind"],
        namespace="",
        policy=policy["name"],
        position=1,
        rule="",
        binding=binding["name"] if binding else "",
        template="",
        purpose="mutate" if mutates else "validate",
        mode=mode,
        mode_text=said,
        overrides=[],
        autogen=[],
        namespaces=[],
        excluded_namespaces=[],
        engine_excluded_namespaces=[],
        reads_known=known,
        fields=policy["fields"],
        required_fields=policy["required_fields"],
        controls=demands.certain,
        possible_controls=demands.possible,
        failure_policy=policy["failure_policy"],
        background=False,
        errors=policy["warnings"],
        strange=[],
        **containers_read(known, lists),
        **scoped,
    )


def _mode(binding: dict[str, Any] | None, mutates: bool) -> tuple[str, str]:
    if binding is None:
        return "off", "no binding"
    if mutates:
        return "enforce", f"binding {binding['name']}"
    said = f"validationActions {','.join(binding['actions'])} of binding {binding['name']}"
    for action, mode in (("Deny", "enforce"), ("Warn", "warn"), ("Audit", "audit")):
        if action in binding["actions"]:
            return mode, said
    return "off", said


def _scope(policy: dict[str, Any], binding: dict[str, Any] | None) -> dict[str, Any]:
    """Columns of what policy and binding match both."""
    own = _matched(policy["match_constraints"] or "{}")
    more = _matched((binding and binding["match_resources"]) or "{}")
    rules, narrowed = own.resource_rules or [], more.resource_rules or []
    left_out = [*(own.exclude_resource_rules or ()), *(more.exclude_resource_rules or ())]
    found, wanted = kinds.of_rules(rules), kinds.of_rules(narrowed)
    shared = wanted if "*.*" in found else sorted({*found} & {*wanted})
    one = narrowed or rules
    return {
        "kinds": shared if narrowed and "*.*" not in wanted else found,
        "excluded_kinds": kinds.of_rules(left_out),
        "operations": sorted({w for r in one for w in r.operations or ()} - {"*"}) or _ALL,
        "namespace_selector": _both(own.namespace_selector, more.namespace_selector),
        "object_selector": _both(own.object_selector, more.object_selector),
        "names": sorted({name for rule in one for name in rule.resource_names or ()}),
        "match": policy["match_constraints"],
        "conditions": policy["match_conditions"] > 0 or _admits_without(policy, binding),
        "scope_known": len(rules) <= 1
        and not narrowed
        and not any(set(rule.operations or ()) - {"*"} for rule in left_out),
    }


def _admits_without(policy: dict[str, Any], binding: dict[str, Any] | None) -> bool:
    """Whether a binding lets all in where its parameters are not there."""
    named = bool(policy["param_kind"] and binding and binding["param"])
    return named and binding is not None and binding["param_missing"] == "Allow"


def _both(first: LabelSelector | None, second: LabelSelector | None) -> str | None:
    """Return the selector that selects what both select."""
    if first is None or second is None:
        return LabelSelector.text(first if second is None else second)
    terms = [
        Requirement(key, "In", [value or ""])
        for one in (first, second)
        for key, value in sorted((one.match_labels or {}).items())
    ]
    terms += [*(first.match_expressions or ()), *(second.match_expressions or ())]
    return LabelSelector(None, terms).canonical
