"""Runtime sensors, and what ships logs, known by the names of their images.

Names are those under which the projects and vendors publish (2026-11).
"""

from __future__ import annotations

import re
from functools import lru_cache

#: Sensor to a pattern for the end of registry/repository.
SENSORS: dict[str, str] = {
    "falco": r"falcosecurity/falco(?:-no-driver|-distroless|-debian)?",
    "tetragon": r"cilium/tetragon(?:-ci)?",
    "kubearmor": r"kubearmor/kubearmor",
    "tracee": r"aquasec/tracee",
    "kubescape node agent": r"kubescape/node-agent",
    "sysdig": r"sysdig/(?:agent|agent-slim|host-shield)",
    "crowdstrike": r"(?:crowdstrike/)?falcon-sensor",
    "aqua enforcer": r"aquasec/enforcer|aquasec/kube-enforcer",
    "prisma defender": r"(?:twistlock/)?defender(?:_\d+)*",
    "stackrox": r"(?:stackrox|advanced-cluster-security|stackrox-io)/collector[\w-]*",
    "neuvector": r"neuvector/enforcer",
    "wiz": r"(?:wizpublic/|wiz-?io/)?sensor",
    "lacework": r"lacework/datacollector",
    "defender for containers": r"azuredefender/stable/low-level-collector|defender-sensor",
    "datadog": r"datadog/agent",
    "deepfence": r"deepfenceio/deepfence_agent_ce",
}
#: What reads the logs of a node's containers and sends them on.
SHIPPERS = (
    *("fluent/fluent-bit", "fluent/fluentd", "fluentd-kubernetes-daemonset", "fluent-bit"),
    *("timberio/vector", "grafana/promtail", "grafana/alloy", "beats/filebeat", "elastic-agent"),
    *("opentelemetry-collector", "opentelemetry-collector-contrib", "splunk-otel-collector"),
    *("logging-fluentd", "aws-for-fluent-bit", "datadog/agent"),
)
_SENSOR = [(name, re.compile(rf"(?:^|/)(?:{end})$")) for name, end in SENSORS.items()]


@lru_cache(maxsize=4096)
def sensor_of(image: str) -> str | None:
    """Sensor that an image is; None for what is none.

    >>> sensor_of("docker.io/falcosecurity/falco:0.42.0"), sensor_of("falcosecurity/falcosidekick")
    ('falco', None)
    """
    name = repository(image)
    return next((sensor for sensor, pattern in _SENSOR if pattern.search(name)), None)


@lru_cache(maxsize=4096)
def ships_logs(image: str) -> bool:
    """Tell whether an image reads logs and sends them on.

    >>> ships_logs("docker.io/grafana/alloy:v1"), ships_logs("docker.io/library/nginx")
    (True, False)
    """
    return f"/{repository(image)}".endswith(tuple(f"/{end}" for end in SHIPPERS))


def repository(image: str) -> str:
    """Image reference without tag and digest."""
    name = image.partition("@")[0]
    head, colon, tail = name.rpartition(":")
    return name if not colon or "/" in tail else head


def tag(image: str) -> str | None:
    """Tag of a reference; None where there is none."""
    name = image.partition("@")[0]
    _, colon, tail = name.rpartition(":")
    return tail if colon and "/" not in tail else None
