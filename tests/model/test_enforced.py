"""Which controls a rule demands: never more than its fields and values tell."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from kaudit.model.enforced import demand
from kaudit.registry import CONTROLS, load

CASES: dict[
    str, tuple[Collection[str], Collection[str], Collection[str] | None, list[str], list[str]]
] = {
    "a field that must not be set": (["securityContext.privileged"], [], [], ["KA-DEP-001"], []),
    "demanded": (
        ["securityContext.runAsNonRoot"],
        [],
        ["securityContext.runAsNonRoot"],
        ["KA-DEP-015"],
        [],
    ),
    "let pass where unset": (["securityContext.runAsNonRoot"], [], [], [], []),
    "not told": (["securityContext.runAsNonRoot"], [], None, [], ["KA-DEP-015"]),
    "of the pod": (["spec.securityContext.runAsUser"], [], [], ["KA-DEP-015a"], []),
    "NET_RAW alone": (
        ["securityContext.capabilities.drop[]"],
        ["net_raw"],
        None,
        [],
        ["KA-DEP-013"],
    ),
    "an image that is only looked at": (["image"], [], None, [], []),
    "registries": (["image", "name"], ["registry"], None, ["KA-BLD-009"], []),
    "images beside another matter": (
        ["image", "securityContext.privileged"],
        ["registry"],
        [],
        ["KA-DEP-001"],
        [],
    ),
    "the socket of a runtime": (
        ["spec.volumes[].hostPath.path"],
        ["socket"],
        [],
        ["KA-DEP-007"],
        [],
    ),
    "host paths that are read-only": (
        ["spec.volumes[].hostPath", "volumeMounts[].readOnly"],
        [],
        None,
        ["KA-DEP-006"],
        [],
    ),
    "hosts of probes": (["livenessProbe.httpGet.host"], [], [], ["KA-DEP-025"], []),
}


@pytest.mark.parametrize("case", CASES)
def test_demand(case: str) -> None:
    fields, compares, required, certain, possible = CASES[case]
    found = demand(fields, compares, required, fields, [])
    assert (found.certain, found.possible) == (certain, possible)


def test_values_have_a_direction() -> None:
    name = "securityContext.privileged"
    assert demand([name], [], [], [name], []).certain == ["KA-DEP-001"]
    assert demand([name], [], [], [], []).possible == ["KA-DEP-001"]
    none = demand([name], [], [], [], [name])
    assert (none.certain, none.possible) == ([], [])
    of_pod = f"spec.{name}"
    none = demand([name, of_pod], [], [], [name], [of_pod])
    assert (none.certain, none.possible) == ([], [])


def test_controls_are_there() -> None:
    load()
    names = ["securityContext", "spec.hostPID", "resources.limits.cpu", "imagePullPolicy"]
    found = [id for name in names for id in demand([name], [], [name], [name], []).certain]
    assert set(found) <= set(CONTROLS)
