"""The framework data agrees with its sources, with itself, and with the licences."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files

import pytest

from kaudit.catalogue import entry_of, framework, frameworks, mappings
from kaudit.model.framework import Coverage, Framework, Strength
from tests.shared import needs_shared, shared

#: Framework: file of the source, its column in the list of controls, requirements, mappings.
#: The numbers were counted in the source with the csv module, before these files existed.
SOURCES = {
    "bsi": ("bsi-app-4.4-sys-1.6.csv", "bsi", 47, 444),
    "cis-aks": ("cis-aks.csv", "cis_aks", 51, 53),
    "cis-eks": ("cis-eks.csv", "cis_eks", 50, 51),
    "cis-gke": ("cis-gke.csv", "cis_gke", 57, 68),
    "cis-kubernetes": ("cis-kubernetes.csv", "cis", 134, 155),
    "iso-27001": ("iso-27001-2022.csv", "iso_27001", 93, 556),
    "mitre-attack": ("mitre-attack-containers-v19.1.csv", "attack", 50, 266),
    "ms-threat-matrix": ("microsoft-threat-matrix.csv", "ms_matrix", 40, 92),
    "nist-800-190": ("nist-800-190.csv", "nist_800_190", 24, 332),
    "nist-800-53": ("nist-800-53-r5.csv", "nist_800_53", 67, 856),
    "nsa-cisa": ("nsa-cisa-1.2.csv", "nsa", 32, 321),
    "owasp-k8s": ("owasp-k8s-top10.csv", "owasp", 20, 497),
    "pci-containers": ("pci-container-guidance-2022.csv", "", 16, 66),
    "pci-dss": ("pci-dss-4.0.1.csv", "pci_dss", 125, 714),
    "pss": ("pod-security-standards.csv", "pss", 19, 27),
    "soc2": ("soc2-tsc-2017.csv", "soc2", 43, 458),
}
#: Whole organisations: a cluster can support their requirements, never decide one.
ORGANISATION = {
    "iso-27001",
    "mitre-attack",
    "ms-threat-matrix",
    "nist-800-53",
    "owasp-k8s",
    "pci-containers",
    "pci-dss",
    "soc2",
}
#: Publishers whose text may not be copied.
RESERVED = {"cis-aks", "cis-eks", "cis-gke", "cis-kubernetes", "iso-27001", "pci-containers"} | {
    "pci-dss",
    "soc2",
}
ORDER = [Coverage.NONE, Coverage.PARTIAL, Coverage.FULL]
every = pytest.mark.parametrize("one", frameworks().values(), ids=frameworks())


def source(name: str) -> list[dict[str, str]]:
    with shared("frameworks", SOURCES[name][0]).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def source_pairs(name: str) -> set[tuple[str, str]]:
    """Control and requirement, of both sides of the source."""
    found = {(c, row["id"]) for row in source(name) for c in row["kaudit_controls"].split()}
    if column := SOURCES[name][1]:
        with shared("frameworks", "kaudit-controls.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                found |= {(row["id"], requirement) for requirement in row[column].split()}
    return found


def test_the_sixteen_frameworks_are_there() -> None:
    assert list(frameworks()) == sorted(SOURCES)
    assert sum(len(one.requirements) for one in frameworks().values()) == 868
    assert len(mappings()) == 4960  # 4956 of the source, and four of a part, KA-DEP-073a


@every
def test_counts(one: Framework) -> None:
    assert len(one.requirements) == SOURCES[one.id][2]
    found = {(entry_of(m.control), m.requirement) for m in mappings() if m.framework == one.id}
    assert len(found) == SOURCES[one.id][3]


@needs_shared
@every
def test_requirements_are_those_of_the_source_in_its_order(one: Framework) -> None:
    expected = [(row["id"], row["section"], row["assessable_from"]) for row in source(one.id)]
    found = [(r.id, r.section, r.assessable_from.value) for r in one.requirements.values()]
    assert found == expected


@needs_shared
@every
def test_mappings_are_those_of_the_source(one: Framework) -> None:
    found = {(entry_of(m.control), m.requirement) for m in mappings() if m.framework == one.id}
    assert found == source_pairs(one.id)


@needs_shared
@every
def test_no_requirement_claims_more_than_its_source(one: Framework) -> None:
    for row in source(one.id):
        claimed = one.requirements[row["id"]].coverage
        assert ORDER.index(claimed) <= ORDER.index(Coverage(row["coverage"])), row["id"]


@needs_shared
def test_the_mapping_knows_every_control_of_the_catalogue_that_has_a_requirement() -> None:
    with shared("frameworks", "kaudit-controls.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 189
    columns = [column for _, column, _, _ in SOURCES.values() if column]
    expected = {row["id"] for row in rows if any(row[column] for column in columns)}
    assert {entry_of(m.control) for m in mappings()} == expected


def test_control_ids_are_well_formed() -> None:
    for item in mappings():
        assert re.fullmatch(r"KA-(BLD|DEP|RUN|NET|SEC|RSK)-\d{3}[a-z]?", item.control), item


@every
def test_coverage_says_what_the_mapping_says(one: Framework) -> None:
    found: dict[str, set[Strength]] = {id: set() for id in one.requirements}
    for item in mappings():
        if item.framework == one.id:
            found[item.requirement].add(item.strength)
    for id, strengths in found.items():
        best = (
            Coverage.FULL
            if Strength.FULL in strengths
            else Coverage.PARTIAL
            if Strength.PARTIAL in strengths
            else Coverage.NONE
        )
        assert one.requirements[id].coverage is best, id
        assert not {Strength.FULL, Strength.PARTIAL} <= strengths, f"{id} is decided and in parts"


def test_requirements_of_organisations_are_never_decided() -> None:
    assert not [
        m for m in mappings() if m.framework in ORGANISATION and m.strength is Strength.FULL
    ]


def test_risk_patterns_only_support() -> None:
    found = Counter(m.strength for m in mappings() if m.control.startswith("KA-RSK"))
    assert set(found) == {Strength.SUPPORTING}


def test_every_check_of_pod_security_is_decided() -> None:
    one = framework("pss")
    assert {r.coverage for r in one.requirements.values()} == {Coverage.FULL}
    assert Counter(r.section for r in one.requirements.values()) == {
        "baseline": 12,
        "restricted": 7,
    }
    assert one.requirements["hostProbesAndHostLifecycle"].since == "1.34"
    assert one.requirements["procMount_restricted"].since == "1.35"


def test_owasp_ids_carry_their_year() -> None:
    ids = list(framework("owasp-k8s").requirements)
    assert ids == [f"K{n:02}:{year}" for year in (2022, 2025) for n in range(1, 11)]


@every
def test_head_is_complete(one: Framework) -> None:
    for text in (one.name, one.version, one.publisher, one.notice):
        assert text == text.strip()
        assert text
    assert re.fullmatch(r"https://[\w.-]+/\S+", one.url)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cis-kubernetes", "kaudit is not certified by CIS."),
        ("cis-eks", "CC BY-NC-SA 4.0"),
        (
            "mitre-attack",
            "© The MITRE Corporation. This work is reproduced and distributed with the permission "
            "of The MITRE Corporation.",
        ),
        ("owasp-k8s", "CC BY-SA 4.0"),
        ("ms-threat-matrix", "CC BY 4.0"),
        ("pci-dss", "not reproduced"),
        ("iso-27001", "not reproduced"),
        ("soc2", "not reproduced"),
    ],
)
def test_notices_that_licences_ask_for(name: str, words: str) -> None:
    assert words in framework(name).notice


@every
def test_titles_are_short_and_nothing_else_is_prose(one: Framework) -> None:
    for item in one.requirements.values():
        assert 3 <= len(item.title) <= 90, item.id
        assert len(item.note) <= 50, item.id
        assert len(item.section) <= 90, item.id
        assert len(item.also_from) <= 60, item.id
        if one.id in RESERVED:
            assert not re.search(r"\b(must|shall|ensure that)\b", item.title, re.I), item.id


def lines(name: str) -> Iterator[str]:
    yield from files("kaudit.frameworks").joinpath(f"{name}.csv").read_text("utf-8").splitlines()


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_files_of_reserved_texts_hold_short_lines(name: str) -> None:
    assert max(len(line) for line in lines(name) if not line.startswith("# ")) <= 250


def test_mappings_are_sorted_and_unique() -> None:
    rows = list(lines("mappings"))[1:]
    assert len(set(rows)) == len(rows)
    controls = [row.partition(",")[0] for row in rows]
    assert controls == sorted(controls)
