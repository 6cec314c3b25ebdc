"""What code of policies reads: followed, not searched for words."""

from __future__ import annotations

import pytest

from kaudit.model import cel_reads, rego_reads
from kaudit.model.kyverno_reads import RuleReader, context_of
from kaudit.model.reads import Reads

ALL = ("containers", "ephemeralContainers", "initContainers")


def rego(body: str, *libs: str) -> Reads:
    return rego_reads.reads_of(f"package p\n{body}", libs)


def cel(code: str, **variables: str) -> Reads:
    return cel_reads.reads_of(variables.items(), [code])


REGO = {
    "a list as it is": (
        """violation[{"msg": m}] { input.review.object.spec.containers[_].image == "x"; m := "a" }""",
        ("containers",),
        ("image",),
    ),
    "words in comments and texts": (
        """# input.review.object.spec.initContainers[_]
        violation[{"msg": m}] {
          c := input.review.object.spec.containers[i]
          c.tty
          m := "spec.ephemeralContainers[_]"
        }""",
        ("containers",),
        ("tty",),
    ),
    "a rule that nothing asks for": (
        """violation[x] { x := input_containers[_].tty }
        input_containers[c] { c := input.review.object.spec.containers[_] }
        others[c] { c := input.review.object.spec.initContainers[_] }""",
        ("containers",),
        ("tty",),
    ),
    "names in a list": (
        """violation[x] {
          name := ["containers", "initContainers"][_]
          x := input.review.object.spec[name][_].securityContext.privileged
        }""",
        ("containers", "initContainers"),
        ("securityContext.privileged",),
    ),
    "what a rule is asked for": (
        """violation[{"msg": m}] { general[{"msg": m, "field": "initContainers"}] }
        general[{"msg": m, "field": field}] { m := input.review.object.spec[field][_].tty }""",
        ("initContainers",),
        ("tty",),
    ),
    "every member": (
        """violation[x] { x := input.review.object.spec[_][_].image }""",
        ALL,
        ("image",),
    ),
    "object.get, with a default and with a path": (
        """violation[x] {
          spec := object.get(input.review.object, ["spec", "template", "spec"], {})
          some c in array.concat(object.get(spec, "containers", []),
                                 object.get(spec, "ephemeralContainers", []))
          x := c.securityContext.runAsUser
        }""",
        ("containers", "ephemeralContainers"),
        ("securityContext.runAsUser",),
    ),
    "Rego of version 1": (
        """import rego.v1
        violation contains {"msg": m} if {
          some c in all_containers
          not c.readinessProbe
          m := sprintf("%v", [c.name])
        }
        all_containers contains c if some c in input.review.object.spec.containers
        all_containers contains c if { c := input.review.object.spec.initContainers[_] }""",
        ("containers", "initContainers"),
        ("name", "readinessProbe"),
    ),
    "comprehensions, every and else": (
        """violation[x] {
          bad := {c.name | c := input.review.object.spec.containers[_]; not good(c)}
          x := bad[_]
        }
        good(c) { c.image == "a" } else { every p in c.ports { p.hostPort == 0 } }""",
        ("containers",),
        ("image", "name", "ports[].hostPort"),
    ),
    "walk": ("violation[x] { walk(input.review.object, [x, v]); v.privileged }", ALL, None),
}


@pytest.mark.parametrize("case", REGO)
def test_rego(case: str) -> None:
    code, lists, fields = REGO[case]
    found = rego(code)
    assert (found.known, found.lists) == (True, lists)
    assert fields is None or found.fields == fields


def test_libraries_of_rego() -> None:
    lib = "package lib.c\nall[c] { c := input.review.object.spec.initContainers[_] }\n"
    found = rego("import data.lib.c\nviolation[x] { x := c.all[_].tty }", lib)
    assert (found.lists, found.fields) == (("initContainers",), ("tty",))
    found = rego("import data.lib.c.all as it\nviolation[x] { x := it[_].tty }", lib)
    assert found.lists == ("initContainers",)


