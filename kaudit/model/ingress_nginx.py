"""What the ConfigMap of ingress-nginx says of snippets, and whether those of Ingresses count.

Source: kubernetes.github.io/ingress-nginx, "ConfigMaps". Snippets were taken by default before
v1.9; since v1.12 they need ``annotations-risk-level: Critical`` too, which was the default before.
"""

from __future__ import annotations

#: Keys of the ConfigMap; what stands for a value of theirs that means nothing.
ALLOWED, RISK = "allow-snippet-annotations", "annotations-risk-level"
OTHER = "another value"
#: Levels of risk below that of snippets.
_BELOW = ("low", "medium", "high")
_LEVELS = (*_BELOW, "critical")
#: What Go takes for true, and for false.
_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")


def setting_of(key: str, text: str) -> str:
    """Return the value of a key that speaks of snippets; empty for another key."""
    if key not in (ALLOWED, RISK) or not text.strip():
        return ""
    word = text.strip()
    return word if word in (*_TRUE, *_FALSE) or word.lower() in _LEVELS else OTHER


def allowed(setting: str, risk: str) -> bool:
    """Whether snippets of Ingresses are taken.

    >>> allowed("true", ""), allowed("true", "High"), allowed("false", "Critical")
    (True, False, False)
    """
    return setting in _TRUE and risk.lower() not in _BELOW
