"""Objects of versions that are no longer served, and in which version Kyverno sees them.

Source: kyverno/kyverno, ``pkg/controllers/webhook`` and ``pkg/autogen``. Its webhooks have the
server convert an object to the version that rules name (``matchPolicy: Equivalent``), unless a
rule asks for the version that it is in. Rules that autogen adds name ``batch/v1/CronJob``. Those
of Gatekeeper get objects as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from kaudit.model.kept_policies import listed, member, members, plain

#: Kind and version to the version in which the same object is served.
_FOLLOWED = {("CronJob", "batch/v1beta1"): "batch/v1"}
#: What is in the text of a policy that may ask for the version of an object.
_ASKS = re.compile(r"beta|\bapiVersion\b|\brequest\.(?:kind|resource)\b|\brequest[A-Z]")
Object = dict[str, Any]


def followed(found: Object) -> Object | None:
    """Return an object in the version that is served; None where it is in that already."""
    version = _FOLLOWED.get((str(found.get("kind")), str(found.get("apiVersion"))))
    return None if version is None else found | {"apiVersion": version}


def asked_for(policies: Iterable[Object]) -> bool:
    """Tell whether a policy of Kyverno may be about objects in an older version.

    >>> rule = {"match": {"any": [{"resources": {"kinds": ["batch/v1beta1/CronJob"]}}]}}
    >>> asked_for([{"spec": {"rules": [rule]}}])
    True
    """
    return any(map(_asks, policies))


def _asks(policy: Object) -> bool:
    spec = member(policy, "spec")
    if _ASKS.search(msgspec.json.encode(spec).decode()):
        return True
    found = members([rule.get("match") for rule in listed(spec.get("rules"))])
    named = [str(one) for name, value in found if name == "kinds" for one in plain(value)]
    rules = listed(member(spec, "matchConstraints").get("resourceRules"))
    return any(map(_of_any_version, named)) or any(
        fnmatchcase("cronjobs", str(one)) and rule.get("apiVersions") != ["v1"]
        for rule in rules
        for one in plain(rule.get("resources"))
    )


def _of_any_version(kind: str) -> bool:
    *place, name = kind.partition(".")[0].split("/")
    return fnmatchcase("CronJob", name) and "v1" not in place
