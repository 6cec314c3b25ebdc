"""Label selectors as Kubernetes reads them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaudit.selectors import keys_of, selector

LABELS = {"app": "web", "tier": "", "env": "prod=eu"}


def selected(labels: dict[str, str], text: str) -> bool:
    return selector(text)(labels)


def expression(key: str, operator: str, *values: str) -> str:
    found = {"key": key, "operator": operator} | ({"values": list(values)} if values else {})
    return json.dumps({"matchExpressions": [found]})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", True),
        ('{"matchLabels": {}}', True),
        ('{"matchLabels": null, "matchExpressions": null}', True),
        ('{"matchLabels": {"app": "web"}}', True),
        ('{"matchLabels": {"app": "we"}}', False),
        ('{"matchLabels": {"ap": "web"}}', False),
        ('{"matchLabels": {"app": "web", "tier": ""}}', True),
        ('{"matchLabels": {"app": "web", "tier": "x"}}', False),
        ('{"matchLabels": {"tier": null}}', True),
        ('{"matchLabels": {"env": "prod=eu"}}', True),
        (expression("app", "In", "db", "web"), True),
        (expression("app", "In", "db"), False),
        (expression("app", "In"), False),
        (expression("none", "In", "web"), False),
        (expression("app", "NotIn", "db"), True),
        (expression("app", "NotIn", "web"), False),
        (expression("none", "NotIn", "web"), True),
        (expression("tier", "In", ""), True),
        (expression("app", "Exists"), True),
        (expression("tier", "Exists"), True),
        (expression("none", "Exists"), False),
        (expression("none", "DoesNotExist"), True),
        (expression("app", "DoesNotExist"), False),
        (expression("app", "Gt", "1"), False),
        (expression("app", "in", "web"), False),
    ],
)
def test_selection(text: str, expected: bool) -> None:
    assert selected(LABELS, text) is expected


def test_all_terms_must_hold() -> None:
    both: dict[str, Any] = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [
            {"key": "tier", "operator": "Exists"},
            {"key": "env", "operator": "NotIn", "values": ["test"]},
        ],
    }
    assert selected(LABELS, json.dumps(both))
    both["matchExpressions"][1]["values"] = ["prod=eu"]
    assert not selected(LABELS, json.dumps(both))


def test_a_key_that_begins_another_is_another() -> None:
    assert not selected({"app.kubernetes.io/name": "web"}, expression("app", "Exists"))
    assert selected({"a": "b", "a.b": "c"}, expression("a.b", "In", "c"))


def test_no_labels() -> None:
    assert selected({}, "{}")
    assert not selected({}, '{"matchLabels": {"app": "web"}}')
    assert selected({}, expression("app", "NotIn", "web"))


def test_a_selector_is_decoded_once() -> None:
    assert selector('{"matchLabels":{"a":"b"}}') is selector('{"matchLabels":{"a":"b"}}')


def test_keys_that_it_asks_for() -> None:
    both = '{"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "Exists"}]}'
    assert keys_of(both) == {"a", "b"}
    assert keys_of("{}") == frozenset()


keys = st.sampled_from(["a", "b", "c"])
values = st.sampled_from(["x", "y", ""])
terms = st.tuples(
    keys, st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]), st.lists(values, max_size=2)
)


@given(st.dictionaries(keys, values), st.lists(terms, max_size=3))
def test_against_the_documented_meaning(
    labels: dict[str, str], wanted: list[tuple[str, str, list[str]]]
) -> None:
    def holds(key: str, operator: str, among: list[str]) -> bool:
        return {
            "In": key in labels and labels.get(key) in among,
            "NotIn": not (key in labels and labels.get(key) in among),
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }[operator]

    text = json.dumps(
        {"matchExpressions": [{"key": k, "operator": o, "values": v} for k, o, v in wanted]}
    )
    expected = all(holds(*term) for term in wanted)
    assert selected(labels, text) is expected
    assert keys_of(text) == {key for key, _, _ in wanted}
    known = {key: value for key, value in labels.items() if key in keys_of(text)}
    assert selected(known, text) is expected, "it looks at no other label"


@given(st.dictionaries(keys, values), st.dictionaries(keys, values))
def test_labels_select_their_supersets(labels: dict[str, str], wanted: dict[str, str]) -> None:
    assert selected(labels, json.dumps({"matchLabels": wanted})) is (
        wanted.items() <= labels.items()
    )
