"""Settings of the plugin PodSecurity, which the API server reads from a file and shows nowhere.

Source: Kubernetes documentation, "Enforce Pod Security Standards by configuring the built-in
admission controller".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

import msgspec

from kaudit.errors import InputError
from kaudit.model import pod_security_config as config
from kaudit.model.place import Place
from kaudit.model.standards import pinned_minor
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Resource, Row, Table, Trace, doc


class PodSecurityConfigRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the file in every table")]
    file: Annotated[str, doc("file")]
    configured: Annotated[bool, doc("the file sets anything; else the plugin has its defaults")]
    enforce: Annotated[str, doc("level enforced where no label says so; privileged where unset")]
    enforce_version: Annotated[str, doc("version of that level; latest where unset")]
    audit: Annotated[str, doc("level audited where no label says so; privileged where unset")]
    audit_version: Annotated[str, doc("version of that level; latest where unset")]
    warn: Annotated[str, doc("level warned of where no label says so; privileged where unset")]
    warn_version: Annotated[str, doc("version of that level; latest where unset")]
    exempt_usernames: Annotated[list[str], doc("users whose requests are never judged")]
    exempt_runtime_classes: Annotated[list[str], doc("runtime classes that are never judged")]
    exempt_namespaces: Annotated[list[str], doc("namespaces that are never judged")]
    faulty: Annotated[
        bool, doc("a level or version that Kubernetes does not know: the API server does not start")
    ]


POD_SECURITY_CONFIG = Table(
    "pod_security_config",
    PodSecurityConfigRow,
    grain="one file with settings of the plugin PodSecurity",
    key=("report",),
    resource=Resource("=PodSecurityConfiguration", namespace="", name="file"),
)
_LEVELS = ("privileged", "baseline", "restricted")
_KIND = re.compile(
    rb"""^[ \t]*["']?kind["']?[ \t]*:[ \t]*["']?(?:Admission|PodSecurity)Configuration\b""",
    re.MULTILINE,
)
_JSON = re.compile(rb'"kind"\s*:\s*"(?:Admission|PodSecurity)Configuration"')
_EDGE = 1 << 16
_encode = msgspec.json.Encoder().encode


def _recognise(content: Content) -> bool:
    start = content.data[:_EDGE]
    if not any(group.encode() in start for group in config.GROUPS):
        return False
    if content.shape == "object":
        return bool(_JSON.search(start))
    return content.shape == "text" and bool(_KIND.search(start))


@tool(
    "pod-security",
    title="Pod Security",
    help="AdmissionConfiguration of an API server, with the settings of PodSecurity.",
    recognise=_recognise,
    kinds=("AdmissionConfiguration", "PodSecurityConfiguration"),
)
def take_pod_security(content: Content) -> Iterator[Taken | Lost]:
    """Take out the settings of the plugin."""
    found = list(config.settings(content.document()))
    if not found:
        raise InputError("is no AdmissionConfiguration")
    for item, settings in enumerate(found, start=1):
        if isinstance(settings, str):
            yield Lost("PodSecurityConfiguration", settings, item)
            continue
        kept = {name: settings.get(name) or {} for name in ("defaults", "exemptions")}
        record = {"report": content.report, "file": content.name, "configured": bool(settings)}
        yield Taken("PodSecurityConfiguration", _encode({**record, **kept}), item)


@collector(
    Read.of("pod-security", "PodSecurityConfiguration", "podsecurityconfigurations", config.Found),
    tables=(POD_SECURITY_CONFIG,),
)
def pod_security_config(found: config.Found, at: Place) -> Iterator[Row]:
    """Yield the settings with their defaults put in."""
    it, left_out = found.defaults, found.exemptions
    levels = [it.enforce, it.audit, it.warn]
    versions = [it.enforce_version, it.audit_version, it.warn_version]
    wrong = any(level and level not in _LEVELS for level in levels)
    wrong = wrong or any(v and v != "latest" and pinned_minor(v) is None for v in versions)
    yield PodSecurityConfigRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        file=found.file,
        configured=found.configured,
        enforce=it.enforce or "privileged",
        enforce_version=it.enforce_version or "latest",
        audit=it.audit or "privileged",
        audit_version=it.audit_version or "latest",
        warn=it.warn or "privileged",
        warn_version=it.warn_version or "latest",
        exempt_usernames=sorted(left_out.usernames or ()),
        exempt_runtime_classes=sorted(left_out.runtime_classes or ()),
        exempt_namespaces=sorted(left_out.namespaces or ()),
        faulty=wrong,
    )
