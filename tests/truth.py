"""Ground truth of generated clusters: which figures kaudit can see, and how it counts them.

The names and their definitions are the generator's. Figures per row come from the rows that a
control fails; figures with another grain are counted from the view that the control judges.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kaudit.assess import assess
from kaudit.assessment import Assessment
from kaudit.columns import arrow
from kaudit.evidence.bundle import Evidence
from kaudit.parameters import Parameters, using

#: The moment that the generator's clusters hold for.
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
#: What the generator calls approved.
DECIDED = Parameters(allowed_registries=("registry.example.com", "gcr.io/myproject"))
#: Figure to the control whose failing rows it counts, for Pod objects and for templates.
BY_CONTROL = {
    "containers.privileged": "KA-DEP-001",
    "containers.privilege_escalation": "KA-DEP-014",
    "containers.root_allowed": "KA-DEP-015",
    "containers.run_as_user_zero": "KA-DEP-015a",
    "containers.writable_root_filesystem": "KA-DEP-017",
    "containers.capabilities_beyond_baseline": "KA-DEP-010",
    "containers.seccomp_missing": "KA-DEP-019",
    "containers.seccomp_unconfined": "KA-DEP-018",
    "containers.proc_mount_unmasked": "KA-DEP-022",
    "containers.selinux_type": "KA-DEP-021",
    "containers.apparmor_unconfined": "KA-DEP-020",
    "containers.no_cpu_limit": "KA-DEP-029c",
    "containers.no_memory_limit": "KA-DEP-028",
    "containers.no_storage_limit": "KA-DEP-029d",
    "containers.no_requests": "KA-DEP-029",
    "containers.image_not_digest": "KA-BLD-008",
    "containers.image_latest": "KA-BLD-007",
    "containers.image_unapproved": "KA-BLD-009",
    "containers.type.ephemeral": "KA-RUN-008",
    "pods.host_network": "KA-DEP-004",
    "pods.host_pid": "KA-DEP-002",
    "pods.host_ipc": "KA-DEP-003",
    "pods.unsafe_sysctl": "KA-DEP-023",
    "pods.shared_process_namespace": "KA-DEP-002a",
    "pods.token_automounted": "KA-DEP-074a",
}
#: Figure to the control whose failing resources it counts.
BY_RESOURCE = {
    "namespaces.without_default_deny_ingress": "KA-NET-002",
    "namespaces.without_default_deny_egress": "KA-NET-003",
    "namespaces.enforce_not_pinned": "KA-DEP-036a",
    "services.external_ips": "KA-NET-013",
    "services.load_balancer_open": "KA-NET-012",
    "services.type.NodePort": "KA-NET-012a",
    "ingresses.no_tls": "KA-NET-014",
    "ingresses.wildcard_host": "KA-NET-014b",
    "configmaps.credential_key": "KA-SEC-005",
    "secrets.last_applied": "KA-SEC-006a",
    "secrets.type.kubernetes.io/service-account-token": "KA-SEC-017",
}


def judged(evidence: Evidence, *, strict: bool = True) -> Assessment:
    """Judge evidence of a generated cluster by what its generator has decided."""
    with using(DECIDED):
        return assess(evidence, strict=strict)


def truth(folder: Path) -> dict[str, int]:
    """Figures that the generator knows by construction."""
    counts: dict[str, int] = json.loads((folder / "truth.json").read_text())["counts"]
    return counts


def seen(assessment: Assessment) -> dict[str, int]:
    """The same figures as kaudit counts them."""
    found: dict[str, int] = {}
    for name, control in BY_CONTROL.items():
        rows = assessment.by_control[control].failed_rows
        found[name] = rows["object"]
        found[f"templates.{name}"] = rows["template"]
    for name, control in BY_RESOURCE.items():
        found[name] = assessment.tallies[control].fail_
    evidence = assessment.evidence
    for origin, prefix in (("object", ""), ("template", "templates.")):
        found |= {f"{prefix}{k}": v for k, v in _of_pods(evidence, origin).items()}
    held = evidence["inventory"]
    found |= {
        f"objects.{kind}": count
        for group, kind, count, read in zip(
            *(held[name] for name in ("group", "kind", "objects", "collected")), strict=True
        )
        # Kinds of constraints are those of templates; policies of both kinds stand in one list.
        if read and group not in ("constraints.gatekeeper.sh", "cilium.io")
    }
    more = (
        _of_values,
        _of_cluster,
        _of_images,
        _of_stores,
        _of_gatekeeper,
        _of_kyverno,
        _of_events,
    )
    return found | {name: count for of in more for name, count in of(evidence).items()}


def _of_gatekeeper(evidence: Any) -> dict[str, int]:
    """Figures of constraints, by name; one that was never audited has no totals."""
    found = evidence["constraints"]
    listed = Counter(evidence["constraint_violations"]["constraint"])
    audited = found[found["audited_at"].notna()]
    return {
        "objects.Constraint": len(found),
        "gatekeeper.not_audited": len(found) - len(audited),
        **_counted("gatekeeper.enforcement.", found["enforcement_action"]),
        **{
            f"gatekeeper.violations.{name}": total
            for name, total in zip(audited["name"], audited["total_violations"], strict=True)
        },
        **{f"gatekeeper.listed.{name}": listed[name] for name in audited["name"]},
    }


def _of_kyverno(evidence: Any) -> dict[str, int]:
    rules, reports, results = (
        evidence[name] for name in ("kyverno_rules", "policy_reports", "policy_results")
    )
    failed = results[results["result"] == "fail"]
    return {
        "kyverno.reported_pods": int((reports["scope_kind"] == "Pod").sum()),
        **_counted("kyverno.action.", rules["action"].dropna()),
        **_counted("kyverno.results.", results["result"]),
        **_counted("kyverno.fail.", failed["policy"]),
    }


def _of_events(evidence: Any) -> dict[str, int]:
    """Figures of the sensors' logs; nothing where the source has none."""
    events, logs = evidence["events"], evidence["event_logs"]
    found = {f"events.{name}": int(n) for name, n in logs.groupby("sensor")["events"].sum().items()}
    falco, tetragon = (events[events["sensor"] == name] for name in ("falco", "tetragon"))
    policies = len(evidence["tracing_policies"])
    found |= {"tracingpolicies.total": policies, "objects.TracingPolicy": policies}
    if len(found) < 3:
        return found
    pods = evidence["pods"][evidence["pods"]["origin"] == "object"]
    held = pods["namespace"] + "/" + pods["pod"]
    named = falco[falco["pod"].notna()]
    gone = named[~(named["namespace"] + "/" + named["pod"]).isin(held)]
    return {
        **found,
        "events.falco_broken": int(logs["broken"].sum()),
        "events.falco.host": int(falco[falco["container_id"] == "host"]["count"].sum()),
        "events.falco.gone": int(gone["count"].sum()),
        "events.tetragon.host": int(tetragon[tetragon["pod"].isna()]["count"].sum()),
        **_summed("events.falco.rule.", falco, "rule"),
        **_summed("events.falco.priority.", falco, "priority_told"),
        **_summed("events.tetragon.type.", tetragon, "type"),
        **_summed("events.tetragon.policy.", tetragon, "rule"),
    }


