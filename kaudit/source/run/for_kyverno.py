"""What kyverno is run on: rules that judge, exceptions, and labels of namespaces."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy

from kaudit.model import kept_policies
from kaudit.model.tool_run import WITHOUT
from kaudit.model.words import Gap
from kaudit.source.run.lay_out import (
    ASKS,
    entries,
    group_of,
    left_out,
    place_of,
    told_of_secrets,
    write,
)
from kaudit.source.run.objects import Object, Objects
from kaudit.source.run.outside import policy_asks, rule_asks
from kaudit.source.run.secrets import UNJUDGED
from kaudit.source.run.tool import Target
from kaudit.source.run.versions import asked_for

_OUTSIDE = ("verifyImages", "mutate", "generate")
_VALIDATING = ("ClusterPolicy", "Policy", "ValidatingPolicy", "NamespacedValidatingPolicy")


def for_kyverno(
    objects: Objects, found: Iterable[Object], name: str, gaps: list[Gap]
) -> list[Target]:
    """Lay down policies, exceptions and values; return the target, where a policy judges."""
    all_of, policies, without = [*found], [], name == WITHOUT
    excepting = [one for one in all_of if one["kind"] == "PolicyException" and not without]
    kept, unjudged = objects.secrets.kept, []
    unsure = [one for one in excepting if not kept_policies.exception_holds(one, kept)]
    for one in all_of:
        if one["kind"] not in _VALIDATING or not group_of(one).endswith("kyverno.io"):
            if one["kind"] in ("ImageValidatingPolicy", "NamespacedImageValidatingPolicy"):
                gaps.append(left_out(one, "it asks registries, and no network is given"))
            continue
        judging = _validating(one, gaps, without=without)
        if judging is None:
            continue
        policies.append(judging)
        holds = kept_policies.policy_holds(judging, kept) and not any(
            kept_policies.excepts(exception, one) for exception in unsure
        )
        gaps += told_of_secrets(objects, judging, holds=holds)
        if not holds:
            unjudged.append({"name": str(one["metadata"].get("name"))})
    if not policies:
        return []
    write(objects, "kyverno", name, "policies.yaml", policies)
    write(objects, "kyverno", name, UNJUDGED, unjudged)
    if objects.older and not asked_for(policies):
        objects.write_followed(place_of(objects, "kyverno", name) / "objects.yaml")
    if excepting:
        write(objects, "kyverno", name, "exceptions.yaml", excepting)
    spaces = [{"name": k, "labels": v} for k, v in sorted(objects.namespaces.items())]
    values = {
        "apiVersion": "cli.kyverno.io/v1alpha1",
        "kind": "Values",
        "metadata": {"name": "namespaces"},
        "namespaceSelector": spaces,
    }
    write(objects, "kyverno", name, "values.yaml", [values])
    return [Target("Policies", name, path=place_of(objects, "kyverno", name))]


def _validating(policy: Object, gaps: list[Gap], *, without: bool) -> Object | None:
    """Return a policy with the rules that judge; those that ask registries are told."""
    if group_of(policy) != "kyverno.io":
        if asked := policy_asks(policy):
            gaps.append(left_out(policy, ASKS.format("it", asked)))
        return None if asked else policy
    rules = entries(policy, "spec", "rules")
    if any("verifyImages" in rule for rule in rules):
        gaps.append(left_out(policy, "rules that verify images ask registries: they were not run"))
    kept = [rule for rule in rules if "validate" in rule and not any(k in rule for k in _OUTSIDE)]
    asking = [(rule, asked) for rule in kept if (asked := rule_asks(rule))]
    gaps += [left_out(policy, ASKS.format(f"rule {one.get('name')}", it)) for one, it in asking]
    kept = [rule for rule in kept if not rule_asks(rule)]
    if not kept:
        return None
    policy = {**policy, "spec": {**policy["spec"], "rules": deepcopy(kept)}}
    if without:
        for rule in policy["spec"]["rules"]:
            rule.pop("exclude", None)
    return policy


def excluding(one: Object) -> bool:
    """Tell whether a policy excludes something from a rule."""
    return one["kind"] in _VALIDATING and any(
        "exclude" in rule for rule in entries(one, "spec", "rules")
    )
