"""Events of Falco as they arrive: alerts as JSON, also as falcosidekick passes them on.

Sources: falcosecurity/falco, ``userspace/falco/formats.cpp`` (keys of an alert);
falcosecurity/libs, ``userspace/libsinsp`` (fields); falcosidekick, ``types/types.go``. What is
not declared is not kept: the rendered ``output`` and fields such as ``evt.buffer`` or
``proc.env`` may show any content.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec import field

from kaudit.model.runtime_event import Seen, instant, of_nanoseconds, shown

#: Rules by which Falco speaks of itself.
INTERNAL = "Falco internal: "
_NESTED = ("proc", "container", "evt", "k8s", "user", "fd", "ka", "ct", "gcp", "falco", "scap")
_DEEPEST = 8


def _named(name: str) -> Any:
    return field(default=None, name=name)


class Fields(msgspec.Struct, gc=False, omit_defaults=True):
    """output_fields, flat as Falco writes them or nested as some pipelines do."""

    evt_time: Any = _named("evt.time")
    evt_time_iso: Any = _named("evt.time.iso8601")
    evt_type: Any = _named("evt.type")
    evt_hostname: Any = _named("evt.hostname")
    proc_name: Any = _named("proc.name")
    proc_exepath: Any = _named("proc.exepath")
    proc_cmdline: Any = _named("proc.cmdline")
    proc_pname: Any = _named("proc.pname")
    user_name: Any = _named("user.name")
    user_uid: Any = _named("user.uid")
    container_id: Any = _named("container.id")
    container_name: Any = _named("container.name")
    repository: Any = _named("container.image.repository")
    tag: Any = _named("container.image.tag")
    digest: Any = _named("container.image.digest")
    image: Any = _named("container.image")
    fd_name: Any = _named("fd.name")
    namespace: Any = _named("k8s.ns.name")
    pod: Any = _named("k8s.pod.name")
    pod_uid: Any = _named("k8s.pod.uid")
    ka_user: Any = _named("ka.user.name")
    ka_verb: Any = _named("ka.verb")
    ka_name: Any = _named("ka.target.name")
    ka_namespace: Any = _named("ka.target.namespace")
    ka_resource: Any = _named("ka.target.resource")
    ka_subresource: Any = _named("ka.target.subresource")
    ka_code: Any = _named("ka.response.code")
    ka_command: Any = _named("ka.uri.param[command]")
    ct_user: Any = _named("ct.user")
    ct_name: Any = _named("ct.name")
    ct_source: Any = _named("ct.src")
    gcp_user: Any = _named("gcp.user")
    gcp_method: Any = _named("gcp.methodName")
    drops: Any = _named("n_drops")
    events: Any = _named("n_evts")
    falco_version: Any = _named("falco.version")
    falco_events: Any = _named("falco.num_evts")
    queue_drops: Any = _named("falco.outputs_queue_num_drops")
    scap_drops: Any = _named("scap.n_drops")
    proc: Any = None
    container: Any = None
    evt: Any = None
    k8s: Any = None
    user: Any = None
    fd: Any = None
    ka: Any = None
    ct: Any = None
    gcp: Any = None
    falco: Any = None
    scap: Any = None

    def __post_init__(self) -> None:
        if self.proc or self.container or self.evt or self.k8s or self.ka or self.ct or self.scap:
            self._flatten()

    def _flatten(self) -> None:
        """Bring nested objects to the names of the fields, and let them go."""
        found: dict[str, Any] = {}
        for name in _NESTED:
            nested = getattr(self, name)
            if nested is not None:
                _gather(nested, name, found, _DEEPEST)
                setattr(self, name, None)
        for attribute, name in _BY_NAME:
            if name in found:
                setattr(self, attribute, found[name])

    def redact(self) -> None:
        """Mask what is a command line."""
        for attribute in ("proc_cmdline", "ka_command", "fd_name", "ka_name", "proc_name"):
            value = getattr(self, attribute)
            if value is not None:
                setattr(self, attribute, shown(value))


def _gather(value: Any, name: str, found: dict[str, Any], deepest: int) -> None:
    if isinstance(value, dict) and deepest:
        for key, inner in value.items():
            _gather(inner, f"{name}.{key}", found, deepest - 1)
    else:
        found[name] = value


_BY_NAME = tuple(
    (f.name, f.encode_name) for f in msgspec.structs.fields(Fields) if "." in f.encode_name
)


class Alert(msgspec.Struct, gc=False, omit_defaults=True):
    """One alert."""

    rule: str
    priority: Any = None
    source: Any = None
    tags: Any = None
    time: Any = None
    hostname: Any = None
    output_fields: Fields | None = None
    uuid: Any = None

    @property
    def fields(self) -> Fields:
        """Fields, none where Falco was told to leave them out."""
        return self.output_fields or _NONE

    @property
    def moment(self) -> datetime | None:
        """When it happened."""
        return moment(self.time, self.fields)


def moment(time: Any, fields: Fields) -> datetime | None:
    """When an alert happened: as it says itself, else by its fields."""
    return instant(time) or of_nanoseconds(fields.evt_time) or of_nanoseconds(fields.evt_time_iso)


_NONE = Fields()


class FoundAlert(Seen, kw_only=True):
    """Record of an alert; its command lines are masked."""

    event: Alert

    def __post_init__(self) -> None:
        if self.event.output_fields is not None:
            self.event.output_fields.redact()
