"""Whether a rule of an admission policy is for an object, and which of its fields decides.

Semantics of each engine's own: kinds, namespaces with ``*`` for parts, selectors on labels of
namespaces and objects. What cannot be told is None, never False.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from kaudit.model.glob import matches
from kaudit.model.kinds import of_text
from kaudit.model.kyverno import Filter, Filters, Resources
from kaudit.model.meta import LabelSelector
from kaudit.selectors import selector, wild_selector


class Asked(NamedTuple):
    """What a policy is asked about: an object, as far as it is known.

    ``kind`` is ``Pod`` or ``Deployment.apps``; ``labels`` and ``spaces``, the labels of the
    object and of its namespace, are None where they are not known.
    """

    kind: str
    namespace: str
    spaces: Mapping[str, str] | None
    labels: Mapping[str, str] | None = None
    name: str | None = None


class Verdict(NamedTuple):
    """Whether a rule applies; why not, in one word, and the field that says so."""

    applies: bool | None
    why: str = ""
    clause: str = ""


#: Engine to where each of its settings stands.
_FIELDS = {
    "Gatekeeper": {
        "kinds": "spec.match.kinds",
        "scope": "spec.match.scope",
        "namespaces": "spec.match.namespaces",
        "excluded_namespaces": "spec.match.excludedNamespaces",
        "engine_excluded_namespaces": "Config spec.match[].excludedNamespaces",
        "namespace_selector": "spec.match.namespaceSelector",
        "object_selector": "spec.match.labelSelector",
        "names": "spec.match.name",
        "operations": "ConstraintTemplate spec.targets[].operations",
    },
    "Kyverno": {
        "kinds": "match.resources.kinds",
        "engine_excluded_namespaces": "ConfigMap kyverno, resourceFilters",
        "excluded_kinds": "exclude.resources.kinds",
        "namespaces": "match.resources.namespaces",
        "excluded_namespaces": "exclude.resources.namespaces",
        "namespace_selector": "match.resources.namespaceSelector",
        "object_selector": "match.resources.selector",
        "names": "match.resources.names",
        "operations": "match.resources.operations",
    },
    "ValidatingAdmissionPolicy": {
        "kinds": "spec.matchConstraints.resourceRules",
        "excluded_kinds": "spec.matchConstraints.excludeResourceRules",
        "namespace_selector": "namespaceSelector",
        "object_selector": "objectSelector",
        "names": "spec.matchConstraints.resourceRules[].resourceNames",
        "operations": "spec.matchConstraints.resourceRules[].operations",
    },
}


_CONFIG_MAP = "ConfigMap kyverno"
_NAMES = ("daemon-set", "job", "replicaset", "replication", "statefulset")
#: Users that controllers of Kubernetes are.
CONTROLLER_USERS = [f"system:serviceaccount:kube-system:{name}-controller" for name in _NAMES]
#: What they are to Kyverno, by its settings.
_CONTROLLERS = {
    "excludeClusterRoles": [f"system:controller:{name}-controller" for name in _NAMES],
    "excludeGroups": [
        "system:authenticated",
        "system:serviceaccounts",
        "system:serviceaccounts:kube-system",
    ],
    "excludeUsernames": CONTROLLER_USERS,
}


def decide(rule: Mapping[str, Any], asked: Asked) -> Verdict:
    """Decide for a row of ``policy_anatomy``, with its values as plain Python."""
    if refused := _by_kind(rule, asked):
        return refused
    if not rule["scope_known"] and rule["engine"] == "Kyverno" and rule["match"]:
        return _by_filters(rule, asked)
    if refused := _by_namespace(rule, asked):
        return refused
    if told := _by_labels(rule, asked):
        return told
    if not rule["scope_known"]:
        return Verdict(None, "scope", "its scope is more than its columns say")
    return Verdict(True)


def _by_kind(rule: Mapping[str, Any], asked: Asked) -> Verdict | None:
    """Why a rule is not for objects of a kind, or its engine for none of a namespace."""
    if not any(kind_is(text, asked.kind) for text in rule["kinds"]):
        return _no(rule, "kind", "kinds")
    if "CREATE" not in rule["operations"]:
        return _no(rule, "kind", "operations")
    if any(kind_is(text, asked.kind) for text in rule["excluded_kinds"]) and rule["scope_known"]:
        return _no(rule, "kind", "excluded_kinds")
    if rule["scope"] == "Cluster":
        return _no(rule, "kind", "scope")
    if any(matches(text, asked.namespace) for text in rule["engine_excluded_namespaces"]):
        return _no(rule, "exempt", "engine_excluded_namespaces")
    return None


def _by_namespace(rule: Mapping[str, Any], asked: Asked) -> Verdict | None:
    """Why a rule is not for a namespace by its name."""
    if rule["namespaces"] and not any(matches(t, asked.namespace) for t in rule["namespaces"]):
        return _no(rule, "excluded", "namespaces")
    if any(matches(text, asked.namespace) for text in rule["excluded_namespaces"]):
        return _no(rule, "excluded", "excluded_namespaces")
    return None


def _by_labels(rule: Mapping[str, Any], asked: Asked) -> Verdict | None:
    """Why a rule is not for an object by its labels and name, or what of them is not known."""
    doubts: list[str] = []
    selects = wild_selector if rule["engine"] == "Kyverno" else selector
    for column, why, labels in (
        ("namespace_selector", "excluded", asked.spaces),
        ("object_selector", "labels", asked.labels),
    ):
        text = rule[column]
        if text is None or text == "{}":
            continue
        if labels is None:
            doubts.append(column)
        elif not selects(text)(labels):
            return _no(rule, why, column)
    if rule["names"]:
        if asked.name is None:
            doubts.append("names")
        elif not any(matches(text, asked.name) for text in rule["names"]):
            return _no(rule, "labels", "names")
    return Verdict(None, "labels", _field(rule, doubts[0])) if doubts else None


def filtered(filters: Iterable[Mapping[str, Any]], asked: Asked) -> Verdict | None:
    """Tell by rows of ``kyverno_filters`` that Kyverno does not look at an object, or may not."""
    doubt = None
    for one in filters:
        if not one["filtered"] or not kind_is(of_text(one["filtered"]), asked.kind):
            continue
        if not matches(one["place"], asked.namespace):
            continue
        text = f"[{one['filtered']},{one['place']},{one['object']}]"
        clause = f"{_CONFIG_MAP}, resourceFilters {text}"
        if one["object"] == "*" or (asked.name and matches(one["object"], asked.name)):
            return Verdict(False, "exempt", clause)
        if asked.name is None and one["object"]:
            doubt = doubt or Verdict(None, "labels", clause)
    return doubt


def unheard(users: Iterable[tuple[str, str]], *, controlled: bool) -> Verdict | None:
    """Tell by who asks that Kyverno does not look at an object, or may not.

    ``users`` are settings with a pattern each. Kubelets make static pods alone, of which
    nobody is asked before; whoever else makes an object is known of controllers only.
    """
    doubt, told = None, [*users]
    back = any(pattern.startswith("!") for _, pattern in told)
    for setting, pattern in told:
        if pattern.startswith("!") or (setting, pattern) == ("excludeGroups", "system:nodes"):
            continue
        clause = f"{_CONFIG_MAP}, {setting} {pattern}"
        own = [matches(pattern, name) for name in _CONTROLLERS.get(setting, ())]
        if controlled and not any(own):
            continue
        if controlled and not back and (setting == "excludeGroups" or all(own)):
            return Verdict(False, "exempt", clause)
        doubt = doubt or Verdict(None, "labels", clause)
    return doubt


def mode_in(rule: Mapping[str, Any], asked: Asked) -> tuple[str | None, str]:
    """Mode of a rule in a namespace, and the setting that makes it; None where unknown."""
    for text in rule["overrides"]:
        one = msgspec.json.decode(text)
        names, wanted = one.get("namespaces"), one.get("namespaceSelector")
        if names and not any(matches(name, asked.namespace) for name in names):
            continue
        if wanted is not None:
            if asked.spaces is None:
                return None, "validationFailureActionOverrides"
            if not wild_selector(msgspec.json.encode(wanted).decode())(asked.spaces):
                continue
        return one["mode"], "validationFailureActionOverrides"
    return rule["mode"], rule["mode_text"]


def kind_is(text: str, kind: str) -> bool:
    """Tell whether a kind as ``policy_anatomy`` writes it stands for another, not for parts of it.

    >>> kind_is("*.*", "Pod"), kind_is("Job.*", "Job.batch"), kind_is("Pod/exec", "Pod")
    (True, True, False)
    """
    whole, _, part = text.partition("/")
    if part and text != "*.*/*":
        return False
    wanted, _, group = whole.partition(".")
    own, _, own_group = kind.partition(".")
    return matches(wanted, own) and (group == "*" or group == own_group)


def _no(rule: Mapping[str, Any], why: str, column: str) -> Verdict:
    return Verdict(False, why, _field(rule, column))


def _field(rule: Mapping[str, Any], column: str) -> str:
    return _FIELDS[rule["engine"]].get(column, column)


_filters = msgspec.json.Decoder(Filters).decode


def matched(text: str | None, asked: Asked) -> bool | None:
    """Whether match or exclude of Kyverno, as JSON, is for an object; None: cannot be told."""
    if not text:
        return None
    return _any_or_all(_filters(text), asked)


def _by_filters(rule: Mapping[str, Any], asked: Asked) -> Verdict:
    """Decide by match and exclude themselves."""
    found = matched(rule["match"], asked)
    if found is False:
        return Verdict(False, "excluded", "match")
    spared = matched(rule["exclude"], asked) if rule["exclude"] else False
    if spared:
        return Verdict(False, "excluded", "exclude")
    if found is None or spared is None:
        return Verdict(None, "scope", "exclude" if found else "match")
    return Verdict(True)


def _any_or_all(found: Filters, asked: Asked) -> bool | None:
    if found.any:
        told = [_entry(one, asked) for one in found.any]
        whole = True if True in told else (None if None in told else False)
    elif found.all:
        whole = _and([_entry(one, asked) for one in found.all])
    else:
        return _entry(found, asked)
    return None if whole and found.strange else whole


def _and(told: list[bool | None]) -> bool | None:
    return False if False in told else (None if None in told else True)


def _entry(one: Filter, asked: Asked) -> bool | None:
    told = [_resources(one.resources, asked)] if one.resources else []
    if one.roles or one.cluster_roles or one.subjects:
        told.append(None)
    if one.strange:
        told.append(None)
    return _and(told) if told else False


def _resources(wanted: Resources, asked: Asked) -> bool | None:
    told: list[bool | None] = []
    if wanted.kinds:
        told.append(any(kind_is(of_text(text), asked.kind) for text in wanted.kinds))
    if wanted.namespaces:
        told.append(any(matches(text, asked.namespace) for text in wanted.namespaces))
    if names := [*(wanted.names or ()), *filter(None, [wanted.name])]:
        known = None if asked.name is None else any(matches(n, asked.name or "") for n in names)
        told.append(known)
    if wanted.operations:
        told.append("CREATE" in wanted.operations)
    if wanted.annotations or wanted.strange:
        told.append(None)
    for one, labels in ((wanted.namespace_selector, asked.spaces), (wanted.selector, asked.labels)):
        if one is not None:
            told.append(None if labels is None else wild_selector(_text(one))(labels))
    return _and(told) if told else False


def _text(one: LabelSelector) -> str:
    return one.canonical
