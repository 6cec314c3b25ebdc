"""Probes and lifecycle handlers of containers of pods and templates."""

from __future__ import annotations

from typing import Annotated

from kaudit.collectors.workloads import PODS_AND_CONTROLLERS
from kaudit.model.container import Container, Lifecycle, Probe
from kaudit.model.pod import PodSpec
from kaudit.registry import collector
from kaudit.table import Row, Table, doc
from kaudit.tables.owned import CONTAINER_KEY, OfSpec


class ProbeRow(OfSpec, kw_only=True):
    container: Annotated[str, doc("name of the container")]
    container_type: Annotated[str, doc("init, sidecar, regular or ephemeral")]
    probe: Annotated[str, doc("liveness, readiness, startup, postStart or preStop")]
    handler: Annotated[str, doc("exec, httpGet, tcpSocket, grpc or none")]
    host: Annotated[str | None, doc("host of httpGet or tcpSocket as written")] = None
    port: Annotated[str | None, doc("port as written")] = None
    path: Annotated[str | None, doc("path of httpGet")] = None
    scheme: Annotated[str | None, doc("scheme of httpGet")] = None
    command: Annotated[list[str], doc("command of exec, credentials masked")]


PROBES = Table(
    "probes",
    ProbeRow,
    grain="one probe or lifecycle handler of a container",
    key=(*CONTAINER_KEY, "probe"),
    pods=True,
)
_NO_HOOKS = Lifecycle()


@collector(*PODS_AND_CONTROLLERS, tables=(PROBES,), of_spec=True)
def probes(spec: PodSpec) -> list[Row]:
    """Rows of the probes and handlers of a pod's containers."""
    return [
        _probe(label, probe, kind, c)
        for kind, _, c in spec.typed_containers
        for label, probe in _probes(c)
        if probe is not None
    ]


def _probes(c: Container) -> tuple[tuple[str, Probe | None], ...]:
    hooks = c.lifecycle or _NO_HOOKS
    return (
        ("liveness", c.liveness_probe),
        ("readiness", c.readiness_probe),
        ("startup", c.startup_probe),
        ("postStart", hooks.post_start),
        ("preStop", hooks.pre_stop),
    )


def _probe(label: str, probe: Probe, kind: str, c: Container) -> ProbeRow:
    http, tcp, grpc = probe.http_get, probe.tcp_socket, probe.grpc
    port = http.port if http else tcp.port if tcp else grpc.port if grpc else None
    return ProbeRow(
        container=c.name or "",
        container_type=kind,
        probe=label,
        handler=_handler(probe),
        host=(http.host if http else tcp.host if tcp else None) or None,
        port=None if port is None else str(port),
        path=http.path if http else None,
        scheme=http.scheme if http else None,
        command=(probe.exec.command or []) if probe.exec else [],
    )


def _handler(probe: Probe) -> str:
    if probe.exec is not None:
        return "exec"
    if probe.http_get is not None:
        return "httpGet"
    if probe.tcp_socket is not None:
        return "tcpSocket"
    return "none" if probe.grpc is None else "grpc"
