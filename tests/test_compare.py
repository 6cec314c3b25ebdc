"""What became of findings: nothing that one side could not see is new, fixed or gone."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kaudit as ka
from kaudit import registry
from kaudit.assess import assess
from kaudit.assessment import Assessment
from kaudit.collect import collect
from kaudit.compare import Change, Comparison, compare
from kaudit.errors import InputError
from kaudit.model.words import Gap, Reason
from kaudit.waivers import load_waivers
from tests.memory_source import MemorySource, Object
from tests.test_cli import run
from tests.test_schemas import check

CONTROL = "KA-DEP-001"
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def pod(name: str, *, privileged: bool | None = True, namespace: str = "shop") -> Object:
    container: Object = {"name": "c", "image": "i"}
    if privileged is not None:
        container["securityContext"] = {"privileged": privileged}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [container]},
    }


def broken(name: str, namespace: str = "shop") -> Object:
    return {**pod(name, namespace=namespace), "spec": {"containers": 3}}


def judged(*objects: Object, waivers: str = "", gap: Gap | None = None) -> Assessment:
    registry.load()
    evidence = collect(MemorySource(*objects), as_of=MOMENT)
    if gap is not None:
        evidence.manifest.gaps = (*evidence.manifest.gaps, gap)
    accepted = load_waivers(Path(waivers)) if waivers else ()
    return assess(evidence, [registry.find_control(CONTROL)], waivers=accepted)


def words(found: Comparison) -> dict[str, tuple[str, str]]:
    return {
        one.name: (one.change.value, one.reason.partition(" (")[0]) for one in found.differences
    }


def test_what_both_could_see() -> None:
    old = judged(pod("stays"), pod("mended"), pod("removed"), pod("worse", privileged=False))
    new = judged(pod("stays"), pod("mended", privileged=None), pod("worse"), pod("added"))
    found = compare(old, new)
    assert words(found) == {
        "added": ("new", ""),
        "worse": ("new", ""),
        "stays": ("persisting", ""),
        "mended": ("fixed", ""),
        "removed": ("gone", ""),
    }
    assert found.counts == {
        "new": 2,
        "persisting": 1,
        "waived": 0,
        "fixed": 1,
        "gone": 1,
        "incomparable": 0,
    }
    assert [one.observed for one in found.differences] == (
        ["container type: regular; privileged: true"] * 5
    )


def test_what_the_later_could_not_see_is_neither_fixed_nor_gone() -> None:
    old = judged(pod("a"), pod("b", namespace="other"))
    new = judged(broken("a"), pod("b", namespace="other", privileged=False))
    assert words(compare(old, new)) == {
        "a": ("incomparable", "Pod shop/a: broken"),
        "b": ("fixed", ""),
    }


def test_what_may_have_been_there_unseen_is_not_new() -> None:
    old = judged(broken("x"), pod("good", privileged=False))
    new = judged(pod("a"), pod("b", namespace="other"), pod("good", privileged=False))
    assert words(compare(old, new)) == {
        "a": ("incomparable", "Pod shop/x: broken"),
        "b": ("new", ""),
    }


@pytest.mark.parametrize("later", [False, True])
def test_a_side_without_pods_tells_nothing(later: bool) -> None:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    sides = [judged(pod("a")), judged(space)]
    (one,) = compare(*(sides if later else reversed(sides))).differences
    assert one.change is Change.INCOMPARABLE
    assert "not in source" in one.reason


def test_a_refused_read_of_a_namespace_hides_what_is_in_it() -> None:
    gap = Gap(
        what="list pods in shop",
        reason=Reason.FORBIDDEN,
        namespace="shop",
        tables=("pods", "containers"),
    )
    old = judged(pod("a"), pod("b", namespace="other"), pod("c", namespace="third"))
    new = judged(pod("c", namespace="third"), gap=gap)
    assert words(compare(old, new)) == {
        "a": ("incomparable", "list pods in shop: forbidden"),
        "b": ("gone", ""),
        "c": ("persisting", ""),
    }


def test_what_is_accepted_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(
        "waivers: [{id: W1, control: KA-DEP-001, name: b, reason: r, owner: o, approver: a, "
        "expires: 2999-01-01}]"
    )
    old = judged(pod("a"), waivers=str(path))
    new = judged(pod("a"), pod("b"), waivers=str(path))
    found = compare(old, new)
    assert words(found) == {"a": ("persisting", ""), "b": ("waived", "")}
    assert [one.waiver for one in found.differences] == ["", "W1"]


def test_they_must_be_judged_alike() -> None:
    evidence = collect(MemorySource(pod("a")))
    one = ka.assess(evidence, control=CONTROL)
    for other in (
        ka.assess(evidence, control="KA-DEP-002"),
        ka.assess(evidence, control=CONTROL, parameters={"image_max_age_days": 3}),
    ):
        with pytest.raises(InputError, match="different controls or parameters"):
            compare(one, other)


_STATES = st.dictionaries(
    st.sampled_from("abcdef"), st.sampled_from(["fails", "passes", "broken"]), max_size=6
)


def _objects(states: dict[str, str]) -> list[Object]:
    made = [
        broken(name) if state == "broken" else pod(name, privileged=state == "fails")
        for name, state in states.items()
    ]
    return [*made, pod("other", privileged=False)]


@given(_STATES, _STATES)
def test_counts_agree_with_what_is_there(before: dict[str, str], after: dict[str, str]) -> None:
    old, new = judged(*_objects(before)), judged(*_objects(after))
    found = compare(old, new)
    assert sum(found.counts.values()) == len(found.differences)
    fails = {name for states in (before, after) for name in states if states[name] == "fails"}
    assert {one.name for one in found.differences} == fails
    blind = "broken" in before.values(), "broken" in after.values()
    for one in found.differences:
        was, now = before.get(one.name), after.get(one.name)
        if "broken" in (was, now) or (was is None and blind[0]) or (now is None and blind[1]):
            wanted = Change.INCOMPARABLE
        elif now == "fails":
            wanted = Change.PERSISTING if was == "fails" else Change.NEW
        else:
            wanted = Change.FIXED if now == "passes" else Change.GONE
        assert one.change is wanted
    back = compare(new, old)
    assert {one.fingerprint for one in back.differences} == {
        one.fingerprint for one in found.differences
    }


def test_evidence_is_as_itself() -> None:
    side = judged(pod("a"), broken("x"), pod("b", privileged=False))
    found = compare(side, side)
    assert found.counts["persisting"] == len(found.differences) == 1


def test_it_shows_itself() -> None:
    hostile = judged(pod("<script>alert(1)</script>"))
    found = compare(hostile, hostile)
    assert "<script>" not in found._repr_html_()
    assert found.frame["change"].tolist() == ["persisting"]
    assert [*compare(judged(), judged()).frame] == [*found.frame]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.json").write_text(json.dumps(pod("a")))
    items = [pod("b"), pod("\x1b[31m=c"), broken("odd", namespace="lost")]
    (tmp_path / "new.json").write_text(
        json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    )
    return tmp_path


def test_the_command(folder: Path) -> None:
    code, out, err = run("compare", "old.json", "new.json", "--control", CONTROL)
    assert code == 0
    lines = [" ".join(line.split()) for line in out.splitlines() if line.strip()]
    assert lines[0] == "From old.json to new.json"
    assert lines[1] == "layer new persisting waived fixed gone incomparable"
    assert "all 2 0 0 0 1 0" in lines
    assert (
        "critical KA-DEP-001 Pod shop/b, container c: container type: regular; privileged: true"
        in (lines)
    )
    assert "\x1b" not in out
    assert err.startswith("gap: Pod lost/odd: broken")


def test_formats(folder: Path) -> None:
    code, out, _ = run("compare", "old.json", "new.json", "--format", "json")
    assert code == 0
    document = json.loads(out)
    check("compare", document)
    assert [gap["what"] for gap in document["new"]["gaps"]] == ["Pod lost/odd"]
    assert document["old"]["gaps"] == []
    code, out, _ = run("compare", "old.json", "new.json", "-f", "csv", "--control", CONTROL, "-q")
    head, *rows = csv.reader(io.StringIO(out))
    assert head[:2] == ["change", "control"]
    assert head[-1] == "gap"
    assert [row[0] for row in rows] == ["new", "new", "gone", ""]
    assert rows[-1][-1].startswith("Pod lost/odd: broken")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["old.json", "new.json", "--fail-on", "critical"], 1),
        (["old.json", "old.json", "--fail-on", "info"], 0),
        (["old.json", "new.json", "--require-complete"], 0),
        (["old.json", "lost.json", "--require-complete"], 3),
        (["old.json", "missing.json"], 2),
        (["old.json"], 2),
    ],
)
def test_exit_codes(folder: Path, arguments: list[str], code: int) -> None:
    (folder / "lost.json").write_text(
        json.dumps(
            {"apiVersion": "v1", "kind": "List", "items": [broken("a"), pod("z", privileged=False)]}
        )
    )
    assert run("compare", *arguments, "--control", CONTROL, "--quiet")[0] == code
