"""Configuration of a kube-scheduler, which heeds no flag on profiles where it has one.

Source: kubernetes.io, "kube-scheduler Configuration (v1)", v1.34: profiles are offered unless
``enableProfiling`` is false. Its address is no part of it: the flag counts.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from kaudit.errors import InputError
from kaudit.model.meta import Part

API = "kubescheduler.config.k8s.io/"
KIND = "KubeSchedulerConfiguration"
_TEXT = re.compile(
    r"""^["']?kind["']?[ \t]*:[ \t]*["']?KubeSchedulerConfiguration\b""", re.MULTILINE
)


class Settings(Part):
    """What is kept of a configuration; profiles are those of the scheduler's inside."""

    enable_profiling: bool | None = None
    fault: str = ""


class Found(Part):
    """Record of one file."""

    report: str
    file: str
    settings: Settings


def settings(document: Any) -> Settings:
    """What is kept of a KubeSchedulerConfiguration.

    Raises
    ------
    TypeError
        It is none.
    """
    head = document if isinstance(document, dict) else {}
    version = head.get("apiVersion")
    if head.get("kind") != KIND or not isinstance(version, str) or not version.startswith(API):
        raise TypeError(f"expected a {KIND}")
    try:
        return msgspec.convert({"enableProfiling": head.get("enableProfiling")}, Settings)
    except msgspec.ValidationError as fault:
        return Settings(fault=str(fault))


def of_text(name: str, text: str) -> Settings | None:
    """What is kept of a text in YAML; None where it is no such configuration."""
    if API not in text or not _TEXT.search(text):
        return None
    from kaudit.model.yaml_stream import one  # YAML is slow to import

    try:
        return settings(one(text.encode(), name))
    except (InputError, TypeError) as fault:
        return Settings(fault=str(fault))
