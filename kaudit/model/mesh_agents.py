"""Parts of service meshes, known by their images.

Sources: the images that Istio 1.28 and Linkerd 2.18 are released with.
"""

from __future__ import annotations

import re

from kaudit.model.mesh_membership import ISTIO, LINKERD

CONTROL, NODE = "control plane", "node"
_OF_ISTIO = r"(?:^|/)[^/]*istio[^/]*/(?:[^/]+/)*"
_KNOWN = (
    (re.compile(rf"{_OF_ISTIO}pilot$"), ISTIO, CONTROL),
    (re.compile(rf"{_OF_ISTIO}install-cni$|(?:^|/)ztunnel$"), ISTIO, NODE),
    (re.compile(r"(?:^|/)linkerd/(?:controller|policy-controller)$"), LINKERD, CONTROL),
    (re.compile(r"(?:^|/)linkerd/cni-plugin$"), LINKERD, NODE),
)


def agent_of(image: str) -> tuple[str, str] | None:
    """Mesh and part of an image; None where it is of none.

    >>> agent_of("docker.io/istio/pilot:1.28.0")
    ('Istio', 'control plane')
    """
    repository = image.partition("@")[0]
    head, slash, last = repository.rpartition("/")
    repository = f"{head}{slash}{last.partition(':')[0]}"
    for pattern, mesh, part in _KNOWN:
        if pattern.search(repository):
            return mesh, part
    return None
