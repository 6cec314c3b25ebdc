"""Whether a pod is in a service mesh, and which traffic goes past it.

What runs has a proxy or has none; what a controller would make gets one by labels and
annotations. For Istio a label that says no, at the namespace or at the pod, beats all; then one
that says yes at either is enough ("Installing the Sidecar", Istio 1.28). Ambient mode follows the
label istio.io/dataplane-mode, the pod's before its namespace's ("Add workloads to the mesh").
For Linkerd the pod's annotation beats its namespace's ("Automatic Proxy Injection", 2.18).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

ISTIO, LINKERD = "Istio", "Linkerd"
SIDECAR, AMBIENT, OUTSIDE, UNKNOWN = "sidecar", "ambient", "outside", "unknown"
#: Names of the containers that are a mesh's proxy.
PROXIES = {"istio-proxy": ISTIO, "linkerd-proxy": LINKERD}
INJECT, MODE = "sidecar.istio.io/inject", "istio.io/dataplane-mode"
REVISION, REDIRECTED = "istio.io/rev", "ambient.istio.io/redirection"
LINKERD_INJECT = "linkerd.io/inject"
DEFAULT_POLICY = "config.linkerd.io/default-inbound-policy"
#: Annotations of pods and namespaces that are read.
ANNOTATIONS = (
    INJECT,
    REDIRECTED,
    "traffic.sidecar.istio.io/",
    LINKERD_INJECT,
    DEFAULT_POLICY,
    "config.linkerd.io/skip-",
)
#: Labels of pods that count.
LABELS = (INJECT, MODE, REVISION)
_NAMESPACE_INJECTION = "istio-injection"
_EXCLUDED = "traffic.sidecar.istio.io/excludeInboundPorts"
_INCLUDED = "traffic.sidecar.istio.io/includeInboundPorts"
_SKIPPED = "config.linkerd.io/skip-inbound-ports"


class Place(msgspec.Struct, frozen=True):
    """What the namespace of a pod says; None where it was not seen."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class Member(msgspec.Struct, frozen=True):
    """Which mesh a pod is in, and how.

    Attributes
    ----------
    mesh
        ``Istio``, ``Linkerd``, or empty.
    state
        ``sidecar``, ``ambient``, ``outside`` or ``unknown``.
    because
        Why it is so.
    """

    mesh: str
    state: str
    because: str


class Facts(msgspec.Struct, frozen=True):
    """What is known of a pod.

    Attributes
    ----------
    labels, annotations
        Those that are read.
    proxies
        Names of its containers that are proxies.
    started
        It runs, or ran: what it has is what counts.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    proxies: tuple[str, ...]
    started: bool


def asks_for(place: Place) -> bool:
    """Whether a namespace asks for its pods to be in a mesh."""
    return (
        place.labels.get(_NAMESPACE_INJECTION) == "enabled"
        or REVISION in place.labels
        or place.labels.get(MODE) == "ambient"
        or place.annotations.get(LINKERD_INJECT) in ("enabled", "ingress")
    )


def member(pod: Facts, place: Place | None) -> Member:
    """Tell whether a pod is in a mesh."""
    for name in pod.proxies:
        return Member(PROXIES[name], SIDECAR, f"it has the container {name}")
    if pod.annotations.get(REDIRECTED) == "enabled":
        return Member(ISTIO, AMBIENT, "its traffic is redirected to the node's proxy")
    told = _declared(pod, place)
    if pod.started and told.state in (SIDECAR, AMBIENT):
        return Member("", OUTSIDE, f"it runs without a proxy, though {told.because}")
    if pod.started and told.state == UNKNOWN:
        return Member("", OUTSIDE, "it runs without a proxy")
    return told


def _declared(pod: Facts, place: Place | None) -> Member:
    labels = place.labels if place else {}
    annotations = place.annotations if place else {}
    inject = pod.labels.get(INJECT) or pod.annotations.get(INJECT)
    by_namespace = labels.get(_NAMESPACE_INJECTION)
    linkerd = pod.annotations.get(LINKERD_INJECT) or annotations.get(LINKERD_INJECT)
    if inject == "true" and by_namespace != "disabled":
        return Member(ISTIO, SIDECAR, "its label asks for a sidecar")
    refused = inject == "false" or by_namespace == "disabled"
    revision = pod.labels.get(REVISION) or labels.get(REVISION)
    if not refused and (by_namespace == "enabled" or revision):
        return Member(ISTIO, SIDECAR, "its namespace asks for a sidecar")
    mode = pod.labels.get(MODE) or labels.get(MODE)
    if mode == "ambient":
        return Member(ISTIO, AMBIENT, "it is labelled for ambient mode")
    if linkerd in ("enabled", "ingress"):
        return Member(LINKERD, SIDECAR, "an annotation asks for a proxy")
    if refused or linkerd == "disabled" or mode == "none":
        return Member("", OUTSIDE, "it is kept out of the mesh by a label or annotation")
    if place is None:
        return Member("", UNKNOWN, "its namespace was not seen")
    return Member("", OUTSIDE, "nothing puts it into the mesh")


def passed_by(pod: Facts, mesh: str) -> list[str]:
    """Inbound ports that go past the sidecar, as its annotations say; ``*``: all but some."""
    if mesh == LINKERD:
        return _listed(pod.annotations.get(_SKIPPED, ""))
    included = pod.annotations.get(_INCLUDED, "*").strip()
    return ["*"] if included != "*" else _listed(pod.annotations.get(_EXCLUDED, ""))


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
