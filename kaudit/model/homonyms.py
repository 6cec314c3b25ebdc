"""Kinds that are called like others: tables add their group to the name."""

from __future__ import annotations

#: Group of a Service that is none of Kubernetes, and beside which there is one by its name.
_KNATIVE = "serving.knative.dev"


def in_tables(group: str, kind: str) -> str:
    """Return how tables call a kind of a group.

    >>> in_tables("serving.knative.dev", "Service"), in_tables("", "Service")
    ('Service.serving.knative.dev', 'Service')
    """
    return f"{kind}.{group}" if group == _KNATIVE else kind


#: Kinds of Knative of which each makes the next, and the last makes Deployments.
KNATIVE = tuple(in_tables(_KNATIVE, kind) for kind in ("Service", "Configuration", "Revision"))
