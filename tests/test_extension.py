"""One thing more is one file more: in the package, or in a pack that an entry point names."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kaudit

PACKAGE = Path(kaudit.__file__).parent

COLLECTOR = '''
"""Leases: who leads."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import field

from kaudit.model.meta import Part, Resource as Wire
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class LeaseSpec(Part):
    holder_identity: str | None = None


class Lease(Wire):
    spec: LeaseSpec = field(default_factory=LeaseSpec)


class LeaseRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always Lease")] = "Lease"
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    holder: Annotated[str | None, doc("spec.holderIdentity")] = None


LEASES = Table(
    "leases", LeaseRow, grain="one Lease", key=("namespace", "name"), resource=Resource("kind")
)


@collector(Read("coordination.k8s.io", "Lease", "leases", Lease), tables=(LEASES,))
def leases(found: Lease, at: Place) -> Iterator[Row]:
    """Yield one row a lease."""
    yield LeaseRow(
        raw=at.raw, raw_line=at.line, namespace=at.namespace, name=at.name,
        holder=found.spec.holder_identity,
    )
'''
VIEW = '''
"""Leases that somebody holds, or nobody."""

from typing import Annotated

from kaudit.columns import assembled, empty
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc


class LeaseHoldersRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always Lease")]
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    idle: Annotated[bool, doc("nobody holds it")]


LEASE_HOLDERS = Table(
    "lease_holders", LeaseHoldersRow, grain="one Lease", key=("namespace", "name"),
    resource=Resource("kind"),
)


@view(LEASE_HOLDERS)
def lease_holders(leases):
    """Tell which leases nobody holds."""
    found = {name: leases[name] for name in ("raw", "raw_line", "kind", "namespace", "name")}
    found["idle"] = empty(leases["holder"])
    return assembled(leases, found, [column.name for column in LEASE_HOLDERS.columns])
'''
CONTROL = '''
"""Leases."""

from kaudit.registry import control


@control(
    "ACME-DEP-001", layer="deploy", severity="low", expected="a holder", shows=("idle",),
    references={"nsa-cisa": ("NSA-U1",), "acme": ("A-1",)},
)
def idle_lease(lease_holders):
    """Somebody holds every lease.

    A lease that nobody holds is a leader that nobody elected.

    Remedy:
        Delete what is left over.

    Cases:
        {apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: bad-idle}}
        ---
        {apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: ok-held},
          spec: {holderIdentity: me}}
    """
    return lease_holders["idle"]
'''
EXPORTER = '''
"""Fingerprints of failures, one a line."""

from kaudit.model.words import Status
from kaudit.registry import exporter


@exporter("lines", suffix=".txt")
def results_lines(assessment):
    """Write one fingerprint a line."""
    for result in assessment.iter_results(Status.FAIL):
        yield f"{result.fingerprint}\\n".encode()
