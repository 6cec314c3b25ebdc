"""Scans of images: that there is one, that it is recent, that it is of what runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.ages import older
from kaudit.columns import where_known
from kaudit.parameters import parameters
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-BLD-001",
    layer="build",
    severity="high",
    applies="judged",
    weak=("image_scans",),
    null="the evidence holds no scan of any image",
    expected="a scan that saw packages",
    shows=("matched", "tools", "workloads", "pods"),
)
def unscanned(image_posture: pd.DataFrame) -> pd.Series[Any]:
    """Every image that runs was scanned for vulnerabilities.

    What nobody looked at is not free of flaws. A scan counts by the digest of the image, or by
    its name where no digest can be compared; one that found no packages has seen nothing.

    Remedy:
        Scan the image by its digest.

        trivy image --format json --output scans/app.json registry.example.com/app@sha256:<digest>

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        # cluster: bad-another-image-was-scanned
        {kaudit-file: c.json, content: {SchemaVersion: 2, ArtifactName: "a/c:1", Results: [{Target: "a/c:1 (debian 12)", Class: os-pkgs, Type: debian}]}}
        # cluster: bad-nothing-was-seen
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1"}}
        # cluster: bad-another-build-was-scanned
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]},
          status: {containerStatuses: [{name: c, imageID: "docker.io/a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian}],
          Metadata: {RepoDigests: ["a/b@sha256:ffffffffffffffff0123456789abcdef0123456789abcdef0123456789abcdef"]}}}
        # cluster: ok-by-digest
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "mirror.example/b"}]},
          status: {containerStatuses: [{name: c, imageID: "mirror.example/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian}],
          Metadata: {RepoDigests: ["a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]}}}
        # cluster: ok-by-name
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "docker.io/a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian}]}}
        # cluster: ok-nobody-was-asked
    """
    return where_known(~image_posture["scanned"], image_posture["asked"])


@control(
    "KA-BLD-002",
    layer="build",
    severity="medium",
    applies="judged",
    null="no scan of it, or none that says when it was made",
    expected="a scan not older than scan_max_age_days",
    shows=("scanned_at", "scan_age_days", "tools"),
)
def stale_scan(image_posture: pd.DataFrame, cluster: pd.DataFrame) -> pd.Series[Any]:
    """The newest scan of every image is recent.

    Flaws are found in software that has not changed. The limit is the parameter
    scan_max_age_days.

    Remedy:
        Scan again, and scan what runs on a schedule.

        kaudit collect context:production --scan -o evidence.kaudit

    Cases:
        # cluster: bad-old
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, CreatedAt: "2025-11-01T00:00:00Z", ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian}]}}
        ---
        # cluster: ok-one-of-two-is-recent
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: old.json, content: {SchemaVersion: 2, CreatedAt: "2025-11-01T00:00:00Z", ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian}]}}
        ---
        {kaudit-file: new.json, content: {SchemaVersion: 2, CreatedAt: "2025-11-30T00:00:00Z", ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian}]}}
        ---
        # cluster: ok-nobody-knows-when
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian}]}}
    """
    p = image_posture
    old = older(p["scan_age_days"], parameters().scan_max_age_days, cluster)
    return where_known(old, p["scanned"])


@control(
    "KA-BLD-002a",
    layer="build",
    severity="medium",
    applies="judged",
    null="no scan of it, or none that says how old its database was",
    expected="a database not older than two days at the scan",
    shows=("scanned_at", "database_lag_days", "tools"),
)
def stale_database(image_posture: pd.DataFrame) -> pd.Series[Any]:
    """The database of the scanner was recent when it scanned.

    A scan with last month's database is last month's scan, whatever its date.

    Remedy:
        Let the scanner fetch its database before it scans.

        grype db update

    Cases:
        # cluster: bad-old-database
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.json, content: {matches: [], source: {type: image, target: {userInput: "a/b:1"}}, distro: {name: debian, version: "12"},
          descriptor: {name: grype, version: "0.100.0", timestamp: "2025-11-30T00:00:00Z", db: {status: {built: "2025-11-01T00:00:00Z", schemaVersion: v6.1.0}}}}}
        ---
        # cluster: ok-new-database
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.json, content: {matches: [], source: {type: image, target: {userInput: "a/b:1"}}, distro: {name: debian, version: "12"},
          descriptor: {name: grype, version: "0.100.0", timestamp: "2025-11-30T00:00:00Z", db: {status: {built: "2025-11-29T00:00:00Z", schemaVersion: v6.1.0}}}}}
    """
    return where_known(image_posture["database_lag_days"] > 2, image_posture["scanned"])


@control(
    "KA-BLD-003",
    layer="build",
    severity="high",
    applies="judged",
    null="no scan of that name, or no digest to compare",
    expected="the scan is of the digest that runs",
    shows=("matched", "tools", "workloads", "pods"),
)
def another_build_scanned(image_posture: pd.DataFrame) -> pd.Series[Any]:
    """What was scanned is what runs.

    A tag can be moved after the scan: then the report is of another build. Digests are
    compared only where both are of the registry; an index, a manifest and a configuration
    have digests of their own, which prove nothing against each other.

    Remedy:
        Pin the digest that was scanned, or scan the one that runs.

        image: registry.example.com/app:v1.0.0@sha256:<digest>

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]},
          status: {containerStatuses: [{name: c, imageID: "docker.io/a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        # cluster: bad-moved
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian}],
          Metadata: {RepoDigests: ["a/b@sha256:ffffffffffffffff0123456789abcdef0123456789abcdef0123456789abcdef"]}}}
        # cluster: ok-same
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian}],
          Metadata: {RepoDigests: ["a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]}}}
        # cluster: ok-digest-of-the-configuration
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian}],
          Metadata: {ImageID: "sha256:ffffffffffffffff0123456789abcdef0123456789abcdef0123456789abcdef"}}}
    """
    matched = image_posture["matched"]
    return where_known(matched == "other", matched.isin(["digest", "other"]))


@control(
    "KA-BLD-025",
    layer="build",
    severity="medium",
    null="the evidence holds no scan of any image",
    weak=("image_scans",),
    expected="a scan of some image",
    shows=("containers", "scanned", "images"),
)
def namespace_left_out(scan_coverage: pd.DataFrame) -> pd.Series[Any]:
    """No namespace is left out by the scanners.

    Scanners are told to skip namespaces, or cannot pull from a private registry: then all of a
    namespace is unseen, while the others look well.

    Remedy:
        Take the namespace out of the exceptions of the scanner; give it the pull secret.

        kubectl -n trivy-system set env deploy/trivy-operator OPERATOR_EXCLUDE_NAMESPACES-

    Cases:
        # cluster: bad-one-left-out
        {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: one}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: two}, spec: {containers: [{name: c, image: "a/c:1"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian}]}}
        ---
        # cluster: ok-some-of-each
        {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: one}, spec: {containers: [{name: c, image: "a/b:1"}, {name: d, image: "a/d:1"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian}]}}
    """
    return where_known(scan_coverage["scanned"] == 0, scan_coverage["asked"])
