"""Policies of Tetragon, and what its agents say has become of them.

Sources: cilium/tetragon, ``pkg/k8s/apis/cilium.io/v1alpha1``; the states are those that
``tetra tracingpolicy list -o json`` prints (``tetragon.ListTracingPoliciesResponse``).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import msgspec

from kaudit.model.numbered import Numbered, listed, members
from kaudit.model.place import Place
from kaudit.model.runtime_event import plain
from kaudit.model.taken import Content, Lost, Taken
from kaudit.model.tracing_policy import TracingPolicy
from kaudit.registry import Read, collector, tool
from kaudit.table import Resource, Row, Table, Trace, doc


class TracingPolicyRow(Trace, kw_only=True):
    uid: Annotated[str, doc("uid")]
    kind: Annotated[str, doc("TracingPolicy or TracingPolicyNamespaced")]
    namespace: Annotated[str, doc("namespace; empty: of the cluster")]
    name: Annotated[str, doc("name")]
    hooks: Annotated[list[str], doc("functions, trace points and programs that it hooks, sorted")]
    hook_kinds: Annotated[list[str], doc("kinds of its hooks: kprobes, lsmhooks, …")]
    actions: Annotated[list[str], doc("actions of its selectors, sorted")]
    stops: Annotated[bool, doc("an action stops what it sees, where its mode lets it")]
    mode: Annotated[str | None, doc("option policy-mode: enforce or monitor; null: not said")] = (
        None
    )
    selects: Annotated[bool, doc("holds for chosen pods, containers or nodes alone")]
    refused: Annotated[
        list[str], doc("why the API server refuses it, by field; empty: it takes it")
    ]
    dropped: Annotated[list[str], doc("fields that the API server drops, for it knows none such")]
    unloadable: Annotated[list[str], doc("why Tetragon cannot load it; empty: nothing is known")]
    created_at: Annotated[datetime | None, doc("creation time")] = None


class TracingPolicyStateRow(Trace, kw_only=True):
    report: Annotated[str, doc("the file: the first 16 digits of its SHA-256")]
    position: Annotated[int, doc("place in the file, from 1")]
    namespace: Annotated[str, doc("namespace; empty: of the cluster")]
    name: Annotated[str, doc("name")]
    state: Annotated[str, doc("enabled, disabled, load_error, …; unknown: not told")]
    mode: Annotated[str | None, doc("enforce, monitor or monitor_only; null: not told")] = None
    error: Annotated[str | None, doc("what went wrong")] = None


TRACING_POLICIES = Table(
    "tracing_policies",
    TracingPolicyRow,
    grain="one policy of Tetragon",
    key=("namespace", "name", "uid"),
    resource=Resource("kind"),
)
TRACING_POLICY_STATES = Table(
    "tracing_policy_states",
    TracingPolicyStateRow,
    grain="one policy as one agent of Tetragon tells of it",
    key=("report", "position"),
)
_GROUP = "cilium.io"


class State(msgspec.Struct, gc=False, omit_defaults=True):
    """One policy of an agent's list."""

    name: str = ""
    namespace: str | None = None
    state: Any = None
    mode: Any = None
    error: str | None = None


class FoundState(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of one policy of an agent's list."""

    report: str
    position: int
    policy: State


class Listing(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of a list."""

    report: str
    findings: int = 0


@collector(
    Read(
        _GROUP, "TracingPolicy", "tracingpolicies", TracingPolicy, ("v1alpha1",), namespaced=False
    ),
    Read(
        *(_GROUP, "TracingPolicyNamespaced", "tracingpoliciesnamespaced", TracingPolicy),
        ("v1alpha1",),
    ),
    tables=(TRACING_POLICIES,),
)
def tracing_policies(found: TracingPolicy, at: Place) -> Iterator[Row]:
    """Yield one row a policy."""
    spec = found.spec
    yield TracingPolicyRow(
        raw=at.raw,
        raw_line=at.line,
        uid=at.uid,
        kind=at.kind,
        namespace=at.namespace,
        name=at.name,
        hooks=spec.hooks,
        hook_kinds=spec.kinds,
        actions=spec.actions,
        stops=spec.stops,
        mode=spec.mode,
        selects=spec.selects,
        refused=spec.refused,
        dropped=spec.dropped,
        unloadable=spec.unloadable,
        created_at=found.metadata.creation_timestamp,
    )


def _recognise(content: Content) -> bool:
    return content.keys == {"policies"} and b'"TP_STATE_' in content.data[: 1 << 16]


@tool(
    "tetragon-policies",
    title="Tetragon policies",
    help="What agents say of their policies: tetra tracingpolicy list -o json.",
    recognise=_recognise,
)
def take_tetragon_policies(content: Content) -> Iterator[Taken | Lost]:
    """Take the policies out of a list."""
    numbered = Numbered(content.report)
    for policy in listed(members(content.whole).get("policies")):
        yield numbered.take("Policy", policy=policy)
    yield numbered.whole()


@collector(
    Read.of("tetragon-policies", "Policy", "policies", FoundState),
    Read.of("tetragon-policies", "Report", "reports", Listing),
    tables=(TRACING_POLICY_STATES,),
)
def tracing_policy_states(found: FoundState | Listing, at: Place) -> Iterator[Row]:
    """Yield one policy of an agent's list."""
    if isinstance(found, Listing):
        return
    policy = found.policy
    yield TracingPolicyStateRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        position=found.position,
        namespace=policy.namespace or "",
        name=policy.name,
        state=_word(policy.state, "TP_STATE_") or "unknown",
        mode=_word(policy.mode, "TP_MODE_"),
        error=plain(policy.error),
    )


def _word(value: Any, prefix: str) -> str | None:
    text = plain(value)
    return text.removeprefix(prefix).lower() if text else None
