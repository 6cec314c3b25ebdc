"""OPA Gatekeeper beside its constraints: exclusions, mutations and expansions.

Source: open-policy-agent/gatekeeper, ``website/docs``: exempt-namespaces, mutation, expansion.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from kaudit.model.gatekeeper import Config, ExpansionTemplate, Mutation, kind_texts
from kaudit.model.meta import ABSENT, LabelSelector
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class ExclusionRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace of the Config")]
    name: Annotated[str, doc("name of the Config; Gatekeeper reads the one named config")]
    position: Annotated[int, doc("place in spec.match, from 1")]
    excluded_namespaces: Annotated[list[str], doc("namespaces that are left out; * for parts")]
    processes: Annotated[list[str], doc("audit, webhook, sync, mutation-webhook, or * for all")]


class MutationRow(Trace, kw_only=True):
    kind: Annotated[str, doc("Assign, AssignImage, AssignMetadata or ModifySet")]
    name: Annotated[str, doc("name")]
    apply_to: Annotated[list[str], doc("kinds that it changes: Kind of the core, Kind.group")]
    location: Annotated[str, doc("path of the field that it changes")]
    kinds: Annotated[list[str], doc("kinds that match; *.* for every kind")]
    namespaces: Annotated[list[str], doc("namespaces that match; empty: all")]
    excluded_namespaces: Annotated[list[str], doc("namespaces that do not match")]
    namespace_selector: Annotated[str | None, doc("namespaceSelector as JSON")] = None
    label_selector: Annotated[str | None, doc("labelSelector as JSON")] = None
    scope: Annotated[str | None, doc("Cluster, Namespaced or *; as written")] = None
    path_tests: Annotated[list[str], doc("conditions as path condition; empty: it always changes")]
    assigns: Annotated[bool, doc("it sets a value, which is not kept")]
    operation: Annotated[str | None, doc("merge or prune, of ModifySet; as written")] = None
    enforced: Annotated[bool | None, doc("all pods that tell enforce it; null: none tells")] = None
    errors: Annotated[list[str], doc("errors that pods of Gatekeeper report")]


class ExpansionRow(Trace, kw_only=True):
    name: Annotated[str, doc("name of the ExpansionTemplate")]
    apply_to: Annotated[list[str], doc("kinds that it expands: Kind of the core, Kind.group")]
    template_source: Annotated[str | None, doc("field that holds the template")] = None
    generated: Annotated[str, doc("kind that it makes, as Kind or Kind.group")]
    enforcement_action: Annotated[
        str | None, doc("action that replaces that of constraints; null: theirs")
    ] = None
    errors: Annotated[list[str], doc("errors that pods of Gatekeeper report")]


EXCLUSIONS = Table(
    "gatekeeper_exclusions",
    ExclusionRow,
    grain="one entry of namespaces that Gatekeeper's Config leaves out",
    key=("namespace", "name", "position"),
    resource=Resource("=Config"),
    beyond=True,
)
MUTATIONS = Table(
    "gatekeeper_mutations",
    MutationRow,
    grain="one mutation of Gatekeeper",
    key=("kind", "name"),
    resource=Resource("kind", namespace=""),
)
EXPANSIONS = Table(
    "gatekeeper_expansions",
    ExpansionRow,
    grain="one ExpansionTemplate of Gatekeeper",
    key=("name",),
    resource=Resource("=ExpansionTemplate", namespace=""),
)


@collector(
    Read("config.gatekeeper.sh", "Config", "configs", Config, ("v1alpha1",)),
    tables=(EXCLUSIONS,),
)
def gatekeeper_exclusions(found: Config, at: Place) -> Iterator[Row]:
    """Yield one row for each entry of excluded namespaces."""
    for position, it in enumerate(found.spec.match or (), start=1):
        yield ExclusionRow(
            raw=at.raw,
            raw_line=at.line,
            namespace=at.namespace,
            name=at.name,
            position=position,
            excluded_namespaces=sorted(it.excluded_namespaces or ()),
            processes=sorted(it.processes or ()),
        )


@collector(
    *(
        Read(
            "mutations.gatekeeper.sh",
            kind,
            plural,
            Mutation,
            ("v1", "v1beta1", "v1alpha1"),
            namespaced=False,
        )
        for kind, plural in (
            ("Assign", "assign"),
            ("AssignImage", "assignimage"),
            ("AssignMetadata", "assignmetadata"),
            ("ModifySet", "modifyset"),
        )
    ),
    tables=(MUTATIONS,),
)
def gatekeeper_mutations(found: Mutation, at: Place) -> Iterator[Row]:
    """Yield one row a mutation."""
    spec, match = found.spec, found.spec.match
    yield MutationRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        name=at.name,
        apply_to=kind_texts(spec.apply_to),
        location=spec.location or "",
        kinds=match.kind_texts,
        namespaces=sorted(match.namespaces or ()),
        excluded_namespaces=sorted(match.excluded_namespaces or ()),
        namespace_selector=LabelSelector.text(match.namespace_selector),
        label_selector=LabelSelector.text(match.label_selector),
        scope=match.scope,
        path_tests=[f"{t.sub_path} {t.condition}" for t in spec.parameters.path_tests or ()],
        assigns=spec.parameters.assign != ABSENT,
        operation=spec.parameters.operation,
        enforced=found.status.enforced,
        errors=found.status.faults,
    )


@collector(
    Read(
        "expansion.gatekeeper.sh",
        "ExpansionTemplate",
        "expansiontemplate",
        ExpansionTemplate,
        ("v1beta1", "v1alpha1"),
        namespaced=False,
    ),
    tables=(EXPANSIONS,),
)
def gatekeeper_expansions(found: ExpansionTemplate, at: Place) -> Iterator[Row]:
    """Yield one row an expansion."""
    spec, made = found.spec, found.spec.generated
    yield ExpansionRow(
        raw=at.raw,
        raw_line=at.line,
        name=at.name,
        apply_to=kind_texts(spec.apply_to),
        template_source=spec.template_source,
        generated=".".join(filter(None, (made.kind, made.group))),
        enforcement_action=spec.enforcement_action,
        errors=found.status.faults,
    )
