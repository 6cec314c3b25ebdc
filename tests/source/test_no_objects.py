"""What stands in the place of objects: a server's refusal, a table, and what is nested too deeply."""

from pathlib import Path

import pytest

from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.errors import InputError
from kaudit.model.words import Status
from kaudit.registry import find_control
from kaudit.source.files import FileSource

GOOD = '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"good"},"spec":{"containers":[]}}'
DEEP = (
    '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"deep","labels":'
    + '{"a":' * 50_000
    + "1"
    + "}" * 50_000
    + '},"spec":{}}'
)
REFUSED = '{"apiVersion":"v1","kind":"Status","status":"Failure","message":"pods is forbidden"}'
TABLE = '{"apiVersion":"meta.k8s.io/v1","kind":"Table","rows":[]}'


@pytest.mark.parametrize(
    ("text", "pods", "told"),
    [
        (DEEP, 0, "a.json: nested too deeply, and refused"),
        (
            f'{{"apiVersion":"v1","kind":"List","items":[{GOOD},{DEEP}]}}',
            1,
            "item 2 of document 1 of a.json: nested too deeply, and refused",
        ),
        (REFUSED, 0, "a.json: document 1 is no object but a refusal: pods is forbidden"),
        (TABLE, 0, "a.json: document 1 is a Table to be printed; give the objects (-o json)"),
    ],
)
def test_it_is_told_and_the_rest_is_read(text: str, pods: int, told: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    (tmp_path / "b.json").write_text(
        '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"n"}}'
    )
    evidence = collect(FileSource(tmp_path))
    assert len(evidence["pods"]) == pods
    assert len(evidence["namespaces"]) == 1
    assert told in [gap.detail for gap in evidence.gaps if gap.failed]


def test_what_a_collector_cannot_walk_costs_its_object_alone(tmp_path: Path) -> None:
    nested = '{"a":' * 600 + "1" + "}" * 600
    policy = (
        '{"apiVersion":"kyverno.io/v1","kind":"ClusterPolicy","metadata":{"name":"deep"},'
        f'"spec":{{"rules":[{{"name":"r","mutate":{{"patchStrategicMerge":{nested}}}}}]}}}}'
    )
    (tmp_path / "a.json").write_text(policy)
    (tmp_path / "b.json").write_text(GOOD)
    evidence = collect(FileSource(tmp_path))
    assert len(evidence["pods"]) == 1
    (gap,) = (gap for gap in evidence.gaps if gap.failed)
    assert (gap.what, gap.detail) == (
        "ClusterPolicy deep",
        "document 1 of a.json: nested too deeply, and refused",
    )


POLICIES = '"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicyList","metadata":{}'


@pytest.mark.parametrize("items", ['"items":[]', '"items":null'])
@pytest.mark.parametrize("head", [POLICIES, "apiVersion: networking.k8s.io/v1"])
def test_a_list_of_nothing_tells_that_there_is_nothing(
    items: str, head: str, tmp_path: Path
) -> None:
    yaml = f"{head}\nkind: NetworkPolicyList\n{items.replace(chr(34), '').replace(':', ': ')}\n"
    (tmp_path / "a.yaml").write_text(yaml if head[0] == "a" else f"{{{head},{items}}}")
    (tmp_path / "b.json").write_text(GOOD)
    gaps = collect(FileSource(tmp_path)).gaps
    assert not [gap for gap in gaps if "network_policies" in gap.tables]


def test_a_list_whose_items_are_gone_tells_of_its_kind_alone(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(f"{{{POLICIES}}}")
    (tmp_path / "b.json").write_text(GOOD)
    evidence = collect(FileSource(tmp_path))
    (gap,) = (gap for gap in evidence.gaps if gap.failed)
    assert (gap.kind, gap.tables) == ("NetworkPolicy", ("network_policies", "network_policy_rules"))
    assert gap.detail == (
        "a.json: document 1 is a NetworkPolicyList without items; "
        "write items: [] where there are none"
    )
    found = assess(evidence, [find_control("KA-NET-004")]).iter_results()
    assert {result.status for result in found} == {Status.NOT_ASSESSED}


def test_a_list_of_any_kind_whose_items_are_gone_may_have_held_all(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"apiVersion":"v1","kind":"List"}')
    (tmp_path / "b.json").write_text(GOOD)
    evidence = collect(FileSource(tmp_path))
    (gap,) = (gap for gap in evidence.gaps if gap.failed)
    assert {"pods", "roles", "secrets"} <= {*gap.tables}


def test_kinds_that_nobody_reads_may_be_called_lists(tmp_path: Path) -> None:
    texts = ('{"apiVersion":"a.example/v1","kind":"AllowList"}', GOOD)
    for name, text in zip(("a.json", "b.json"), texts, strict=True):
        (tmp_path / name).write_text(text)
    assert not [gap for gap in collect(FileSource(tmp_path)).gaps if gap.failed]


def test_only_a_list_whose_items_are_gone_is_nothing_to_judge(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(f"{{{POLICIES}}}")
    with pytest.raises(InputError, match="is a NetworkPolicyList without items"):
        collect(FileSource(tmp_path), strict=True)
