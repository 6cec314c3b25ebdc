"""Chains from one workload to the next: by the network, on a node, by rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.chains import correlation

if TYPE_CHECKING:
    import pandas as pd


@correlation("KA-RSK-014", layer="network", severity="high")
def onward_by_the_network(
    exposed: pd.Series[Any], exploitable: pd.Series[Any], reaches_exploitable: pd.Series[Any]
) -> pd.Series[Any]:
    """Exposed and exploitable workload that leads to another exploitable one.

    Who takes it stands inside, and the next flaw is one connection away: that the other is not
    exposed protects it no longer.

    Remedy:
        Upgrade the exposed one, and let policies allow only the connections that are needed.

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c, image: "example.com/web:1"}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}}
        ---
        {kaudit-file: trivy.json, content: {SchemaVersion: 2, ArtifactName: "example.com/web:1", ArtifactType: container_image, Results: [{Target: os, Class: os-pkgs, Type: debian, Packages: [{Name: openssl, Version: "1"}], Vulnerabilities: [{VulnerabilityID: CVE-2099-0001, PkgName: openssl, InstalledVersion: "1", Severity: HIGH}]}]}}
        ---
        {kaudit-file: kev.json, content: {title: CISA Catalog of Known Exploited Vulnerabilities, catalogVersion: "1", dateReleased: "2025-11-01T00:00:00Z", count: 1, vulnerabilities: [{cveID: CVE-2099-0001, dateAdded: "2025-01-01", dueDate: "2025-02-01"}]}}
        # cluster: bad-flat
        {apiVersion: v1, kind: Pod, metadata: {name: db, namespace: bank, labels: {app: db}}, spec: {containers: [{name: c, image: "example.com/web:1"}]}}
        # cluster: ok-alone
        # cluster: ok-kept-apart
        {apiVersion: v1, kind: Namespace, metadata: {name: bank}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: db, namespace: bank, labels: {app: db}}, spec: {containers: [{name: c, image: "example.com/web:1"}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: bank}, spec: {podSelector: {}, policyTypes: [Ingress]}}
    """
    return exposed & exploitable & reaches_exploitable


@correlation("KA-RSK-015", layer="deploy", severity="high")
def onward_on_its_node(
    exposed: pd.Series[Any], escapes: pd.Series[Any], beside_stronger: pd.Series[Any]
) -> pd.Series[Any]:
    """Exposed workload that escapes to a node where stronger ones run.

    Who has the node has the tokens and the Secrets of every pod on it.

    Remedy:
        Enforce the baseline level where it runs, and keep what is strong on other nodes.

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {hostPID: true, nodeName: n, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: bank, creationTimestamp: "2024-01-01T00:00:00Z"}, type: Opaque}
        # cluster: bad-one-node
        {apiVersion: v1, kind: Pod, metadata: {name: db, namespace: bank}, spec: {nodeName: n, containers: [{name: c, image: i, envFrom: [{secretRef: {name: s}}]}]}}
        # cluster: ok-two-nodes
        {apiVersion: v1, kind: Pod, metadata: {name: db, namespace: bank}, spec: {nodeName: m, containers: [{name: c, image: i, envFrom: [{secretRef: {name: s}}]}]}}
    """
    return exposed & escapes & beside_stronger


@correlation("KA-RSK-016", layer="deploy", severity="high")
def onward_by_rights(
    exposed: pd.Series[Any],
    exploitable: pd.Series[Any],
    alerted: pd.Series[Any],
    enters_stronger: pd.Series[Any],
) -> pd.Series[Any]:
    """Workload within reach whose rights lead into stronger ones.

    Who takes it enters the others through the API server, whatever the network forbids.

    Remedy:
        Take exec and the right to change pods from its service account.

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {serviceAccountName: robot, containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: robot, namespace: shop}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: bank, creationTimestamp: "2024-01-01T00:00:00Z"}, type: Opaque}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: db, namespace: bank}, spec: {containers: [{name: c, image: i, envFrom: [{secretRef: {name: s}}]}]}}
        # cluster: bad-exec
        {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: exec, namespace: bank}, rules: [{apiGroups: [""], resources: [pods/exec], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: exec, namespace: bank}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: exec}, subjects: [{kind: ServiceAccount, name: robot, namespace: shop}]}
        # cluster: ok-elsewhere
        {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: exec, namespace: shop}, rules: [{apiGroups: [""], resources: [pods/exec], verbs: [create]}]}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: exec, namespace: shop}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: exec}, subjects: [{kind: ServiceAccount, name: robot, namespace: shop}]}
    """
    return (exposed | exploitable | alerted) & enters_stronger
