"""Requests of the audit log that an auditor asks about: hands in containers, changes of rights.

What counts is listed below; a person is whoever is no account of the platform.
"""

from __future__ import annotations

from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, records
from kaudit.parameters import parameters
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class AuditActionRow(Trace, kw_only=True):
    report: Annotated[str, doc("the file")]
    line: Annotated[int, doc("line of the file where it stands first")]
    kind: Annotated[str, doc("always User")] = "User"
    user: Annotated[str, doc("who asked")]
    person: Annotated[bool, doc("no account of the platform: neither service account nor node")]
    what: Annotated[str, doc("verb and resource/subresource")]
    target: Annotated[str, doc("namespace/name of the object")]
    first_at: Annotated[datetime | None, doc("when it was asked first")] = None
    count: Annotated[int, doc("how often")]
    code: Annotated[int | None, doc("code of the answer")] = None
    granted: Annotated[bool | None, doc("it was let through; null: not told")] = None
    interactive: Annotated[bool, doc("a hand in a container, a node or an identity")]
    accepted: Annotated[bool, doc("the user is of a group that may do so: break_glass_groups")]
    suspicion: Annotated[str, doc("why it is asked about, a change of rights or policy; empty: no")]


AUDIT_ACTIONS = Table(
    "audit_actions",
    AuditActionRow,
    grain="one request that an auditor asks about",
    key=("report", "line"),
    resource=Resource("kind", namespace="", name="user"),
)
_INTERACTIVE = frozenset(
    [
        *("pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers"),
        *("nodes/proxy", "pods/proxy", "serviceaccounts/token"),
    ]
)
_WRITES = frozenset(["create", "update", "patch", "delete", "deletecollection"])
_POWERFUL = frozenset(["cluster-admin", "admin", "edit", "system:masters"])
_GUARDS = frozenset(
    [
        *("validatingwebhookconfigurations", "mutatingwebhookconfigurations"),
        *("validatingadmissionpolicies", "validatingadmissionpolicybindings"),
        *("clusterpolicies", "policyexceptions", "constrainttemplates", "tracingpolicies"),
        "networkpolicies",
    ]
)
_PLATFORM = ("system:node:", "system:serviceaccount:", "system:kube-", "system:apiserver", "eks:")


@view(AUDIT_ACTIONS)
def audit_actions(audit_events: pd.DataFrame) -> pd.DataFrame:
    """Keep the requests that matter, and say why."""
    import pyarrow as pa
    import pyarrow.compute as pc

    e = audit_events
    verb, resource = arrow(e["verb"]), arrow(e["resource"])
    full = pc.binary_join_element_wise(
        pc.fill_null(resource, ""), pc.fill_null(arrow(e["subresource"]), ""), "/"
    )
    rights = pc.is_in(resource, value_set=pa.array([*_RIGHTS, *_GUARDS, *_OTHERS]))
    wanted = pc.or_(
        pc.is_in(full, value_set=pa.array(sorted(_INTERACTIVE))),
        pc.or_(
            pc.and_(rights, pc.is_in(verb, value_set=pa.array([*_WRITES, "list", "approve"]))),
            pc.or_(pc.is_valid(arrow(e["impersonated"])), pc.equal(arrow(e["user"]), _ANYONE)),
        ),
    )
    rows = [_row(entry) for entry in records(e[pc.fill_null(wanted, False).to_numpy(False)])]
    kept = [row for row in rows if row.interactive or row.suspicion]
    return frame(AUDIT_ACTIONS.sorted(AUDIT_ACTIONS.arrow(kept)))


_RIGHTS = ("rolebindings", "clusterrolebindings", "roles", "clusterroles")
_OTHERS = ("namespaces", "certificatesigningrequests", "secrets", "jobs", "cronjobs")
_ANYONE = "system:anonymous"


def _row(entry: dict[str, Any]) -> AuditActionRow:
    what = "/".join(t for t in (entry["resource"], entry["subresource"]) if t)
    target = "/".join(t for t in (entry["object_namespace"], entry["object_name"]) if t)
    code = entry["code"]
    granted = None if code is None else code < 400
    if granted is None and entry["decision"]:
        granted = entry["decision"] == "allow"
    groups = parameters().break_glass_groups
    user = entry["user"]
    return AuditActionRow(
        raw=entry["raw"],
        raw_line=entry["raw_line"],
        report=entry["report"],
        line=entry["line"],
        user=user,
        person=not user.startswith(_PLATFORM),
        what=f"{entry['verb']} {what}".strip(),
        target=target,
        first_at=entry["first_at"],
        count=entry["count"],
        code=code,
        granted=granted,
        interactive=what in _INTERACTIVE and entry["verb"] in ("create", "get", "update", "patch"),
        accepted=any(fnmatchcase(g, one) for g in entry["groups"] for one in groups),
        suspicion=_suspicion(entry, what),
    )


def _suspicion(entry: dict[str, Any], what: str) -> str:
    """Say why a request is asked about, the worst reason first."""
    writes = entry["verb"] in _WRITES
    user = entry["user"]
    by_hand = not user.startswith(_PLATFORM)
    role = (entry["role"] or "").rpartition("/")[2]
    if user == _ANYONE and entry["code"] is not None and entry["code"] < 400:
        path = entry["resource"] is None
        return "" if path else "nobody in particular was let through"
    if what in ("rolebindings", "clusterrolebindings") and writes and role in _POWERFUL:
        return f"binds to {role}"
    if entry["level_asked"] == "privileged" and writes:
        return "lets a namespace run privileged pods"
    if what.partition("/")[0] in _GUARDS and entry["verb"] != "create" and writes and by_hand:
        return "changes or removes a policy"
    if what == "certificatesigningrequests/approval" and by_hand:
        return "approves a certificate"
    if entry["impersonated"]:
        return f"acts as {entry['impersonated']}"
    if what == "secrets" and entry["verb"] == "list" and by_hand:
        return "lists Secrets"
    if what in ("jobs", "cronjobs") and entry["verb"] == "create" and by_hand:
        return "starts a job by hand"
    return ""
