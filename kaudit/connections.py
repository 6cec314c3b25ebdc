"""Engine: the connections that policies allow between workloads, and with the outside.

They are computed as if the network plugin enforced every policy. Pods that do not run have no
address, so that no address block holds them, and namespaces that are not in the evidence have
no label but their name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from kaudit import registry
from kaudit.attached import MACHINES, attached
from kaudit.columns import arrow, plain_rows
from kaudit.entrances import OBJECTS, Services, Way, entrances
from kaudit.errors import InputError
from kaudit.evidence.bundle import Evidence
from kaudit.model.address_space import AddressRange, cidrs_of, range_of
from kaudit.model.connectivity import Network
from kaudit.model.explanation import Reason, reasons
from kaudit.model.network_selection import NETWORKS
from kaudit.model.own_networks import UserNetwork, primary_spaces
from kaudit.model.policy import ADMIN
from kaudit.model.port_space import LAST, PROTOCOLS, PortRange
from kaudit.model.profiles import Profile
from kaudit.model.spoken import address_space
from kaudit.model.statement import Statement, Workload
from kaudit.model.whole import whole
from kaudit.model.words import Gap
from kaudit.network import (
    APART,
    Matrix,
    NetworkTables,
    PolicyTables,
    distinct,
    namespaces_of,
    networks_of,
    policies_of,
    seen,
    standing,
)
from kaudit.segmentation import UNKNOWN, Judgement, Segmentation
from kaudit.text import meant

if TYPE_CHECKING:
    import pandas as pd

#: Stands for whatever serves Ingresses and routes.
CONTROLLER = "{ingress-controller}"
_CONTROLLER = Profile("")
#: Tables that tell who may connect, and who has networks beside the primary one.
_DECIDE = (*NetworkTables._fields, "virtual_machines", "network_attachments")


class Connection(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one peer may open to another.

    Attributes
    ----------
    src, dst
        A workload as ``namespace/name[Kind]``, addresses outside as a block.
    connections
        Ports that are allowed.
    unknown
        Ports on which a policy that is not understood may decide.
    network
        Network beside the primary ones; empty: a primary one.
    gap
        What could not be read, of an entry that stands for the pairs which that may hide:
        its ends are empty.
    """

    src: str
    dst: str
    connections: tuple[PortRange, ...]
    unknown: tuple[PortRange, ...] = ()
    network: str = ""
    gap: Gap | None = None


class Explanation(msgspec.Struct, frozen=True):
    """Whether a connection is allowed, denied or unknown, and by what.

    Attributes
    ----------
    verdict, reasons
        On the primary networks.
    networks
        Networks beside them on which it is allowed, or may be.
    gaps
        Reads that failed, and may hide what decides.
    """

    src: str
    dst: str
    protocol: str
    port: int
    verdict: str
    reasons: tuple[Reason, ...]
    networks: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()


