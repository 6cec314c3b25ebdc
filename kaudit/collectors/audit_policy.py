"""Audit policies: files of API servers, and what ConfigMaps hold for those in pods."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

import msgspec

from kaudit.errors import InputError
from kaudit.model import audit_policy as policy
from kaudit.model.configuration import ConfigMap
from kaudit.model.place import Place
from kaudit.model.taken import Content, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row, Table, doc
from kaudit.tables.held import HELD_KEY, HOLDER, Held


class AuditPolicyRow(Held, kw_only=True):
    rules: Annotated[int, doc("how many rules it has")]
    fault: Annotated[
        str, doc("why it is not judged: what the API server refuses of it; empty: nothing")
    ]
    unlogged: Annotated[
        list[str], doc("requests that it does not log and that an investigation asks for")
    ]
    exposed: Annotated[list[str], doc("requests that it logs with secret values in their bodies")]


AUDIT_POLICIES = Table(
    "audit_policies",
    AuditPolicyRow,
    grain="one audit policy",
    key=HELD_KEY,
    resource=HOLDER,
    every_kind=True,
)
_NAMED = f"{policy.KIND}.{policy.API.rstrip('/')}"
_OF_GROUP = re.compile(rb'"apiVersion"\s*:\s*"audit\.k8s\.io/')
_KIND = re.compile(rb'"kind"\s*:\s*"Policy"')
_EDGE = 1 << 16


def _recognise(content: Content) -> bool:
    start = content.data[:_EDGE]
    if content.shape == "object":
        known = _OF_GROUP.search(start) and _KIND.search(start)
        return bool(known) and {"apiVersion", "kind", "rules"} <= content.keys
    return content.kind == policy.KIND and policy.is_policy(start.decode("utf-8", "replace"))


@tool(
    "audit-policy",
    title="Audit policy",
    help="Audit policy of an API server (audit.k8s.io Policy).",
    recognise=_recognise,
    kinds=(policy.KIND,),
)
def take_audit_policy(content: Content) -> Iterator[Taken]:
    """Take out what it logs, and what not."""
    try:
        found = policy.judged(content.document())
    except TypeError as fault:
        raise InputError(f"is no audit policy: {fault}") from None
    record = policy.Found(report=content.report, file=content.name, policy=found)
    yield Taken(policy.KIND, msgspec.json.encode(record), 1)


@collector(
    Read.of("audit-policy", policy.KIND, "auditpolicies", policy.Found), tables=(AUDIT_POLICIES,)
)
def audit_policy_files(found: policy.Found, at: Place) -> Iterator[Row]:
    """Yield the policy of a file."""
    yield _row(found.policy, at, kind=_NAMED, name=found.file, report=found.report)


@collector(Read("", "ConfigMap", "configmaps", ConfigMap), tables=(AUDIT_POLICIES,))
def audit_policy_config_maps(found: ConfigMap, at: Place) -> Iterator[Row]:
    """Yield the policies that a ConfigMap holds."""
    for key, _, value in found.judged:
        if value.audit is not None:
            yield _row(value.audit, at, kind=at.kind, namespace=at.namespace, name=at.name, key=key)


def _row(found: policy.Judged, at: Place, **held: str) -> AuditPolicyRow:
    return AuditPolicyRow(
        raw=at.raw,
        raw_line=at.line,
        rules=found.rules,
        fault=found.fault,
        unlogged=found.unlogged,
        exposed=found.exposed,
        **held,
    )
