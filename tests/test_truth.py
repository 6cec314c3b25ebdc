"""Every figure of a generated cluster's ground truth that kaudit can see is matched exactly."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kaudit.collect import collect
from kaudit.evidence import gathered
from kaudit.evidence.bundle import Evidence
from kaudit.evidence.store import BundleStore
from kaudit.source.files import FileSource
from tests.shared import needs_shared, shared
from tests.truth import judged, seen, truth

VARIANTS = {
    "hostile": ("--hostile", "--seed", "3"),
    "typed lists": ("--style", "api", "--seed", "5"),
    "managed fields": ("--managed-fields", "--seed", "11"),
    "split": ("--split", "37", "--seed", "13"),
    "gzip": ("--gzip", "--split", "50", "--seed", "17"),
    "no reports": ("--no-policy-reports", "--secret-values", "none", "--seed", "37"),
    "many namespaces": ("--namespaces", "150", "--seed", "43"),
    "all at once": (
        *("--hostile", "--style", "api", "--managed-fields", "--split", "61", "--gzip"),
        *("--seed", "31"),
    ),
}
#: Figures that truth.json has and a source of objects alone cannot tell.
OUTSIDE = (
    *("canary.", "hostile."),
    "objects.",
)
CONTROLLERS = ("deployments", "replicasets", "statefulsets", "daemonsets", "cronjobs", "jobs")


def generated(folder: Path, *options: str) -> Path:
    tool = shared("tools", "make_cluster.py")
    subprocess.run(
        [sys.executable, str(tool), "--out", str(folder), *options], check=True, capture_output=True
    )
    return folder


def figures(folder: Path) -> dict[str, int]:
    return seen(judged(collect(FileSource(folder), raw=False)))


def check(found: dict[str, int], folder: Path) -> None:
    known = truth(folder)
    assert found == {name: known.get(name, 0) for name in found}
    assert len(found) > 160


def moved_to_manifests(folder: Path, *plurals: str) -> dict[str, int]:
    """Figures where these kinds come from YAML manifests, the others from the dump."""
    for plural in plurals:
        (folder / f"{plural}.json").unlink()
    return figures(folder)


@needs_shared
@pytest.mark.parametrize("seed", ["7", "101"])
def test_figures_of_a_generated_cluster(tmp_path: Path, seed: str) -> None:
    folder = generated(tmp_path / "dump", "--pods", "1000", "--seed", seed)
    check(figures(folder), folder)


@needs_shared
@pytest.mark.parametrize("variant", VARIANTS)
def test_figures_however_the_cluster_is_written(tmp_path: Path, variant: str) -> None:
    folder = generated(tmp_path / "dump", "--pods", "400", *VARIANTS[variant])
    check(figures(folder), folder)


@needs_shared
def test_figures_of_templates_written_as_yaml(tmp_path: Path) -> None:
    options = ("--pods", "400", "--manifests", "templates", "--seed", "19")
    folder = generated(tmp_path / "dump", *options)
    found = moved_to_manifests(folder, "pods", *CONTROLLERS)
    known = truth(folder)
    written = {n: c for n, c in found.items() if n.startswith("templates.")}
    assert len(written) > 40
    assert written == {name: known.get(name, 0) for name in written}
    assert found["pods.total"] == found["containers.total"] == 0


@needs_shared
def test_figures_of_pods_written_as_yaml(tmp_path: Path) -> None:
    options = ("--pods", "400", "--manifests", "pods", "--seed", "29")
    folder = generated(tmp_path / "dump", *options)
    known = truth(folder)
    assert "pods.with_ephemeral" not in known  # the generator writes no debugger as a manifest
    # Nor does it say there which pods are static: those would run as the default account.
    static = known["pods.owner.Node"]
    for name in ("pods.token_automounted", "pods.default_service_account"):
        known[name] += static
    found = moved_to_manifests(folder, "pods")
    of_status = ("pods.owner.", "pods.phase.", "pods.critical_image", "pods.unscanned_image")
    found = {n: c for n, c in found.items() if not n.startswith(of_status)}
    assert found == {name: known.get(name, 0) for name in found}


@needs_shared
def test_figures_of_ten_thousand_pods(tmp_path: Path) -> None:
    folder = generated(tmp_path / "dump", "--pods", "10000", "--seed", "41", "--split", "2500")
    check(figures(folder), folder)


@needs_shared
def test_figures_of_a_bundle_in_many_parts(
    cluster_1k: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathered, "PART", 150)
    monkeypatch.setattr(sys.modules["kaudit.collect"], "MANY", 1)
    monkeypatch.setattr(gathered, "_GATHERED", 40)
    folder = tmp_path / "dump"
    shutil.copytree(cluster_1k, folder)
    pods = json.loads((folder / "pods.json").read_text())
    items = pods["items"]
    for number in range(0, 1000, 100):  # parts are cut between batches only
        pods["items"] = items[number : number + 100]
        (folder / f"pods-{number}.json").write_text(json.dumps(pods))
    (folder / "pods.json").unlink()
    collect(FileSource(folder), out=tmp_path / "e.kaudit")

    opened = BundleStore.open
    content = BundleStore.content
    openers: dict[int, int] = {}

    def open_(path: Path) -> BundleStore:
        store = opened(path)
        openers[id(store)] = os.getpid()
        return store

    def content_(store: BundleStore, member: str) -> bytes:
        # Two processes that read one zip move each other's place in it.
        assert openers[id(store)] == os.getpid(), "opened by another process"
        return content(store, member)

    monkeypatch.setattr(BundleStore, "open", staticmethod(open_))
    monkeypatch.setattr(BundleStore, "content", content_)
    evidence = Evidence.open(tmp_path / "e.kaudit")
    assert evidence.manifest.parts > 4
    assessment = judged(evidence, strict=False)
    assert [r.loose for r in assessment.by_control.values() if r.crashed] == []
    check(seen(assessment), cluster_1k)


@needs_shared
def test_no_figure_that_objects_can_tell_is_left_out(cluster_1k: Path) -> None:
    found = figures(cluster_1k)
    assert {n for n in truth(cluster_1k) if n not in found and not n.startswith(OUTSIDE)} == {
        *("images.digests", "images.references"),
        *(f"{p}pods.{n}" for p in ("", "templates.") for n in ("hardened", "noncompliant")),
        "services.no_workload",
    }
