"""What policy engines report: complete, fresh, and without errors; templates without use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.ages import seconds_since
from kaudit.columns import arrow, flags, named, over_lists, series
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

#: The audit of Gatekeeper runs each minute by default, the scan of Kyverno each hour.
_AUDIT_SECONDS, _REPORT_SECONDS = 3_600, 86_400


@control(
    "KA-DEP-051a",
    layer="deploy",
    severity="medium",
    expected="a constraint of its kind, and no errors",
    shows=("constraint_kind", "errors", "created", "unused_parameters"),
)
def template_without_constraint(
    constraint_templates: pd.DataFrame, constraints: pd.DataFrame
) -> pd.Series[Any]:
    """Every template of Gatekeeper has a constraint, and compiles.

    A template is a definition: without a constraint nothing of it is enforced.

    Remedy:
        Make a constraint of its kind, or remove the template.

        apiVersion: constraints.gatekeeper.sh/v1beta1
        kind: K8sRequireResourceLimits
        metadata: {name: limits}

    Cases:
        {apiVersion: templates.gatekeeper.sh/v1, kind: ConstraintTemplate, metadata: {name: bad-unused}, spec: {crd: {spec: {names: {kind: K8sUnused}}}}}
        ---
        {apiVersion: templates.gatekeeper.sh/v1, kind: ConstraintTemplate, metadata: {name: bad-broken}, spec: {crd: {spec: {names: {kind: K8sBroken}}}}, status: {byPod: [{id: a, errors: [{message: rego_parse_error}]}]}}
        ---
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sBroken, metadata: {name: a}, spec: {}}
        ---
        {apiVersion: templates.gatekeeper.sh/v1, kind: ConstraintTemplate, metadata: {name: ok-used}, spec: {crd: {spec: {names: {kind: K8sUsed}}}}}
        ---
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sUsed, metadata: {name: b}, spec: {}}
    """
    t = constraint_templates
    used = series(named(constraints["kind"], t["constraint_kind"]), t)
    return ~used | over_lists(t["errors"], bool) | ~flags(t["created"], unset=True)


@control(
    "KA-DEP-053",
    layer="deploy",
    severity="medium",
    null="it tells no total",
    expected="every violation listed",
    shows=("total_violations", "violations_listed"),
)
def status_truncated(constraints: pd.DataFrame) -> pd.Series[Any]:
    """The status of a constraint lists all that its audit found.

    Gatekeeper lists 20 unless told otherwise, and which ones is chance: what left the list may
    still be there. kaudit's own evaluation is complete.

    Remedy:
        Raise the limit of the audit, or take the violations from its log.

        --constraint-violations-limit=500

    Cases:
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sA, metadata: {name: bad-cut}, spec: {}, status: {totalViolations: 40, violations: [{kind: Pod, name: a}]}}
        ---
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sA, metadata: {name: ok-all}, spec: {}, status: {totalViolations: 1, violations: [{kind: Pod, name: a}]}}
    """
    return constraints["truncated"]


@control(
    "KA-DEP-053a",
    layer="deploy",
    severity="medium",
    null="no audit of any constraint is told, or the moment of the evidence is not",
    expected="an audit of the last hour",
    shows=("audited_at",),
)
def audit_stale(constraints: pd.DataFrame, cluster: pd.DataFrame) -> pd.Series[Any]:
    """The audit of each constraint is fresh.

    It runs each minute by default. One that ran long ago tells of a cluster that is gone, and
    one that never ran, while others did, tells of nothing.

    Remedy:
        See whether the audit pod runs, and what it logs.

        kubectl -n gatekeeper-system logs deployment/gatekeeper-audit

    Cases:
        # cluster: bad-old
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sA, metadata: {name: a}, spec: {}, status: {auditTimestamp: "2025-11-01T00:00:00Z", totalViolations: 0}}
        # cluster: bad-never
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sA, metadata: {name: a}, spec: {}, status: {auditTimestamp: "2025-11-30T23:50:00Z", totalViolations: 0}}
        ---
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sA, metadata: {name: b}, spec: {}}
        # cluster: ok-fresh
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sA, metadata: {name: a}, spec: {}, status: {auditTimestamp: "2025-11-30T23:50:00Z", totalViolations: 0}}
        # cluster: ok-manifests
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sA, metadata: {name: a}, spec: {}}
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    told = arrow(constraints["audited_at"].notna())
    if not pc.any(told).as_py():
        return series(pa.nulls(len(constraints), pa.bool_()), constraints)
    late = pc.greater(arrow(seconds_since(constraints["audited_at"], cluster)), _AUDIT_SECONDS)
    return series(pc.if_else(told, late, True), constraints)


