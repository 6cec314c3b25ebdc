"""Chains that end in what a taken workload holds, or may reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.chains import correlation

if TYPE_CHECKING:
    import pandas as pd


@correlation("KA-RSK-004", layer="network", severity="critical")
def exploitable_with_a_way_out(
    exploitable: pd.Series[Any],
    unmanaged_secret: pd.Series[Any],
    reads_secrets: pd.Series[Any],
    talks_out: pd.Series[Any],
) -> pd.Series[Any]:
    """Vulnerable workload with secrets and open egress.

    What takes it reads its Secrets and sends them away: nothing stands in between.

    Remedy:
        Deny egress by default, upgrade the image, and let a store keep the Secrets.

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c, image: "example.com/web:1", envFrom: [{secretRef: {name: s}}]}]}}
        ---
        {kaudit-file: trivy.json, content: {SchemaVersion: 2, ArtifactName: "example.com/web:1", ArtifactType: container_image, Results: [{Target: os, Class: os-pkgs, Type: debian, Packages: [{Name: openssl, Version: "1"}], Vulnerabilities: [{VulnerabilityID: CVE-2099-0001, PkgName: openssl, InstalledVersion: "1", Severity: HIGH}]}]}}
        ---
        {kaudit-file: kev.json, content: {title: CISA Catalog of Known Exploited Vulnerabilities, catalogVersion: "1", dateReleased: "2025-11-01T00:00:00Z", count: 1, vulnerabilities: [{cveID: CVE-2099-0001, dateAdded: "2025-01-01", dueDate: "2025-02-01"}]}}
        # cluster: bad-all-three
        {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop, creationTimestamp: "2024-01-01T00:00:00Z"}, type: Opaque}
        # cluster: ok-kept-in
        {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop, creationTimestamp: "2024-01-01T00:00:00Z"}, type: Opaque}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {}, policyTypes: [Egress]}}
        # cluster: ok-no-secret
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c, image: "example.com/web:1"}]}}
    """
    return exploitable & (unmanaged_secret | reads_secrets) & talks_out


@correlation("KA-RSK-009", layer="network", severity="critical")
def way_to_the_cloud(
    exposed: pd.Series[Any],
    exploitable: pd.Series[Any],
    reaches_metadata: pd.Series[Any],
    cloud_key: pd.Series[Any],
) -> pd.Series[Any]:
    """Path from a pod to the cloud account.

    Whoever takes it asks the metadata address for what the node may do, or finds a key that holds
    until somebody ends it.

    Remedy:
        Keep pods from the metadata address, and give accounts roles of the cloud instead of keys.

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c, image: "example.com/web:1"}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}}
        # cluster: bad-metadata
        {apiVersion: v1, kind: Node, metadata: {name: n}, spec: {providerID: "aws:///eu-west-1a/i-1"}}
        # cluster: ok-kept-in
        {apiVersion: v1, kind: Node, metadata: {name: n}, spec: {providerID: "aws:///eu-west-1a/i-1"}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {}, policyTypes: [Egress]}}
        # cluster: ok-inside
        {apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {app: web}, ports: [{port: 80}]}}
        ---
        {kaudit-file: trivy.json, content: {SchemaVersion: 2, ArtifactName: "example.com/web:1", ArtifactType: container_image, Results: [{Target: os, Class: os-pkgs, Type: debian, Packages: [{Name: openssl, Version: "1"}], Vulnerabilities: []}]}}
    """
    return (exposed | exploitable) & (reaches_metadata | cloud_key)


@correlation("KA-RSK-010", layer="secrets", severity="high")
def old_secret_within_reach(
    exposed: pd.Series[Any], exploitable: pd.Series[Any], stale_secret: pd.Series[Any]
) -> pd.Series[Any]:
    """Stale secret on an exposed or vulnerable workload.

    A Secret that was never changed has been seen by everyone who ever took the workload.

    Remedy:
        Rotate the Secret, and start its workloads again.

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c, image: "example.com/web:1", envFrom: [{secretRef: {name: s}}]}]}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop, creationTimestamp: "2024-01-01T00:00:00Z"}, type: Opaque}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}}
        # cluster: bad-old
        # cluster: ok-new
        {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop, creationTimestamp: "2025-11-25T00:00:00Z"}, type: Opaque}
        # cluster: ok-inside
        {apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {app: web}, ports: [{port: 80}]}}
        ---
        {kaudit-file: trivy.json, content: {SchemaVersion: 2, ArtifactName: "example.com/web:1", ArtifactType: container_image, Results: [{Target: os, Class: os-pkgs, Type: debian, Packages: [{Name: openssl, Version: "1"}], Vulnerabilities: []}]}}
    """
    return (exposed | exploitable) & stale_secret


@correlation("KA-RSK-008", layer="deploy", severity="critical")
def way_to_all_rights(
    exposed: pd.Series[Any],
    exploitable: pd.Series[Any],
    alerted: pd.Series[Any],
    leads_to_admin: pd.Series[Any],
) -> pd.Series[Any]:
    """Path from a pod to cluster-admin.

    Whoever takes the workload, by what is exposed or exploitable, takes the cluster in the
    steps that are listed.

    Remedy:
        Remove the cut: the one binding or setting without which no way is left.

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}}
        # cluster: bad-exposed
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: robot, namespace: shop}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: b}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}, subjects: [{kind: ServiceAccount, name: robot, namespace: shop}]}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {serviceAccountName: robot, containers: [{name: c, image: i}]}}
        # cluster: ok-no-rights
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {automountServiceAccountToken: false, containers: [{name: c, image: i}]}}
    """
    return (exposed | exploitable | alerted) & leads_to_admin
