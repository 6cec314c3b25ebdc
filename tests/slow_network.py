"""A plain evaluator of network policies: pair by pair, port by port, on the objects themselves."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

Object = dict[str, Any]
#: A pod, or an address outside.
End = Object | str


class SlowNetwork:
    """Namespaces, pods and policies as objects; asks them all about every connection."""

    def __init__(self, objects: list[Object]) -> None:
        self.namespaces = {
            o["metadata"]["name"]: {
                **o["metadata"].get("labels", {}),
                "kubernetes.io/metadata.name": o["metadata"]["name"],
            }
            for o in objects
            if o["kind"] == "Namespace"
        }
        self.pods = [o for o in objects if o["kind"] == "Pod"]
        self.policies = [o for o in objects if o["kind"] == "NetworkPolicy"]
        self.admin = sorted(
            (o for o in objects if o["kind"] == "AdminNetworkPolicy"),
            key=lambda o: o["spec"]["priority"],
        )
        self.baseline = [o for o in objects if o["kind"] == "BaselineAdminNetworkPolicy"]

    def allows(self, source: End, target: End, protocol: str, port: int) -> bool:
        asked = (target, protocol, port)
        return self._side(source, target, "egress", asked) and self._side(
            target, source, "ingress", asked
        )

    def _side(self, own: End, peer: End, direction: str, asked: tuple[End, str, int]) -> bool:
        if isinstance(own, str):
            return True
        for policy in self.admin:
            action = self._first(policy, own, peer, direction, asked)
            if action == "Pass":
                break
            if action:
                return action == "Allow"
        chosen = [p for p in self.policies if self._governs(p, own, direction)]
        if chosen:
            return any(self._permits(p, peer, direction, asked) for p in chosen)
        for policy in self.baseline:
            action = self._first(policy, own, peer, direction, asked)
            if action:
                return action == "Allow"
        return True

    def _first(
        self, policy: Object, own: Object, peer: End, direction: str, asked: tuple[End, str, int]
    ) -> str:
        if not self._is(policy["spec"]["subject"], own):
            return ""
        side = "from" if direction == "ingress" else "to"
        for rule in policy["spec"].get(direction, []):
            if any(self._is(one, peer) for one in rule[side]) and (
                "ports" not in rule or any(self._admin_port(p, asked) for p in rule["ports"])
            ):
                return str(rule["action"])
        return ""

    def _is(self, chosen: Object, end: End) -> bool:
        if "networks" in chosen:
            return any(_inside(end, {"cidr": cidr}) for cidr in chosen["networks"])
        if isinstance(end, str):
            return False
        labels = self.namespaces[end["metadata"]["namespace"]]
        if "namespaces" in chosen:
            return _selects(chosen["namespaces"], labels)
        pods = chosen["pods"]
        return _selects(pods["namespaceSelector"], labels) and _selects(
            pods["podSelector"], end["metadata"].get("labels", {})
        )

    def _admin_port(self, port: Object, asked: tuple[End, str, int]) -> bool:
        target, protocol, number = asked
        if "portNumber" in port:
            one = port["portNumber"]
            return (one["protocol"], one["port"]) == (protocol, number)
        if "portRange" in port:
            span = port["portRange"]
            within = span["start"] <= number <= span["end"]
            return bool(span["protocol"] == protocol and within)
        return (protocol, number) in _named(target, port["namedPort"])

    def _governs(self, policy: Object, pod: Object, direction: str) -> bool:
        spec = policy["spec"]
        types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
        return (
            policy["metadata"]["namespace"] == pod["metadata"]["namespace"]
            and direction.title() in types
            and _selects(spec["podSelector"], pod["metadata"].get("labels", {}))
        )

    def _permits(
        self, policy: Object, peer: End, direction: str, asked: tuple[End, str, int]
    ) -> bool:
        side = "from" if direction == "ingress" else "to"
        for rule in policy["spec"].get(direction, []):
            peers, ports = rule.get(side), rule.get("ports")
            met = not peers or any(self._meant(policy, one, peer) for one in peers)
            if met and (not ports or any(_port(one, asked) for one in ports)):
                return True
        return False

    def _meant(self, policy: Object, chosen: Object, peer: End) -> bool:
        if "ipBlock" in chosen:
            return _inside(peer, chosen["ipBlock"])
        if isinstance(peer, str):
            return False
        namespace = peer["metadata"]["namespace"]
        if "namespaceSelector" in chosen:
            if not _selects(chosen["namespaceSelector"], self.namespaces[namespace]):
                return False
        elif namespace != policy["metadata"]["namespace"]:
            return False
        return _selects(chosen.get("podSelector", {}), peer["metadata"].get("labels", {}))


def _selects(selector: Object, labels: dict[str, str]) -> bool:
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for term in selector.get("matchExpressions", []):
        key, values = term["key"], term.get("values", [])
        held = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }[term["operator"]]
        if not held:
            return False
    return True


def _inside(end: End, block: Object) -> bool:
    text = end if isinstance(end, str) else end.get("status", {}).get("podIP")
    if text is None:
        return False
    address = ip_address(text)
    return address in ip_network(block["cidr"]) and not any(
        address in ip_network(part) for part in block.get("except", [])
    )


def _named(target: End, name: str) -> set[tuple[str, int]]:
    if isinstance(target, str):
        return set()
    return {
        (port.get("protocol", "TCP"), port["containerPort"])
        for container in target["spec"]["containers"]
        for port in container.get("ports", [])
        if port.get("name") == name
    }


def _port(chosen: Object, asked: tuple[End, str, int]) -> bool:
    target, protocol, number = asked
    if chosen.get("protocol", "TCP") != protocol:
        return False
    port = chosen.get("port")
    if port is None:
        return True
    if isinstance(port, str):
        return (protocol, number) in _named(target, port)
    last: int = chosen.get("endPort") or port
    return bool(port <= number <= last)
