"""What policies of a mesh ask of the clients of a workload: mutual TLS, and an authorization.

Istio: of PeerAuthentications the one with a selector, then that of the namespace, then that of
the root namespace counts, the oldest of each; what none sets is PERMISSIVE, and those with a
selector in the root namespace are ignored ("PeerAuthentication", Istio 1.28). Without an
AuthorizationPolicy that allows, everything is allowed; one without rules allows nothing
("Authorization Policy").

Linkerd: where no Server selects a port the default policy counts, the pod's before its
namespace's before the cluster's; a Server denies what is not authorized unless its accessPolicy
says otherwise ("Authorization Policy", Linkerd 2.18). The cluster's default is in no object that
is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from kaudit.model.label_index import LabelIndex

STRICT, PERMISSIVE, DISABLE = "STRICT", "PERMISSIVE", "DISABLE"
#: Root namespace of Istio, unless its control plane is seen elsewhere.
ROOT = "istio-system"
_NEVER = datetime.min.replace(tzinfo=UTC)
_WITH_IDENTITY = ("deny", "all-authenticated", "cluster-authenticated")
_WITHOUT = ("all-unauthenticated", "cluster-unauthenticated", "audit")


class MeshPolicy(msgspec.Struct, frozen=True):
    """A row of the table mesh_policies."""

    mesh: str
    kind: str
    namespace: str
    name: str
    selector: str | None
    mode: str | None
    port_modes: Sequence[str]
    action: str | None
    targets: Sequence[str]
    port: str | None
    access: str | None
    open: bool
    created_at: datetime | None

    @property
    def label(self) -> str:
        """``Kind namespace/name``."""
        return f"{self.kind} {self.namespace}/{self.name}"

    def selects(self, labels: Sequence[str]) -> bool:
        """Whether its selector, if any, matches the labels of a pod."""
        return self.selector is None or bool(LabelIndex([labels]).selected(self.selector))

    @property
    def narrow(self) -> bool:
        """Whether it is about some pods only."""
        return self.selector not in (None, "{}")


class Asked(msgspec.Struct, frozen=True):
    """What is asked of the clients of a workload.

    Attributes
    ----------
    mode
        Effective mode of mutual TLS (Istio) or default policy (Linkerd); empty: not known.
    ports
        Ports that are asked less, as ``port=mode``.
    strict
        Whether all must prove who they are; None where it cannot be told.
    authorized
        Whether only some are let in; None where it cannot be told.
    policies
        Those that decide, in the order in which they count.
    """

    mode: str
    ports: tuple[str, ...]
    strict: bool | None
    authorized: bool | None
    policies: tuple[str, ...]


def of_istio(
    policies: Iterable[MeshPolicy],
    namespace: str,
    labels: Sequence[str],
    *,
    root: str,
    ambient: bool,
) -> Asked:
    """What Istio asks of the clients of a pod."""
    here = [p for p in policies if p.namespace in (namespace, root)]
    deciding, mode, ports = _mutual_tls(here, labels, root=root, ambient=ambient)
    allowing, authorized = _authorization(here, namespace, labels)
    strict = False if ports else None if mode is None else mode == STRICT
    found = tuple(p.label for p in (*deciding, *allowing))
    return Asked(mode or "", ports, strict, authorized, found)


def _mutual_tls(
    here: Sequence[MeshPolicy], labels: Sequence[str], *, root: str, ambient: bool
) -> tuple[list[MeshPolicy], str | None, tuple[str, ...]]:
    """Policies that decide on mutual TLS, its mode (None: in doubt), ports that are asked less."""
    peers = [p for p in here if p.kind == "PeerAuthentication"]
    if ambient:
        peers = [p for p in peers if p.mode != DISABLE]  # not supported there, and ignored
    levels = [
        [p for p in peers if p.namespace == root and not p.narrow],
        [p for p in peers if p.namespace != root and not p.narrow],
        [p for p in peers if p.namespace != root and p.narrow and p.selects(labels)],
    ]
    mode: str | None = PERMISSIVE
    ports: tuple[str, ...] = ()
    deciding: list[MeshPolicy] = []
    for level in filter(None, levels):
        chosen, sure = _oldest(level)
        deciding.append(chosen)
        mode = (chosen.mode or mode) if sure else None
        if chosen.narrow:
            ports = tuple(
                p for p in chosen.port_modes if p.partition("=")[2] in (PERMISSIVE, DISABLE)
            )
    return deciding, mode, ports


def _authorization(
    here: Sequence[MeshPolicy], namespace: str, labels: Sequence[str]
) -> tuple[list[MeshPolicy], bool | None]:
    """Policies that allow, and whether only some are let in; None where it cannot be told."""
    allowing = [
        p
        for p in here
        if p.kind == "AuthorizationPolicy" and p.action in ("ALLOW", "CUSTOM") and p.selects(labels)
    ]
    whole = [p for p in allowing if not p.targets]
    if whole:
        return whole, not any(p.open for p in whole)
    attached = any(p.namespace == namespace for p in allowing)
    return [], None if attached else False


def _oldest(level: Sequence[MeshPolicy]) -> tuple[MeshPolicy, bool]:
    """The oldest of some, and whether it is that without doubt, or they say the same."""
    chosen = min(level, key=lambda p: (p.created_at is None, p.created_at or _NEVER, p.name))
    rivals = [p for p in level if p.created_at == chosen.created_at]
    return chosen, all((p.mode, p.port_modes) == (chosen.mode, chosen.port_modes) for p in rivals)


def of_linkerd(
    policies: Iterable[MeshPolicy],
    namespace: str,
    labels: Sequence[str],
    ports: Mapping[str, str],
    default: str | None,
) -> Asked:
    """What Linkerd asks of the clients of a pod; ``ports`` are the numbers and names of its own."""
    here = [p for p in policies if p.namespace == namespace]
    servers = [p for p in here if p.kind == "Server" and p.selects(labels)]
    opening = [p for p in here if p.kind != "Server" and p.open]
    base = True if default in _WITH_IDENTITY else False if default in _WITHOUT else None
    closed = {"deny": True, None: None}.get(default, False)
    strict: list[bool | None] = []
    authorized: list[bool | None] = []
    weak = []
    for number, name in ports.items():
        server = next((s for s in servers if s.port in (number, name)), None)
        if server is None:
            strict.append(base)
            authorized.append(closed)
            continue
        one = _on_server(server, opening)
        strict.append(one)
        authorized.append(server.access in (None, "deny"))
        if one is False:
            weak.append(f"{number}={server.access or 'deny'}")
    verdicts = (strict, authorized) if ports else ([base], [closed])
    found = tuple(p.label for p in (*servers, *opening))
    return Asked(default or "", tuple(weak), _all(verdicts[0]), _all(verdicts[1]), found)


def _on_server(server: MeshPolicy, opening: Iterable[MeshPolicy]) -> bool | None:
    """Whether a Server lets in nobody without an identity."""
    if server.access in _WITHOUT:
        return False
    sure = {f"Server/{server.name}", f"Namespace/{server.namespace}"}
    targets = {target for policy in opening for target in policy.targets}
    if targets & sure:
        return False
    # Of a route, or of Servers by their labels: it may be this one.
    return True if all(target.startswith("Server/") for target in targets) else None


def _all(verdicts: Sequence[bool | None]) -> bool | None:
    return False if False in verdicts else None if None in verdicts else True
