"""What notebook cells call: blocks, charts, and text made safe to show."""

from kaudit.show.annexes import catalogue, gaps, limits, provenance
from kaudit.show.build import build
from kaudit.show.chain import chain
from kaudit.show.deploy import (
    admitted,
    blind_spots,
    deploy,
    enforcement,
    next_to_enforce,
    pod_security,
)
from kaudit.show.drift import drift
from kaudit.show.engines import engines
from kaudit.show.exceptions import exceptions
from kaudit.show.explore import cases, control, evidence, finding, record, table
from kaudit.show.frameworks import frameworks
from kaudit.show.images import fix_plan, images, reconciliation, vulnerabilities
from kaudit.show.layers import layer
from kaudit.show.mesh import mesh
from kaudit.show.network import (
    default_deny,
    exposed,
    idle_policies,
    network,
    plugin,
    reachability,
)
from kaudit.show.others import others
from kaudit.show.rbac import rbac
from kaudit.show.readiness import readiness
from kaudit.show.risks import risks, worst
from kaudit.show.runtime import (
    alert_episodes,
    alert_timeline,
    attack_matrix,
    detection_rules,
    requests,
    runtime,
    sensor_coverage,
)
from kaudit.show.secrets import (
    fetched_secrets,
    held_secrets,
    kept_secrets,
    secret_readers,
    secret_stores,
    secrets,
)
from kaudit.show.summary import cover, overview, summary
from kaudit.show.supply import dockerfiles, pipelines, trust

__all__ = [
    "admitted",
    "alert_episodes",
    "alert_timeline",
    "attack_matrix",
    "blind_spots",
    "build",
    "cases",
    "catalogue",
    "chain",
    "control",
    "cover",
    "default_deny",
    "deploy",
    "detection_rules",
    "dockerfiles",
    "drift",
    "enforcement",
    "engines",
    "evidence",
    "exceptions",
    "exposed",
    "fetched_secrets",
    "finding",
    "fix_plan",
    "frameworks",
    "gaps",
    "held_secrets",
    "idle_policies",
    "images",
    "kept_secrets",
    "layer",
    "limits",
    "mesh",
    "network",
    "next_to_enforce",
    "others",
    "overview",
    "pipelines",
    "plugin",
    "pod_security",
    "provenance",
    "rbac",
    "reachability",
    "readiness",
    "reconciliation",
    "record",
    "requests",
    "risks",
    "runtime",
    "secret_readers",
    "secret_stores",
    "secrets",
    "sensor_coverage",
    "summary",
    "table",
    "trust",
    "vulnerabilities",
    "worst",
]
