"""The runtime layer: who watches, what they look for, what they saw, and what they could not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.assessment import Assessment
from kaudit.columns import arrow, records, total
from kaudit.model.runtime_event import PRIORITIES
from kaudit.show import blocks as b
from kaudit.show import runtime_pictures as pictures

if TYPE_CHECKING:
    import pandas as pd

#: Rows that a report prints of each table.
PRINTED = 15
_QUIET = "Give the sensors' logs (kaudit collect --falco, --tetragon, --kubernetes-audit)."


def runtime(assessment: Assessment) -> b.Stack:
    """Sections on sensors, alerts and rules, as far as evidence goes."""
    parts: list[b.Block] = [sensor_coverage(assessment)]
    if len(assessment.evidence["event_logs"]):
        parts += [alert_timeline(assessment), alert_episodes(assessment)]
    else:
        parts.append(b.Callout(b.Tone.INFO, "The evidence holds no log of a sensor", _QUIET))
    parts.append(attack_matrix(assessment))
    return b.Stack(tuple(parts))


def sensor_coverage(assessment: Assessment) -> b.Stack:
    """Which nodes a ready sensor watches, and how the sensors fare."""
    nodes = assessment.evidence["node_sensors"]
    health = assessment.evidence["sensor_health"]
    if not len(nodes):
        text = "Without nodes nobody can tell what is watched."
        return b.Stack((b.Callout(b.Tone.INFO, "The evidence holds no node", text),))
    judged = nodes[nodes["judged"].to_numpy(dtype=bool)]
    covered = list(judged["covered"].astype(object))
    open_ = sum(value is False for value in covered)
    unknown = sum(value is not True and value is not False for value in covered)
    lost = total(arrow(health["dropped"]).to_pylist())
    numbers = b.Numbers(
        (
            b.Number("nodes", len(nodes), f"{len(judged):,} judged: ready, and not virtual"),
            b.Number("watched", sum(value is True for value in covered), "", b.Tone.OK),
            b.Number("watched by nobody", open_, "", b.Tone.of(open_)),
            b.Number("not told", unknown, "what runs there is not in the evidence"),
            b.Number("events lost", lost, "as sensors say themselves", b.Tone.of(lost)),
        ),
        caption="Sensors",
    )
    drawn = [
        (
            node["node"],
            node["covered"],
            node["judged"],
            ", ".join(node["versions"]) if node["sensors"] else node["why"],
        )
        for node in records(nodes)
    ]
    found: list[b.Block] = [
        numbers,
        pictures.node_map(drawn, caption="Nodes, and who watches them"),
    ]
    bad = judged[(judged["why"] != "").to_numpy(dtype=bool)]
    if len(bad):
        found.append(
            b.Table.of_frame(
                "Nodes that no ready sensor watches",
                bad.head(PRINTED),
                {"node": "node", "why": b.Column("why", weight=3), "unready": "not ready"},
                total=len(bad),
            )
        )
    found.append(_health(health))
    return b.Stack(tuple(found))


def _health(health: pd.DataFrame) -> b.Block:
    if not len(health):
        return b.Callout(b.Tone.DANGER, "No known sensor runs in the cluster")
    return b.Table.of_frame(
        "Sensors as they run",
        health.head(PRINTED),
        {
            "sensor": "sensor",
            "namespace": "namespace",
            "name": b.Column("workload", weight=2),
            "versions": "versions",
            "pods": ("pods", "number"),
            "ready": ("ready", "number"),
            "restarts": ("restarts", "number"),
            "events": ("events", "number"),
            "dropped": ("lost", "number"),
            "why": b.Column("what is wrong", weight=2),
        },
        total=len(health),
    )


def alert_timeline(assessment: Assessment) -> b.Stack:
    """Alerts over time, how many could not be resolved, and what the logs hold besides."""
    evidence = assessment.evidence
    c, logs = evidence["event_context"], evidence["event_logs"]
    alerts = c[c["alert"].to_numpy(dtype=bool)]
    told = [
        (one["first_at"], one["priority"], one["count"])
        for one in records(alerts[["first_at", "priority", "count"]])
        if one["first_at"] is not None
    ]
    total = int(alerts["count"].sum())
    lost = int(alerts[(alerts["unresolved"] != "").to_numpy(dtype=bool)]["count"].sum())
    share = f"{100 * lost / total:.0f}\u2009% of the alerts" if total else ""
    severe = alerts["priority"].isin(["emergency", "alert", "critical", "error"])
    worst = int(alerts[severe.to_numpy(dtype=bool)]["count"].sum())
    numbers = b.Numbers(
        (
            b.Number("events", int(logs["events"].sum()), "in the logs that were given"),
            b.Number("alerts", total, "a rule or a policy says that they matter"),
            b.Number("severe", worst, "error or worse", b.Tone.of(worst)),
            b.Number("without a workload", lost, share),
            b.Number("lines not read", int(logs["broken"].sum()), "cut, or no JSON"),
        ),
        caption="Events in numbers",
    )
    parts: list[b.Block] = [numbers, pictures.timeline(told, caption="Alerts over time")]
    why = alerts[(alerts["unresolved"] != "").to_numpy(dtype=bool)]
    if len(why):
        counts = why.groupby("unresolved")["count"].sum().sort_values(ascending=False)
        parts.append(
            b.Table.of(
                "Alerts without a workload, by the reason",
                [b.Column("reason", weight=3), ("alerts", "number")],
                [(str(name), int(number)) for name, number in counts.items()],
            )
        )
    parts.append(
        b.Table.of_frame(
            "Logs that were given",
            logs.head(PRINTED),
            {
                "sensor": "sensor",
                "report": ("file, by hash", "code"),
                "events": ("events", "number"),
                "first_at": ("first", "time"),
                "last_at": ("last", "time"),
                "broken": ("not read", "number"),
                "undated": ("undated", "number"),
                "folded": ("folded", "number"),
            },
            total=len(logs),
        )
    )
    return b.Stack(tuple(parts))


def alert_episodes(assessment: Assessment) -> b.Stack:
    """The worst episodes, and the rules that make most noise."""
    e = assessment.evidence["event_episodes"]
    if not len(e):
        text = "That there is none says something only of nodes that are watched."
        return b.Stack((b.Callout(b.Tone.INFO, "No alert in the logs", text),))
    order = {p: n for n, p in enumerate(PRIORITIES)}
    ranked = e.assign(rank=e["priority"].map(order).fillna(len(order)).astype(int))
    ranked = ranked.sort_values(["rank", "count", "rule"], ascending=[True, False, True])
    table = b.Table.of_frame(
        "Episodes: one rule, one workload, one command",
        ranked.head(PRINTED).assign(
            workload=[
                "/".join(filter(None, (one["namespace"], one["owner_name"]))) or one["unresolved"]
                for one in records(ranked.head(PRINTED)[["namespace", "owner_name", "unresolved"]])
            ]
        ),
        {
            "priority": "priority",
            "rule": b.Column("rule", weight=2),
            "workload": b.Column("workload", weight=2),
            "command": b.Column("command", kind=b.Kind.CODE, weight=3),
            "count": ("events", "number"),
            "first_at": ("first", "time"),
            "last_at": ("last", "time"),
        },
        total=len(ranked),
        annex="tables/episodes.csv",
    )
    return b.Stack((table, _noise(e)))


def _noise(e: pd.DataFrame) -> b.Block:
    total = int(e["count"].sum())
    rules = e.groupby(["sensor", "rule"], sort=True).agg(
        events=("count", "sum"), episodes=("count", "size"), workloads=("owner_name", "nunique")
    )
    rules = rules.reset_index().sort_values(["events", "rule"], ascending=[False, True])
    rows: list[tuple[Any, ...]] = [
        (
            r["sensor"],
            r["rule"],
            r["events"],
            f"{100 * r['events'] / total:.0f}\u2009%",
            r["episodes"],
            r["workloads"],
        )
        for r in rules.head(10).to_dict("records")
    ]
    return b.Table.of(
        "Rules by the number of their events",
        [
            *("sensor", b.Column("rule", weight=3), ("events", "number"), "share"),
            *(("episodes", "number"), ("workloads", "number")),
        ],
        rows,
        total=len(rules),
        note="A rule that speaks all day is read by nobody: narrow it, or take it out.",
    )


def attack_matrix(assessment: Assessment) -> b.Stack:
    """Techniques of ATT&CK for Containers: seen, detected, prevented, or nothing."""
    t = assessment.evidence["attack_coverage"]
    if not len(t):
        text = "Neither rules nor alerts of a sensor are in the evidence."
        return b.Stack((b.Callout(b.Tone.INFO, "Nothing says what is detected", text),))
    drawn = [
        (one["technique"], one["title"], one["tactics"], one["verdict"])
        for one in records(t[["technique", "title", "tactics", "verdict"]])
    ]
    picture = pictures.attack_matrix(drawn, caption="ATT&CK for Containers")
    seen = t[(t["events"] > 0).to_numpy(dtype=bool)]
    parts: list[b.Block] = [picture]
    if len(seen):
        parts.append(
            b.Table.of_frame(
                "Techniques that alerts name",
                seen.sort_values(["events", "technique"], ascending=[False, True]).head(PRINTED),
                {
                    "technique": "technique",
                    "title": b.Column("name", weight=2),
                    "events": ("events", "number"),
                    "rules": b.Column("loaded rules", weight=2),
                    "controls": b.Column("controls that speak on it", weight=2),
                },
                total=len(seen),
            )
        )
    return b.Stack(tuple(parts))


def detection_rules(assessment: Assessment) -> b.Stack:
    """Rules of Falco and policies of Tetragon: which work, and what is wrong with the others."""
    evidence = assessment.evidence
    rules, policies = evidence["falco_rules"], evidence["tracing_policy_health"]
    parts: list[b.Block] = []
    if len(rules):
        off = rules[(rules["state"] != "loaded").to_numpy(dtype=bool)]
        parts.append(
            b.Numbers(
                (
                    b.Number("rules", len(rules), "in files of the evidence"),
                    b.Number("loaded", len(rules) - len(off), "", b.Tone.OK),
                    b.Number("without effect", len(off), "with the reason", b.Tone.of(len(off))),
                ),
                caption="Rules of Falco",
            )
        )
    else:
        off = rules
        text = "Rules that come as artifacts are not in the API; give the files (--falco-rules)."
        parts.append(b.Callout(b.Tone.INFO, "The evidence holds no rules of Falco", text))
    if len(off):
        parts.append(
            b.Table.of_frame(
                "Rules of Falco without effect",
                off.head(PRINTED),
                {
                    "rule": b.Column("rule", weight=2),
                    "file": "file",
                    "state": "state",
                    "why": b.Column("why", weight=3),
                },
                total=len(off),
            )
        )
    if len(policies):
        parts.append(
            b.Table.of_frame(
                "Policies of Tetragon",
                policies.head(PRINTED),
                {
                    "namespace": "namespace",
                    "name": b.Column("policy", weight=2),
                    "hooks": b.Column("hooks", weight=2),
                    "works": "works",
                    "mode": "mode",
                    "faults": b.Column("what is wrong", weight=3),
                },
                total=len(policies),
            )
        )
    return b.Stack(tuple(parts))


def requests(assessment: Assessment) -> b.Stack:
    """Requests of the audit log that an auditor asks about."""
    a = assessment.evidence["audit_actions"]
    if not len(assessment.evidence["audit_events"]):
        return b.Stack((b.Callout(b.Tone.INFO, "The evidence holds no audit log", _QUIET),))
    if not len(a):
        return b.Stack((b.Callout(b.Tone.OK, "No request of the audit log stands out"),))
    table = b.Table.of_frame(
        "Requests that an auditor asks about",
        a.sort_values(["first_at", "report", "line"]).head(PRINTED),
        {
            "first_at": ("first", "time"),
            "user": b.Column("who", weight=2),
            "what": b.Column("what", weight=2),
            "target": b.Column("on", weight=2),
            "code": ("answer", "number"),
            "granted": "let through",
            "suspicion": b.Column("why", weight=2),
            "count": ("times", "number"),
        },
        total=len(a),
    )
    return b.Stack((table,))
