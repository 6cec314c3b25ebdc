"""Images are scanned once, and whatever goes wrong is a gap of the image, never an empty scan."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from kaudit.collect import collect
from kaudit.errors import InputError
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Gap, Reason
from kaudit.source.files import FileSource
from kaudit.source.run.scan import ScanSource, known
from kaudit.source.run.targets import targets
from kaudit.source.run.tool import Settings, Target, numbers, pinned
from tests.memory_source import MemorySource, objects, rows
from tests.source.run.fake import ABOUT, program

ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
WEB = Target("Image", f"r.example/web@{ONE}", ONE)
SHOP = Target("Image", f"r.example/shop@{TWO}", TWO)
TAGGED = Target("Image", "r.example/tagged:1")


@pytest.fixture
def ours(tmp_path: Path) -> dict[str, str]:
    return {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "HOME": str(tmp_path)}


def scanned(ours: dict[str, str], *chosen: Target, **settings: Any) -> Evidence:
    decided = Settings(**{"tools": ("trivy",), "seconds": 20.0, **settings})
    return collect(ScanSource(chosen or (WEB,), decided, ours=ours))


def gap(evidence: Evidence) -> Gap:
    (found,) = (g for g in evidence.gaps if g.failed)
    return found


def runs(evidence: Evidence) -> list[tuple[str, str, str | None]]:
    return [(r["target"], r["outcome"], r["reason"]) for r in rows(evidence, "tool_runs")]


def test_a_scan_is_read_like_a_file_and_noted(tmp_path: Path, ours: dict[str, str]) -> None:
    path = program(tmp_path / "bin")
    evidence = scanned(ours, WEB, TAGGED)
    assert rows(evidence, "image_scans", "artifact", "findings") == [
        {"artifact": TAGGED.name, "findings": 1},
        {"artifact": WEB.name, "findings": 1},
    ]
    assert len(evidence["vulnerabilities"]) == 2
    (second, first) = rows(evidence, "tool_runs")
    assert first | {"report": None, "database_built_at": None} == {
        "tool": "trivy",
        "kind": "Image",
        "target": WEB.name,
        "digest": ONE,
        "outcome": "done",
        "report": None,
        "looked_for": ["vuln", "secret"],
        "version": "v0.99.0",
        "program_digest": f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}",
        "database_version": "2",
        "database_built_at": None,
        "reason": None,
        "detail": None,
    }
    assert first["database_built_at"].isoformat() == "2026-01-02T03:04:05+00:00"
    assert {first["report"], second["report"]} == {*evidence["image_scans"]["report"]}
    assert second["digest"] is None
    assert [g for g in evidence.gaps if g.failed] == []


BAD = [
    ("print(json.dumps(report)[:-40])", Reason.BROKEN, "cut off or damaged"),
    ("print('<html>502</html>')", Reason.BROKEN, "no report of Trivy"),
    ("pass", Reason.BROKEN, "printed nothing"),
    ("print(json.dumps(report)[:-40]); sys.exit(1)", Reason.TOOL_FAILED, "ended with 1"),
    (
        "print('FATAL no such host', file=sys.stderr); sys.exit(1)",
        Reason.UNREACHABLE,
        "no such host",
    ),
    (
        "print('TOOMANYREQUESTS', file=sys.stderr); sys.exit(1)",
        Reason.UNREACHABLE,
        "limits requests",
    ),
    (
        "print(json.dumps(report)); sys.stdout.flush(); os.kill(os.getpid(), 9)",
        Reason.TOOL_FAILED,
        "was ended by signal 9",
    ),
    ("print(json.dumps(report)); sys.exit(2)", Reason.TOOL_FAILED, "ended with 2"),
    ("time.sleep(600)", Reason.TIMEOUT, "did not end within 1 s"),
    (
        "print(json.dumps({**report, 'SchemaVersion': 'x', 'Results': 3}))",
        Reason.BROKEN,
        "Expected `array`",
    ),
]


@pytest.mark.parametrize(("body", "reason", "why"), BAD, ids=[b[0][:40] for b in BAD])
def test_a_run_that_gives_no_answer_is_a_gap_of_the_image(
    tmp_path: Path, ours: dict[str, str], body: str, reason: Reason, why: str
) -> None:
    program(tmp_path / "bin", body)
    evidence = scanned(ours, seconds=1.0 if reason is Reason.TIMEOUT else 30.0)
    found = gap(evidence)
    assert (found.reason, found.kind, found.name) == (reason, "Image", WEB.name)
    assert found.what == f"Trivy on {WEB.name}"
    assert "image_scans" in found.tables
    assert why in found.detail
    assert len(evidence["image_scans"]) == 0
    assert runs(evidence) == [(WEB.name, "failed", reason)]


GOOD = {
    "log lines before": "print('INFO hello\\n[0000] WARN x'); print(json.dumps(report))",
    "exit 1 with findings": "print(json.dumps(report)); sys.exit(1)",
    "noise on stderr": "sys.stderr.write('x' * 1_000_000); print(json.dumps(report))",
}


@pytest.mark.parametrize("body", GOOD.values(), ids=GOOD)
def test_what_is_odd_and_still_an_answer(tmp_path: Path, ours: dict[str, str], body: str) -> None:
    program(tmp_path / "bin", body)
    evidence = scanned(ours)
    assert len(evidence["vulnerabilities"]) == 1
    assert runs(evidence) == [(WEB.name, "done", None)]


def test_a_tool_that_is_not_there(ours: dict[str, str]) -> None:
    evidence = scanned(ours | {"PATH": "/nowhere"}, WEB, SHOP)
    found = [g for g in evidence.gaps if g.reason is Reason.TOOL_MISSING]
    assert [g.name for g in found] == [SHOP.name, WEB.name]
    assert "https://trivy.dev" in found[0].detail


def test_a_tool_that_is_too_old_or_tells_no_version(tmp_path: Path, ours: dict[str, str]) -> None:
    program(tmp_path / "bin", about={"Version": "0.53.9"})
    assert "is 0.53.9, and 0.54 is needed" in gap(scanned(ours)).detail
    program(tmp_path / "bin", about={"other": 1})
    assert "of no version that it tells" in gap(scanned(ours)).detail


def test_a_program_that_is_not_the_pinned_one_is_not_run(
    tmp_path: Path, ours: dict[str, str]
) -> None:
    path = program(
        tmp_path / "bin", f"open({str(tmp_path / 'ran')!r}, 'w'); print(json.dumps(report))"
    )
    found = gap(scanned(ours, pins={"trivy": ONE}))
    assert "is pinned: it was not run" in found.detail
    assert not (tmp_path / "ran").exists()
    right = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    assert len(scanned(ours, pins={"trivy": right})["image_scans"]) == 1


@pytest.mark.parametrize("update", ["sys.exit(1)", "time.sleep(600)"])
def test_a_database_that_cannot_be_updated_is_told_and_used(
    tmp_path: Path, ours: dict[str, str], update: str
) -> None:
    program(tmp_path / "bin", update=update)
    evidence = scanned(ours, seconds=2.0)
    assert gap(evidence).what == "update of the database of Trivy"
    assert gap(evidence).tables == ()
    assert len(evidence["image_scans"]) == 1
    settled = scanned(ours | {"TRIVY_SKIP_DB_UPDATE": "true"})
    assert [g for g in settled.gaps if g.failed] == []


COUNTING = "open({where!r}, 'a').write(target + '\\n'); print(json.dumps(report))"


def counted(tmp_path: Path) -> list[str]:
    path = tmp_path / "count"
    return sorted(path.read_text().splitlines()) if path.exists() else []


def test_outputs_are_kept_by_digest_program_and_database(
    tmp_path: Path, ours: dict[str, str]
) -> None:
    body = COUNTING.format(where=str(tmp_path / "count"))
    program(tmp_path / "bin", body)
    first = scanned(ours, WEB, TAGGED)
    assert counted(tmp_path) == [TAGGED.name, WEB.name]
    second = scanned(ours, WEB, TAGGED)
    assert counted(tmp_path) == [TAGGED.name, TAGGED.name, WEB.name], "a tag may move"
    assert rows(second, "image_scans") == rows(first, "image_scans")
    assert rows(second, "tool_runs") == rows(first, "tool_runs")
    newer = json.loads(json.dumps(ABOUT))
    newer["VulnerabilityDB"]["UpdatedAt"] = "2026-01-03T00:00:00Z"
    program(tmp_path / "bin", body, about=newer)
    scanned(ours, WEB)
    assert counted(tmp_path).count(WEB.name) == 2
    (tmp_path / "ignore").write_text("CVE-2099-0001\n")
    scanned(ours, WEB, ignore=tmp_path / "ignore")
    assert counted(tmp_path).count(WEB.name) == 3
    kept = [*(tmp_path / ".cache/kaudit/scans").iterdir()]
    assert len(kept) == 3
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in kept)


def test_a_database_without_a_time_is_not_known_again(tmp_path: Path, ours: dict[str, str]) -> None:
    program(
        tmp_path / "bin", COUNTING.format(where=str(tmp_path / "count")), about={"Version": "1.0"}
    )
    scanned(ours)
    scanned(ours)
    assert counted(tmp_path) == [WEB.name, WEB.name]


def test_failures_are_not_kept(tmp_path: Path, ours: dict[str, str]) -> None:
    flag = tmp_path / "flag"
    body = f"if not os.path.exists({str(flag)!r}): sys.exit(1)\nprint(json.dumps(report))"
    program(tmp_path / "bin", body)
    assert gap(scanned(ours)).reason is Reason.TOOL_FAILED
    flag.touch()
    assert len(scanned(ours)["image_scans"]) == 1


def test_what_nobody_used_for_long_is_dropped(tmp_path: Path, ours: dict[str, str]) -> None:
    program(tmp_path / "bin")
    scanned(ours)
    (kept,) = (tmp_path / ".cache/kaudit/scans").iterdir()
    os.utime(kept, (1, 1))
    scanned(ours, TAGGED)
    assert not kept.exists()


def test_a_cache_that_cannot_be_written_costs_nothing(tmp_path: Path, ours: dict[str, str]) -> None:
    program(tmp_path / "bin")
    (tmp_path / ".cache").write_text("a file")
    assert len(scanned(ours)["image_scans"]) == 1


def test_a_kept_output_that_is_damaged_is_made_again(tmp_path: Path, ours: dict[str, str]) -> None:
    program(tmp_path / "bin", COUNTING.format(where=str(tmp_path / "count")))
    scanned(ours)
    (kept,) = (tmp_path / ".cache/kaudit/scans").iterdir()
    for damage in (kept.read_bytes()[:-9], b"no gzip", b""):
        kept.write_bytes(damage)
        assert len(scanned(ours)["image_scans"]) == 1
    assert len(counted(tmp_path)) == 4


def test_a_registry_that_is_away_is_not_asked_for_ever(
    tmp_path: Path, ours: dict[str, str]
) -> None:
    away = "print('dial tcp: connection refused', file=sys.stderr); sys.exit(1)"
    count = f"open({str(tmp_path / 'count')!r}, 'a').write(target + '\\n')"
    program(tmp_path / "bin", f"{count}\nif 'away' in target: {away}\nprint(json.dumps(report))")
    many = [Target("Image", f"away.example/{n}:1") for n in range(6)]
    evidence = scanned(ours, *many, TAGGED, jobs=1)
    found = [g for g in evidence.gaps if g.failed]
    assert len(found) == 6
    assert {g.reason for g in found} == {Reason.UNREACHABLE}
    assert sum("was not asked again" in g.detail for g in found) == 3
    assert len(counted(tmp_path)) == 4
    assert [r["artifact"] for r in rows(evidence, "image_scans", "artifact")] == [TAGGED.name]


def test_what_still_runs_is_ended_when_nobody_reads_on(
    tmp_path: Path, ours: dict[str, str]
) -> None:
    told = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()) + '\\n')"
    program(
        tmp_path / "bin",
        f"if 'web' in target:\n    {told}\n    time.sleep(600)\nprint(json.dumps(report))",
    )
    source = ScanSource((SHOP, WEB), Settings(tools=("trivy",)), ours=ours)
    events = source.read({})
    with contextlib.closing(events):  # type: ignore[type-var]
        next(events)
        while not (tmp_path / "pid").exists():
            time.sleep(0.05)
    pid = int((tmp_path / "pid").read_text())
    assert not Path(f"/proc/{pid}").exists()


def test_an_interrupted_scan_goes_on_where_it_was(tmp_path: Path, ours: dict[str, str]) -> None:
    body = COUNTING.format(where=str(tmp_path / "count"))
    program(tmp_path / "bin", f"if 'web' in target: time.sleep(600)\n{body}")
    source = ScanSource((SHOP, WEB), Settings(tools=("trivy",)), ours=ours)

    def interrupt(step: str, done: int, total: int | None) -> None:
        if step == f"trivy {WEB.name}":
            raise KeyboardInterrupt

    before = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        collect(source, progress=interrupt)
    assert time.monotonic() - before < 60, "what still ran was ended"
    assert counted(tmp_path) == [SHOP.name]
    assert len([*(tmp_path / ".cache/kaudit/scans").iterdir()]) == 1


@pytest.mark.parametrize("name", ["-x", "--config=/x", "Bad Ref", "a/b:c:d", "dir:/etc", ""])
def test_odd_references_reach_no_tool(tmp_path: Path, ours: dict[str, str], name: str) -> None:
    program(tmp_path / "bin", COUNTING.format(where=str(tmp_path / "count")))
    evidence = scanned(ours, Target("Image", name))
    assert gap(evidence).reason is Reason.BROKEN
    assert counted(tmp_path) == []


def test_a_tool_sees_no_kubeconfig_and_starts_in_an_empty_folder(
    tmp_path: Path, ours: dict[str, str]
) -> None:
    seen = tmp_path / "seen"
    body = (
        "found = {'env': dict(os.environ), 'files': os.listdir('.'), 'argv': arguments}\n"
        f"json.dump(found, open({str(seen)!r}, 'w')); print(json.dumps(report))"
    )
    program(tmp_path / "bin", body)
    scanned(ours | {"KUBECONFIG": "/k", "AWS_ACCESS_KEY_ID": "x", "TRIVY_SEVERITY": "LOW"})
    found = json.loads(seen.read_text())
    assert found["files"] == []
    assert not {"KUBECONFIG", "AWS_ACCESS_KEY_ID", "TRIVY_SEVERITY"} & {*found["env"]}
    assert found["argv"][-2:] == ["--", WEB.name]


PODS = f"""
apiVersion: v1
kind: Pod
metadata: {{name: a, namespace: n}}
spec:
  containers: [{{name: c, image: "nginx:1"}}, {{name: d, image: "r.example/app:2"}}]
  volumes: [{{name: v, image: {{reference: "r.example/models:1"}}}}]
