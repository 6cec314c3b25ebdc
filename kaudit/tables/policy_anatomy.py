"""Columns of the tables that take admission policies apart, whatever their engine."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, TypedDict

from kaudit.table import Resource, Table, Trace, doc


class PolicyAnatomyRow(Trace, kw_only=True):
    engine: Annotated[str, doc("Gatekeeper, Kyverno or ValidatingAdmissionPolicy")]
    kind: Annotated[str, doc("kind of the policy, of a constraint what its template makes")]
    namespace: Annotated[str, doc("namespace of the policy; empty for cluster scope")]
    policy: Annotated[str, doc("name of the policy or constraint")]
    position: Annotated[int, doc("place of the rule in the policy, from 1; 0: it has none")]
    rule: Annotated[str, doc("name of the rule; empty where a policy is one rule")]
    binding: Annotated[str, doc("binding of an admission policy; empty: none, or it needs none")]
    template: Annotated[str, doc("ConstraintTemplate of a constraint, else empty")]
    purpose: Annotated[str, doc("validate, mutate, generate, verifyImages, delete; empty: none")]
    mode: Annotated[
        str, doc("enforce, warn, audit (only reported) or off; enforce also for what changes")
    ]
    mode_text: Annotated[str, doc("setting that makes the mode")]
    overrides: Annotated[
        list[str],
        doc(
            "other modes of some namespaces, the first that holds counts, as JSON: mode, "
            "namespaces (one must match, * for parts), namespaceSelector (and that)"
        ),
    ]
    kinds: Annotated[
        list[str],
        doc(
            "kinds that it matches, with those of autogen: Kind of the core, Kind.group, /part "
            "behind for a subresource; * for any; a resource in small letters where no kind is "
            "known for it"
        ),
    ]
    autogen: Annotated[
        list[str], doc("kinds among them that Kyverno adds to a rule that is for Pods")
    ]
    excluded_kinds: Annotated[list[str], doc("kinds that it excludes, wherever they are")]
    operations: Annotated[list[str], doc("operations that it is asked about, defaults put in")]
    namespaces: Annotated[list[str], doc("namespaces that it is for, * for parts; empty: all")]
    excluded_namespaces: Annotated[
        list[str], doc("namespaces that it excludes by itself, * for parts")
    ]
    engine_excluded_namespaces: Annotated[
        list[str], doc("namespaces that its engine leaves out for every policy, * for parts")
    ]
    namespace_selector: Annotated[
        str | None, doc("labels of namespaces that it is for, as JSON; null: all")
    ] = None
    object_selector: Annotated[
        str | None, doc("labels of objects that it is for, as JSON; null: all")
    ] = None
    names: Annotated[list[str], doc("names of objects that it is for, * for parts; empty: all")]
    scope: Annotated[str, doc("Cluster, Namespaced or *")] = "*"
    match: Annotated[str | None, doc("what it matches as JSON, as its engine writes it")] = None
    exclude: Annotated[str | None, doc("what it excludes as JSON; null: nothing")] = None
    conditions: Annotated[
        bool,
        doc(
            "it holds only on further conditions (preconditions, match conditions, who asks, "
            "parameters that may be missing), which are not decided here"
        ),
    ]
    scope_known: Annotated[
        bool, doc("the columns say all of its scope; else match and exclude say more")
    ]
    reads_known: Annotated[bool, doc("its code or patterns could be read to the end")]
    fields: Annotated[
        list[str],
        doc(
            "fields that it reads or sets: of a pod from spec (also in templates), of a container "
            "without the list that it is in"
        ),
    ]
    required_fields: Annotated[
        list[str] | None, doc("those whose absence it refuses; null: cannot be told")
    ] = None
    reads_containers: Annotated[
        bool | None, doc("looks at containers; null: could not be read")
    ] = None
    reads_init: Annotated[bool | None, doc("looks at initContainers; null: could not be read")] = (
        None
    )
    reads_ephemeral: Annotated[
        bool | None, doc("looks at ephemeralContainers; null: could not be read")
    ] = None
    controls: Annotated[
        list[str], doc("controls whose requirement it demands, as its fields and values tell")
    ]
    possible_controls: Annotated[
        list[str],
        doc(
            "controls that it demands if it refuses what is not set, or what is not safe, which "
            "cannot be told of it"
        ),
    ]
    unused_parameters: Annotated[
        list[str] | None,
        doc("parameters that its template never reads; null: unknown"),
    ] = None
    failure_policy: Annotated[
        str | None, doc("Fail or Ignore where it cannot be asked; null: its webhook is not known")
    ] = None
    background: Annotated[bool | None, doc("what exists is checked too; null: not told")] = None
    exceptions: Annotated[int, doc("exceptions that name the rule")] = 0
    audited_at: Annotated[datetime | None, doc("last audit; null: none is told")] = None
    ready: Annotated[bool | None, doc("its engine serves it; null: not told")] = None
    errors: Annotated[list[str], doc("errors that its engine reports, and parts that are missing")]
    strange: Annotated[list[str], doc("fields of it that are not known here: it may do more")]


KEY = ("engine", "kind", "namespace", "policy", "position", "binding")
_RESOURCE = Resource("kind", name="policy")
_LISTS = ("containers", "initContainers", "ephemeralContainers")


class ContainersRead(TypedDict):
    """Columns that say which lists of containers a rule looks at."""

    reads_containers: bool | None
    reads_init: bool | None
    reads_ephemeral: bool | None


def containers_read(known: bool, lists: Collection[str]) -> ContainersRead:
    """Return those columns of a rule that names some lists; ``known``: it names no others."""
    read = {name: name in lists or (False if known else None) for name in _LISTS}
    return ContainersRead(
        reads_containers=read["containers"],
        reads_init=read["initContainers"],
        reads_ephemeral=read["ephemeralContainers"],
    )


def anatomy(name: str, grain: str) -> Table:
    """Return a table of these columns."""
    return Table(name, PolicyAnatomyRow, grain=grain, key=KEY, resource=_RESOURCE)