def _of_values(evidence: Any) -> dict[str, int]:
    """Canaries by place: every literal of them is judged, and no more than that is kept."""
    keys = sum(len(keys) for keys in evidence["secrets"]["keys"])
    if not keys:  # without values the generator plants none
        return {}
    env = evidence["environment"]
    return {
        "canary.secrets": keys,
        "canary.applied": int(evidence["secrets"]["last_applied"].sum()),
        "canary.env": int((env["suspect"] & (env["origin"] == "object")).sum()),
        "canary.config": int((evidence["config_map_keys"]["verdict"] != "").sum()),
    }


def _summed(prefix: str, rows: Any, column: str) -> dict[str, int]:
    counts = rows.groupby(column)["count"].sum()
    return {f"{prefix}{value}": int(count) for value, count in counts.items()}


def _of_stores(evidence: Any) -> dict[str, int]:
    asked, stores = evidence["external_secrets"], evidence["secret_stores"]
    ready, store = asked["ready"], asked["store_kind"] + "/" + asked["store"]
    own = asked["namespace"].where(asked["store_kind"] == "SecretStore", "")
    held = stores["kind"] + "/" + stores["name"] + "/" + stores["namespace"]
    age = (_NOW - asked["refreshed_at"].astype("datetime64[us, UTC]")).dt.total_seconds()
    late = ready.fillna(False) & (asked["refresh_seconds"] > 0)
    made = evidence["secrets"]["namespace"] + "/" + evidence["secrets"]["name"]
    return {
        "externalsecrets.ready": int(ready.fillna(False).sum()),
        "externalsecrets.unsynced": int((~ready.fillna(True)).sum()),
        "externalsecrets.stale": int((late & (age > 2 * asked["refresh_seconds"])).sum()),
        "externalsecrets.never_reconciled": int(ready.isna().sum()),
        "externalsecrets.refresh_disabled": int((asked["refresh_seconds"] == 0).sum()),
        "externalsecrets.missing_store": int((~(store + "/" + own).isin(held)).sum()),
        "externalsecrets.missing_target": int(
            (~(asked["namespace"] + "/" + asked["target"]).isin(made)).sum()
        ),
        "secretstores.not_ready": int((~stores["ready"].fillna(False)).sum()),
    }


