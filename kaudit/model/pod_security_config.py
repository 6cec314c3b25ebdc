"""Settings of the plugin PodSecurity of an API server.

Source: kubernetes/pod-security-admission, ``admission/api``, and the Kubernetes documentation
on applying the standards at the cluster level. What a file leaves out is privileged and latest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import field

from kaudit.model.meta import Part

GROUPS = ("apiserver.config.k8s.io/", "pod-security.admission.config.k8s.io/")
_PLUGIN = "PodSecurity"


class Defaults(Part):
    """defaults: what holds for namespaces without a label."""

    enforce: str = ""
    enforce_version: str = field(default="", name="enforce-version")
    audit: str = ""
    audit_version: str = field(default="", name="audit-version")
    warn: str = ""
    warn_version: str = field(default="", name="warn-version")


class Exemptions(Part):
    """exemptions: whose requests, and which namespaces, are never judged."""

    usernames: list[str] | None = None
    runtime_classes: list[str] | None = None
    namespaces: list[str] | None = None


class Found(Part):
    """Record of one file's settings."""

    report: str
    file: str
    configured: bool
    defaults: Defaults = field(default_factory=Defaults)
    exemptions: Exemptions = field(default_factory=Exemptions)


def settings(document: Any) -> Iterator[dict[str, Any] | str]:
    """Yield the settings that a document holds, or say why they cannot be known.

    A file that does not name the plugin leaves it with its defaults.
    """
    if not isinstance(document, dict):
        return
    if document.get("kind") == "PodSecurityConfiguration":
        yield document
    if document.get("kind") != "AdmissionConfiguration":
        return
    plugins = document.get("plugins") or []
    if not isinstance(plugins, list):
        yield "plugins is no list"
        return
    own = [one for one in plugins if isinstance(one, dict) and one.get("name") == _PLUGIN]
    for plugin in own:
        settings = plugin.get("configuration")
        if isinstance(settings, dict):
            yield settings
        elif plugin.get("path"):
            yield f"its settings lie in another file: {plugin['path']}"
        else:
            yield {}
    if not own:
        yield {}
