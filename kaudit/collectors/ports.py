"""Ports that containers of pods and templates declare."""

from __future__ import annotations

from typing import Annotated

from kaudit.collectors.workloads import PODS_AND_CONTROLLERS
from kaudit.model.container import Container, ContainerPort
from kaudit.model.pod import PodSpec
from kaudit.registry import collector
from kaudit.table import Row, Table, doc
from kaudit.tables.owned import CONTAINER_KEY, OfSpec


class PortRow(OfSpec, kw_only=True):
    container: Annotated[str, doc("name of the container")]
    container_type: Annotated[str, doc("init, sidecar, regular or ephemeral")]
    position: Annotated[int, doc("place in ports, from 0")]
    port: Annotated[int | None, doc("containerPort")] = None
    port_name: Annotated[str | None, doc("name of the port")] = None
    protocol: Annotated[str, doc("TCP, UDP or SCTP; TCP where unset")] = "TCP"
    host_port: Annotated[int | None, doc("hostPort")] = None
    host_ip: Annotated[str | None, doc("hostIP")] = None


PORTS = Table(
    "ports", PortRow, grain="one port of a container", key=(*CONTAINER_KEY, "position"), pods=True
)


@collector(*PODS_AND_CONTROLLERS, tables=(PORTS,), of_spec=True)
def ports(spec: PodSpec) -> list[Row]:
    """Rows of the ports of a pod's containers."""
    return [
        _port(port, place, kind, c)
        for kind, _, c in spec.typed_containers
        for place, port in enumerate(c.ports or ())
    ]


def _port(port: ContainerPort, position: int, kind: str, c: Container) -> PortRow:
    return PortRow(
        container=c.name or "",
        container_type=kind,
        position=position,
        port=port.container_port,
        port_name=port.name,
        protocol=port.protocol or "TCP",
        host_port=port.host_port,
        host_ip=port.host_ip,
    )
