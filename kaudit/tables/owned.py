"""What rows of pods and of their containers begin with: where they are, and whose."""

from __future__ import annotations

from typing import Annotated

from kaudit.table import RAW, RAW_LINE, Resource, Trace, doc

_UID = doc("uid of the pod; for a template a stable stand-in")
_NAMESPACE = doc("namespace of the pod")
_POD = doc("name of the pod, or of the object with the template")
_ORIGIN = doc("object: a Pod object; template: what a controller would make")
_OWNER_KIND = doc("kind of the topmost known owner; of the pod where none")
_OWNER_NAME = doc("name of the topmost known owner")
_PLATFORM = doc("in a namespace of Kubernetes itself")


class OfSpec(Trace, kw_only=True):
    """Base of rows that a pod's spec alone tells; whose they are is put in by the engine."""

    pod_uid: Annotated[str, doc("uid of its pod")] = ""
    namespace: Annotated[str, _NAMESPACE] = ""
    pod: Annotated[str, _POD] = ""
    raw: Annotated[str, RAW] = ""
    raw_line: Annotated[int, RAW_LINE] = 0


class OfPod(Trace, kw_only=True):
    """Base of rows of a pod, or of a part of it."""

    pod_uid: Annotated[str, _UID]
    namespace: Annotated[str, _NAMESPACE]
    pod: Annotated[str, _POD]
    origin: Annotated[str, _ORIGIN]
    owner_kind: Annotated[str, _OWNER_KIND]
    owner_name: Annotated[str, _OWNER_NAME]
    platform: Annotated[bool, _PLATFORM]


class OfContainer(Trace, kw_only=True):
    """Base of rows of a container."""

    pod_uid: Annotated[str, _UID]
    namespace: Annotated[str, _NAMESPACE]
    pod: Annotated[str, _POD]
    container: Annotated[str, doc("name of the container")]
    container_type: Annotated[str, doc("init, sidecar, regular or ephemeral")]
    origin: Annotated[str, _ORIGIN]
    owner_kind: Annotated[str, _OWNER_KIND]
    owner_name: Annotated[str, _OWNER_NAME]
    platform: Annotated[bool, _PLATFORM]


class OfVolume(Trace, kw_only=True):
    """Base of rows of a volume of a pod."""

    pod_uid: Annotated[str, _UID]
    namespace: Annotated[str, _NAMESPACE]
    pod: Annotated[str, _POD]
    volume: Annotated[str, doc("name of the volume")]
    origin: Annotated[str, _ORIGIN]
    owner_kind: Annotated[str, _OWNER_KIND]
    owner_name: Annotated[str, _OWNER_NAME]
    platform: Annotated[bool, _PLATFORM]


#: Names of those columns: views that carry rows on copy them.
SPEC = OfSpec.__struct_fields__
POD, CONTAINER = OfPod.__struct_fields__, OfContainer.__struct_fields__
POD_KEY = ("namespace", "pod", "pod_uid")
CONTAINER_KEY = (*POD_KEY, "container_type", "container")
#: Findings are told of the owner.
OWNER = Resource("owner_kind", name="owner_name")
OWNED_CONTAINER = Resource("owner_kind", name="owner_name", container="container")
