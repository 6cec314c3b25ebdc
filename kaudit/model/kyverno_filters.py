"""What Kyverno never looks at, as its ConfigMap says: kinds of objects, and who asks.

Source: kyverno/kyverno, ``pkg/config``: ``resourceFilters`` are ``[kind,namespace,name]``, one
after the other, with ``*`` for parts; what is left out at the end is empty, which no object is.
``excludeGroups`` and the like are patterns with commas between them; ``!`` takes one back in.
"""

from __future__ import annotations

import re

from kaudit.model.credential import masked

#: Key of the ConfigMap that holds filters, and those that hold who asks.
KEY = "resourceFilters"
USERS = ("excludeClusterRoles", "excludeGroups", "excludeRoles", "excludeUsernames")
_FILTER = re.compile(r"\[([^\[\]\s]{1,300})\]")
_MOST, _LONGEST = 1_000, 300


def settings_of(key: str, text: str) -> list[str] | None:
    """Return filters as ``kind,namespace,name``, or patterns; None for another key.

    >>> settings_of("resourceFilters", "[Event,*,*] [*/*,kube-system,*] [Node]")
    ['Event,*,*', '*/*,kube-system,*', 'Node,,']
    >>> settings_of("excludeGroups", "system:nodes, !ci,")
    ['system:nodes', '!ci']
    """
    if key in USERS:
        told = [one.strip() for one in text.split(",") if one.strip(" !")]
        return [masked(one)[:_LONGEST] for one in told[:_MOST]]
    if key != KEY:
        return None
    found = [one.split(",") for one in _FILTER.findall(text)[:_MOST]]
    return [",".join((*one, "", "")[:3]) for one in found if len(one) <= 3]