def _of_images(evidence: Any) -> dict[str, int]:
    """Figures of scans, each image once: one whose pods have no status goes by its name too."""
    scans, found = evidence["image_scans"], evidence["vulnerabilities"]
    if not len(scans):
        return {}
    counts = {
        f"images.scanned.{tool}": int((scans["tool"] == tool).sum()) for tool in ("trivy", "grype")
    }
    for tool, word in zip(found["tool"], found["severity"], strict=True):
        name = f"vulnerabilities.{tool}.{word.upper()}"
        counts[name] = counts.get(name, 0) + 1
    of_trivy = found[found["tool"] == "trivy"]
    counts["vulnerabilities.trivy_fixable"] = int((of_trivy["fix"] == "fixed").sum())
    cover = evidence["image_coverage"]
    cover = cover[cover["matched"] != "other"]
    cover = cover.assign(plain=~cover["image"].str.contains("@")).sort_values(["plain", "image"])
    once = set(cover.drop_duplicates(["tool", "report"])["image"])
    flaws = evidence["image_vulnerabilities"]
    flaws = flaws[flaws["image"].isin(once)]
    worst = flaws[flaws["severities"].map(lambda said: "trivy=critical" in said).astype(bool)]
    critical = set(worst["image"])
    counts["images.critical"] = len(critical)
    both = evidence["scanner_reconciliation"]
    both = both[both["image"].isin(once)]
    named = both["tools"].map(list)
    counts["vulnerabilities.both"] = int((both["verdict"] != "only one").sum())
    for tool in ("trivy", "grype"):
        counts[f"vulnerabilities.only.{tool}"] = sum(tools == [tool] for tools in named)
    used = evidence["image_references"]
    used = used[(used["origin"] == "object") & (used["running_digest"] != "")]
    image = used["registry"] + "/" + used["repository"] + "@" + used["running_digest"]
    of_trivy = cover[(cover["tool"] == "trivy") & (cover["matched"] == "digest")]["image"]
    counts["pods.critical_image"] = used[image.isin(critical)]["pod_uid"].nunique()
    counts["pods.unscanned_image"] = used[~image.isin(of_trivy)]["pod_uid"].nunique()
    return counts


