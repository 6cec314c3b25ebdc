"""What rows of a configuration begin with that lies in a file, or in a ConfigMap."""

from __future__ import annotations

from typing import Annotated

from kaudit.table import Resource, Trace, doc


class Held(Trace, kw_only=True):
    """Base of rows of a configuration."""

    kind: Annotated[str, doc("kind of the configuration, or ConfigMap where one holds it")]
    namespace: Annotated[str, doc("namespace of the ConfigMap; empty for a file")] = ""
    name: Annotated[str, doc("name of the ConfigMap; the file")]
    key: Annotated[str, doc("key of the ConfigMap; empty for a file")] = ""
    report: Annotated[str, doc("stands for the file in every table; empty for a ConfigMap")] = ""


HELD_KEY = ("kind", "namespace", "name", "key", "report")
HOLDER = Resource("kind")