class Cluster:
    """Workloads of evidence, and the network that its policies make.

    Raises
    ------
    InputError
        A policy is one that an API server would refuse, or two objects have one name.
    """

    def __init__(self, evidence: Evidence) -> None:
        registry.load()
        self.evidence = evidence
        _refuse(evidence)
        policies = policies_of(PolicyTables(*(evidence[name] for name in PolicyTables._fields)))
        pods = standing(evidence["network_pods"])
        machines = list(_machines(evidence["virtual_machines"], pods))
        profiles, numbers = distinct([*seen(pods), *(one for _, one in machines), _CONTROLLER])
        networks = networks_of(evidence["user_networks"], evidence["namespaces"], sure=True)
        self.network = Network(
            profiles,
            namespaces_of(evidence["namespaces"]),
            [*networks, *policies],
            address_space(policies, APART),
            cautious=False,
        )
        *of_pods, self._controller = (self.network.class_of[number] for number in numbers)
        self.classes: dict[Workload, set[int]] = {}
        owners = [*_owners(pods), *(workload for workload, _ in machines)]
        for workload, number in zip(owners, of_pods, strict=True):
            self.classes.setdefault(workload, set()).add(number)
        self.workloads = sorted(self.classes)
        self._ranges: dict[int, tuple[PortRange, ...]] = {}

    @property
    def unread(self) -> tuple[Gap, ...]:
        """Reads that failed of what tells who may connect."""
        return self.evidence.failed_reads(*_DECIDE)

    def connections(self) -> Iterator[Connection]:
        """Yield pairs that may connect, by source and destination; never a workload with itself."""
        found = [*self._inside(), *self._outside(), *self._entering(), *self._beside()]
        return iter(sorted(found, key=lambda one: (one.src, one.dst, one.network)))

    def _inside(self) -> Iterator[Connection]:
        matrix = Matrix(self.network)
        by_class: dict[int, list[Workload]] = {}
        for workload, classes in self.classes.items():
            for number in classes:
                by_class.setdefault(number, []).append(workload)
        several: dict[tuple[Workload, Workload], tuple[int, int]] = {}
        for pairs in matrix.inside():
            for source, target, number in zip(*(p.tolist() for p in pairs), strict=True):
                allowed, unclear = matrix.verdicts[number]
                for src in by_class.get(source, ()):
                    for dst in by_class.get(target, ()):
                        if src == dst:
                            continue
                        if len(self.classes[src]) + len(self.classes[dst]) == 2:
                            yield self._connection(src.label, dst.label, allowed, unclear)
                        else:
                            before = several.get((src, dst), (0, 0))
                            both = (before[0] | allowed, before[1] | unclear)
                            several[src, dst] = both
        for (src, dst), (allowed, unclear) in several.items():
            yield self._connection(src.label, dst.label, allowed, unclear & ~allowed)

    def _outside(self) -> Iterator[Connection]:
        network = self.network
        for workload, classes in self.classes.items():
            for direction in ("egress", "ingress"):
                ranges: dict[tuple[int, int], list[AddressRange]] = {}
                for place, some in enumerate(network.addresses.classes):
                    node = network.pods + place
                    allowed = unclear = 0
                    for number in classes:
                        pair = (number, node) if direction == "egress" else (node, number)
                        one = network.verdict(*pair)
                        allowed, unclear = allowed | one[0], unclear | one[1]
                    ranges.setdefault((allowed, unclear & ~allowed), []).extend(some)
                for (allowed, unclear), some in ranges.items():
                    if not allowed | unclear:
                        continue
                    for cidr in cidrs_of(some):
                        ends = (workload.label, cidr)
                        src, dst = ends if direction == "egress" else ends[::-1]
                        yield self._connection(src, dst, allowed, unclear)

    def _entering(self) -> Iterator[Connection]:
        """What Ingresses and routes let in, as far as policies admit any client of the cluster."""
        ports = self.network.ports
        found: dict[Workload, set[PortRange]] = {}
        for workload, way in self.ways():
            for node in self.classes[workload]:
                if ports.containing("TCP", way.port) & self._admitted(node):
                    one = PortRange("TCP", way.port, way.port)
                    found.setdefault(workload, set()).add(one)
        for workload, reached in found.items():
            yield Connection(CONTROLLER, workload.label, tuple(sorted(reached)))

    def _admitted(self, node: int) -> int:
        """Ports on which a pod that nothing is known of may come in."""
        groups = self.network.access(node, "ingress")
        return next(a.allowed for a in groups if a.peers >> self._controller & 1)

    def _beside(self) -> Iterator[Connection]:
        """What networks beside the primary ones allow."""
        for one in attached(self.evidence):
            several: dict[tuple[str, str], tuple[int, int]] = {}
            for src, dst, allowed, unclear in one.pairs():
                before = several.get((src.label, dst.label), (0, 0))
                several[src.label, dst.label] = (before[0] | allowed, before[1] | unclear)
            ranges = one.network.ports.ranges
            for (source, target), (allowed, unclear) in several.items():
                ports = (tuple(ranges(allowed)), tuple(ranges(unclear & ~allowed)))
                yield Connection(source, target, *ports, network=one.name)

    def ways(self) -> Iterator[tuple[Workload, Way]]:
        """Workloads that Ingresses and routes lead to, and how."""
        names = (*OBJECTS, "services", "service_ports", "ports")
        frames = {name: self.evidence[name] for name in names}
        pods = standing(self.evidence["pod_context"])
        owners = list(_owners(pods))
        services = Services(frames, pods)
        for entrance in sorted(set(entrances(frames))):
            for way in services.ways(entrance):
                yield owners[way.pod], way

    def _connection(self, src: str, dst: str, allowed: int, unclear: int) -> Connection:
        return Connection(src, dst, self.ranges(allowed), self.ranges(unclear))

    def nodes(self, text: str) -> list[int]:
        """Nodes of a workload, as ``namespace/name[Kind]`` or ``namespace/name``, or of addresses.

        Raises
        ------
        InputError
            There is none of the name.
        """
        if range_of(text) is not None:
            return [self.network.pods + n for n in self.network.addresses.meeting(text)]
        found = [w for w in self.workloads if _named(w, text)]
        if not found:
            labels = [w.label for w in self.workloads]
            raise InputError(f"there is no workload {text!r}", hint=meant(text, labels))
        return sorted({number for w in found for number in self.classes[w]})

    def explained(self, src: str, dst: str, port: str) -> Explanation:
        """Say which policies decide on a connection.

        Raises
        ------
        InputError
            An end or the port means nothing.
        """
        protocol, number = _port(port)
        sources, targets = self.nodes(src), self.nodes(dst)
        piece = self.network.ports.containing(protocol, number)
        verdicts, found = set(), dict[Reason, None]()
        for source in sources:
            for target in targets:
                allowed, unknown = self.network.verdict(source, target)
                verdicts.add(_verdict(allowed & piece, unknown & piece))
                for reason in (
                    *reasons(self.network, source, target, "egress", piece),
                    *reasons(self.network, target, source, "ingress", piece),
                ):
                    found[reason] = None
        verdict = verdicts.pop() if len(verdicts) == 1 else "differs from pod to pod"
        others = tuple(self._elsewhere(src, dst, protocol, number))
        return Explanation(src, dst, protocol, number, verdict, tuple(found), others, self.unread)

    def _elsewhere(self, src: str, dst: str, protocol: str, number: int) -> Iterator[str]:
        """Networks beside the primary ones on which a connection is allowed, or may be."""
        for one in attached(self.evidence):
            piece = one.network.ports.containing(protocol, number)
            if any(
                _named(source, src) and _named(target, dst) and (allowed | unclear) & piece
                for source, target, allowed, unclear in one.pairs()
            ):
                yield one.name

    def tested(self, statements: Iterable[Statement]) -> list[Judgement]:
        """Test an auditor's statements on what policies allow."""
        beside = {workload for one in attached(self.evidence) for workload, _ in one.members}
        judge = Segmentation(self.network, self.classes, enforced=True, attached=beside)
        found = [judge.tested(statement) for statement in statements]
        lost = self.unread
        if not lost:
            return found
        first, *more = sorted({gap.what for gap in lost})
        because = f"{first} could not be read" + (f", and {len(more)} more" if more else "")
        return [msgspec.structs.replace(f, verdict=UNKNOWN, because=because) for f in found]

    def ranges(self, bits: int) -> tuple[PortRange, ...]:
        """Ranges of a set of ports; equal sets share them."""
        found = self._ranges.get(bits)
        if found is None:
            found = self._ranges[bits] = tuple(self.network.ports.ranges(bits))
        return found


