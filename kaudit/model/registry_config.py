"""Where a node fetches images, as the files of its container runtime say.

Sources: containerd/containerd, docs/hosts.md, docs/cri/registry.md and
``core/remotes/docker/config/hosts.go``; containers/image, containers-registries.conf(5); CRI-O,
crio.conf(5); Docker, daemon configuration file; K3s, private registry configuration.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from kaudit.model.credential import masked
from kaudit.model.numbered import Found
from kaudit.model.written import items, mapping

#: Software in whose files one switch lets both plain HTTP and unverified certificates through.
ONE_SWITCH = ("containers", "cri-o", "docker")
#: Plugins of containerd that hold registries: versions 1, 2 and 3 of its configuration.
_PLUGINS = ("cri", "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images")
_USER = re.compile(r"(?<=://)[^/?#]*@")
_PORT = re.compile(r"_(?P<port>\d+)_$")
_LOCAL = re.compile(r"^(?:localhost|127(?:\.\d{1,3}){3}|::1)$")


class Endpoint(NamedTuple):
    """One place that images come from: what is asked for, from where, and whether unsafely."""

    software: str
    registry: str
    address: str
    insecure: bool = False
    blocked: bool = False


class FoundEndpoint(Found, kw_only=True):
    """Record of one endpoint.

    Attributes
    ----------
    registry
        Registry or prefix whose images are fetched there; ``*`` for all others.
    address
        As it is written, without a user.
    insecure
        What is written of its verification: ``insecure``, ``skip_verify`` and the like.
    """

    file: str
    software: str
    registry: str
    address: str
    insecure: bool = False
    blocked: bool = False


def host_of(address: str) -> str:
    """Host and port of an address, with or without a scheme.

    >>> host_of("http://mirror.example:5000/v2"), host_of("mirror.example/team")
    ('mirror.example:5000', 'mirror.example')
    """
    return address.partition("://")[2].split("/")[0] or address.split("/")[0]


def is_local(address: str) -> bool:
    """Tell whether an address is one of the node itself, so that nothing goes over a network.

    >>> is_local("http://localhost:5000"), is_local("https://[::1]:5000/v2"), is_local("a.b")
    (True, True, False)
    """
    try:
        host = urlsplit(f"//{host_of(address)}").hostname
    except ValueError:
        return False
    return bool(_LOCAL.match(host or ""))


def endpoints(document: dict[str, Any], file: str) -> Iterator[Endpoint | str]:
    """Yield the endpoints that a file configures; a text says what is wrong with one of them."""
    for shape in (_of_hosts, _of_containerd, _of_containers, _of_crio, _of_docker, _of_k3s):
        yield from shape(document, PurePosixPath(file))


def _of_hosts(document: dict[str, Any], file: PurePosixPath) -> Iterator[Endpoint | str]:
    """hosts.toml of containerd: its folder is the registry."""
    if file.name != "hosts.toml" and not {"host", "server"} & document.keys():
        return
    server = document.get("server", "")
    folder = _PORT.sub(r":\g<port>", file.parent.name)
    if not isinstance(server, str):
        yield "its server is no text"
        return
    registry = "*" if folder == "_default" else folder or host_of(server) or "unknown"
    hosts = mapping(document.get("host"), "host")
    for address, host in hosts.items():
        yield _endpoint("containerd", registry, address, _said(host, "skip_verify"))
    if server or "skip_verify" in document or not hosts:
        yield _endpoint("containerd", registry, server or folder, _said(document, "skip_verify"))


def _of_containerd(document: dict[str, Any], _file: PurePosixPath) -> Iterator[Endpoint | str]:
    """config.toml of containerd, as far as it does not point to files for each registry."""
    plugins = mapping(document.get("plugins"), "plugins")
    for name in _PLUGINS:
        registry = mapping(plugins.get(name), name).get("registry")
        yield from _mirrored("containerd", mapping(registry, "registry"))


def _of_k3s(document: dict[str, Any], _file: PurePosixPath) -> Iterator[Endpoint | str]:
    """registries.yaml of K3s and RKE2, which has the shape of containerd's."""
    if {"mirrors", "configs"} & document.keys() and "plugins" not in document:
        yield from _mirrored("k3s", document)


def _mirrored(software: str, held: dict[str, Any]) -> Iterator[Endpoint | str]:
    """Mirrors of registries, and how hosts are verified."""
    mirrors, configs = (mapping(held.get(name), name) for name in ("mirrors", "configs"))
    unverified: dict[str, bool | str] = {}
    for host, config in configs.items():
        said = _said(mapping(config, host).get("tls"), "insecure_skip_verify")
        unverified[host_of(host)] = said
    named = set()
    for registry, mirror in mirrors.items():
        for address in items(mapping(mirror, registry).get("endpoint")):
            host = host_of(address) if isinstance(address, str) else ""
            named.add(host)
            yield _endpoint(software, registry, address, unverified.get(host, False))
    for host, insecure in unverified.items():
        if host not in named:
            yield _endpoint(software, host, host, insecure)


def _of_containers(document: dict[str, Any], _file: PurePosixPath) -> Iterator[Endpoint | str]:
    """registries.conf of both versions."""
    for found in items(document.get("registry")):
        held = mapping(found, "registry")
        address = held.get("location", held.get("prefix", ""))
        registry = held.get("prefix", address)
        blocked = held.get("blocked") is True
        yield _endpoint("containers", registry, address, _said(held, "insecure"), blocked)
        for found in items(held.get("mirror")):
            mirror = mapping(found, "mirror")
            place, insecure = mirror.get("location"), _said(mirror, "insecure")
            yield _endpoint("containers", registry, place, insecure, blocked)
    listed = mapping(document.get("registries"), "registries")
    for name in ("insecure", "search"):
        for address in items(mapping(listed.get(name), name).get("registries")):
            yield _endpoint("containers", address, address, name == "insecure")


def _of_crio(document: dict[str, Any], _file: PurePosixPath) -> Iterator[Endpoint | str]:
    """crio.conf."""
    image = mapping(mapping(document.get("crio"), "crio").get("image"), "image")
    for address in items(image.get("insecure_registries")):
        yield _endpoint("cri-o", address, address, True)


def _of_docker(document: dict[str, Any], _file: PurePosixPath) -> Iterator[Endpoint | str]:
    """daemon.json of Docker."""
    for address in items(document.get("insecure-registries")):
        yield _endpoint("docker", address, address, True)
    for address in items(document.get("registry-mirrors")):
        yield _endpoint("docker", "docker.io", address, False)


def _endpoint(
    software: str, registry: Any, address: Any, insecure: bool | str, blocked: bool = False
) -> Endpoint | str:
    if not isinstance(registry, str) or not isinstance(address, str) or not address:
        return "an endpoint whose address is no text"
    if isinstance(insecure, str):
        return f"{_safe(address)}: {insecure}"
    return Endpoint(software, _safe(registry), _safe(address), insecure, blocked)


def _safe(address: str) -> str:
    return masked(_USER.sub("", address))


def _said(found: Any, name: str) -> bool | str:
    """What a table says by a switch; a text where it says nothing that can be understood."""
    value = mapping(found, "it").get(name, False)
    return value if isinstance(value, bool) else f"{name} is neither true nor false"