@control(
    "KA-DEP-054",
    layer="deploy",
    severity="medium",
    expected="reports, and a background scan",
    shows=("background",),
)
def policies_without_reports(
    kyverno_policies: pd.DataFrame, policy_reports: pd.DataFrame
) -> pd.Series[Any]:
    """Policies of Kyverno are checked on what exists, and reports tell the outcome.

    Without reports nobody learns what was admitted before a policy, or while it audits.

    Remedy:
        Leave the background scan on, and the reports controller running.

        spec:
          background: true

    Cases:
        # cluster: bad-no-reports
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p}, spec: {rules: []}}
        # cluster: bad-no-background
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p}, spec: {background: false, rules: []}}
        ---
        {apiVersion: wgpolicyk8s.io/v1alpha2, kind: PolicyReport, metadata: {name: r, namespace: n}, results: []}
        # cluster: ok-reports
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p}, spec: {rules: []}}
        ---
        {apiVersion: wgpolicyk8s.io/v1alpha2, kind: PolicyReport, metadata: {name: r, namespace: n}, results: []}
    """
    return ~kyverno_policies["background"] | (not len(policy_reports))


@control(
    "KA-DEP-054a",
    layer="deploy",
    severity="medium",
    null="no result has a time, or the moment of the evidence is not known",
    expected="results of the last day, none in error, that add up",
    shows=("results", "errors", "contradicts", "latest_at"),
)
def report_unusable(policy_reports: pd.DataFrame, cluster: pd.DataFrame) -> pd.Series[Any]:
    """Reports of policy engines are fresh, complete and without errors.

    A result error is a rule that was not evaluated, a summary that says other counts than the
    report holds was cut, and an old report may be of an object that is gone.

    Remedy:
        Delete the report, and see whether the engine makes it anew.

        kubectl -n <namespace> delete policyreport <name>

    Cases:
        {apiVersion: wgpolicyk8s.io/v1alpha2, kind: PolicyReport, metadata: {name: bad-error, namespace: n}, results: [{policy: p, result: error}]}
        ---
        {apiVersion: wgpolicyk8s.io/v1alpha2, kind: PolicyReport, metadata: {name: bad-sum, namespace: n}, results: [{policy: p, result: pass}], summary: {pass: 7}}
        ---
        {apiVersion: wgpolicyk8s.io/v1alpha2, kind: PolicyReport, metadata: {name: bad-old, namespace: n}, results: [{policy: p, result: pass, timestamp: {seconds: 1730000000}}]}
        ---
        {apiVersion: wgpolicyk8s.io/v1alpha2, kind: PolicyReport, metadata: {name: ok-fresh, namespace: n}, results: [{policy: p, result: pass, timestamp: {seconds: 1764545000}}]}
    """
    import pyarrow.compute as pc

    r = policy_reports
    wrong = (r["errors"] > 0) | flags(r["contradicts"])
    late = pc.greater(arrow(seconds_since(r["latest_at"], cluster)), _REPORT_SECONDS)
    return series(pc.or_kleene(arrow(wrong), late), r)


