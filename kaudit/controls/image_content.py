"""What images hold: a supported system, no credential, no root, nothing too old."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from kaudit.ages import days_since, ended, older
from kaudit.columns import arrow, over_texts, series
from kaudit.parameters import parameters
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

#: Names that tools give to a distribution, to that of the table.
_FAMILIES = {
    "almalinux": "alma",
    "amazonlinux": "amazon",
    "amzn": "amazon",
    "ol": "oracle",
    "oraclelinux": "oracle",
    "red": "redhat",
    "rhel": "redhat",
    "rockylinux": "rocky",
}
#: Images without a true date carry one of these years, or an earlier one.
_NO_DATE = datetime(1981, 1, 1, tzinfo=UTC)


#: When the table of support was gathered.
_KNOWN = datetime(2026, 1, 1, tzinfo=UTC)


@cache
def _support() -> dict[tuple[str, str], datetime]:
    """End of support (the longest that costs nothing) by family and version, as of 2026-01."""
    text = (files("kaudit.controls") / "system_support.csv").read_text(encoding="utf-8")
    return {
        (row["family"], row["version"]): datetime.fromisoformat(row["supported_until"]).replace(
            tzinfo=UTC
        )
        for row in csv.DictReader(text.splitlines())
    }


def _ends(system: str) -> datetime | None:
    """End of support of ``debian 12.11``; None where the table does not know it.

    >>> _ends("debian 12.11").year, _ends("alpine 3.10.9").year, _ends("debian sid")
    (2028, 2021, None)
    """
    family, _, version = system.rpartition(" ")
    family = family.split(" ")[0].lower()
    family = _FAMILIES.get(family, family)
    parts = re.split(r"[.\s]", version)
    versions = (".".join(parts[:2]), parts[0])
    return next((_support()[family, v] for v in versions if (family, v) in _support()), None)


@control(
    "KA-BLD-006",
    layer="build",
    severity="high",
    applies="judged",
    null="no scan tells its system, or the system's support is not known",
    expected="a system that is still supported",
    shows=("os", "workloads", "pods"),
)
def end_of_life(image_posture: pd.DataFrame, cluster: pd.DataFrame) -> pd.Series[Any]:
    """The operating system of every image is still supported.

    Nobody mends flaws of a system after its end, and scanners find less and less in it: its
    flaws are no longer published. A scanner's word counts, and a dated table of common systems.

    Remedy:
        Build on a release that is supported.

        FROM debian:12-slim@sha256:<digest>

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        # cluster: bad-by-the-table
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Metadata: {OS: {Family: alpine, Name: "3.10.2"}}, Results: [{Target: b, Class: os-pkgs, Type: alpine}]}}
        # cluster: bad-the-scanner-says-so
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Metadata: {OS: {Family: photon, Name: "1.0", EOSL: true}}, Results: [{Target: b, Class: os-pkgs, Type: photon}]}}
        # cluster: ok-supported
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Metadata: {OS: {Family: debian, Name: "12.11"}}, Results: [{Target: b, Class: os-pkgs, Type: debian}]}}
        # cluster: ok-nobody-knows
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian}]}}
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    p = image_posture
    moment = pa.timestamp("us", tz="UTC")
    ends = over_texts(p["os"], _ends, unset=pa.scalar(None, moment), type_=moment)
    over = arrow(ended(ends, cluster, _KNOWN))
    said = arrow(p["os_end_of_life"])
    return series(pc.if_else(pc.fill_null(said, False), True, over), p)


@control(
    "KA-BLD-016",
    layer="build",
    severity="medium",
    applies="linux",
    null="no scan tells the user of the image, and the pod sets none",
    expected="a user other than root",
    shows=("image", "image_user", "run_as_user", "run_as_non_root", "separate"),
)
def image_and_pod_root(image_users: pd.DataFrame) -> pd.Series[Any]:
    """No container runs as root, the image's user and the pod's taken together.

    The manifest alone does not tell: an image may name a user, and a pod without one is then
    not root. Where the pod has a user namespace, its root is nobody outside.

    Remedy:
        Name a user in the image by its number, and demand it in the pod.

        USER 10001

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-none-named}, spec: {containers: [{name: c, image: "a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-pod-says-0}, spec: {securityContext: {runAsUser: 0}, containers: [{name: c, image: "a/c@sha256:ffffffffffffffff0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-image-names-one}, spec: {containers: [{name: c, image: "a/c@sha256:ffffffffffffffff0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-pod-names-one}, spec: {securityContext: {runAsUser: 7}, containers: [{name: c, image: "a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-will-not-start}, spec: {securityContext: {runAsNonRoot: true}, containers: [{name: c, image: "a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-nobody-knows}, spec: {containers: [{name: c, image: "a/d:1"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-root-of-its-own}, spec: {hostUsers: false, containers: [{name: c, image: "a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Metadata: {RepoDigests: ["a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"], ImageConfig: {config: {}}}}}
        ---
        {kaudit-file: c.json, content: {SchemaVersion: 2, ArtifactName: "a/c:1", Metadata: {RepoDigests: ["a/c@sha256:ffffffffffffffff0123456789abcdef0123456789abcdef0123456789abcdef"], ImageConfig: {config: {User: "65532:65532"}}}}}
    """
    return image_users["root"] & ~image_users["separate"]


