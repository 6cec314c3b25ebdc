"""Objects of operators in a real API server, as their operators leave them: with a status."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.integration.cluster import Cluster

Object = dict[str, Any]


class RefusedError(Exception):
    """The API server did not take an object; the message is its own."""


def define(cluster: Cluster, folder: Path) -> list[str]:
    """Create the custom resource definitions of a folder and wait until they are served.

    Returns
    -------
    list of str
        Their names, sorted.
    """
    names = []
    for path in sorted(folder.glob("*.yaml")):
        definition = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        _asked(
            cluster, "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition
        )
        names.append(definition["metadata"]["name"])
    waited = [f"crd/{name}" for name in names]
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", *waited)
    return sorted(names)


def objects(path: Path) -> Iterator[Object]:
    """Yield the objects of a YAML or JSON file, those of its lists one by one."""
    for document in yaml.load_all(path.read_text(encoding="utf-8"), _Plain):
        if document:
            yield from document.get("items", [document])


def put(cluster: Cluster, found: Iterable[Object]) -> None:
    """Create objects, their namespaces first, and give them their status.

    Raises
    ------
    RefusedError
        The API server does not take one.
    """
    for one in found:
        group, plural, namespaced, own_status = _served(cluster, one["apiVersion"], one["kind"])
        metadata = {k: v for k, v in one["metadata"].items() if k not in _SERVERS}
        within = ""
        if namespaced:
            metadata.setdefault("namespace", "default")
            within = f"/namespaces/{metadata['namespace']}"
            space = {"metadata": {"name": metadata["namespace"]}}
            cluster.request("POST", "/api/v1/namespaces", space)
        path = f"{group}{within}/{plural}"
        created = _asked(cluster, "POST", path, one | {"metadata": metadata})
        if own_status and "status" in one:
            whole = created | {"status": one["status"]}
            _asked(cluster, "PUT", f"{path}/{metadata['name']}/status", whole)


#: Metadata that the API server sets itself.
_SERVERS = frozenset(["creationTimestamp", "resourceVersion", "uid", "selfLink", "generation"])


class _Plain(yaml.CSafeLoader):
    """Reads times as text, as JSON has them."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


@cache
def _served(cluster: Cluster, version: str, kind: str) -> tuple[str, str, bool, bool]:
    """Path of the group, plural, whether in namespaces, whether the status is apart."""
    group = f"/apis/{version}" if "/" in version else f"/api/{version}"
    answer = cluster.request("GET", group)
    listed = answer.body["resources"] if answer.status == 200 else []
    for resource in listed:
        if resource["kind"] == kind and "/" not in resource["name"]:
            apart = any(other["name"] == f"{resource['name']}/status" for other in listed)
            return group, resource["name"], resource["namespaced"], apart
    raise RefusedError(f"the server does not serve {kind} of {version}")


def _asked(cluster: Cluster, method: str, path: str, body: Object) -> Object:
    answer = cluster.request(method, path, body)
    if answer.status not in {200, 201}:
        raise RefusedError(f"{method} {path}: {answer.status} {answer.body.get('message', '')}")
    held: Object = answer.body
    return held
