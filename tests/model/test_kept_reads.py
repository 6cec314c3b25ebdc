"""Code that reads more of an object than was kept of it is noticed, and what cannot be read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaudit.model.kept_policies import on_secrets, policy_holds, template_holds
from kaudit.model.kept_reads import Kept, cel_holds, lookups_hold, rego_holds

ALL = Kept()


@pytest.mark.parametrize(
    ("code", "holds"),
    [
        ("object.type != 'x'", True),
        ("object.?type.orValue('') != 'x'", True),
        ("has(object.metadata) && has(object.metadata.labels)", True),
        ("'team' in object.metadata.labels", True),
        ("object.metadata.labels.all(key, key.size() < 9)", True),
        ("object.metadata['name'].startsWith('a')", True),
        ("object.metadata.annotations['kubernetes.io/service-account.name'] == 'a'", True),
        ("object.metadata.annotations['example.org/copy'] == 'a'", False),
        ("object.metadata.annotations['reconcile.external-secrets.io/data-hash'] == 'a'", False),
        ("object.metadata.annotations[params.name] == 'a'", False),
        ("has(object.metadata.annotations)", False),
        ("has(object.data)", False),
        ("object.data.all(key, key.size() < 9)", False),
        ("object['data'].size() > 0", False),
        ("object[params.field].size() > 0", False),
        ("object.stringData.password != 'x'", False),
        ("object == oldObject", False),
        ("dyn(object).data.size() > 0", False),
        ("(has(request.x) ? object : oldObject).type == 'x'", False),
        ("request.object.type == 'x' && request.operation == 'CREATE'", True),
        ("request.object.data.size() > 0", False),
        ("string(request) != ''", False),
        ("variables.anyObject.metadata.name == 'x'", True),
        ("variables.anyObject.data.size() > 0", False),
        ("variables.owned && params.allowed.size() > 0", True),
        ("object.immutable", False),
        ("object.type == ", False),
    ],
)
def test_cel(code: str, holds: bool) -> None:
    assert cel_holds([code], ALL) is holds


@pytest.mark.parametrize(
    ("code", "holds"),
    [
        ('input.review.object.metadata.labels["team"]', True),
        ("provided := {label | input.review.object.metadata.labels[label]}", True),
        ('object.get(input.review.object, ["metadata", "labels"], {}) == {}', True),
        ('object.get(input.review.object, "data", {}) == {}', False),
        ("object.get(input.review.object, input.parameters.path, {}) == {}", False),
        ("not input.review.object.metadata.labels.team", True),
        ("not input.review.object.data", False),
        ('input.review.kind.kind == "Secret"; input.review.object.type == "x"', True),
        ("one := input.review.object; one.metadata.name", False),
        ("input.review[part].data", False),
        ("walk(input, [path, value])", False),
        ("input.review.object.stringData[_]", False),
        ("input.parameters.labels[_].key", True),
        ("data[name]", False),
        ("input.review.object.type ==", False),
    ],
)
def test_rego(code: str, holds: bool) -> None:
    assert rego_holds([f"package p\nviolation[x] {{ {code} }}"], ALL) is holds


def test_an_import_of_the_object_is_one_of_all_of_it() -> None:
    code = "package p\nimport input.review.object as one\nviolation[x] { one.metadata.name }"
    assert not rego_holds([code], ALL)
    assert rego_holds([code.replace(".review.object", ".parameters")], ALL)


@pytest.mark.parametrize(
    ("code", "given", "unread"),
    [
        ('data.inventory.namespace[n]["v1"]["Secret"][x].type == "t"', True, False),
        ('data.inventory.namespace[n]["v1"].Secret[x].data.k', False, False),
        ('one := data.inventory.namespace[n]["v1"]["Secret"][x]', False, False),
        ("one := data.inventory.namespace[n][v][kind][x]", False, True),
        ("not data.inventory.namespace[n][v][input.parameters.kind][x]", True, True),
        ('one := data.inventory.namespace[n]["apps/v1"][kind][x]', True, True),
        ('one := data.inventory.namespace[n][v]["Ingress"][x]', True, True),
        ('one := data.inventory.cluster["v1"]["Namespace"][x]', True, True),
        ("one := data.inventory", False, True),
        ("one := data.lib.found", True, True),
    ],
)
def test_what_is_looked_up(code: str, given: bool, unread: bool) -> None:
    module = f"package p\nviolation[y] {{ {code} }}"
    assert (lookups_hold([module], ALL), lookups_hold([module], None)) == (given, unread)


def rule(**parts: Any) -> dict[str, Any]:
    whole = {"name": "r", "match": {"any": [{"resources": {"kinds": ["Secret"]}}]}}
    return {"spec": {"rules": [whole | parts]}}


def denied(key: str) -> dict[str, Any]:
    condition = {"key": key, "operator": "Equals", "value": "x"}
    return rule(validate={"deny": {"conditions": {"any": [condition]}}})


@pytest.mark.parametrize(
    ("policy", "holds"),
    [
        (rule(validate={"pattern": {"type": "!x"}}), True),
        (rule(validate={"pattern": {"=(type)": "!x", "metadata": {"labels": {"a*": "?*"}}}}), True),
        (rule(validate={"pattern": {"data": {"k": "?*"}}}), False),
        (rule(validate={"pattern": {"X(stringData)": "null"}}), False),
        (rule(validate={"pattern": {"(*ata)": {"k": "?*"}}}), False),
        (rule(validate={"pattern": {"metadata": {"annotations": {"*/owner": "?*"}}}}), False),
        (rule(validate={"pattern": {"metadata": {"annotations": {"a/owner": "?*"}}}}), True),
        (rule(validate={"pattern": {"type": "$(./../data/k)"}}), False),
        (rule(validate={"pattern": {"type": "{{ request.object.data.k }}"}}), False),
        (rule(validate={"pattern": {"type": "{{ [request.object.data] }}"}}), False),
        (rule(validate={"pattern": {"type": "{{ * }}"}}), False),
        (rule(validate={"pattern": {"type": "{{ @ }}{{ length('{{ @ }}') }}"}}), True),
        (rule(validate={"anyPattern": [{"type": "x"}, {"data": {"k": "x"}}]}), False),
        (rule(validate={"podSecurity": {"level": "baseline"}}), False),
        (rule(validate={"assert": {"data": {}}}), False),
        (rule(validate={"pattern": {"type": "x"}}, surprise={}), False),
        (denied("{{ request.object.type }}"), True),
        (denied("{{ request.object.metadata.labels.team || '' }}"), True),
        (denied("{{ request.object.metadata.labels | keys(@) | length(@) }}"), True),
        (denied("{{ keys(request.object.data) }}"), False),
        (denied("{{ request.object }}"), False),
        (denied("{{ request.object.metadata | to_string(@) }}"), False),
        (denied("{{ request.object.{a: type, b: data} }}"), False),
        (denied("{{ request.*.data }}"), False),
        (denied("{{ @ }}"), False),
        (denied('{{ request."object".data }}'), False),
        (denied("{{ request.{{ part }}.data }}"), False),
        (denied("{{ request.object.metadata.{{ part }} }}"), False),
        (denied("{{ request.namespace }} {{ images }}"), True),
        (denied("{{ request.object.type"), False),
        (
            rule(
                context=[{"name": "one", "variable": {"jmesPath": "request.object"}}],
                validate={"pattern": {"type": "x"}},
            ),
            False,
        ),
        (
            rule(
                context=[{"name": "one", "variable": {"value": {"a": 1}, "jmesPath": "a"}}],
                validate={"pattern": {"type": "x"}},
            ),
            True,
        ),
        (rule(validate={"foreach": [{"list": "request.object.data", "deny": {}}]}), False),
        (
            rule(
                validate={
                    "foreach": [
                        {"list": "keys(request.object.metadata.labels)", "pattern": {"a": "x"}}
                    ]
                }
            ),
            True,
        ),
        (rule(validate={"cel": {"expressions": [{"expression": "object.type == 'x'"}]}}), True),
        (rule(validate={"cel": {"expressions": [{"expression": "has(object.data)"}]}}), False),
        (rule(celPreconditions=[{"name": "a", "expression": "has(object.data)"}]), False),
        (rule(match={"resources": {"annotations": {"*": "x"}}}), False),
        (rule(exclude={"any": [{"resources": {"annotations": {"a/b": "x"}}}]}), False),
        ({"spec": {"validations": [{"expression": "object.type == 'x'"}]}}, True),
        ({"spec": {"variables": [{"name": "a", "expression": "object"}]}}, False),
        ({"spec": {"matchConditions": [{"expression": "size(object.data) > 1"}]}}, False),
    ],
)
def test_rules_of_kyverno(policy: dict[str, Any], holds: bool) -> None:
    assert policy_holds(policy, ALL) is holds


def test_what_was_not_read_of_a_secret_is_not_kept() -> None:
    selected = rule(match={"resources": {"selector": {"matchLabels": {"a": "b"}}}})
    assert policy_holds(selected, ALL)
    assert not policy_holds(selected, Kept(labels=False))
    assert not cel_holds(["object.type == 'x'"], Kept(type=False))
    assert Kept(labels=False) & Kept(type=False) == Kept(labels=False, type=False)


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"match": {"kinds": [{"apiGroups": [""], "kinds": ["Secret"]}]}}, (True, True)),
        ({"match": {"kinds": [{"apiGroups": ["*"], "kinds": ["*"]}]}}, (True, False)),
        ({"match": {"kinds": [{"apiGroups": ["apps"], "kinds": ["*"]}]}}, (False, False)),
        ({}, (True, False)),
        (rule(match={"resources": {"kinds": ["v1/Secret"]}})["spec"], (True, True)),
        (rule(match={"resources": {"kinds": ["Sec*"]}})["spec"], (True, False)),
        (rule(match={"resources": {"kinds": ["*/*"]}})["spec"], (True, False)),
        (rule(match={"resources": {"kinds": ["Pod", "apps/v1/*"]}})["spec"], (False, False)),
        (
            {
                "matchConstraints": {
                    "resourceRules": [{"apiGroups": [""], "resources": ["secrets"]}]
                }
            },
            (True, True),
        ),
        (
            {"matchConstraints": {"resourceRules": [{"apiGroups": ["apps"], "resources": ["*"]}]}},
            (False, False),
        ),
    ],
)
def test_whether_secrets_are_matched(spec: dict[str, Any], told: tuple[bool, bool]) -> None:
    assert on_secrets({"spec": spec}) == told


def test_code_of_an_engine_that_is_not_known_may_read_anything() -> None:
    source = {"validations": [{"expression": "object.type == 'x'"}]}

    def made(engine: str) -> dict[str, Any]:
        return {"spec": {"targets": [{"code": [{"engine": engine, "source": source}]}]}}

    assert template_holds(made("K8sNativeValidation"), ALL)
    assert not template_holds(made("Wasm"), ALL)
    assert not template_holds({"spec": {"targets": []}}, ALL)


NAMES = st.sampled_from(["object", "metadata", "labels", "data", "type", "a", "request"])
CHAINS = st.lists(NAMES, min_size=1, max_size=4).map(".".join)


@given(st.lists(CHAINS, min_size=1, max_size=3), st.sampled_from([" == ", " in ", " && "]))
def test_no_expression_that_names_values_holds(chains: list[str], sign: str) -> None:
    if any(".data" in f".{chain}" and "object" in chain.split(".")[:2] for chain in chains):
        before = [chain.split(".data")[0] for chain in chains]
        if any(one in ("object", "request.object") for one in before):
            assert not cel_holds([sign.join(chains)], ALL)
