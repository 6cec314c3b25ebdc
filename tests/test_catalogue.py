"""Reading the framework catalogues."""

import csv
import subprocess
import sys

import pytest

from kaudit import catalogue, chains, registry
from kaudit.catalogue import (
    entries,
    entry_of,
    framework,
    frameworks,
    mappings,
    parse_framework,
    parse_mappings,
    planned,
    references,
    speaking,
    strengths,
    united,
)
from kaudit.errors import InputError, RegistryError
from kaudit.model.framework import Coverage, Origin, Strength
from tests.shared import needs_shared, shared

HEAD = "# name: N\n# version: 1\n# publisher: P\n# url: https://x/y\n# notice: Ours.\n"
COLUMNS = "id,title,section,assessable_from,coverage"


def test_a_requirement_as_the_publisher_numbers_it() -> None:
    item = framework("cis-kubernetes").requirements["5.2.2"]
    assert item.title == "Privileged containers not admitted"
    assert (item.framework, item.section) == ("cis-kubernetes", "5.2 Pod Security Standards")
    assert (item.assessable_from, item.coverage) == (Origin.API, Coverage.FULL)
    assert item.current


def test_only_earlier_versions_have_three_of_cis() -> None:
    gone = [r.id for r in framework("cis-kubernetes").requirements.values() if not r.current]
    assert gone == ["old-securitycontextdeny", "old-addedcaps", "old-ipaddressdeny"]


@pytest.mark.parametrize(
    ("version", "id", "now"),
    [
        ("1.12", "5.2.9", "5.2.9"),
        ("1.10", "5.2.10", "5.2.9"),
        ("1.10", "5.2.9", "old-addedcaps"),
        ("1.10", "5.7.4", "5.6.4"),
        ("1.8", "1.2.13", "1.2.12"),
        ("1.8", "1.2.12", "old-securitycontextdeny"),
        ("1.11", "4.2.15", "old-ipaddressdeny"),
    ],
)
def test_ids_of_earlier_versions_lead_to_the_current_one(version: str, id: str, now: str) -> None:
    items = framework("cis-kubernetes").requirements.values()
    assert [item.id for item in items if (version, id) in item.earlier] == [now]


@pytest.mark.parametrize(
    ("version", "count"),
    [("1.8", 130), ("1.9", 130), ("1.10", 130), ("1.11", 133), ("1.12", 131), ("2.0.1", 131)],
)
def test_versions_of_cis_have_as_many_recommendations(version: str, count: int) -> None:
    items = framework("cis-kubernetes").requirements.values()
    earlier = [old for r in items for name, old in r.earlier if name == version]
    now = [r.id for r in items if r.current] if version == "2.0.1" else earlier
    assert len(now) == len(set(now)) == count