'''
FRAMEWORK = """\
# name: Acme Handbook
# version: 3
# publisher: Acme
# url: https://acme.example/handbook
# notice: Ours.
id,title,section,assessable_from,coverage,controls
A-1,Somebody leads,Leaders,api,full,ACME-DEP-001=full
A-2,Nobody is privileged,Pods,api,full,KA-DEP-001=full KA-DEP-036
A-3,People are kind,People,manual,none,
"""
MANIFEST = """
{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: left-over, namespace: ci}}
---
{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: held, namespace: ci},
  spec: {holderIdentity: me}}
---
{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}]}}
"""


@pytest.fixture(scope="module")
def in_the_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with one file more in each catalogue."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(PACKAGE, folder / "kaudit", ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in (
        ("collectors/leases.py", COLLECTOR),
        ("views/lease_holders.py", VIEW),
        ("controls/leases.py", CONTROL),
        ("exporters/lines.py", EXPORTER),
        ("frameworks/acme.csv", FRAMEWORK),
    ):
        assert not (folder / "kaudit" / name).exists()
        (folder / "kaudit" / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def as_a_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pip would install of somebody else's package."""
    folder = tmp_path_factory.mktemp("pack")
    pack = folder / "acme_pack"
    pack.mkdir()
    (pack / "__init__.py").write_text(
        "from acme_pack import leases, lease_holders, control, lines\n"
    )
    for name, text in (
        ("leases.py", COLLECTOR),
        ("lease_holders.py", VIEW),
        ("control.py", CONTROL),
        ("lines.py", EXPORTER),
        ("acme.csv", FRAMEWORK),
    ):
        (pack / name).write_text(text)
    meta = folder / "acme_pack-1.0.dist-info"
    meta.mkdir()
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-pack\nVersion: 1.0\n")
    (meta / "entry_points.txt").write_text(
        "[kaudit.packs]\nacme = acme_pack\n\n[kaudit.frameworks]\nacme = acme_pack\n"
    )
    return folder


@pytest.fixture(params=["in_the_package", "as_a_pack"])
def path(request: pytest.FixtureRequest) -> str:
    folder = request.getfixturevalue(request.param)
    return os.pathsep.join([str(folder), str(PACKAGE.parent)])


def python(path: str, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        input=MANIFEST,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_file_a_thing_is_enough(path: str, tmp_path: Path) -> None:
    def kaudit(*arguments: str) -> str:
        return python(path, tmp_path, "-m", "kaudit", *arguments)

    rows = json.loads(kaudit("tables", "-", "leases", "--format", "json"))
    assert [(r["namespace"], r["name"], r["holder"]) for r in rows] == [
        ("ci", "held", "me"),
        ("ci", "left-over", None),
    ]
    assert "spec.holderIdentity" in kaudit("tables", "-", "leases", "--dictionary")
    assert "resources: [leases]" in kaudit("rbac")

    document = json.loads(kaudit("assess", "-", "--control", "ACME-DEP-001", "--format", "json"))
    found = {(r["name"], r["status"], r["observed"]) for r in document["results"]}
    assert found == {("held", "pass", ""), ("left-over", "fail", "idle: true")}
    assert document["controls"][0]["tables"] == ["leases"]
    assert document["controls"][0]["references"] == {"acme": ["A-1"], "nsa-cisa": ["NSA-U1"]}

    lines = kaudit("assess", "-", "--control", "ACME-DEP-001", "--format", "lines")
    assert [line.partition(".")[0] for line in lines.splitlines()] == ["acme-dep-001"]

    requirements = json.loads(kaudit("frameworks", "acme", "--format", "json"))
    assert [(r["id"], r["controls"]) for r in requirements] == [
        ("A-1", ["ACME-DEP-001"]),
        ("A-2", ["KA-DEP-001", *(c for c in requirements[1]["controls"] if "-036" in c)]),
        ("A-3", []),
    ]
    judged = json.loads(kaudit("assess", "-", "--framework", "acme", "--format", "json"))
    assert {"ACME-DEP-001", "KA-DEP-001", "KA-DEP-036"} <= {c["id"] for c in judged["controls"]}
    assert len(judged["controls"]) < 10


def test_the_cases_of_the_control_are_its_test(path: str, tmp_path: Path) -> None:
    code = (
        "from kaudit.cases import faults; from kaudit.registry import find_control; "
        "print(faults(find_control('ACME-DEP-001')))"
    )
    assert python(path, tmp_path, "-c", code).strip() == "[]"


def test_requirements_of_a_new_framework_are_concluded_on(path: str, tmp_path: Path) -> None:
    code = (
        "import sys, kaudit as ka; from pathlib import Path; from kaudit.coverage import coverage;"
        "Path('m.yaml').write_text(sys.stdin.read()); found = coverage(ka.assess('m.yaml'), ['acme']);"
        "print([(c.requirement.id, c.verdict.value) for c in found['acme']])"
    )
    expected = [("A-1", "fail"), ("A-2", "pass"), ("A-3", "untested")]
    assert python(path, tmp_path, "-c", code).strip() == str(expected)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (("leases.py", 'doc("namespace")', 'doc("")'), "column namespace has no sentence"),
        (("control.py", "lease_holders)", "lease_holder)"), "did you mean lease_holders?"),
        (("control.py", "    Remedy:\n", "    Cure:\n"), "ACME-DEP-001: its docstring has no"),
        (("acme.csv", "=full\nA-2", "=fully\nA-2"), "acme.csv, line 7"),
        (("acme.csv", "A-2", "A-1"), "requirement A-1 stands twice"),
    ],
)
def test_what_is_wrong_with_a_pack_is_told(
    as_a_pack: Path, tmp_path: Path, spoil: tuple[str, str, str], said: str
) -> None:
    folder = tmp_path / "pack"
    shutil.copytree(as_a_pack, folder)
    name, before, after = spoil
    text = (folder / "acme_pack" / name).read_text()
    assert before in text
    (folder / "acme_pack" / name).write_text(text.replace(before, after, 1))
    done = subprocess.run(
        [sys.executable, "-m", "kaudit", "frameworks", "acme"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(PACKAGE.parent)])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