status:
  containerStatuses: [{{name: c, imageID: "docker-pullable://nginx@{ONE}"}}, {{name: d, imageID: "sha256:{"3" * 64}"}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: b, namespace: n}}
spec: {{containers: [{{name: c, image: "docker.io/library/nginx:1.0"}}, {{name: d, image: "r.example/x@{TWO}"}}, {{name: e, image: "nginx:1"}}, {{name: f, image: "-x"}}]}}
status: {{containerStatuses: [{{name: c, imageID: "docker.io/library/nginx@{ONE}"}}]}}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {{name: r, namespace: n, ownerReferences: [{{apiVersion: apps/v1, kind: Deployment, name: gone, uid: u, controller: true}}]}}
spec: {{template: {{spec: {{containers: [{{name: c, image: "r.example/orphan:1"}}]}}}}}}
"""


def test_images_that_run_each_once(ours: dict[str, str]) -> None:
    found: list[Target] = []

    def then(gathered: Any) -> ScanSource:
        found.extend(targets(gathered, ()))
        return ScanSource((), Settings(), ours=ours)

    collect(MemorySource(*objects(PODS)), then=then)
    assert [(t.name, t.digest) for t in found] == [
        (f"docker.io/library/nginx@{ONE}", ONE),
        (f"r.example/x@{TWO}", TWO),
        ("docker.io/library/-x:latest", ""),
        ("r.example/app:2", ""),
        ("r.example/models:1", ""),
        ("r.example/orphan:1", ""),
    ]


def test_views_know_what_reports_leave_out(tmp_path: Path, ours: dict[str, str]) -> None:
    program(
        tmp_path / "bin", "report['CreatedAt'] = '2026-01-12T00:00:00Z'; print(json.dumps(report))"
    )
    pod = f"{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {{containers: [{{name: c, image: {TAGGED.name}}}]}}}}"
    source = MemorySource(*objects(pod))
    settings = Settings(tools=("trivy",), seconds=30.0)
    evidence = collect(source, then=lambda g: ScanSource(targets(g, ()), settings, ours=ours))
    (posture,) = rows(
        evidence, "image_posture", "image", "secrets", "database_lag_days", "critical"
    )
    assert posture == {
        "image": TAGGED.name,
        "secrets": 0,
        "database_lag_days": 9,
        "critical": 1,
    }


def test_files_of_sources(tmp_path: Path, ours: dict[str, str]) -> None:
    pod = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}]}}"
    top = tmp_path / "top"
    (top / "app").mkdir(parents=True)
    (top / "app/pod.yaml").write_text(pod)
    (top / "config.yaml").write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}")
    (top / "list.yaml").write_text(f"{{apiVersion: v1, kind: List, items: [{pod}]}}")
    folder, text = FileSource(top), FileSource.of_text(pod, label="stdin")
    found: list[Target] = []

    def then(gathered: Any) -> ScanSource:
        found.extend(t for t in targets(gathered, (folder, text)) if t.kind == "Manifest")
        return ScanSource((), Settings(), ours=ours)

    collect(folder, text, then=then)
    assert [(t.name, t.path) for t in found] == [
        ("app/pod.yaml", top / "app/pod.yaml"),
        ("stdin.yaml", None),
    ]


def test_names_of_tools_and_pins_are_checked() -> None:
    assert known(["trivy"]) == ("trivy",)
    with pytest.raises(InputError, match=r"no tool is named 'trvy' \(did you mean trivy"):
        known(["trvy"])
    assert pinned({"trivy": ONE}) == {"trivy": ONE}
    with pytest.raises(InputError, match="'sha256:12' is no digest"):
        pinned({"trivy": "sha256:12"})


def test_numbers_of_versions() -> None:
    assert numbers("v0.74.0-rc1") == (0, 74, 0)
    assert numbers("Haskell Dockerfile Linter 2.12.0") == (2, 12, 0)
    assert numbers("unknown") == ()
