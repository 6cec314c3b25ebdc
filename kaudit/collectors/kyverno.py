"""Kyverno's policies of patterns: ClusterPolicy, Policy, and exceptions from them.

Source: kyverno/kyverno, ``api/kyverno``, and its documentation of rules.
"""

from __future__ import annotations

from collections.abc import Iterator

from kaudit.model.configuration import ConfigMap
from kaudit.model.exemption import terms_of
from kaudit.model.kyverno import Filters, Override, Policy, PolicyException, Rule, Spec, action_of
from kaudit.model.kyverno_filters import KEY
from kaudit.model.meta import ABSENT
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Row
from kaudit.tables.kyverno import (
    KYVERNO_FILTERS,
    KYVERNO_POLICIES,
    KYVERNO_RULES,
    POLICY_EXCEPTIONS,
    KyvernoFilterRow,
    KyvernoPolicyRow,
    KyvernoRuleRow,
    PolicyExceptionRow,
)

_GROUP = "kyverno.io"
_AUTOGEN = "pod-policies.kyverno.io/autogen-controllers"
_VERSIONS = ("v1", "v2beta1")


@collector(
    Read(_GROUP, "ClusterPolicy", "clusterpolicies", Policy, _VERSIONS, namespaced=False),
    Read(_GROUP, "Policy", "policies", Policy, _VERSIONS),
    tables=(KYVERNO_POLICIES, KYVERNO_RULES),
)
def kyverno_policies(found: Policy, at: Place) -> Iterator[Row]:
    """Yield one row a policy, and one for each of its rules."""
    spec = found.told
    rules, strange = spec.listed, [f"spec.{name}" for name in spec.strange or ()]
    action = action_of(spec.validation_failure_action)
    yield KyvernoPolicyRow(
        raw=at.raw,
        raw_line=at.line,
        group=at.group,
        kind=at.kind,
        namespace=at.namespace,
        name=at.name,
        actions=[action] if action else [],
        overrides=[one.text for one in spec.validation_failure_action_overrides or ()],
        failure_policy=spec.failure_policy or spec.webhook_configuration.failure_policy or "Fail",
        background=spec.background is not False,
        admission=spec.admission is not False,
        autogen=found.metadata.annotation(_AUTOGEN),
        conditions=bool(spec.webhook_configuration.match_conditions or strange)
        or spec.apply_rules == "One",
        warns=spec.emit_warning is True,
        rules=len(rules),
        ready=found.status.is_ready,
        created_at=found.metadata.creation_timestamp,
        changed_at=found.metadata.changed_at,
    )
    for position, rule in enumerate(rules, start=1):
        type, ways = _type(rule)
        reads = rule.reads
        match, exclude = rule.match or Filters(), rule.exclude or Filters()
        yield KyvernoRuleRow(
            raw=at.raw,
            raw_line=at.line,
            group=at.group,
            kind=at.kind,
            namespace=at.namespace,
            policy=at.name,
            position=position,
            rule=rule.name,
            type=type,
            mutates=type == "mutate",
            verifies=type == "verifyImages",
            ways=ways,
            action=_action(spec, rule),
            overrides=[one.text for one in _overrides(spec, rule)],
            override_terms=[one.canonical for one in _overrides(spec, rule)],
            kinds=match.kinds,
            namespaces=match.namespaces,
            excluded_kinds=exclude.kinds,
            excluded_namespaces=exclude.namespaces,
            match=Filters.text(rule.match),
            exclude=Filters.text(rule.exclude),
            conditions=rule.preconditions != ABSENT or bool(rule.cel_preconditions),
            **reads.columns,
            overwrites=rule.mutate.overwrites if rule.mutate else None,
            images=_images(rule),
            lax=sorted({text for one in rule.verify_images or () for text in one.lax}),
            strange=[*strange, *rule.unknown],
        )


def _type(rule: Rule) -> tuple[str, list[str]]:
    """What a rule does, and how."""
    if rule.validate is not None:
        return "validate", list(rule.validate.parts)
    if (it := rule.mutate) is not None:
        ways = {
            "patchStrategicMerge": it.patch_strategic_merge,
            "patchesJson6902": it.patches_json6902,
            "foreach": it.foreach,
        }
        return "mutate", [name for name, raw in ways.items() if raw != ABSENT]
    if (made := rule.generate) is not None:
        ways = {
            "data": made.data,
            "clone": made.clone,
            "cloneList": made.clone_list,
            "foreach": made.foreach,
        }
        return "generate", [name for name, raw in ways.items() if raw != ABSENT]
    if rule.verify_images:
        return "verifyImages", []
    return ("validate", rule.strange) if rule.strange else ("", [])


def _action(spec: Spec, rule: Rule) -> str | None:
    """What a rule that judges does on failure: Audit where nobody says."""
    of_images = [one.failure_action for one in rule.verify_images or ()]
    if rule.validate is None and not of_images:
        return None
    own = rule.validate.failure_action if rule.validate else next(filter(None, of_images), None)
    return action_of(own) or action_of(spec.validation_failure_action) or "Audit"


def _overrides(spec: Spec, rule: Rule) -> list[Override]:
    own = rule.validate.failure_action_overrides if rule.validate else None
    return own or spec.validation_failure_action_overrides or []


def _images(rule: Rule) -> list[str]:
    named = [[*(one.image_references or ()), one.image] for one in rule.verify_images or ()]
    return sorted({image for images in named for image in images if image})


@collector(Read("", "ConfigMap", "configmaps", ConfigMap), tables=(KYVERNO_FILTERS,))
def kyverno_filters(found: ConfigMap, at: Place) -> Iterator[Row]:
    """Yield one row for each filter in a ConfigMap that holds such."""
    for key, _, value in found.judged:
        for position, text in enumerate(value.kyverno or (), start=1):
            kind, place, name = text.split(",") if key == KEY else ("", "", "")
            yield KyvernoFilterRow(
                raw=at.raw,
                raw_line=at.line,
                namespace=at.namespace,
                name=at.name,
                setting=key,
                position=position,
                filtered=kind,
                place=place,
                object=name,
                user="" if key == KEY else text,
            )


@collector(
    Read(_GROUP, "PolicyException", "policyexceptions", PolicyException, ("v2", "v2beta1")),
    tables=(POLICY_EXCEPTIONS,),
)
def kyverno_exceptions(found: PolicyException, at: Place) -> Iterator[Row]:
    """Yield one row for each policy that is excepted from."""
    spec, match = found.spec, found.spec.match or Filters()
    terms = terms_of(found.metadata)
    for position, it in enumerate(spec.exceptions or (), start=1):
        yield PolicyExceptionRow(
            raw=at.raw,
            raw_line=at.line,
            group=at.group,
            namespace=at.namespace,
            name=at.name,
            position=position,
            policy_kind="",
            policy=it.policy_name,
            rules=sorted(it.rule_names or ()),
            kinds=match.kinds,
            namespaces=match.namespaces,
            match=Filters.text(spec.match),
            conditions=spec.conditions != ABSENT,
            images=[],
            pod_security=len(spec.pod_security or ()),
            background=spec.background is not False,
            expires_at=terms.expires_at,
            owner=terms.owner,
            reason=terms.reason,
            created_at=found.metadata.creation_timestamp,
        )
