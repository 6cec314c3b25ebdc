"""Rights in registries: Harbor, zot, distribution, Amazon ECR, Google Artifact Registry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from kaudit.errors import InputError
from kaudit.model import registry_access
from kaudit.model.numbered import Numbered
from kaudit.model.place import Place
from kaudit.model.registry_access import ADMIN, DELETE, PULL, PUSH, Grant
from kaudit.model.taken import Content, Lost, Taken
from kaudit.model.written import mapping
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.registries import REGISTRY_GRANTS, RegistryGrantRow

_DISTRIBUTION = re.compile(rb"^version[ \t]*:[ \t]*[\"']?0\.1\b", re.MULTILINE)
_STORAGE = re.compile(rb"^storage[ \t]*:", re.MULTILINE)
_GOOGLE = re.compile(rb'"roles/(?:artifactregistry|storage)\.')
#: Names on the top of what Harbor answers: projects, members, robots.
_HARBOR = (
    {"project_id", "metadata", "name"},
    {"entity_name", "role_id"},
    {"permissions", "level", "name"},
)


def _recognise(content: Content) -> bool:
    keys = content.keys
    if content.shape == "list":
        return any(keys >= names for names in _HARBOR)
    if content.shape == "text":
        start = content.data[: 1 << 16]
        return bool(_DISTRIBUTION.search(start) and _STORAGE.search(start))
    return (
        keys >= {"http", "storage"}
        or keys >= {"repositoryName", "policyText"}
        or ("Statement" in keys and b'"ecr:' in content.data)
        or ("bindings" in keys and bool(_GOOGLE.search(content.data)))
    )


@tool(
    "registry-access",
    title="registry access",
    help="Rights in registries: Harbor's API, configuration of zot or distribution, policies of "
    "ECR and Artifact Registry.",
    recognise=_recognise,
    placed=True,
)
def take_registry_access(content: Content) -> Iterator[Taken | Lost]:
    """Take out what each subject may do."""
    numbered = Numbered(content.report)
    for found in _grants(content):
        if isinstance(found, str):
            numbered.count += 1
            yield Lost("Grant", found, numbered.count)
        else:
            yield numbered.take("Grant", file=content.name, **registry_access.record(found))


def _grants(content: Content) -> Iterator[Grant | str]:
    data = content.whole
    document: Any
    if content.shape == "text":
        from kaudit.model.yaml_stream import one  # YAML is slow to import

        document = one(data, content.name)
        if isinstance(document, dict) and "storage" in document:
            return registry_access.of_distribution(document)
        raise InputError("tells no rights in a registry")
    document = msgspec.json.decode(data)
    if isinstance(document, list):
        return registry_access.of_harbor(document)
    document = mapping(document, "it")
    if "http" in document:
        return registry_access.of_zot(document)
    if document.keys() & {"policyText", "Statement"}:
        return registry_access.of_ecr(document)
    if "bindings" in document:
        return registry_access.of_google(document)
    raise InputError("tells no rights in a registry")


@collector(
    Read.of("registry-access", "Grant", "grants", registry_access.FoundGrant),
    tables=(REGISTRY_GRANTS,),
)
def registry_grants(found: registry_access.FoundGrant, at: Place) -> Iterator[Row]:
    """Yield what one subject may do."""

    def may(action: str) -> bool | None:
        return None if found.actions is None else action in found.actions

    yield RegistryGrantRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        file=found.file,
        position=found.position,
        place=f"{found.repository} to {found.subject}",
        system=found.system,
        repository=found.repository,
        everywhere=found.everywhere,
        subject=found.subject,
        subject_kind=found.kind,
        role=found.role,
        pulls=may(PULL),
        pushes=may(PUSH),
        deletes=may(DELETE),
        administers=may(ADMIN),
        conditional=found.conditional,
        active=found.active,
        expires_at=None if found.expires is None else datetime.fromtimestamp(found.expires, UTC),
    )
