"""Network plugins, known by the images of their agents, and whether they enforce policies.

Sources: the plugins' own documentation, as of Kubernetes 1.34.
"""

from __future__ import annotations

import re

import msgspec

YES, NO, UNKNOWN = "yes", "no", "unknown"
ANSWERS = {True: YES, False: NO, None: UNKNOWN}


class Plugin(msgspec.Struct, frozen=True):
    """A network plugin.

    Attributes
    ----------
    image
        Pattern that the repository of its agent's image ends in.
    enforces
        ``yes``, ``no``, or ``unknown`` where a setting decides that the API does not show.
    because
        Why that is so.
    """

    name: str
    image: re.Pattern[str]
    enforces: str
    because: str


def _plugin(name: str, image: str, enforces: str, because: str) -> Plugin:
    return Plugin(name, re.compile(rf"(?:^|/){image}$"), enforces, because)


PLUGINS = (
    _plugin("Calico", r"calico[-/]node", YES, "its agent enforces policies"),
    _plugin("Cilium", r"cilium", YES, "its agent enforces policies"),
    _plugin("Antrea", r"antrea[-/](?:agent-)?(?:ubuntu|ubi|agent)", YES, "its agent enforces"),
    _plugin("kube-router", r"kube-router", YES, "its agent enforces policies"),
    _plugin("Weave", r"weave-npc", YES, "its policy controller enforces policies"),
    _plugin("OVN-Kubernetes", r"(?:ovn-kube[a-z-]*|ovnkube[a-z-]*)", YES, "it enforces policies"),
    _plugin("Kube-OVN", r"kube-ovn", YES, "its agent enforces policies"),
    _plugin("Azure NPM", r"azure-npm", YES, "its policy manager enforces policies"),
    _plugin(
        "Amazon VPC CNI",
        r"(?:aws-network-policy-agent|amazon-k8s-cni)",
        UNKNOWN,
        "it enforces policies only where enable-network-policy is set",
    ),
    _plugin("kindnet", r"kindnetd", UNKNOWN, "it enforces policies only in newer versions"),
    _plugin("Flannel", r"flannel", NO, "it does not know policies"),
)
_BY_NODE = (
    (re.compile(r"\+(?:k3s|rke2)"), "k3s or RKE2", "it enforces policies unless it is told not to"),
)


def plugin_of(image: str) -> Plugin | None:
    """Plugin whose agent an image is."""
    repository = image.partition("@")[0]
    head, colon, tag = repository.rpartition(":")
    if colon and "/" not in tag:
        repository = head
    return next((plugin for plugin in PLUGINS if plugin.image.search(repository)), None)


def built_in(version: str) -> tuple[str, str] | None:
    """Name of a plugin that a kubelet's version shows to be built in, and why it is unknown."""
    found = (entry for entry in _BY_NODE if entry[0].search(version))
    return next(((name, because) for _, name, because in found), None)
