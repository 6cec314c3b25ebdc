"""Annotations and labels of objects: which of them have the shape of a credential."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from kaudit.collectors.workloads import PODS_AND_CONTROLLERS
from kaudit.model.configuration import ConfigMap, Secret
from kaudit.model.meta import Metadata, Resource
from kaudit.model.namespace import Namespace, ServiceAccount
from kaudit.model.network import Ingress, Service
from kaudit.model.place import Place
from kaudit.model.workload import Controller, Revision, pod_of
from kaudit.registry import Read, collector
from kaudit.table import Resource as Named
from kaudit.table import Row, Table, Trace, doc


class NoteRow(Trace, kw_only=True):
    kind: Annotated[str, doc("kind of the object")]
    namespace: Annotated[str, doc("namespace; empty for a kind of the whole cluster")]
    name: Annotated[str, doc("name of the object")]
    notes: Annotated[int, doc("its annotations and labels, with those of its pod template")]
    credentials: Annotated[
        list[str], doc("annotation or label and the kind of credential that it looks like")
    ]


NOTES = Table(
    "notes",
    NoteRow,
    grain="one object with annotations or labels; pods that nothing else made",
    key=("kind", "namespace", "name", "raw", "raw_line"),
    resource=Named("kind"),
)
_WHOLE = ("Namespace",)


@collector(
    *PODS_AND_CONTROLLERS,
    Read("", "ConfigMap", "configmaps", ConfigMap),
    Read("", "Secret", "secrets", Secret, metadata=True),
    Read("", "Service", "services", Service),
    Read("", "ServiceAccount", "serviceaccounts", ServiceAccount),
    Read("", "Namespace", "namespaces", Namespace, namespaced=False),
    Read("networking.k8s.io", "Ingress", "ingresses", Ingress, ("v1", "v1beta1")),
    tables=(NOTES,),
)
def notes(found: Resource, at: Place) -> Iterator[Row]:
    """Yield one row an object with notes; what a controller made carries its notes again."""
    if found.metadata.controller is not None and not at.orphan:
        return
    parts = [found.metadata, *_of_template(found)]
    many = sum(len(part.annotations or ()) + len(part.labels or ()) for part in parts)
    if many:
        yield NoteRow(
            raw=at.raw,
            raw_line=at.line,
            kind=at.kind,
            namespace="" if at.kind in _WHOLE else at.namespace,
            name=at.name,
            notes=many,
            credentials=sorted({text for part in parts for text in part.credentials or ()}),
        )


def _of_template(found: Resource) -> Iterator[Metadata]:
    if isinstance(found, Controller) and not isinstance(found, Revision):
        made = pod_of(found, orphan=True)
        if made is not None:
            yield made.metadata
