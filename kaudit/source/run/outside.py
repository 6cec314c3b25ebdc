"""Policies that ask more than engines are shown: an API server, registries, other systems.

Source: kyverno/kyverno, ``api/kyverno/v1`` (context entries) and ``pkg/cel/libs``, and
open-policy-agent/opa, its built-in functions. Where nobody answers, kyverno takes nothing for the
answer and may pass, and Rego takes what it asked for as undefined, which is no violation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kaudit.model import cel
from kaudit.model.kept_policies import CEL, code_of, member, members
from kaudit.model.values import Unreadable

Object = dict[str, Any]
#: Entries of a context, and what they ask.
_ENTRIES = {
    "apiCall": "the API server or a service",
    "globalReference": "what Kyverno keeps of the API server",
    "imageRegistry": "registries",
}
#: Libraries of CEL, whose functions begin with a capital, and what is asked through them.
_LIBRARIES = {
    "globalContext": "what Kyverno keeps of the API server",
    "http": "a service",
    "imageData": "registries",
    "resource": "the API server",
}
_BUILT_IN = re.compile(r"\b(?:http\.send|net\.lookup_ip_addr)\b")


def rule_asks(rule: Object) -> str:
    """Say what a rule of Kyverno asks of others; nothing where it asks none."""
    found = {name for name, value in members(rule) if name in _ENTRIES and isinstance(value, dict)}
    return " and ".join(sorted(_ENTRIES[name] for name in found))


def policy_asks(policy: Object) -> str:
    """Say what a policy of CEL asks of others."""
    found: set[str] = set()
    for name, value in members(member(policy, "spec")):
        if name in CEL and isinstance(value, str):
            try:
                found |= {*_asked(cel.parsed(value))} & _LIBRARIES.keys()
            except (Unreadable, RecursionError):
                continue  # the engine says what is wrong with it
    return " and ".join(sorted({_LIBRARIES[name] for name in found}))


def template_asks(template: Object) -> str:
    """Say what a ConstraintTemplate asks of others."""
    return "the network" if any(map(_BUILT_IN.search, code_of(template)[0])) else ""


def _asked(node: object) -> Iterator[str]:
    """Yield the names whose functions are called; a variable may be named as a library is."""
    if not isinstance(node, tuple) or not node:
        return
    called = node[0] == "call" and isinstance(node[1], tuple) and node[1][:1] == ("name",)
    if called and str(node[2])[:1].isupper():
        yield str(node[1][1])
    for one in node:
        yield from _asked(one)
