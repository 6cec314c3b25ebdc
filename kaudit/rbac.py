"""The least-privilege account that collection from a live cluster needs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kaudit import registry
from kaudit.errors import InputError
from kaudit.text import meant


def manifest(kinds: Sequence[str] = (), *, secrets: bool = False, namespace: str = "kaudit") -> str:
    """Write service account, ClusterRole and binding as YAML.

    Parameters
    ----------
    kinds
        Plural names of the kinds to read; all by default.
    secrets
        Include the right to list Secrets. RBAC cannot grant their metadata alone.
    namespace
        Where the account lives.

    Raises
    ------
    InputError
        No collector reads one of the kinds, or no namespace can have the name.
    """
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", namespace):
        hint = "at most 63 lower-case letters, digits and -"
        raise InputError(f"{namespace!r} is no name of a namespace", hint=hint)
    registry.load()
    reads = {r.id: r for c in registry.COLLECTORS.values() for r in c.reads if not r.tool}
    known = {read.plural for read in reads.values()}
    for kind in kinds:
        if kind not in known:
            raise InputError(f"no collector reads {kind!r}", hint=meant(kind, known))
    groups: dict[str, list[str]] = {}
    for read in reads.values():
        if (not kinds or read.plural in kinds) and (secrets or not read.metadata):
            resource = '"*"' if read.open else read.plural  # the kinds are not known before
            groups.setdefault(read.group, []).append(resource)
    if not groups:
        raise InputError("the account would read nothing", hint="Secrets take --secrets")
    rules = "\n".join(
        f'  - apiGroups: ["{group}"]\n    resources: [{", ".join(sorted(plurals))}]\n'
        "    verbs: [list]"
        for group, plurals in sorted(groups.items())
    )
    return f"""\
apiVersion: v1
kind: Namespace
metadata:
  name: {namespace}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: kaudit
  namespace: {namespace}
automountServiceAccountToken: false
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: kaudit
rules:
{rules}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: kaudit
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: kaudit
subjects:
  - kind: ServiceAccount
    name: kaudit
    namespace: {namespace}"""