@control(
    "KA-BLD-016a",
    layer="build",
    severity="low",
    applies="run_as_non_root",
    null="no scan tells the user of the image, and the pod sets none",
    expected="a user that is known not to be root",
    shows=("image", "image_user", "run_as_user"),
)
def refused_at_start(image_users: pd.DataFrame) -> pd.Series[Any]:
    """A pod that demands not to be root can start.

    Where the image's user is root, or is a name, the kubelet refuses to start the container:
    CreateContainerConfigError. Somebody may then take the demand away again.

    Remedy:
        Name a user by its number, in the image or in the pod.

        securityContext: {runAsNonRoot: true, runAsUser: 10001}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-a-name}, spec: {securityContext: {runAsNonRoot: true}, containers: [{name: c, image: "a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-a-number}, spec: {securityContext: {runAsNonRoot: true, runAsUser: 5}, containers: [{name: c, image: "a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Metadata: {RepoDigests: ["a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"], ImageConfig: {config: {User: node}}}}}
    """
    return image_users["refused"]


@control(
    "KA-BLD-017",
    layer="build",
    severity="high",
    applies="judged",
    null="no scan looked for credentials in it",
    expected="none found",
    shows=("secrets", "env_credentials", "history_credentials", "tools"),
)
def credential_inside(
    image_posture: pd.DataFrame,
    image_secrets: pd.DataFrame,  # noqa: ARG001  what is lost of it may have been the only one
) -> pd.Series[Any]:
    """No image holds a credential.

    Whoever can pull the image has it, and no rotation reaches the copies. Files, variables of
    the image's configuration and the steps of its history are looked at; values are not kept.

    Remedy:
        Revoke the credential, build without it, and mount secrets at build time only.

        RUN --mount=type=secret,id=token ./fetch.sh

    Cases:
        # in every cluster
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        # cluster: bad-a-file
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: /app/key, Class: secret, Secrets: [{RuleID: private-key, Severity: HIGH}]}]}}
        # cluster: bad-a-variable
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Metadata: {ImageConfig: {config: {Env: ["DB_PASSWORD=correct-horse-battery"]}}}, Results: [{Target: b, Class: secret}]}}
        # cluster: ok-nothing-found
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: secret}]}}
        # cluster: ok-nobody-looked
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Results: [{Target: b, Class: os-pkgs, Type: debian}]}}
    """
    import pyarrow.compute as pc

    p = image_posture
    found = pc.greater(arrow(p["secrets"]), 0)
    listed = pc.greater(pc.list_value_length(arrow(p["env_credentials"])), 0)
    told = pc.or_(listed, pc.greater(arrow(p["history_credentials"]), 0))
    return series(pc.or_kleene(found, pc.if_else(told, True, found)), p)


@control(
    "KA-BLD-019",
    layer="build",
    severity="low",
    applies="judged",
    null="no scan tells when it was built, or it carries no true date",
    expected="built within image_max_age_days",
    shows=("image_created_at", "workloads", "pods"),
)
def old_image(image_posture: pd.DataFrame, cluster: pd.DataFrame) -> pd.Series[Any]:
    """Images are built anew from time to time.

    What was built long ago lacks the fixes of its base since then. Dates of 1970 and 1980 are
    those of reproducible builds and tell nothing.

    Remedy:
        Build it anew on a schedule, on the newest base.

        docker build --pull --no-cache --tag registry.example.com/app:v1.0.1 .

    Cases:
        # cluster: bad-old
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Metadata: {ImageConfig: {created: "2024-01-01T00:00:00Z"}}}}
        ---
        # cluster: ok-young
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Metadata: {ImageConfig: {created: "2025-11-01T00:00:00Z"}}}}
        ---
        # cluster: ok-reproducible
        {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "a/b:1"}]}}
        ---
        {kaudit-file: b.json, content: {SchemaVersion: 2, ArtifactName: "a/b:1", Metadata: {ImageConfig: {created: "1970-01-01T00:00:00Z"}}}}
    """
    created = image_posture["image_created_at"]
    days = days_since(created.where(created >= _NO_DATE), cluster)
    return older(days, parameters().image_max_age_days, cluster)
