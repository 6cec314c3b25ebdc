"""The network layer in reports: who enforces, who reaches whom, what is offered outside."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from kaudit.assessment import Assessment
from kaudit.columns import records
from kaudit.show import blocks as b
from kaudit.show.mesh import mesh
from kaudit.show.network_pictures import namespace_matrix
from kaudit.text import count

#: Rows that a report prints of each table.
PRINTED = 20
_TONE = {"yes": b.Tone.OK, "no": b.Tone.DANGER}


def network(assessment: Assessment) -> b.Stack:
    """All sections of the layer."""
    parts: list[b.Block] = []
    for section in (plugin, reachability, exposed, idle_policies, default_deny, mesh):
        parts += section(assessment).blocks
    return b.Stack(tuple(parts))


def plugin(assessment: Assessment) -> b.Stack:
    """Whether policies are enforced at all, and how many workloads they isolate."""
    evidence = assessment.evidence
    workloads = evidence["network_workloads"]
    if not len(workloads):
        return b.Stack((b.Callout(b.Tone.INFO, "No pod and no template was read"),))
    parts: list[b.Block] = []
    for found in records(evidence["network_enforcement"]):
        missing = list(found["nodes_without_agent"])
        text = f"{found['because'][:1].upper()}{found['because'][1:]}."
        if missing:
            text += f" No agent is seen on {count(len(missing), 'node')}: {', '.join(missing[:8])}."
        if found["enforces"] == "unknown":
            text += " What policies deny is therefore unknown."
        title = f"Network policies are enforced: {found['enforces']}"
        parts.append(b.Callout(_TONE.get(found["enforces"], b.Tone.WARNING), title, text))
    own = workloads[~workloads["platform"].to_numpy(bool)]
    total = len(own)

    def number(label: str, column: str, word: str, note: str, tone: b.Tone) -> b.Number:
        found = int((own[column] == word).sum())
        return b.Number(label, found, note, tone if found else b.Tone.OK)

    return b.Stack(
        (
            *parts,
            b.Numbers(
                (
                    b.Number("workloads", total, "beside the platform's"),
                    number("open to all", "isolated_ingress", "no", "ingress", b.Tone.WARNING),
                    number("free to connect", "isolated_egress", "no", "egress", b.Tone.WARNING),
                    number("reach the internet", "to_internet", "allowed", "", b.Tone.WARNING),
                    number("unknown", "to_internet", "unknown", "to the internet", b.Tone.INFO),
                ),
                caption="Workloads and what policies leave them",
            ),
        )
    )


def reachability(assessment: Assessment) -> b.Stack:
    """Which namespaces may connect to which."""
    evidence = assessment.evidence
    classes: dict[int, set[str]] = defaultdict(set)
    for row in records(evidence["network_workloads"][["namespace", "network_class"]]):
        classes[row["network_class"]].add(row["namespace"])
    if not classes:
        return b.Stack(())
    verdicts: dict[tuple[str, str], str] = {}
    order = {"denied": 0, "unknown": 1, "some": 2, "all": 3}
    for row in records(evidence["network_reachability"]):
        allowed = row["ports"] != "none"
        word = ("all" if row["ports"] == "all" else "some") if allowed else "unknown"
        for pair in (
            (one, other) for one in classes[row["source"]] for other in classes[row["target"]]
        ):
            if order[word] > order[verdicts.get(pair, "denied")]:
                verdicts[pair] = word
    names = sorted({name for found in classes.values() for name in found})
    if set(evidence["network_enforcement"]["enforces"]) != {"yes"}:
        # What is not listed is denied by policies that perhaps nobody enforces.
        unlisted = {(one, other): "unknown" for one in names for other in names}
        verdicts = unlisted | verdicts
    figure = namespace_matrix(
        names, verdicts, caption="From which namespace (row) any pod may connect to which (column)"
    )
    return b.Stack((figure,))


def exposed(assessment: Assessment) -> b.Stack:
    """What is offered outside of the cluster, and by which chain of objects."""
    found = assessment.evidence["exposure"]
    if not len(found):
        text = "No Service, Ingress, route or port of a node that is read leads to a workload."
        return b.Stack((b.Callout(b.Tone.INFO, "Nothing is offered outside", text),))
    order = {"internet": 0, "ranges": 1, "nodes": 2, "inside": 3}
    ranked = found.assign(_at=found["reach"].astype("object").map(order))
    ranked = ranked.sort_values(["_at", "namespace", "owner_name", "way"], kind="stable")
    rows = [
        (
            f"{row['reach']}{' (assumed)' if row['assumed'] else ''}",
            row["way"],
            row["chain"],
            ", ".join(row["hosts"]) or "any",
            _tls(row["encrypted"]),
            row["pods"],
        )
        for row in records(ranked.head(PRINTED))
    ]
    return b.Stack(
        (
            b.Table.of(
                "Ways from outside, the widest first",
                [
                    "open to",
                    "by",
                    b.Column("through", weight=4),
                    b.Column("hosts", weight=2),
                    "TLS",
                    ("pods", "number"),
                ],
                rows,
                total=len(found),
                note="Assumed: the source tells no address, so an open balancer is taken for "
                "public. Firewalls before the cluster cannot be seen from it.",
            ),
        )
    )


def _tls(encrypted: Any) -> str:
    return {True: "yes", False: "no"}.get(encrypted, "not told")


def idle_policies(assessment: Assessment) -> b.Stack:
    """Policies that select nothing, or name peers that are not there."""
    effects = assessment.evidence["policy_effects"]
    idle = [
        row
        for row in records(effects)
        if not (row["selects"] or row["selects_all"])
        or len(row["inert"])
        or row["dns_over_udp_only"]
    ]
    if not idle:
        return b.Stack(())
    return b.Stack(
        (
            b.Table.of(
                f"Policies that do not do what they look like, of {len(effects):,}",
                [
                    b.Column("policy", weight=2),
                    ("selects", "number"),
                    b.Column("peers that match nothing", weight=3),
                    b.Column("labels that nearly match", weight=2),
                    "DNS on UDP only",
                ],
                [
                    (
                        f"{row['namespace']}/{row['name']}",
                        row["selects"],
                        "; ".join(row["inert"]),
                        "; ".join(row["near"]),
                        "yes" if row["dns_over_udp_only"] else "no",
                    )
                    for row in idle[:PRINTED]
                ],
                total=len(idle),
            ),
        )
    )


def default_deny(assessment: Assessment) -> b.Stack:
    """By namespace: what a default deny would cut, and what it would have to let through."""
    evidence = assessment.evidence
    workloads = evidence["network_workloads"]
    ways: dict[str, set[str]] = defaultdict(set)
    for row in records(evidence["exposure"]):
        if row["service"]:
            ways[row["namespace"]].add(f"{row['owner_name']} on {', '.join(row['targets'])}")
    rows = []
    for name, own in workloads[~workloads["platform"].to_numpy(bool)].groupby("namespace"):
        into = int((own["isolated_ingress"] == "no").sum())
        out = int((own["isolated_egress"] == "no").sum())
        if into or out:
            needed = sorted(ways.get(str(name), ()))
            rows.append(
                (
                    str(name),
                    len(own),
                    into,
                    out,
                    "; ".join(needed[:4]) + (f" and {len(needed) - 4} more" if needed[4:] else ""),
                )
            )
    if not rows:
        return b.Stack(())
    rows.sort(key=lambda row: (-row[2] - row[3], row[0]))
    return b.Stack(
        (
            b.Table.of(
                "What a default deny would cut",
                [
                    b.Column("namespace", weight=2),
                    ("workloads", "number"),
                    ("open to all now", "number"),
                    ("free to connect now", "number"),
                    b.Column("to let in from outside", weight=4),
                ],
                rows[:PRINTED],
                total=len(rows),
                note="Every connection of the workloads in the third and fourth column would be "
                "cut that no policy allows. Let DNS out on UDP and TCP 53, and what leads in "
                "from outside; kaudit connections lists what is allowed today.",
            ),
        )
    )