def test_parameters_of_rego() -> None:
    found = rego(
        """violation[x] {
          object.get(input.parameters, "one", 1) == 2
          x := input.parameters.two[_]
        }"""
    )
    assert found.unused(["one", "three", "two"]) == ["three"]
    assert rego("violation[x] { x := input.parameters[_] }").unused(["a"]) == []


@pytest.mark.parametrize(
    "code",
    ["violation[", "allow { true }", "violation[x] { x := input.review.object.spec[input.x] }"],
)
def test_rego_that_cannot_be_followed(code: str) -> None:
    assert rego(code).known is False


CEL = {
    "a list as it is": ("object.spec.containers.all(c, has(c.tty))", {}, ("containers",), ("tty",)),
    "optional parts": (
        "(object.spec.containers + object.spec.?initContainers.orValue([])).exists(c, c[?'tty'])",
        {},
        ("containers", "initContainers"),
        ("tty",),
    ),
    "variables that are used": (
        "variables.all.all(c, c.image.startsWith('a'))",
        {
            "all": "variables.pod.containers + variables.pod.ephemeralContainers",
            "pod": "object.kind == 'Pod' ? object.spec : object.spec.template.spec",
            "unused": "object.spec.initContainers",
        },
        ("containers", "ephemeralContainers"),
        ("image", "kind"),
    ),
    "texts and comments": (
        "object.spec.hostPID == false // object.spec.initContainers\n || 'spec.containers' == ''",
        {},
        (),
        ("spec.hostPID",),
    ),
    "made lists": (
        "[object.spec.containers, object.spec.initContainers].all(l, l.all(c, c.stdin != true))",
        {},
        ("containers", "initContainers"),
        ("stdin",),
    ),
    "filter and map": (
        "object.spec.containers.filter(c, c.tty).map(c, c.name).size() == 0",
        {},
        ("containers",),
        ("name", "tty"),
    ),
}


@pytest.mark.parametrize("case", CEL)
def test_cel(case: str) -> None:
    code, variables, lists, fields = CEL[case]
    found = cel(code, **variables)
    assert (found.known, found.lists, found.fields) == (True, lists, fields)


PRIVILEGE = "securityContext.allowPrivilegeEscalation"
UNSET = {
    "has(c.securityContext) && has(c.securityContext.allowPrivilegeEscalation)": (PRIVILEGE,),
    "!has(c.securityContext) || c.securityContext.allowPrivilegeEscalation == false": (),
    "c.?securityContext.?allowPrivilegeEscalation.orValue(true) == false": (PRIVILEGE,),
    "c.?securityContext.?allowPrivilegeEscalation.orValue(false) == false": (),
    "c.?securityContext.?allowPrivilegeEscalation.orValue('a') in ['a', 'b']": (),
    "c.?securityContext.?allowPrivilegeEscalation.orValue([]).exists(x, x == 'a')": (
        f"{PRIVILEGE}[]",
    ),
    "c.?securityContext.?allowPrivilegeEscalation.orValue([]).all(x, x == 'a')": (),
    "has(c.securityContext.allowPrivilegeEscalation) ? c.image != 'a' : true": (),
    "has(c.resources.limits) && 'memory' in c.resources.limits": ("resources.limits.memory",),
    "!('memory' in c.resources.limits)": None,
    "c.securityContext.allowPrivilegeEscalation == false": None,
    "c.?securityContext.?allowPrivilegeEscalation.orValue(1) > params.x": None,
    "[c].filter(x, has(x.securityContext.allowPrivilegeEscalation)).size() == 1": None,
}


@pytest.mark.parametrize("code", UNSET)
def test_what_cel_makes_of_a_field_that_is_not_set(code: str) -> None:
    assert cel(f"object.spec.containers.all(c, {code})").required == UNSET[code]