@control(
    "KA-DEP-054b",
    layer="deploy",
    severity="low",
    null="it names no object, or none of a kind that the evidence holds",
    weak=("pods", "workloads", "namespaces"),
    expected="the objects that it names are there",
    shows=("results", "objects", "missing"),
)
def report_of_what_is_gone(report_subjects: pd.DataFrame) -> pd.Series[Any]:
    """Reports of policy engines are of objects that are there.

    A report that outlived its object still counts in every sum of results, and so does one of
    an object that was made anew under the same name. Pods, their controllers and namespaces
    are looked for.

    Remedy:
        Delete the report, and see why the engine left it: a controller that does not run, or an
        API group that it no longer writes to.

        kubectl -n <namespace> delete policyreport <name>

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: n}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: p, namespace: n, uid: here}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: wgpolicyk8s.io/v1alpha2, kind: PolicyReport, metadata: {name: bad-gone, namespace: n}, scope: {apiVersion: v1, kind: Pod, namespace: n, name: gone, uid: before}, results: [{policy: p, result: fail}]}
        ---
        {apiVersion: openreports.io/v1alpha1, kind: Report, metadata: {name: bad-replaced, namespace: n}, scope: {apiVersion: v1, kind: Pod, namespace: n, name: p, uid: before}, results: [{policy: p, result: fail}]}
        ---
        {apiVersion: wgpolicyk8s.io/v1alpha2, kind: PolicyReport, metadata: {name: bad-one-of-two, namespace: n}, results: [{policy: p, result: fail, resources: [{apiVersion: v1, kind: Pod, namespace: n, name: p}, {apiVersion: v1, kind: Pod, namespace: n, name: q}]}]}
        ---
        {apiVersion: wgpolicyk8s.io/v1alpha2, kind: PolicyReport, metadata: {name: ok-there, namespace: n}, scope: {apiVersion: v1, kind: Pod, namespace: n, name: p, uid: here}, results: [{policy: p, result: fail}]}
    """
    return report_subjects["stale"]


@control(
    "KA-DEP-054c",
    layer="deploy",
    severity="low",
    applies="expected",
    against=("policy_reports",),
    expected="a report on its pods",
    shows=("pods", "policies", "reports"),
)
def namespace_without_reports(namespace_reports: pd.DataFrame) -> pd.Series[Any]:
    """Namespaces that background policies are for have reports.

    Where others are reported on, none says that nobody looked: the engine may not read the
    namespace, or its reports do not fit into etcd.

    Remedy:
        See what the reports controller says of the namespace.

        kubectl -n kyverno logs deployment/kyverno-reports-controller

    Cases:
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, exclude: {any: [{resources: {namespaces: [left-out]}}]}, validate: {pattern: {spec: {=(hostPID): "false"}}}}]}}
        ---
        {apiVersion: wgpolicyk8s.io/v1alpha2, kind: PolicyReport, metadata: {name: r, namespace: ok-reported}, results: []}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-silent}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-reported}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: empty}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: left-out}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: bad-silent}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: ok-reported}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: d, namespace: left-out}, spec: {containers: [{name: c, image: i}]}}
    """
    return namespace_reports["reports"] == 0


@control(
    "KA-DEP-055",
    layer="deploy",
    severity="high",
    applies="verifies",
    expected="required, verifyDigest and mutateDigest as they are by default",
    shows=("rule", "lax", "images"),
)
def verification_lets_pass(kyverno_rules: pd.DataFrame) -> pd.Series[Any]:
    """Rules that verify images let none pass unverified.

    With required false an image that nobody looked at passes; without verifyDigest or
    mutateDigest the tag that was verified may mean another image when the node pulls it.

    Remedy:
        Leave the three settings out: all are true by default.

        verifyImages:
          - imageReferences: ["*"]
            required: true
            verifyDigest: true

    Cases:
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: bad-not-required}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, verifyImages: [{imageReferences: ["*"], required: false}]}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: bad-tag}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, verifyImages: [{imageReferences: ["*"], mutateDigest: false}]}]}}
        ---
        {apiVersion: policies.kyverno.io/v1, kind: ImageValidatingPolicy, metadata: {name: bad-cel}, spec: {validationConfigurations: {required: false}}}
        ---
        {apiVersion: policies.kyverno.io/v1, kind: ImageValidatingPolicy, metadata: {name: ok-cel}, spec: {validationConfigurations: {required: true}}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: ok-defaults}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, verifyImages: [{imageReferences: ["*"]}]}]}}
    """
    return over_lists(kyverno_rules["lax"], bool)
