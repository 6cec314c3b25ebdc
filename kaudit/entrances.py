"""What lies behind Ingresses and routes: the Services that they name, and the ports of pods.

Only TCP comes in this way. A port of a pod need not be declared to be reached; one that a
Service names by its name must be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from kaudit.columns import arrow, plain_rows
from kaudit.model.label_index import LabelIndex, members
from kaudit.model.whole import whole

if TYPE_CHECKING:
    import pandas as pd

#: Tables that say what lets in.
OBJECTS = ("ingress_rules", "openshift_routes", "gateway_routes", "reference_grants")


class Entrance(msgspec.Struct, frozen=True, order=True):
    """An object that lets in, and a Service that it leads to; without port all of its ports."""

    kind: str
    namespace: str
    name: str
    service_namespace: str
    service: str
    port: str = ""


class Way(msgspec.Struct, frozen=True):
    """A pod that an entrance leads to, by its place, and the port of the pod."""

    pod: int
    port: int


def entrances(frames: Mapping[str, pd.DataFrame]) -> Iterator[Entrance]:
    """Services that Ingresses and routes lead to."""
    behind = ("namespace", "name", "service", "port")
    for namespace, name, service, port in plain_rows(frames["ingress_rules"], *behind):
        if service:
            yield Entrance("Ingress", namespace, name, namespace, service, port or "")
    behind = ("namespace", "name", "services", "port")
    for namespace, name, services, port in plain_rows(frames["openshift_routes"], *behind):
        for service in services:
            yield Entrance("Route", namespace, name, namespace, service, port or "")
    granted = set(_grants(frames["reference_grants"]))
    columns = ("kind", "namespace", "name", "parents", "backends")
    for kind, namespace, name, parents, backends in plain_rows(frames["gateway_routes"], *columns):
        for backend in backends if parents else ():
            target, _, port = backend.rpartition(":")
            space, _, service = target.partition("/")
            cross = {(space, namespace, kind, service), (space, namespace, kind, "*")}
            if space == namespace or cross & granted:
                yield Entrance(kind, namespace, name, space, service, port)


def _grants(frame: pd.DataFrame) -> Iterator[tuple[str, str, str, str]]:
    """Namespace of the target, namespace and kind of who refers, name of the Service or *."""
    for space, sources, targets in plain_rows(frame, "namespace", "granted_from", "granted_to"):
        for source in sources:
            namespace, _, kind = source.partition("/")
            for target in targets:
                what, _, name = target.partition("/")
                if what == "Service":
                    yield space, namespace, kind, name


class Services:
    """Services and the pods that they select."""

    def __init__(self, frames: Mapping[str, pd.DataFrame], pods: pd.DataFrame) -> None:
        self._index = LabelIndex(arrow(pods["labels"]).to_pylist())
        self._spaces: dict[str, int] = {}
        self._uids = arrow(pods["pod_uid"]).to_pylist()
        for place, namespace in enumerate(arrow(pods["namespace"]).to_pylist()):
            self._spaces[namespace] = self._spaces.get(namespace, 0) | 1 << place
        self._selectors = {
            (namespace, name): selector
            for namespace, name, selector in plain_rows(
                frames["services"], "namespace", "name", "selector"
            )
        }
        self._ports: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
        columns = ("namespace", "name", "port_name", "port", "target_port", "protocol")
        for namespace, name, *port in plain_rows(frames["service_ports"], *columns):
            self._ports.setdefault((namespace, name), []).append(tuple(port))
        self._named: dict[tuple[str, str], int] = {}
        for uid, name, number, protocol in plain_rows(
            frames["ports"], "pod_uid", "port_name", "port", "protocol"
        ):
            if name and number is not None and protocol == "TCP":
                self._named.setdefault((uid, name), number)

    def pods(self, namespace: str, name: str) -> Iterator[int]:
        """Places of the pods that a Service selects; without selector none."""
        texts: Sequence[str] | None = self._selectors.get((namespace, name))
        if not texts:
            return
        found = self._spaces.get(namespace, 0)
        for text in texts:
            key, _, value = text.partition("=")
            found &= self._index.having(key, value)
        yield from members(found)

    def ways(self, entrance: Entrance) -> Iterator[Way]:
        """Pods and ports that an entrance leads to."""
        key = (entrance.service_namespace, entrance.service)
        ports = self._ports.get(key, ())
        for pod in self.pods(*key):
            for name, port, target, protocol in ports:
                wanted = entrance.port in ("", name, str(port), target)
                number = self._number(pod, port if target in (None, "") else target)
                if wanted and protocol == "TCP" and number is not None:
                    yield Way(pod, number)

    def _number(self, pod: int, target: str | int) -> int | None:
        text = str(target)
        number = whole(text)
        return self._named.get((self._uids[pod], text)) if number is None else number
