"""Chains that begin outside: an exposed workload, and what makes that dangerous."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.chains import correlation

if TYPE_CHECKING:
    import pandas as pd


@correlation("KA-RSK-001", layer="build", severity="critical")
def exposed_and_exploitable(exposed: pd.Series[Any], exploitable: pd.Series[Any]) -> pd.Series[Any]:
    """Exposed workload with an exploitable vulnerability.

    What is reached from the internet and holds a flaw that is being exploited is taken by
    whoever scans for it.

    Remedy:
        Upgrade first; until then narrow who reaches it.

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: [{name: c, image: example.com/web:1}]}}
        # cluster: bad-both
        {apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}}
        ---
        {kaudit-file: trivy.json, content: {SchemaVersion: 2, ArtifactName: "example.com/web:1", ArtifactType: container_image, Results: [{Target: os, Class: os-pkgs, Type: debian, Packages: [{Name: openssl, Version: "1"}], Vulnerabilities: [{VulnerabilityID: CVE-2099-0001, PkgName: openssl, InstalledVersion: "1", Severity: HIGH}]}]}}
        ---
        {kaudit-file: kev.json, content: {title: CISA Catalog of Known Exploited Vulnerabilities, catalogVersion: "1", dateReleased: "2025-11-01T00:00:00Z", count: 1, vulnerabilities: [{cveID: CVE-2099-0001, dateAdded: "2025-01-01", dueDate: "2025-02-01"}]}}
        # cluster: ok-inside
        {apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}
    """
    return exposed & exploitable


@correlation("KA-RSK-002", layer="deploy", severity="critical")
def exposed_and_escaping(exposed: pd.Series[Any], escapes: pd.Series[Any]) -> pd.Series[Any]:
    """Exposed workload that can escape to the node.

    Who takes it takes its node, and every pod on it.

    Remedy:
        Enforce the baseline Pod Security Standard in its namespace.

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}}
        # cluster: bad-privileged
        {apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: [{name: c, image: i, securityContext: {privileged: true}}]}}
        # cluster: ok-plain
        {apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}
    """
    return exposed & escapes


@correlation("KA-RSK-003", layer="deploy", severity="critical")
def exposed_and_powerful(exposed: pd.Series[Any], powerful: pd.Series[Any]) -> pd.Series[Any]:
    """Exposed workload holding take-over rights.

    Its token is as good as the administrator's: who takes it takes the cluster.

    Remedy:
        Give its service account what it needs and no more.

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}}
        # cluster: bad-admin
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: default}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: b}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}, subjects: [{kind: ServiceAccount, name: default, namespace: default}]}
        # cluster: ok-no-rights
    """
    return exposed & powerful


@correlation("KA-RSK-012", layer="runtime", severity="critical")
def taken_from_outside(
    exposed: pd.Series[Any], exploitable: pd.Series[Any], alerted: pd.Series[Any]
) -> pd.Series[Any]:
    """Exposed and exploitable workload on which an alert was raised.

    The way in, the flaw and the sign that somebody came meet on one workload: take it for taken.

    Remedy:
        Isolate the workload and answer the alert first; then upgrade the image and start it anew.

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c, image: "example.com/web:1"}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}}
        ---
        {kaudit-file: trivy.json, content: {SchemaVersion: 2, ArtifactName: "example.com/web:1", ArtifactType: container_image, Results: [{Target: os, Class: os-pkgs, Type: debian, Packages: [{Name: openssl, Version: "1"}], Vulnerabilities: [{VulnerabilityID: CVE-2099-0001, PkgName: openssl, InstalledVersion: "1", Severity: HIGH}]}]}}
        ---
        {kaudit-file: kev.json, content: {title: CISA Catalog of Known Exploited Vulnerabilities, catalogVersion: "1", dateReleased: "2025-11-01T00:00:00Z", count: 1, vulnerabilities: [{cveID: CVE-2099-0001, dateAdded: "2025-01-01", dueDate: "2025-02-01"}]}}
        # cluster: bad-all
        kaudit-file: falco.jsonl
        lines:
          - '{"rule": "Miner", "priority": "Critical", "time": "2025-11-30T00:00:00Z", "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": "web"}}'
        # cluster: ok-quiet
        kaudit-file: falco.jsonl
        lines:
          - '{"rule": "Miner", "priority": "Notice", "time": "2025-11-30T00:00:00Z", "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": "web"}}'
    """
    return exposed & exploitable & alerted
