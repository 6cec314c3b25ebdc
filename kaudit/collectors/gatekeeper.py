"""OPA Gatekeeper: constraint templates, constraints and what their audit found.

Source: open-policy-agent/gatekeeper, ``website/docs``. Each template makes a kind of
constraint, so every kind of their group is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from kaudit.model.gatekeeper import Constraint, ConstraintTemplate
from kaudit.model.meta import CHANGED, LabelSelector
from kaudit.model.place import Place
from kaudit.model.reads import COMPARES, SAFE, UNSAFE
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class TemplateRow(Trace, kw_only=True):
    name: Annotated[str, doc("name of the ConstraintTemplate")]
    constraint_kind: Annotated[str, doc("kind of constraint that it makes; empty: none named")]
    targets: Annotated[list[str], doc("targets, such as admission.k8s.gatekeeper.sh")]
    engines: Annotated[list[str], doc("Rego, K8sNativeValidation (CEL), or as named")]
    operations: Annotated[list[str], doc("operations that it is asked about; empty: all")]
    parameters: Annotated[list[str], doc("parameters that its schema declares")]
    conditions: Annotated[bool, doc("some of its code has match conditions")] = False
    reads_known: Annotated[bool, doc("its code could be read to the end; else there may be more")]
    container_fields: Annotated[
        list[str], doc("containers, initContainers, ephemeralContainers: those its code reads")
    ]
    fields: Annotated[list[str], doc("fields of pods and containers that its code reads")]
    required_fields: Annotated[
        list[str] | None, doc("fields whose absence it refuses; null: cannot be told")
    ] = None
    safe_fields: Annotated[list[str], doc(SAFE)]
    unsafe_fields: Annotated[list[str], doc(UNSAFE)]
    compares: Annotated[list[str], doc(COMPARES)]
    unused_parameters: Annotated[
        list[str] | None, doc("parameters that its code never reads; null: it could not be read")
    ] = None
    created: Annotated[bool | None, doc("status.created: its kind of constraint is there")] = None
    errors: Annotated[list[str], doc("errors that pods of Gatekeeper report")]
    created_at: Annotated[datetime | None, doc("creation time")] = None
    changed_at: Annotated[datetime | None, doc(CHANGED)] = None


class ConstraintRow(Trace, kw_only=True):
    kind: Annotated[str, doc("kind of the constraint, which its template makes")]
    name: Annotated[str, doc("name")]
    enforcement_action: Annotated[str, doc("deny, dryrun, warn or scoped; deny where unset")]
    scoped_actions: Annotated[list[str], doc("scopedEnforcementActions as action at points")]
    kinds: Annotated[list[str], doc("kinds that match: Kind of the core, Kind.group; * for any")]
    namespaces: Annotated[list[str], doc("namespaces that match; empty: all")]
    excluded_namespaces: Annotated[list[str], doc("namespaces that do not match")]
    namespace_selector: Annotated[str | None, doc("namespaceSelector as JSON")] = None
    label_selector: Annotated[str | None, doc("labelSelector as JSON")] = None
    scope: Annotated[str | None, doc("Cluster, Namespaced or *; as written")] = None
    name_pattern: Annotated[str | None, doc("name of objects that match; * at the end for any")]
    source: Annotated[str | None, doc("Original, Generated or All objects; as written")] = None
    parameters: Annotated[list[str], doc("names of its parameters")]
    audited_at: Annotated[datetime | None, doc("last audit; null: none is told")] = None
    total_violations: Annotated[int | None, doc("violations that the audit counted")] = None
    violations_listed: Annotated[int, doc("violations that its status lists")]
    truncated: Annotated[
        bool | None, doc("fewer are listed than were counted; null: the total is not told")
    ] = None
    enforced: Annotated[bool | None, doc("all pods that tell enforce it; null: none tells")] = None
    pods: Annotated[int, doc("pods of Gatekeeper that report on it")]
    errors: Annotated[list[str], doc("errors that pods of Gatekeeper report")]
    strange: Annotated[list[str], doc("fields of it that are not known here")]
    created_at: Annotated[datetime | None, doc("creation time")] = None
    changed_at: Annotated[datetime | None, doc(CHANGED)] = None


class ViolationRow(Trace, kw_only=True):
    constraint_kind: Annotated[str, doc("kind of the constraint")]
    constraint: Annotated[str, doc("name of the constraint")]
    position: Annotated[int, doc("place in its status, from 1")]
    group: Annotated[str, doc("group of the object, empty for the core")]
    version: Annotated[str, doc("version of the object, empty where not told")]
    kind: Annotated[str, doc("kind of the object")]
    namespace: Annotated[str, doc("namespace of the object; empty for cluster scope")]
    name: Annotated[str, doc("name of the object")]
    actions: Annotated[list[str], doc("actions of the constraint when it was found")]
    message: Annotated[str | None, doc("what was found, masked")] = None


TEMPLATES = Table(
    "constraint_templates",
    TemplateRow,
    grain="one ConstraintTemplate of Gatekeeper",
    key=("name",),
    resource=Resource("=ConstraintTemplate", namespace=""),
)
CONSTRAINTS = Table(
    "constraints",
    ConstraintRow,
    grain="one constraint of Gatekeeper",
    key=("kind", "name"),
    resource=Resource("kind", namespace=""),
)
VIOLATIONS = Table(
    "constraint_violations",
    ViolationRow,
    grain="one violation that the status of a constraint lists",
    key=("constraint_kind", "constraint", "position"),
    resource=Resource("kind"),
)


@collector(
    Read(
        "templates.gatekeeper.sh",
        "ConstraintTemplate",
        "constrainttemplates",
        ConstraintTemplate,
        ("v1", "v1beta1", "v1alpha1"),
        namespaced=False,
    ),
    tables=(TEMPLATES,),
)
def constraint_templates(found: ConstraintTemplate, at: Place) -> Iterator[Row]:
    """Yield one row a template."""
    made, targets = found.spec.crd.spec, found.spec.targets or []
    declared, reads = found.parameters, found.reads
    yield TemplateRow(
        raw=at.raw,
        raw_line=at.line,
        name=at.name,
        constraint_kind=made.names.kind,
        targets=[target.target for target in targets],
        engines=sorted({engine for target in targets for engine in target.engines}),
        operations=sorted({word for target in targets for word in target.operations or ()}),
        parameters=declared,
        conditions=found.conditions,
        **reads.columns,
        unused_parameters=reads.unused(declared),
        created=found.status.created,
        errors=found.status.faults,
        created_at=found.metadata.creation_timestamp,
        changed_at=found.metadata.changed_at,
    )


@collector(
    Read(
        "constraints.gatekeeper.sh",
        "Constraint",
        "constraints",
        Constraint,
        ("v1beta1", "v1alpha1"),
        namespaced=False,
        open=True,
    ),
    tables=(CONSTRAINTS, VIOLATIONS),
)
def constraints(found: Constraint, at: Place) -> Iterator[Row]:
    """Yield one row a constraint, and one for each violation that its status lists."""
    spec, match, status = found.spec, found.spec.matching, found.status
    listed = (status.violations if status else None) or []
    total = status.total_violations if status else None
    enforced = status.enforced if status else None
    yield ConstraintRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        name=at.name,
        enforcement_action=spec.enforcement_action or "deny",
        scoped_actions=[one.text for one in spec.scoped_enforcement_actions or ()],
        kinds=match.kind_texts,
        namespaces=sorted(match.namespaces or ()),
        excluded_namespaces=sorted(match.excluded_namespaces or ()),
        namespace_selector=LabelSelector.text(match.namespace_selector),
        label_selector=LabelSelector.text(match.label_selector),
        scope=match.scope,
        name_pattern=match.name,
        source=match.source,
        parameters=sorted(spec.parameters or ()),
        audited_at=status.audit_timestamp if status else None,
        total_violations=total,
        violations_listed=len(listed),
        truncated=None if total is None else len(listed) < total,
        enforced=status.at_once if status and enforced is None else enforced,
        pods=len((status.by_pod if status else None) or ()),
        errors=status.faults if status else [],
        strange=[f"match.{name}" for name in match.strange or ()],
        created_at=found.metadata.creation_timestamp,
        changed_at=found.metadata.changed_at,
    )
    for position, it in enumerate(listed, start=1):
        yield ViolationRow(
            raw=at.raw,
            raw_line=at.line,
            constraint_kind=at.kind,
            constraint=at.name,
            position=position,
            group=it.group or "",
            version=it.version or "",
            kind=it.kind,
            namespace=it.namespace or "",
            name=it.name,
            actions=it.enforcement_actions or list(filter(None, [it.enforcement_action])),
            message=it.message,
        )
