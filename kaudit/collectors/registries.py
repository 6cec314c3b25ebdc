"""Registries as nodes are told to use them: containerd, CRI-O, Podman, Docker, K3s and RKE2."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from kaudit.errors import InputError
from kaudit.model import registry_config
from kaudit.model.numbered import Numbered
from kaudit.model.place import Place
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.registries import REGISTRY_ENDPOINTS, RegistryEndpointRow

_TOML = re.compile(
    rb"^[ \t]*(?:\[host[.\]]|server[ \t]*=[ \t]*[\"']|\[plugins\.[\"']?(?:io\.containerd\.|cri\b)"
    rb"|\[\[registry(?:\.mirror)?\]\]|\[registries\.(?:search|insecure|block)\]"
    rb"|unqualified-search-registries[ \t]*=|\[crio(?:\.image)?\])",
    re.MULTILINE,
)
_YAML = re.compile(rb"^(?:mirrors|configs)[ \t]*:", re.MULTILINE)
_OF_YAML = re.compile(rb"^[ \t]+(?:endpoint|tls|auth|rewrite)[ \t]*:", re.MULTILINE)
_OTHER_YAML = re.compile(rb"^(?:apiVersion|kind|jobs|on)[ \t]*:", re.MULTILINE)
_DOCKER = {"insecure-registries", "registry-mirrors"}


def _recognise(content: Content) -> bool:
    if content.shape == "object":
        return bool(content.keys & _DOCKER)
    start = content.data[: 1 << 16]
    return _is_toml(start) or (
        content.shape == "text"
        and bool(_YAML.search(start) and _OF_YAML.search(start))
        and not _OTHER_YAML.search(start)
    )


def _is_toml(start: bytes) -> bool:
    return bool(_TOML.search(start))


@tool(
    "registries",
    title="registries",
    help="Registry settings of nodes: hosts.toml, config.toml, registries.conf, daemon.json, …",
    recognise=_recognise,
    files=("hosts.toml", "config.toml", "registries.conf", "crio.conf", "[0-9]*.conf"),
    placed=True,
)
def take_registries(content: Content) -> Iterator[Taken | Lost]:
    """Take out each address that images are fetched from."""
    document = _document(content)
    numbered = Numbered(content.report)
    for found in registry_config.endpoints(document, content.name):
        if isinstance(found, str):
            numbered.count += 1
            yield Lost("Endpoint", found, numbered.count)
        else:
            yield numbered.take("Endpoint", file=content.name, **found._asdict())


def _document(content: Content) -> dict[str, Any]:
    if content.shape != "object" and _is_toml(data := content.whole):
        try:
            found: Any = tomllib.loads(data.decode())
        except tomllib.TOMLDecodeError as fault:
            raise InputError(f"is no TOML: {fault}") from None
    else:
        found = content.document()
    if not isinstance(found, dict):
        raise InputError("configures no registry")
    return found


@collector(
    Read.of("registries", "Endpoint", "endpoints", registry_config.FoundEndpoint),
    tables=(REGISTRY_ENDPOINTS,),
)
def registry_endpoints(found: registry_config.FoundEndpoint, at: Place) -> Iterator[Row]:
    """Yield one address."""
    both = found.insecure and found.software in registry_config.ONE_SWITCH
    local = registry_config.is_local(found.address)
    yield RegistryEndpointRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        file=found.file,
        position=found.position,
        place=f"{found.registry} at {found.address}",
        software=found.software,
        registry=found.registry,
        address=found.address,
        plain_http=both or found.address.lower().startswith("http://"),
        unverified=found.insecure,
        local=local,
        used=not local and not found.blocked,
    )
