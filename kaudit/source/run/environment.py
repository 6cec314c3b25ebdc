"""What a tool gets to see of our environment: the way to registries and databases, no more.

Settings that change what a tool looks for or leaves out (``TRIVY_SEVERITY``, ``TRIVY_VEX``,
``GRYPE_ONLY_FIXED``) are not among them, and neither are its configuration files: home and
working folder are empty ones. Credentials of clusters and clouds stay with us.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

_PATH = "/usr/local/bin:/usr/bin:/bin"
#: Proxies, authorities, and credentials of registries.
_NETWORK = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REGISTRY_AUTH_FILE",
)

#: A proxy where nobody listens (the port of the discard protocol).
_NOWHERE = {
    name: "" if name.lower() == "no_proxy" else "http://127.0.0.1:9"
    for name in _NETWORK
    if name.lower().endswith("_proxy")
}


def environment_of(
    ours: Mapping[str, str], home: Path, allowed: Sequence[str] = (), *, online: bool = True
) -> dict[str, str]:
    """Return the environment of a tool.

    Parameters
    ----------
    ours
        The environment that we run in.
    home
        Empty folder that is its home.
    allowed
        Names of its own settings that it may see; one that ends in ``_`` stands for all
        that begin with it.
    online
        False for a tool that needs no network: it gets neither credentials nor a way out.
    """
    if not online:
        return _NOWHERE | _own(ours, home)
    found = {name: ours[name] for name in _NETWORK if name in ours}
    found |= {
        name: value
        for name, value in ours.items()
        if any(name.startswith(one) if one.endswith("_") else name == one for one in allowed)
    }
    docker = ours.get("DOCKER_CONFIG") or _beside_home(ours, ".docker")
    if docker:
        found["DOCKER_CONFIG"] = docker
    return found | _own(ours, home)


def _own(ours: Mapping[str, str], home: Path) -> dict[str, str]:
    return {
        "PATH": ours.get("PATH", _PATH),
        "HOME": str(home),
        "TMPDIR": str(home),
        "XDG_CONFIG_HOME": str(home),
        "XDG_CACHE_HOME": str(caches(ours)),
        "LANG": "C.UTF-8",
    }


def caches(ours: Mapping[str, str]) -> Path:
    """Folder of caches of whoever runs this."""
    given = ours.get("XDG_CACHE_HOME", "")
    return Path(given) if os.path.isabs(given) else Path(ours.get("HOME", "/")) / ".cache"


def _beside_home(ours: Mapping[str, str], name: str) -> str:
    path = Path(ours.get("HOME", "/")) / name
    return str(path) if path.is_dir() else ""