def _of_pods(evidence: Any, origin: str) -> dict[str, int]:
    containers = evidence["security_context"]
    containers = containers[containers["origin"] == origin]
    context = evidence["pod_context"]
    context = context[context["origin"] == origin]
    volumes = evidence["pod_volumes"]
    volumes = volumes[volumes["origin"] == origin]
    paths = evidence["host_mounts"]
    paths = paths[paths["origin"] == origin]
    env = evidence["environment"]
    env = env[env["origin"] == origin]
    security = evidence["pod_security"]
    security = security[security["origin"] == origin]
    key = ["pod_uid", "container_type", "container"]
    lasting = containers[containers["container_type"] == "regular"]
    bounded = containers[containers["bounded"]]
    found = {
        "pods.total": len(context),
        "containers.total": len(containers),
        "containers.no_liveness_probe": int((~lasting["liveness_probe"]).sum()),
        "containers.no_readiness_probe": int((~lasting["readiness_probe"]).sum()),
        "containers.no_limits": int(
            (bounded["cpu_limit_cores"].isna() | bounded["memory_limit_bytes"].isna()).sum()
        ),
        "containers.capabilities_kept": int((~containers["drops_all"]).sum()),
        "containers.capabilities_beyond_restricted": sum(
            bool(set(names) - {"NET_BIND_SERVICE"}) for names in containers["capabilities_add"]
        ),
        "containers.host_port": sum(len(ports) > 0 for ports in containers["host_ports"]),
        "containers.env_credential": len(env[env["suspect"]][key].drop_duplicates()),
        "containers.env_secret_ref": len(env[env["of_secret"]][key].drop_duplicates()),
        "pods.host_path": volumes[volumes["of_host"]]["pod_uid"].nunique(),
        # the generator counts sockets only; kaudit also reports folders that hold one
        "pods.runtime_socket": paths[paths["socket"] & paths["path"].str.endswith(".sock")][
            "pod_uid"
        ].nunique(),
        "pods.restricted_volume": volumes[~volumes["restricted"] & ~volumes["of_host"]][
            "pod_uid"
        ].nunique(),
        "pods.default_service_account": int(context["default_service_account"].sum()),
        "pods.no_team_label": sum(
            not any(label.startswith("team=") for label in labels) for labels in context["labels"]
        ),
    }
    levels = Counter(security["level"])
    found |= {f"pods.pss.{level}": count for level, count in levels.items()}
    debugged = containers[containers["container_type"] == "ephemeral"]
    found["pods.with_ephemeral"] = debugged["pod_uid"].nunique()
    types = Counter(containers["container_type"])
    return found | {f"containers.type.{kind}": count for kind, count in types.items()}