def _machines(machines: pd.DataFrame, pods: pd.DataFrame) -> Iterator[tuple[Workload, Profile]]:
    """Virtual machines whose pods are not there."""
    live = {(w.namespace, w.name) for w in _owners(pods) if w.kind in MACHINES}
    for namespace, name, labels in plain_rows(machines, "namespace", "name", "labels"):
        if (namespace, name) not in live:
            yield Workload(namespace, name, MACHINES[0]), Profile(namespace, tuple(labels))


def _named(workload: Workload, text: str) -> bool:
    return text in (workload.label, f"{workload.namespace}/{workload.name}")


def _owners(pods: pd.DataFrame) -> Iterator[Workload]:
    for namespace, name, kind in plain_rows(pods, "namespace", "owner_name", "owner_kind"):
        yield Workload(namespace, name, kind or "Pod")


def _verdict(allowed: int, unknown: int) -> str:
    return "allowed" if allowed else "unknown" if unknown else "denied"


def _port(text: str) -> tuple[str, int]:
    """Protocol and number of ``443``, ``TCP/443`` or ``tcp/443``."""
    protocol, slash, number = text.rpartition("/")
    protocol = protocol.upper() if slash else "TCP"
    port = whole(number) or 0
    if protocol not in PROTOCOLS or not 1 <= port <= LAST:
        raise InputError(f"{text!r} is no port", hint="write 443 or UDP/53")
    return protocol, port


def _refuse(evidence: Evidence) -> None:
    """Raise InputError where manifests hold what no cluster would take."""
    for name in (
        "network_policies",
        "multi_network_policies",
        "other_policies",
        "user_networks",
    ):
        objects = evidence[name]
        if "position" in objects:
            objects = objects[(objects["position"] == 0).to_numpy(bool)]
        columns = ("kind", "namespace", "name", "faults")
        labels = []
        for kind, namespace, known, faults in plain_rows(objects, *columns):
            labels.append(f"{kind} {namespace}/{known}" if namespace else f"{kind} {known}")
            if faults:
                raise InputError(f"{labels[-1]} is not valid: {faults[0]}")
        _refuse_twins(labels, "give them different names")
    pods = evidence["pods"]
    unread = pods[pods["networks"].isna().to_numpy(bool)]
    for kind, namespace, name in plain_rows(unread, "kind", "namespace", "pod"):
        what = f"{kind} {namespace}/{name}: its annotation {NETWORKS} cannot be read"
        raise InputError(what, hint="write names with commas between, or a list as JSON")
    names = arrow(evidence["namespaces"]["name"]).to_pylist()
    _refuse_twins([f"Namespace {name}" for name in names], "remove one of them")
    others = plain_rows(evidence["other_policies"], "kind", "stage", "order")
    orders = [f"{kind} with priority {o:g}" for kind, stage, o in others if stage == ADMIN and o]
    _refuse_twins(orders, "which of them comes first is not defined")
    fields = UserNetwork.__struct_fields__
    networks = [UserNetwork(*row) for row in plain_rows(evidence["user_networks"], *fields)]
    spaces = primary_spaces(networks, namespaces_of(evidence["namespaces"]))
    _refuse_twins([f"primary network in namespace {space}" for space in spaces], "remove one")


def _refuse_twins(labels: Sequence[str], hint: str) -> None:
    for label, number in Counter(labels).items():
        if number > 1:
            raise InputError(f"there are {number} of {label}", hint=hint)
