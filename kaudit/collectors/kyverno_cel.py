"""Kyverno's policies of CEL, and exceptions from them.

Source: kyverno/kyverno, ``api/policies.kyverno.io``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kaudit.model.exemption import terms_of
from kaudit.model.kyverno_cel import CelException, CelPolicy
from kaudit.model.meta import ABSENT
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Row
from kaudit.tables.kyverno import (
    KYVERNO_POLICIES,
    KYVERNO_RULES,
    POLICY_EXCEPTIONS,
    KyvernoPolicyRow,
    KyvernoRuleRow,
    PolicyExceptionRow,
)

_GROUP = "policies.kyverno.io"
_VERSIONS = ("v1", "v1beta1", "v1alpha1")
#: Kind, without ``Namespaced`` before it, to what its rule does.
_TYPES = {
    "ValidatingPolicy": "validate",
    "MutatingPolicy": "mutate",
    "GeneratingPolicy": "generate",
    "ImageValidatingPolicy": "verifyImages",
    "DeletingPolicy": "delete",
}


def _reads() -> Iterator[Read]:
    for kind in _TYPES:
        plural = f"{kind.lower().removesuffix('y')}ies"
        yield Read(_GROUP, kind, plural, CelPolicy, _VERSIONS, namespaced=False)
        yield Read(_GROUP, f"Namespaced{kind}", f"namespaced{plural}", CelPolicy, _VERSIONS)


@collector(*_reads(), tables=(KYVERNO_POLICIES, KYVERNO_RULES))
def kyverno_cel_policies(found: CelPolicy, at: Place) -> Iterator[Row]:
    """Yield one row a policy, and one for the one rule that it is."""
    spec = found.told
    match, strange = spec.match_constraints, [f"spec.{name}" for name in spec.strange or ()]
    type = _TYPES[at.kind.removeprefix("Namespaced")]
    extended = spec.autogen.pod_controllers
    told = found.status.condition_status
    bodies = (spec.validations, spec.mutations, spec.generate)
    yield KyvernoPolicyRow(
        raw=at.raw,
        raw_line=at.line,
        group=at.group,
        kind=at.kind,
        namespace=at.namespace,
        name=at.name,
        actions=spec.validation_actions or [],
        overrides=[],
        failure_policy=spec.failure_policy or "Fail",
        background=spec.of_requests and spec.evaluation.background.enabled is not False,
        admission=spec.of_requests and spec.evaluation.admission.enabled is not False,
        autogen=",".join(extended.controllers or ()) if extended else None,
        rules=sum(len(body or ()) for body in bodies),
        ready=told.ready,
        created_at=found.metadata.creation_timestamp,
        changed_at=found.metadata.changed_at,
    )
    reads = spec.reads
    judges = type in ("validate", "verifyImages")
    images = [one.glob or one.expression for one in spec.match_image_references or ()]
    yield KyvernoRuleRow(
        raw=at.raw,
        raw_line=at.line,
        group=at.group,
        kind=at.kind,
        namespace=at.namespace,
        policy=at.name,
        position=1,
        rule="",
        type=type,
        mutates=type == "mutate",
        verifies=type == "verifyImages",
        ways=["cel"],
        action=(",".join(spec.validation_actions or ()) or "Deny") if judges else None,
        overrides=[],
        override_terms=[],
        kinds=[one.text for one in (match.resource_rules if match else None) or ()],
        namespaces=[],
        excluded_kinds=[
            one.text for one in (match.exclude_resource_rules if match else None) or ()
        ],
        excluded_namespaces=[],
        match=match.canonical if match else None,
        conditions=bool(spec.match_conditions or spec.conditions or strange),
        **reads.columns,
        images=[image for image in images if image],
        lax=spec.validation_configurations.lax,
        strange=strange,
    )


@collector(
    Read(_GROUP, "PolicyException", "policyexceptions", CelException, _VERSIONS),
    tables=(POLICY_EXCEPTIONS,),
)
def kyverno_cel_exceptions(found: CelException, at: Place) -> Iterator[Row]:
    """Yield one row for each policy that is excepted from."""
    spec, terms = found.spec, terms_of(found.metadata)
    for position, it in enumerate(spec.policy_refs or (), start=1):
        yield PolicyExceptionRow(
            raw=at.raw,
            raw_line=at.line,
            group=at.group,
            namespace=at.namespace,
            name=at.name,
            position=position,
            policy_kind=it.kind,
            policy=it.name,
            rules=[],
            kinds=[],
            namespaces=[],
            conditions=bool(spec.match_conditions) or spec.allowed_values != ABSENT,
            images=sorted(spec.images or ()),
            background=True,
            expires_at=spec.expires_at or terms.expires_at,
            owner=terms.owner,
            reason=terms.reason,
            created_at=found.metadata.creation_timestamp,
        )
