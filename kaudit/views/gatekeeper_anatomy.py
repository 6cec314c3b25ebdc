"""What constraints of OPA Gatekeeper demand, of what, and how strictly.

Source: open-policy-agent/gatekeeper, ``website/docs``: violations, enforcement-points, config.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import records
from kaudit.model.enforced import demand_on_pods
from kaudit.registry import view
from kaudit.table import frame
from kaudit.tables.policy_anatomy import PolicyAnatomyRow, anatomy, containers_read

if TYPE_CHECKING:
    import pandas as pd

GATEKEEPER_ANATOMY = anatomy(
    "gatekeeper_anatomy", "one constraint of Gatekeeper, and what its template reads"
)
_MODES = {"deny": "enforce", "warn": "warn", "dryrun": "audit"}
_RANK = ("off", "audit", "warn", "enforce")
#: Points at which an object that is admitted is asked about.
_ADMISSION = {"*", "validation.gatekeeper.sh", "vap.k8s.io"}
_WEBHOOK = "validation.gatekeeper.sh"


@view(GATEKEEPER_ANATOMY, naming=("gatekeeper_exclusions", "webhooks"))
def gatekeeper_anatomy(
    constraints: pd.DataFrame,
    constraint_templates: pd.DataFrame,
    gatekeeper_exclusions: pd.DataFrame,
    webhooks: pd.DataFrame,
) -> pd.DataFrame:
    """Join each constraint with its template, which is found by the kind that it makes."""
    templates = {t["constraint_kind"]: t for t in records(constraint_templates)}
    left_out = _left_out(gatekeeper_exclusions)
    hooks = webhooks[webhooks["webhook"] == _WEBHOOK]["failure_policy"].tolist()
    rows = []
    for c in records(constraints):
        mode, said = _mode(c)
        template = templates.get(c["kind"])
        rows.append(
            PolicyAnatomyRow(
                raw=c["raw"],
                raw_line=c["raw_line"],
                engine="Gatekeeper",
                kind=c["kind"],
                namespace="",
                policy=c["name"],
                position=1,
                rule="",
                binding="",
                purpose="validate",
                mode=mode,
                mode_text=said,
                overrides=[],
                kinds=c["kinds"],
                autogen=[],
                excluded_kinds=[],
                namespaces=c["namespaces"],
                excluded_namespaces=c["excluded_namespaces"],
                engine_excluded_namespaces=left_out,
                namespace_selector=c["namespace_selector"],
                object_selector=c["label_selector"],
                names=[c["name_pattern"]] if c["name_pattern"] else [],
                scope=c["scope"] or "*",
                conditions=bool(template and template["conditions"]),
                scope_known=c["source"] in (None, "All", "Original") and not c["strange"],
                strange=c["strange"],
                failure_policy=min(hooks, default=None, key=("Ignore", "Fail").index),
                background=True,
                audited_at=c["audited_at"],
                ready=_ready(c, template),
                **_template(c, template),
            )
        )
    return frame(GATEKEEPER_ANATOMY.sorted(GATEKEEPER_ANATOMY.arrow(rows)))


def _mode(c: dict[str, Any]) -> tuple[str, str]:
    """Return the strictest mode on admission, and the setting that makes it.

    An action that Gatekeeper does not know denies nothing.
    """
    action = c["enforcement_action"]
    if action != "scoped":
        return _MODES.get(action, "audit"), f"enforcementAction {action}"
    found, said = "off", "no scoped action"
    for text in c["scoped_actions"]:
        what, _, where = text.partition(" at ")
        if "audit.gatekeeper.sh" in where.split(",") and found == "off":
            found, said = "audit", text
        if _ADMISSION.isdisjoint(where.split(",")):
            continue
        mode = _MODES.get(what, "audit")
        if _RANK.index(mode) > _RANK.index(found):
            found, said = mode, text
    return found, said


def _ready(c: dict[str, Any], template: dict[str, Any] | None) -> bool | None:
    """Whether its pods enforce it and its template was taken; None where nobody says."""
    told = [c["enforced"], template["created"] if template else None]
    if template is None or False in told or template["errors"]:
        return False
    return True if True in told else None


def _template(c: dict[str, Any], template: dict[str, Any] | None) -> dict[str, Any]:
    """Columns that come from the template."""
    if template is None:
        return {
            "template": "",
            "operations": ["CREATE", "UPDATE"],
            "reads_known": False,
            "fields": [],
            "controls": [],
            "possible_controls": [],
            "errors": [*c["errors"], "no template makes its kind"],
        }
    known, lists = template["reads_known"], template["container_fields"]
    fields = template["fields"]
    demands = demand_on_pods(template, c["kinds"])
    return {
        "template": template["name"],
        "operations": template["operations"] or ["CREATE", "UPDATE"],
        "reads_known": known,
        "fields": fields,
        **containers_read(known, lists),
        "required_fields": template["required_fields"] if known else None,
        "controls": demands.certain,
        "possible_controls": demands.possible,
        "unused_parameters": template["unused_parameters"] if known else None,
        "errors": [*c["errors"], *template["errors"]],
    }


def _left_out(exclusions: pd.DataFrame) -> list[str]:
    """Namespaces that the Config leaves out of admission."""
    found: set[str] = set()
    for entry in records(exclusions):
        if entry["name"] == "config" and not {"*", "webhook"}.isdisjoint(entry["processes"]):
            found |= set(entry["excluded_namespaces"])
    return sorted(found)
