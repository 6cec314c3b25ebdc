"""A policy demands a control only where the values that it demands are the safe ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaudit.model import cel_reads, rego_reads
from kaudit.model.enforced import demand
from kaudit.model.kyverno_reads import RuleReader, context_of
from kaudit.model.reads import Reads
from kaudit.model.safe_values import direction

DEMANDED, POSSIBLE, NOT = "demanded", "possible", "not"


def told(found: Reads, control: str) -> str:
    assert found.known
    made = demand(found.fields, found.compares, found.required, found.safe, found.unsafe)
    if control in made.certain:
        return DEMANDED
    return POSSIBLE if control in made.possible else NOT


def pattern(containers: Any = None, **spec: Any) -> Reads:
    spec |= {"containers": [containers]} if containers else {}
    return RuleReader({}).reads({"pattern": {"spec": spec}})


def own(name: str, value: Any) -> dict[str, Any]:
    return {"securityContext": {name: value}}


PRIVILEGED, ESCALATION, NON_ROOT, USER = (
    "KA-DEP-001",
    "KA-DEP-014",
    "KA-DEP-015",
    "KA-DEP-015a",
)
PATTERNS: list[tuple[Any, str, str]] = [
    ({"=(securityContext)": {"=(privileged)": "false"}}, PRIVILEGED, DEMANDED),
    ({"=(securityContext)": {"=(privileged)": False}}, PRIVILEGED, DEMANDED),
    ({"=(securityContext)": {"=(privileged)": "true"}}, PRIVILEGED, NOT),
    ({"=(securityContext)": {"=(privileged)": "!true"}}, PRIVILEGED, DEMANDED),
    ({"=(securityContext)": {"=(privileged)": "!false"}}, PRIVILEGED, NOT),
    ({"=(securityContext)": {"=(privileged)": "true | false"}}, PRIVILEGED, NOT),
    ({"=(securityContext)": {"=(privileged)": "?*"}}, PRIVILEGED, POSSIBLE),
    ({"=(securityContext)": {"=(privileged)": "{{ request.object.x }}"}}, PRIVILEGED, POSSIBLE),
    ({"(securityContext)": {"(privileged)": "false"}, "name": "x"}, PRIVILEGED, POSSIBLE),
    ({"(securityContext)": {"privileged": "false"}}, PRIVILEGED, POSSIBLE),
    (own("allowPrivilegeEscalation", "false"), ESCALATION, DEMANDED),
    (own("allowPrivilegeEscalation", True), ESCALATION, NOT),
    (own("runAsNonRoot", True), NON_ROOT, DEMANDED),
    (own("runAsNonRoot", "false"), NON_ROOT, NOT),
    (own("=(runAsNonRoot)", True), NON_ROOT, NOT),
    (own("readOnlyRootFilesystem", True), "KA-DEP-017", DEMANDED),
    (own("readOnlyRootFilesystem", False), "KA-DEP-017", NOT),
    (own("=(runAsUser)", ">0"), USER, DEMANDED),
    (own("=(runAsUser)", "!0"), USER, DEMANDED),
    (own("=(runAsUser)", "1000-2000"), USER, DEMANDED),
    (own("=(runAsUser)", 0), USER, NOT),
    (own("=(runAsUser)", "<1"), USER, NOT),
    (own("=(runAsUser)", ">=0"), USER, POSSIBLE),
    (own("=(procMount)", "Default"), "KA-DEP-022", DEMANDED),
    (own("=(procMount)", "Unmasked"), "KA-DEP-022", NOT),
    (own("capabilities", {"drop": ["ALL"]}), "KA-DEP-012", DEMANDED),
    (own("capabilities", {"drop": ["!ALL"]}), "KA-DEP-012", NOT),
    (own("=(capabilities)", {"X(add)": "null"}), "KA-DEP-010", DEMANDED),
    (own("=(capabilities)", {"add": ["SYS_ADMIN"]}), "KA-DEP-010", NOT),
    (own("seccompProfile", {"type": "RuntimeDefault | Localhost"}), "KA-DEP-019", DEMANDED),
    (own("seccompProfile", {"type": "Unconfined"}), "KA-DEP-019", NOT),
    (own("=(seccompProfile)", {"=(type)": "!Unconfined"}), "KA-DEP-018", DEMANDED),
    ({"=(ports)": [{"=(hostPort)": 0}]}, "KA-DEP-008", DEMANDED),
    ({"=(ports)": [{"X(hostPort)": "null"}]}, "KA-DEP-008", DEMANDED),
    ({"=(ports)": [{"hostPort": ">0"}]}, "KA-DEP-008", NOT),
    ({"image": "!*:latest"}, "KA-BLD-007", DEMANDED),
    ({"image": "*:latest"}, "KA-BLD-007", NOT),
    ({"image": "*@sha256:*"}, "KA-BLD-008", DEMANDED),
    ({"(image)": "*:latest", "imagePullPolicy": "Always"}, "KA-BLD-021", DEMANDED),
    ({"(image)": "*:latest", "imagePullPolicy": "Never"}, "KA-BLD-021", NOT),
    ({"resources": {"limits": {"memory": "?*"}}}, "KA-DEP-028", DEMANDED),
    ({"resources": {"limits": {"X(memory)": None}}}, "KA-DEP-028", NOT),
]


@pytest.mark.parametrize(("node", "control", "expected"), PATTERNS)
def test_patterns_of_containers(node: Any, control: str, expected: str) -> None:
    assert told(pattern(node), control) == expected


PODS: list[tuple[dict[str, Any], str, str]] = [
    ({"=(hostPID)": "false"}, "KA-DEP-002", DEMANDED),
    ({"=(hostPID)": "true"}, "KA-DEP-002", NOT),
    ({"=(volumes)": [{"X(hostPath)": None}]}, "KA-DEP-005", DEMANDED),
    ({"=(volumes)": [{"X(hostPath)": "null"}]}, "KA-DEP-005", DEMANDED),
    ({"=(volumes)": [{"hostPath": "null"}]}, "KA-DEP-005", DEMANDED),
    ({"=(volumes)": [{"hostPath": "?*"}]}, "KA-DEP-005", NOT),
    ({"volumes": [{"hostPath": {"path": "/var/run/docker.sock"}}]}, "KA-DEP-007", NOT),
    ({"volumes": [{"=(hostPath)": {"path": "!/var/run/docker.sock"}}]}, "KA-DEP-007", DEMANDED),
    ({"automountServiceAccountToken": "false"}, "KA-DEP-074a", DEMANDED),
    ({"automountServiceAccountToken": "true"}, "KA-DEP-074a", NOT),
    ({"X(ephemeralContainers)": "null"}, "KA-RUN-008", DEMANDED),
]


@pytest.mark.parametrize(("spec", "control", "expected"), PODS)
def test_patterns_of_pods(spec: dict[str, Any], control: str, expected: str) -> None:
    assert told(pattern(**spec), control) == expected


def test_of_several_patterns_each_must_be_safe() -> None:
    def any_of(*values: str) -> str:
        branches = [{"spec": {"containers": [own("privileged", one)]}} for one in values]
        return told(RuleReader({}).reads({"anyPattern": branches}), PRIVILEGED)

    assert any_of("false") == DEMANDED
    assert any_of("false", "!true") == DEMANDED
    assert any_of("false", "true") == NOT


def test_a_pattern_that_says_nothing_lets_all_pass() -> None:
    safe = {"spec": {"containers": [own("privileged", "false")]}}
    found = RuleReader({}).reads({"anyPattern": [safe, {"metadata": {"name": "?*"}}]})
    assert told(found, PRIVILEGED) == POSSIBLE


PLACE = "request.object.spec.containers[].securityContext"
DENIED: list[tuple[str, str, Any, str, str]] = [
    ("privileged", "Equals", True, PRIVILEGED, DEMANDED),
    ("privileged", "Equals", "true", PRIVILEGED, DEMANDED),
    ("privileged", "AnyIn", [True], PRIVILEGED, DEMANDED),
    ("privileged", "AnyIn", [False], PRIVILEGED, NOT),
    ("privileged", "NotEquals", False, PRIVILEGED, DEMANDED),
    ("privileged", "NotEquals", True, PRIVILEGED, NOT),
    ("privileged", "Equals", False, PRIVILEGED, NOT),
    ("privileged", "AnyNotIn", [False], PRIVILEGED, DEMANDED),
    ("privileged", "AllNotIn", [True], PRIVILEGED, NOT),
    ("privileged", "Equals", "{{ request.userInfo.username }}", PRIVILEGED, POSSIBLE),
    ("runAsUser", "Equals", 0, USER, DEMANDED),
    ("runAsUser", "LessThan", 1, USER, DEMANDED),
    ("runAsUser", "GreaterThan", 0, USER, NOT),
    ("capabilities.add[]", "AnyNotIn", ["CHOWN", ""], "KA-DEP-010", DEMANDED),
    ("capabilities.add[]", "AnyIn", ["SYS_ADMIN", "CHOWN"], "KA-DEP-010", DEMANDED),
    ("capabilities.add[]", "AnyIn", ["CHOWN"], "KA-DEP-010", POSSIBLE),
    ("capabilities.add[]", "AnyNotIn", ["SYS_ADMIN"], "KA-DEP-010", NOT),
]


@pytest.mark.parametrize(("name", "operator", "value", "control", "expected"), DENIED)
def test_conditions(name: str, operator: str, value: Any, control: str, expected: str) -> None:
    one = {"key": f"{{{{ {PLACE}.{name} }}}}", "operator": operator, "value": value}
    for conditions in ({"any": [one]}, {"all": [one]}, [one]):
        found = RuleReader({}).reads({"deny": {"conditions": conditions}})
        assert told(found, control) == expected


def test_conditions_that_a_value_is_asked_of() -> None:
    for name, operator, expected in (
        ("ALL", "AnyNotIn", POSSIBLE),  # it cannot be told what it makes of what is not set
        ("ALL", "AnyIn", NOT),
    ):
        one = {"key": name, "operator": operator, "value": "{{ element.drop[] || `[]` }}"}
        loop = {
            "list": "request.object.spec.containers[].securityContext.capabilities",
            "deny": {"conditions": {"all": [one]}},
        }
        assert (
            told(RuleReader(context_of(None)).reads({"foreach": [loop]}), "KA-DEP-012") == expected
        )


def test_preconditions_of_loops_demand_nothing() -> None:
    one = {"key": "{{ element.securityContext.privileged }}", "operator": "Equals", "value": True}
    loop = {
        "list": "request.object.spec.containers",
        "preconditions": {"all": [one]},
        "deny": {"conditions": {"all": [one | {"key": "{{ element.name }}"}]}},
    }
    assert told(RuleReader({}).reads({"foreach": [loop]}), PRIVILEGED) == POSSIBLE


C = "c.securityContext.privileged"
CEL: list[tuple[str, str]] = [
    (f"{C} == false", DEMANDED),
    (f"{C} == true", NOT),
    (f"{C} != true", DEMANDED),
    (f"{C} != false", NOT),
    (f"false == {C}", DEMANDED),
    (f"!({C} == true)", DEMANDED),
    (f"!({C} == false)", NOT),
    (f"!({C} != false)", DEMANDED),
    (f"!{C}", DEMANDED),
    (f"!!{C}", NOT),
    (C, NOT),
    (f"({C} == true) == false", DEMANDED),
    (f"({C} == false) == false", NOT),
    (f"({C} == true) != true", DEMANDED),
    (f"!has(c.securityContext) || !has({C}) || {C} == false", DEMANDED),
    (f"!has(c.securityContext) || !has({C}) || {C} == true", NOT),
    (f"!(has(c.securityContext) && has({C}) && {C})", DEMANDED),
    (f"!(has(c.securityContext) && has({C}) && !{C})", NOT),
    (f"has({C}) ? {C} == false : true", DEMANDED),
    (f"has({C}) ? {C} : true", NOT),
    (f"{C} ? false : true", DEMANDED),
    (f"{C} ? true : false", NOT),
    (f"{C} ? c.name == 'a' : c.name == 'b'", POSSIBLE),
    (f"has({C})", POSSIBLE),
    (f"!has({C})", POSSIBLE),
    (f"{C} == params.allowed", DEMANDED),
    (f"{C} == c.name", POSSIBLE),
    (f"{C} in [false]", DEMANDED),
    (f"{C} in [true]", NOT),
    (f"!({C} in [true])", DEMANDED),
    ("c.?securityContext.?privileged.orValue(false) == false", DEMANDED),
    ("!c.?securityContext.?privileged.orValue(false)", DEMANDED),
    ("c.?securityContext.?privileged.orValue(true)", NOT),
    (f"[{C}].all(x, x == false)", DEMANDED),
    (f"[{C}].exists(x, x)", NOT),
    (f"[c].filter(x, x.{C[2:]}).size() == 0", DEMANDED),
    (f"[c].filter(x, !x.{C[2:]}).size() == 0", NOT),
    (f"size([c].filter(x, x.{C[2:]})) > 0", NOT),
    (f"[c].filter(x, x.{C[2:]}).all(x, x.name == 'a')", DEMANDED),
    (f"[c].filter(x, x.{C[2:]}).size() == 3", POSSIBLE),
    (f"[c].map(x, x.{C[2:]}).all(x, x == false)", DEMANDED),
    (f"![c].exists(x, x.{C[2:]})", DEMANDED),
    (f"![c].all(x, x.{C[2:]})", DEMANDED),
    (f"cel.bind(x, {C}, !x)", DEMANDED),
    (f"cel.bind(x, {C}, x)", NOT),
    *((f"c.securityContext.runAsUser {sign} 2 == 0 && !{C}", DEMANDED) for sign in "+-*/%"),
]


@pytest.mark.parametrize(("code", "expected"), CEL)
def test_cel(code: str, expected: str) -> None:
    found = cel_reads.reads_of([], [f"object.spec.containers.all(c, {code})"])
    assert told(found, PRIVILEGED) == expected


OTHER: list[tuple[str, str, str]] = [
    ("object.spec.volumes.all(v, !has(v.hostPath))", "KA-DEP-005", DEMANDED),
    ("object.spec.volumes.all(v, has(v.hostPath))", "KA-DEP-005", NOT),
    ("object.spec.securityContext.runAsUser > 0", USER, DEMANDED),
    ("0 < object.spec.securityContext.runAsUser", USER, DEMANDED),
    ("object.spec.securityContext.runAsUser == 0", USER, NOT),
    ("!(object.spec.securityContext.runAsUser > 0)", USER, NOT),
    ("object.spec.securityContext.procMount in ['Default']", "KA-DEP-022", DEMANDED),
    ("!(object.spec.securityContext.procMount in ['Default'])", "KA-DEP-022", NOT),
    ("size(object.spec.ephemeralContainers) == 0", "KA-RUN-008", DEMANDED),
    ("object.spec.ephemeralContainers.size() > 0", "KA-RUN-008", NOT),
    (
        "object.spec.containers.all(c, c.securityContext.capabilities.add.all(x, x in ['CHOWN']))",
        "KA-DEP-010",
        DEMANDED,
    ),
    (
        "object.spec.containers.all(c, c.securityContext.capabilities.add.exists(x, x == 'BPF'))",
        "KA-DEP-010",
        NOT,
    ),
    ("object.spec.containers.all(c, !c.image.endsWith(':latest'))", "KA-BLD-007", DEMANDED),
    ("object.spec.containers.all(c, c.image.endsWith(':latest'))", "KA-BLD-007", NOT),
    ("object.spec.containers.all(c, c.image.contains('@'))", "KA-BLD-008", DEMANDED),
]


@pytest.mark.parametrize(("code", "control", "expected"), OTHER)
def test_cel_of_other_fields(code: str, control: str, expected: str) -> None:
    assert told(cel_reads.reads_of([], [code]), control) == expected


def test_variables_of_cel_keep_the_direction() -> None:
    variables = [
        ("all", "object.spec.containers"),
        ("bad", "variables.all.filter(c, c.securityContext.privileged)"),
        ("any", "variables.bad.size() > 0"),
    ]
    assert told(cel_reads.reads_of(variables, ["!variables.any"]), PRIVILEGED) == DEMANDED
    assert told(cel_reads.reads_of(variables, ["variables.any"]), PRIVILEGED) == NOT
    assert told(cel_reads.reads_of(variables, ["size(variables.bad) == 0"]), PRIVILEGED) == DEMANDED
    variables.append(("negated", "!variables.any"))
    assert told(cel_reads.reads_of(variables, ["variables.negated"]), PRIVILEGED) == DEMANDED
    both = ["variables.any", "!variables.any"]
    assert told(cel_reads.reads_of(variables, both), PRIVILEGED) == POSSIBLE


REGO: list[tuple[str, str]] = [
    (C, DEMANDED),
    (f"not {C}", NOT),
    (f"{C} == true", DEMANDED),
    (f"{C} == false", NOT),
    (f"{C} != false", DEMANDED),
    (f"not {C} == false", DEMANDED),
    (f"not {C} == true", NOT),
    (f"{C} = true", DEMANDED),
    ("bad(c)", DEMANDED),
    ("not bad(c)", NOT),
    ("not good(c)", DEMANDED),
    ("good(c)", NOT),
    ("flag(c) == 1", POSSIBLE),
    (f"count([y | y := c; y.{C[2:]}]) == 0", POSSIBLE),
    ("bad(c) == false", POSSIBLE),
    (f"{C} == input.parameters.allowed", DEMANDED),
]


@pytest.mark.parametrize(("code", "expected"), REGO)
def test_rego(code: str, expected: str) -> None:
    found = rego_reads.reads_of(
        f"""package p
        violation[x] {{ c := input.review.object.spec.containers[_]; {code}; x := 1 }}
        bad(c) {{ {C} }}
        good(c) {{ {C} == false }}
        flag(c) = 1 {{ {C} }}
        """,
        [],
    )
    assert told(found, PRIVILEGED) == expected


# What is turned round never leaves a demand.

BOOLEANS = {
    "privileged": (PRIVILEGED, "false", "true"),
    "allowPrivilegeEscalation": (ESCALATION, "false", "true"),
    "runAsNonRoot": (NON_ROOT, "true", "false"),
    "readOnlyRootFilesystem": ("KA-DEP-017", "true", "false"),
}
fields = st.sampled_from(sorted(BOOLEANS))


@st.composite
def holding(draw: st.DrawFn, place: str, value: str, other: str, depth: int = 3) -> str:
    """CEL that holds where a place has a value, with words of no meaning around it."""
    plain = [f"{place} == {value}", f"{value} == {place}", f"{place} != {other}"]
    plain.append(place if value == "true" else f"!{place}")
    if depth == 0:
        return draw(st.sampled_from(plain))
    inner = draw(holding(place, value, other, depth - 1))
    opposite = draw(holding(place, other, value, depth - 1))
    shapes = [
        inner,
        f"({inner})",
        f"!({opposite})",
        f"({opposite}) == false",
        f"({inner}) == true",
        f"c.name != 'a' && ({inner})",
        f"!has({place}) || ({inner})",
        f"has({place}) ? ({inner}) : true",
        f"({opposite}) ? false : true",
        f"[c].all(c, {inner})",
        f"![c].exists(c, {opposite})",
        f"[c].filter(c, {opposite}).size() == 0",
        f"size([c].filter(c, {opposite})) < 1",
    ]
    return draw(st.sampled_from(shapes))


@given(st.data(), fields, st.integers(0, 3))
def test_cel_that_is_turned_round(data: st.DataObject, name: str, depth: int) -> None:
    control, safe, unsafe = BOOLEANS[name]
    place = f"c.securityContext.{name}"
    whole = f"has({place}) && " if control != PRIVILEGED else ""

    def of(code: str) -> str:
        found = cel_reads.reads_of([], [f"object.spec.containers.all(c, {whole}({code}))"])
        return told(found, control)

    code = data.draw(holding(place, safe, unsafe, depth))
    assert of(code) != NOT
    assert of(f"!({code})") != DEMANDED
    assert of(data.draw(holding(place, unsafe, safe, depth))) == NOT


VALUES = st.sampled_from(["true", "false", "?*", "", "x", ">0"])


@given(fields, st.lists(VALUES, min_size=1, max_size=3), st.booleans())
def test_patterns_that_are_turned_round(name: str, values: list[str], negated: bool) -> None:
    control, _, unsafe = BOOLEANS[name]

    def of(*parts: str) -> str:
        sign, joint = ("!", " & ") if negated else ("", " | ")
        text = joint.join(sign + one for one in parts)
        return told(pattern(own(name, text)), control)

    turned = {"true": "false", "false": "true"}
    if of(*values) == DEMANDED:
        assert of(*(turned.get(one, one) for one in values)) != DEMANDED
    if (unsafe in values) != negated and unsafe in values:
        assert of(*values) != DEMANDED


ANY = st.sampled_from(
    ["true", "false", "0", ">0", "<1", "*", "ALL", "SYS_ADMIN", "Default", "x:latest"]
)
NAMED = st.sampled_from(
    [
        *("spec.hostPID", "securityContext.runAsNonRoot", "securityContext.runAsUser", "image"),
        *("securityContext.capabilities.add[]", "securityContext.procMount", "ports[].hostPort"),
    ]
)


@given(NAMED, ANY)
def test_to_accept_and_to_refuse_is_never_both_safe(field: str, value: str) -> None:
    assert not (direction(field, True, value) and direction(field, False, value))
