"""Filters of resources that Kyverno never looks at, as its ConfigMap holds them.

Source: kyverno/kyverno, ``pkg/config/filter.go``: ``[kind,namespace,name]``, one after the
other, with ``*`` for parts; what is left out at the end is ``*``.
"""

from __future__ import annotations

import re

#: Key of the ConfigMap that holds them.
KEY = "resourceFilters"
_FILTER = re.compile(r"\[([^\[\]\s]{1,300})\]")
_MOST = 1_000


def filters_of(key: str, text: str) -> list[str] | None:
    """Return each filter as ``kind,namespace,name``; None for a value that holds none.

    >>> filters_of("resourceFilters", "[Event,*,*] [*/*,kube-system,*] [Node]")
    ['Event,*,*', '*/*,kube-system,*', 'Node,*,*']
    """
    if key != KEY:
        return None
    found = [one.split(",") for one in _FILTER.findall(text)[:_MOST]]
    return [",".join(part.strip() or "*" for part in (*one, "*", "*")[:3]) for one in found]
