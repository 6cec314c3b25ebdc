"""Webhooks through which policy engines are asked about pods, and what keeps them from it.

Source: Kubernetes, "Dynamic Admission Control" (v1.34): a webhook is asked where its
namespaceSelector, objectSelector and all of its matchConditions hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from kaudit.columns import records
from kaudit.selectors import selector

if TYPE_CHECKING:
    import pandas as pd


class Hook(NamedTuple):
    """One validating webhook of an engine; ``conditions``: matchConditions, not decided here."""

    webhook: str
    kinds: frozenset[str]
    namespace_selector: str | None
    object_selector: str | None
    conditions: bool
    failure_policy: str

    def is_in(self, labels: Mapping[str, str] | None) -> bool:
        """Whether it is for a namespace of these labels, or may be where they are not known."""
        text = self.namespace_selector
        return text is None or labels is None or selector(text)(labels)

    def selects(self, labels: Mapping[str, str] | None) -> bool | None:
        """Whether it is asked about objects of these labels; None where they are not known."""
        text = self.object_selector
        if text is None or text == "{}":
            return True
        return None if labels is None else selector(text)(labels)

    def doubts(self, labels: Mapping[str, str] | None) -> list[str]:
        """Fields of it that may leave out an object of these labels."""
        fields = {
            "objectSelector": self.selects(labels) is None,
            "matchConditions": self.conditions,
        }
        return [f"{name} of webhook {self.webhook}" for name, may in fields.items() if may]


#: What a cluster was asked for all validating webhooks by.
_LIST = "validatingwebhookconfigurations.admissionregistration.k8s.io"


def engine_webhooks(posture: pd.DataFrame, reads: pd.DataFrame) -> dict[str, list[Hook] | None]:
    """Validating webhooks on pods of each engine.

    None where the evidence holds no webhook, and nobody told that there is none: nothing can be
    said then.
    """
    engines = ("Gatekeeper", "Kyverno")
    if not len(posture) and not ((reads["name"] == _LIST) & (reads["state"] == "read")).any():
        return dict.fromkeys(engines)
    rows = [row for row in records(posture) if row["sees_pods"] and row["kind"].startswith("Valid")]
    return {
        engine: [
            Hook(
                row["webhook"],
                frozenset(row["creates"]),
                row["namespace_selector"],
                row["object_selector"],
                row["match_conditions"] > 0,
                row["failure_policy"],
            )
            for row in rows
            if row["engine"] == engine
        ]
        for engine in engines
    }
