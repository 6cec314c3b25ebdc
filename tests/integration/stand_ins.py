"""Objects for a real server: the demo's, and definitions of kinds that it does not serve."""

from __future__ import annotations

import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from kaudit import registry
from kaudit.registry import Read
from tests.integration.cluster import Cluster

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
#: Others live in namespaces; what may refuse others comes last.
_FIRST, _LAST = ("Namespace",), "admissionregistration.k8s.io"


def reads() -> list[Read]:
    """Every kind that a collector reads."""
    registry.load()
    found = {
        read.id: read for c in registry.COLLECTORS.values() for read in c.reads if not read.tool
    }
    return sorted(found.values(), key=lambda read: read.id)


def path_of(read: Read, version: str, namespace: str = "") -> str:
    """Path of all objects of a kind, or of those in a namespace."""
    base = f"/apis/{read.group}/{version}" if read.group else f"/api/{version}"
    return f"{base}/namespaces/{namespace}/{read.plural}" if namespace else f"{base}/{read.plural}"


def serve_all_kinds(cluster: Cluster) -> list[Read]:
    """Define each kind that collectors read and the server lacks; return those."""

    def served(read: Read) -> bool:
        paths = (path_of(read, version) + "?limit=1" for version in read.versions)
        return any(cluster.request("GET", path).status == HTTPStatus.OK for path in paths)

    missing = [read for read in reads() if not served(read)]
    for read in missing:
        answer = cluster.request("POST", _DEFINITIONS, _definition(read))
        assert answer.status == HTTPStatus.CREATED, answer.body
    end = time.monotonic() + 30
    while not all(map(served, missing)):
        assert time.monotonic() < end, "definitions are not served"
        time.sleep(0.1)
    return missing


def _definition(read: Read) -> dict[str, Any]:
    names = {"kind": read.kind, "plural": read.plural, "singular": read.kind.lower()}
    versions = [
        {
            "name": version,
            "served": True,
            "storage": version == read.versions[0],
            "schema": {"openAPIV3Schema": _ANYTHING},
        }
        for version in read.versions
    ]
    return {
        "metadata": {
            "name": f"{read.plural}.{read.group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, a stand-in for tests"},
        },
        "spec": {
            "group": read.group,
            "scope": "Namespaced" if read.namespaced else "Cluster",
            "names": names,
            "versions": versions,
        },
    }


def create(cluster: Cluster, objects: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Create objects of kinds that collectors read; return what was refused, and why."""
    known = {read.id: read for read in reads()}

    def place(found: dict[str, Any]) -> tuple[bool, bool]:
        return found["apiVersion"].startswith(_LAST), found["kind"] not in _FIRST

    refused = {}
    for found in sorted(objects, key=place):
        group, _, version = found["apiVersion"].rpartition("/")
        read = known.get((group, found["kind"]))
        if read is None:
            continue
        meta = found["metadata"]
        namespace = meta.get("namespace", "") if read.namespaced else ""
        answer = cluster.request("POST", path_of(read, version, namespace), found)
        if answer.status not in (HTTPStatus.CREATED, HTTPStatus.CONFLICT):
            refused[f"{found['kind']} {namespace}/{meta['name']}"] = answer.body["message"]
    return refused
