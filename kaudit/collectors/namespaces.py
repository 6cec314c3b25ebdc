"""Namespaces and their Pod Security labels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from kaudit.model.meta import CHANGED
from kaudit.model.namespace import Namespace
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc

_PSA = "pod-security.kubernetes.io/"


class NamespaceRow(Trace, kw_only=True):
    uid: Annotated[str, doc("uid")]
    name: Annotated[str, doc("name")]
    kind: Annotated[str, doc("always Namespace")] = "Namespace"
    phase: Annotated[str | None, doc("status.phase")] = None
    labels: Annotated[list[str], doc("labels as sorted key=value")]
    annotation_keys: Annotated[list[str], doc("keys of its annotations, sorted")]
    mesh_annotations: Annotated[
        list[str], doc("annotations that service meshes go by, as sorted key=value")
    ]
    enforce: Annotated[str | None, doc("label pod-security.kubernetes.io/enforce")] = None
    enforce_version: Annotated[str | None, doc("label …/enforce-version")] = None
    audit: Annotated[str | None, doc("label …/audit")] = None
    audit_version: Annotated[str | None, doc("label …/audit-version")] = None
    warn: Annotated[str | None, doc("label …/warn")] = None
    warn_version: Annotated[str | None, doc("label …/warn-version")] = None
    other_psa_labels: Annotated[list[str], doc("labels …/* that Kubernetes does not know")]
    created_at: Annotated[datetime | None, doc("creation time")] = None
    changed_at: Annotated[datetime | None, doc(CHANGED)] = None


NAMESPACES = Table(
    "namespaces",
    NamespaceRow,
    grain="one namespace",
    key=("name", "uid"),
    resource=Resource("kind", namespace=""),
)
_KNOWN = {
    f"{_PSA}{mode}{part}" for mode in ("enforce", "audit", "warn") for part in ("", "-version")
}


@collector(Read("", "Namespace", "namespaces", Namespace, namespaced=False), tables=(NAMESPACES,))
def namespaces(found: Namespace, at: Place) -> Iterator[Row]:
    """Yield one row a namespace, labels as written."""
    labels = found.metadata.labels or {}
    yield NamespaceRow(
        raw=at.raw,
        raw_line=at.line,
        uid=at.uid,
        name=at.name,
        phase=found.status.phase,
        labels=found.metadata.label_texts,
        annotation_keys=found.metadata.annotation_keys,
        mesh_annotations=found.metadata.mesh_annotations,
        enforce=labels.get(_PSA + "enforce"),
        enforce_version=labels.get(_PSA + "enforce-version"),
        audit=labels.get(_PSA + "audit"),
        audit_version=labels.get(_PSA + "audit-version"),
        warn=labels.get(_PSA + "warn"),
        warn_version=labels.get(_PSA + "warn-version"),
        other_psa_labels=sorted(k for k in labels if k.startswith(_PSA) and k not in _KNOWN),
        created_at=found.metadata.creation_timestamp,
        changed_at=found.metadata.changed_at,
    )
