"""What stands in the place of objects: a server's refusal, a table, and what is nested too deeply."""

from pathlib import Path

import pytest

from kaudit.collect import collect
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