@pytest.mark.parametrize(
    ("id", "says"),
    [
        ("cis-kubernets", "cis-kubernetes"),
        ("", "pci-dss"),
        ("../mappings", "no framework has the id"),
        ("mappings", "no framework has the id"),
    ],
)
def test_unknown_ids_are_refused_and_the_near_ones_named(id: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        framework(id)


def test_an_unknown_id_is_shown_without_its_control_characters() -> None:
    with pytest.raises(InputError) as error:
        framework("\x1b[2Jpss")
    assert "\x1b" not in str(error.value)


def test_references_of_an_entry() -> None:
    found = references("KA-DEP-001")
    assert found["pss"] == ("privileged",)
    assert found["cis-kubernetes"] == ("5.2.2",)
    assert found["cis-eks"] == ("4.2.1",)
    assert "nist-800-190" in found
    assert list(found) == sorted(found)


def test_nothing_is_known_of_a_control_that_the_data_does_not_name() -> None:
    assert references("ACME-DEP-001") == {}
    assert strengths("") == {}


def test_the_mapping_gives_strength() -> None:
    assert strengths("KA-DEP-001")["pss"] == {"privileged": Strength.FULL}
    assert strengths("KA-DEP-036")["pss"] == {"privileged": Strength.SUPPORTING}
    assert strengths("KA-DEP-001")["pci-dss"]["2.2.6"] is Strength.PARTIAL


def test_a_part_has_the_requirements_of_its_entry_and_decides_none() -> None:
    assert strengths("KA-DEP-002")["cis-kubernetes"] == {"5.2.3": Strength.FULL}
    assert strengths("KA-DEP-002a")["cis-kubernetes"] == {"5.2.3": Strength.SUPPORTING}
    assert strengths("KA-DEP-002a")["iso-27001"] == strengths("KA-DEP-002")["iso-27001"]


def test_a_part_that_is_mapped_itself_has_that_alone() -> None:
    assert strengths("KA-DEP-015a")["pss"] == {"runAsUser": Strength.FULL}
    assert strengths("KA-DEP-015")["pss"] == {"runAsNonRoot": Strength.FULL}
    assert strengths("KA-DEP-015a")["cis-kubernetes"]["5.2.7"] is Strength.SUPPORTING


def test_references_of_a_decorator_add_to_the_mapping() -> None:
    found = united("KA-DEP-001", {"pss": ("privileged", "hostPorts"), "new": ("1",)})
    assert found["pss"] == {"privileged": Strength.FULL, "hostPorts": Strength.SUPPORTING}
    assert found["new"] == {"1": Strength.SUPPORTING}
    assert found["cis-kubernetes"] == {"5.2.2": Strength.FULL}


def test_a_part_that_names_a_requirement_is_as_strong_as_its_entry() -> None:
    found = united("KA-DEP-083a", {"cis-kubernetes": ("1.2.14",)})
    assert found["cis-kubernetes"] == {"1.2.14": Strength.FULL}
    assert found["nsa-cisa"] == united("KA-DEP-083", {})["nsa-cisa"]


def test_callers_cannot_change_the_catalogue() -> None:
    before = strengths("KA-DEP-001")
    strengths("KA-DEP-001")["pss"]["hostPorts"] = Strength.FULL
    strengths("KA-DEP-001").clear()
    assert strengths("KA-DEP-001") == before


@pytest.mark.parametrize(
    ("id", "entry"), [("KA-DEP-029a", "KA-DEP-029"), ("KA-DEP-029", "KA-DEP-029")]
)
def test_entry(id: str, entry: str) -> None:
    assert entry_of(id) == entry


def test_results_are_read_once() -> None:
    assert frameworks() is frameworks()
    assert mappings() is mappings()


def test_a_new_framework_is_one_file() -> None:
    one = parse_framework("own", f'{HEAD}{COLUMNS},since,1.0,1.1\n7,"A, b",S,api,full,2,,6\n')
    assert (one.id, one.name, one.version, one.notice) == ("own", "N", "1", "Ours.")
    assert one.requirements["7"].title == "A, b"
    assert one.requirements["7"].since == "2"
    assert one.requirements["7"].earlier == (("1.1", "6"),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "own.csv: .*name"),
        (f"# name: N\n{COLUMNS}\n", "own.csv: .*version"),
        (f"{HEAD}# colour: red\n{COLUMNS}\n", "own.csv: .*colour"),
        (f"{HEAD}{COLUMNS}\n1,T,S,api\n", "own.csv, line 7: 4 cells, but 5 columns"),
        (f"{HEAD}{COLUMNS}\n1,T,S,cloud,full\n", "own.csv, line 7: .*cloud"),
        (f"{HEAD}{COLUMNS}\n1,T,S,api,most\n", "own.csv, line 7: .*most"),
        (f"{HEAD}{COLUMNS},colour\n1,T,S,api,full,red\n", "own.csv, line 7: .*colour"),
        (f"{HEAD}{COLUMNS}\n,T,S,api,full\n", "own.csv, line 7: .*`id`"),
        (
            f"{HEAD}{COLUMNS}\n1,T,S,api,full\n1,U,S,api,full\n",
            "line 8: requirement 1 stands twice",
        ),
    ],
)
def test_a_malformed_framework_is_refused(text: str, says: str) -> None:
    with pytest.raises(RegistryError, match=says):
        parse_framework("own", text)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("KA-DEP-001,pss,privileged,very", "line 2: .*very"),
        ("KA-DEP-001,nist,1,full", "line 2: no framework nist"),
        ("KA-DEP-001,pss,root,full", "line 2: pss has no requirement root"),
        ("KA-DEP-001,pss,privileged", "line 2: 3 cells, but 4 columns"),
        (
            "K,pss,privileged,full\nK,pss,privileged,partial",
            "line 3: K pss privileged stands twice",
        ),
    ],
)
def test_a_malformed_mapping_is_refused(row: str, says: str) -> None:
    with pytest.raises(RegistryError, match=says):
        list(parse_mappings(f"control,framework,requirement,strength\n{row}\n"))


def test_reading_imports_nothing_heavy() -> None:
    code = (
        "import sys; from kaudit import catalogue; catalogue.mappings(); "
        "print(*{'pandas', 'pyarrow', 'numpy', 'kaudit.registry'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_importing_reads_nothing() -> None:
    code = "from kaudit import catalogue; print(catalogue.frameworks.cache_info().currsize)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
    assert catalogue.frameworks()


def test_every_entry_of_the_catalogue_has_a_control() -> None:
    chains.load()
    assert planned([*registry.CONTROLS, *chains.CORRELATIONS]) == []
    assert len(entries()) == 189
    known = {e.id for e in entries()}
    assert {entry_of(id) for id in registry.CONTROLS} <= known
    built = {*(entry_of(id) for id in registry.CONTROLS), *chains.CORRELATIONS}
    assert built & known == known


def test_one_part_of_an_entry_is_enough_to_leave_the_plan() -> None:
    assert "KA-DEP-029" not in {entry.id for entry in planned(["KA-DEP-029a"])}
    assert len(planned(["KA-DEP-029a"])) == 188


@needs_shared
def test_entries_are_those_of_the_source() -> None:
    with shared("frameworks", "kaudit-controls.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    expected = sorted((r["id"], r["layer"], r["severity"], r["title"]) for r in rows)
    assert [(e.id, e.layer, e.severity, e.fault) for e in entries()] == expected


def test_speaking_names_the_controls_of_every_requirement() -> None:
    registry.load()
    found = speaking("pss", registry.CONTROLS.values())
    assert list(found) == list(framework("pss").requirements)
    assert found["privileged"][:2] == ["KA-DEP-001", "KA-DEP-036"]
    assert all(found.values()), "every check of Pod Security has a control"
    assert speaking("pss", []) == {id: [] for id in framework("pss").requirements}


@pytest.mark.parametrize(
    ("name", "untested"),
    [
        ("pss", []),
        ("nsa-cisa", []),
        ("owasp-k8s", []),
    ],
)
def test_requirements_that_nothing_tests_yet(name: str, untested: list[str]) -> None:
    registry.load()
    found = speaking(name, registry.CONTROLS.values())
    assert [id for id, controls in found.items() if not controls] == untested
    waiting = {entry.id for entry in planned(registry.CONTROLS)}
    for id in untested:
        assert waiting & {m.control for m in mappings() if m.requirement == id}, id