REFUSED = {
    "not c.securityContext.allowPrivilegeEscalation == false": (PRIVILEGE,),
    "c.securityContext.allowPrivilegeEscalation": (),
    "not fine(c)": (PRIVILEGE,),
    "bad(c)": (PRIVILEGE,),
    "count({x | x := c.securityContext.allowPrivilegeEscalation}) == 0": None,
    'object.get(c.securityContext, "allowPrivilegeEscalation", true)': None,
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_rego_makes_of_a_field_that_is_not_set(code: str) -> None:
    found = rego(
        f"""violation[x] {{ c := input.review.object.spec.containers[_]; {code}; x := 1 }}
        fine(c) {{ c.securityContext.allowPrivilegeEscalation == false }}
        bad(c) {{ not c.securityContext.allowPrivilegeEscalation == false }}"""
    )
    assert found.required == REFUSED[code]


def test_cel_that_cannot_be_followed() -> None:
    assert cel("object.spec.(").known is False
    assert cel("variables.a", a="variables.b", b="variables.a").known is False
    assert cel("object.spec[params.x].all(c, c.y)").known is False


PATTERN = {
    "spec": {
        "=(initContainers)": [{"image": "a/* | b/*"}],
        "containers": [{"(name)": "x", "=(securityContext)": {"privileged": "false"}}],
        "hostPID": "false",
    }
}


def test_patterns() -> None:
    found = RuleReader({}).reads({"pattern": PATTERN})
    assert found.lists == ("containers", "initContainers")
    assert found.fields == ("image", "name", "securityContext.privileged", "spec.hostPID")
    assert found.required == ("spec.hostPID",)


JMESPATH = {
    "request.object.spec.[containers, initContainers][].image": (
        ("containers", "initContainers"),
        ("image",),
    ),
    "request.object.spec.containers[?tty].name | [0]": (("containers",), ("name", "tty")),
    "request.object.spec.containers[*].securityContext.capabilities.add[]": (
        ("containers",),
        ("securityContext.capabilities.add[]",),
    ),
    "length(request.object.spec.ephemeralContainers || `[]`)": (
        ("ephemeralContainers",),
        ("spec.ephemeralContainers",),
    ),
    "images.[containers, ephemeralContainers][].*.registry[]": (
        ("containers", "ephemeralContainers"),
        ("image",),
    ),
    "map(&image, request.object.spec.containers)": (("containers",), ("image",)),
    "'request.object.spec.containers'": ((), ()),
}


@pytest.mark.parametrize("code", JMESPATH)
def test_jmespath(code: str) -> None:
    lists, fields = JMESPATH[code]
    deny = {"conditions": {"any": [{"key": f"{{{{ {code} }}}}", "operator": "Equals", "value": 1}]}}
    found = RuleReader({}).reads({"deny": deny})
    assert (found.known, found.lists, found.fields) == (True, lists, fields)


def test_loops_and_their_variables() -> None:
    context = context_of(
        [{"name": "all", "variable": {"jmesPath": "request.object.spec.containers[]"}}]
    )
    loop = {
        "list": "all",
        "context": [{"name": "own", "variable": {"value": "{{ element.image }}"}}],
        "deny": {"conditions": {"all": [{"key": "{{ own }}", "operator": "Equals", "value": "x"}]}},
    }
    found = RuleReader(context).reads({"foreach": [loop]})
    assert (found.known, found.lists, found.fields) == (True, ("containers",), ("image",))


def test_expressions_in_expressions() -> None:
    code = "{{ divide('{{ request.object.spec.containers[0].image }}', '1') }} {{ a.{b: c} }}"
    found = RuleReader({}).reads({"deny": {"conditions": [{"key": code, "operator": "Equals"}]}})
    assert (found.known, found.lists, found.fields) == (True, ("containers",), ("image",))
    code = "{{ request.object.spec.{{ request.operation }} }}"
    found = RuleReader({}).reads({"deny": {"conditions": [{"key": code, "operator": "Equals"}]}})
    assert found.known is False
    code = "{{ request.object.spec"
    assert RuleReader({}).reads({"deny": {"conditions": [{"key": code}]}}).known is False


def test_images_of_image_policies() -> None:
    found = cel("images.containers.map(i, verifyImageSignatures(i, [attestors.a])).all(e, e > 0)")
    assert (found.known, found.lists, found.fields) == (True, ("containers",), ("image",))
