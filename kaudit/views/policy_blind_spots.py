"""What admission policies do not see or do not refuse, one rule at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import records
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class BlindSpotRow(Trace, kw_only=True):
    engine: Annotated[str, doc("Gatekeeper, Kyverno or ValidatingAdmissionPolicy")]
    kind: Annotated[str, doc("kind of the policy")]
    namespace: Annotated[str, doc("namespace of the policy; empty for cluster scope")]
    policy: Annotated[str, doc("name of the policy")]
    position: Annotated[int, doc("place of the rule in the policy, from 1")]
    rule: Annotated[str, doc("name of the rule")]
    binding: Annotated[str, doc("binding of an admission policy")]
    mode: Annotated[str, doc("enforce, warn, audit or off")]
    mode_text: Annotated[str, doc("setting that makes the mode")]
    weaker: Annotated[list[str], doc("weaker modes of some namespaces, as JSON")]
    controls: Annotated[list[str], doc("controls that it demands or may demand")]
    judges: Annotated[bool, doc("it validates, or verifies images")]
    of_kyverno: Annotated[bool, doc("it judges, and is of Kyverno")]
    of_gatekeeper: Annotated[bool, doc("it is a constraint of Gatekeeper")]
    of_containers: Annotated[bool, doc("it judges containers, or may do so")]
    of_ephemeral: Annotated[bool, doc("it judges what ephemeral containers can set too")]
    ignores_init: Annotated[bool | None, doc("not initContainers; null: could not be read")] = None
    ignores_ephemeral: Annotated[
        bool | None, doc("not ephemeralContainers; null: could not be read")
    ] = None
    controllers_only: Annotated[bool, doc("for controllers, never for the pods themselves")]
    pods_only: Annotated[bool, doc("for pods, never for the controllers that make them")]
    own_only: Annotated[
        list[str] | None,
        doc(
            "settings that it reads of containers alone, though a pod can set them for all of its "
            "containers, sorted; null: could not be read"
        ),
    ] = None
    faults: Annotated[list[str], doc("errors, and that it is not served")]
    unused_parameters: Annotated[list[str], doc("parameters that nothing reads")]
    strange: Annotated[list[str], doc("fields of it that are not known here: it may do more")]


POLICY_BLIND_SPOTS = Table(
    "policy_blind_spots",
    BlindSpotRow,
    grain="one rule of an admission policy, and what it does not see",
    key=("engine", "kind", "namespace", "policy", "position", "binding"),
    resource=Resource("kind", name="policy"),
)
_COPIED = (
    *("raw", "raw_line", "engine", "kind", "namespace", "policy", "position", "rule"),
    *("binding", "mode", "mode_text"),
)
#: Controls of what ephemeral containers cannot set: resources, ports and probes.
_NOT_EPHEMERAL = frozenset(
    [
        *("KA-DEP-008", "KA-DEP-028", "KA-DEP-029", "KA-DEP-029c", "KA-DEP-029d"),
        *("KA-DEP-035a", "KA-DEP-035b"),
    ]
)
#: Settings of a pod that hold for each container which has none of its own.
_INHERITED = (
    *("appArmorProfile", "runAsGroup", "runAsNonRoot", "runAsUser", "seLinuxOptions"),
    *("seccompProfile", "windowsOptions"),
)
_CONTROLLERS = ("Deployment.apps", "StatefulSet.apps", "DaemonSet.apps", "Job.batch")


@view(
    POLICY_BLIND_SPOTS,
    decided={
        **dict.fromkeys(("judges", "of_kyverno", "of_gatekeeper"), ()),
        **dict.fromkeys(("of_containers", "of_ephemeral"), ("constraint_templates",)),
    },
)
def policy_blind_spots(policy_anatomy: pd.DataFrame) -> pd.DataFrame:
    """Read the blind spots off the anatomy."""
    rows = [BlindSpotRow(**_row(rule)) for rule in records(policy_anatomy)]
    return frame(POLICY_BLIND_SPOTS.sorted(POLICY_BLIND_SPOTS.arrow(rows)))


def _row(rule: dict[str, Any]) -> dict[str, Any]:
    judges = rule["purpose"] in ("validate", "verifyImages")
    kinds = {text for text in rule["kinds"] if "/" not in text}
    every = not kinds.isdisjoint(("*.*", "*"))
    pods, made = every or "Pod" in kinds, every or not kinds.isdisjoint(_CONTROLLERS)
    demands = {*rule["controls"], *rule["possible_controls"]}
    lists = [rule[name] for name in ("reads_containers", "reads_init", "reads_ephemeral")]
    of_containers = judges and (True in lists or (None in lists and (pods or made)))
    return {
        **{name: rule[name] for name in _COPIED},
        "weaker": [t for t in rule["overrides"] if '"mode":"enforce"' not in t],
        "controls": sorted(demands),
        "judges": judges,
        "of_kyverno": judges and rule["engine"] == "Kyverno",
        "of_gatekeeper": rule["engine"] == "Gatekeeper",
        "of_containers": of_containers,
        "of_ephemeral": of_containers and not (demands and demands <= _NOT_EPHEMERAL),
        "ignores_init": None if lists[1] is None else not lists[1],
        "ignores_ephemeral": None if lists[2] is None else not lists[2],
        "controllers_only": judges and made and not pods,
        "pods_only": judges and pods and not made,
        "own_only": _own_only(rule["fields"]) if rule["reads_known"] else None,
        "faults": [*rule["errors"], *(["not served"] if rule["ready"] is False else ())],
        "unused_parameters": rule["unused_parameters"] or [],
        "strange": rule["strange"],
    }


def _own_only(fields: list[str]) -> list[str]:
    """Settings that a rule looks for in containers and not in the pod.

    >>> _own_only(["securityContext.runAsUser", "securityContext.runAsNonRoot"])
    ['runAsNonRoot', 'runAsUser']
    >>> _own_only(["securityContext.runAsUser", "spec.securityContext.runAsUser"])
    []
    """
    if any("*" in field or field in ("spec", "spec.securityContext") for field in fields):
        return []
    heads = {tuple(field.split(".")[:3]) for field in fields}
    own = {head[1] for head in heads if head[0] == "securityContext" and len(head) > 1}
    of_pod = {head[2] for head in heads if head[:2] == ("spec", "securityContext") and head[2:]}
    return sorted((own - of_pod) & {*_INHERITED})