def _of_cluster(evidence: Any) -> dict[str, int]:
    isolation = evidence["isolation"]
    live = isolation[isolation["origin"] == "object"]
    roles = evidence["rbac_rules"]
    bindings = evidence["rbac_bindings"]
    admin = bindings[
        (bindings["binding_kind"] == "ClusterRoleBinding") & (bindings["role"] == "cluster-admin")
    ]
    unknown = bindings["subject"].isin(["system:anonymous", "system:unauthenticated"])
    permissions = evidence["permissions"]
    lost = permissions[permissions["dangling"]]
    wild = [
        (k, n, r)
        for k, n, r, verbs, resources in zip(
            roles["role_kind"],
            roles["namespace"],
            roles["role"],
            roles["verbs"],
            roles["resources"],
            strict=True,
        )
        if "*" in verbs and "*" in resources
    ]
    key = ["binding_kind", "namespace", "binding"]
    services = Counter(evidence["services"]["type"])
    namespaces = evidence["namespaces"]
    raw = evidence["secrets"]
    nodes = evidence["nodes"]
    minor = int(evidence["cluster"]["minor"].iloc[0])
    policies = evidence["network_policies"]
    pods = evidence["pods"]
    pods = pods[pods["origin"] == "object"]
    return {
        "pods.not_isolated_ingress": int((~live["ingress"]).sum()),
        "pods.not_isolated_egress": int((~live["egress"]).sum()),
        "rbac.wildcard_roles": len(set(wild)),
        "rbac.cluster_admin_bindings": len(admin[key].drop_duplicates()),
        "rbac.cluster_admin_service_accounts": int(
            (admin["subject_kind"] == "ServiceAccount").sum()
        ),
        "rbac.anonymous_bindings": len(bindings[unknown][key].drop_duplicates()),
        "rbac.dangling_bindings": len(lost[key].drop_duplicates()),
        "namespaces.total": len(namespaces),
        **_counted("namespaces.enforce.", namespaces["enforce"]),
        "namespaces.without_policy": int((~namespaces["name"].isin(policies["namespace"])).sum()),
        "namespaces.without_default_deny": _without_deny(namespaces, policies),
        "namespaces.without_quota": int(
            (~namespaces["name"].isin(evidence["quotas"]["namespace"])).sum()
        ),
        "namespaces.no_owner_label": sum(
            not any(label.startswith("owner=") for label in labels)
            for labels in namespaces["labels"]
        ),
        "serviceaccounts.token_not_disabled": int(
            (evidence["service_accounts"]["automount_token"].fillna(True)).sum()
        ),
        "secrets.old": _old(raw),
        "secrets.immutable": int(raw["immutable"].fillna(False).sum()),
        "secrets.external": int((raw["owner_kind"] == "ExternalSecret").sum()),
        "nodes.old_kubelet": int((nodes["kubelet_minor"] <= minor - 2).sum()),
        "nodes.not_ready": int((~nodes["ready"].fillna(False)).sum()),
        **{f"services.type.{kind}": count for kind, count in services.items()},
        **_counted("secrets.type.", raw["type"]),
        **_counted("pods.phase.", pods["phase"]),
        **_counted("pods.owner.", _controllers(pods)),
        **_roles(roles),
    }


def _counted(prefix: str, values: Any) -> dict[str, int]:
    counts = Counter(arrow(values).to_pylist())
    return {f"{prefix}{value}": count for value, count in counts.items()}


def _controllers(pods: Any) -> Any:
    return pods["controller_kind"].where(~pods["mirror"], "Node")


def _without_deny(namespaces: Any, policies: Any) -> int:
    names = set(namespaces["name"])
    whole = policies[policies["selects_all"]]
    for direction in ("ingress", "egress"):
        deny = whole[whole[direction] & (whole[f"{direction}_rules"] == 0)]
        names &= set(deny["namespace"])
    return len(namespaces) - len(names)


def _roles(rules: Any) -> dict[str, int]:
    """Roles by what their rules name, as the generator defines it: words, not consequences."""
    found: dict[str, set[tuple[str, str, str]]] = {}
    for rule in rules.to_dict("records"):
        verbs, resources = set(rule["verbs"]), set(rule["resources"])
        every = "*" in verbs and "*" in resources
        named = {
            "rbac.secret_reader_roles": every
            or ("secrets" in resources and bool(verbs & {"get", "list", "watch"})),
            "rbac.escalation_roles": bool(verbs & {"escalate", "bind", "impersonate"}),
            "rbac.pod_exec_roles": "pods/exec" in resources and "create" in verbs,
        }
        role = (rule["role_kind"], rule["namespace"], rule["role"])
        for name, is_ in named.items():
            found.setdefault(name, set()).update([role] if is_ else [])
    return {name: len(roles) for name, roles in found.items()}


def _old(secrets: Any) -> int:
    return int(
        (_NOW - secrets["created_at"].astype("datetime64[us, UTC]") > timedelta(days=90)).sum()
    )
