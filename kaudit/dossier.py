"""The audit report as a folder to hand in: evidence, notebook, HTML, PDF and tables."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from kaudit.beside import aside
from kaudit.kernel import Kernel
from kaudit.parameters import Parameters, using
from kaudit.source.events import Progress, silent

if TYPE_CHECKING:
    import pandas as pd

    from kaudit.assessment import Assessment
    from kaudit.evidence.bundle import Evidence
    from kaudit.model.words import Gap

EVIDENCE = "evidence.kaudit"
BASELINE = "baseline.kaudit"
WAIVERS = "waivers.yaml"

#: Tables that are handed in where they have rows, by the name of their file.
_BESIDE = {
    "images": "image_posture",
    "vulnerabilities": "image_vulnerabilities",
    "upgrades": "upgrade_plan",
    "reconciliation": "scanner_reconciliation",
    "trust": "image_trust",
    "other_tools": "tool_findings",
    "external_secrets": "external_secret_sync",
    "secrets": "secret_management",
    "secret_exposure": "secret_exposure",
    "secret_readers": "secret_readers",
    "episodes": "event_episodes",
    "sensors": "node_sensors",
    "techniques": "attack_coverage",
    "requests": "audit_actions",
    "permissions": "permissions",
    "admin_paths": "admin_paths",
}


def audit_report(
    sources: Sequence[str],
    out: Path,
    *,
    notebook: str = "audit",
    frameworks: Sequence[str] = (),
    waivers: Path | None = None,
    parameters: Parameters | None = None,
    title: str = "",
    baseline: str = "",
    pdf: bool = True,
    secrets: str = "none",
    as_of: datetime | None = None,
    outputs: Sequence[tuple[str, Path]] = (),
    kernel: Kernel | None = None,
    gaps: list[Gap] | None = None,
    progress: Progress = silent,
) -> list[Path]:
    """Write a report on sources, or on one body of sealed evidence.

    ``baseline`` is an earlier source, for a notebook that compares. ``kernel`` is one that was
    started before; by default, one is started first. To ``gaps`` is added what could not be
    read.

    Returns
    -------
    list of Path
        The files to look at: notebook, HTML, PDF, and the folder of tables.

    Raises
    ------
    InputError
        A source cannot be read, ``out`` is in the way, or the notebook has no parameter for
        what is given.
    ReportError
        The notebook failed; it is kept.
    """
    from kaudit.catalogue import REPORTED, framework
    from kaudit.errors import InputError
    from kaudit.report import find_notebook, render
    from kaudit.template.run import known_parameters
    from kaudit.waivers import load_waivers

    chosen = [framework(name).id for name in frameworks] or list(REPORTED)
    accepted = load_waivers(waivers) if waivers else ()
    decisions = parameters or Parameters()
    path = find_notebook(notebook)
    known = known_parameters(path)
    asked = {
        "title": title,
        "waivers": waivers,
        "decisions": _differing(decisions),
        "frameworks": frameworks,
        "baseline": baseline,
    }
    for name, value in asked.items():
        if value and name not in known:  # its tables would tell another story than it does
            hint = f"it knows {', '.join(known)}"
            raise InputError(f"the notebook has no parameter {name!r}", where=path, hint=hint)
    if "baseline" in known and not baseline:
        raise InputError("the notebook compares", where=path, hint="name a --baseline")
    with (
        nullcontext(kernel) if kernel else Kernel() as ready,
        tempfile.TemporaryDirectory(prefix="kaudit-") as private,
    ):
        stage = Path(private)
        evidence = _evidence(sources, stage / EVIDENCE, secrets, as_of, outputs, progress)
        if gaps is not None:
            gaps += evidence.gaps
        beside: dict[str, Path] = {EVIDENCE: stage / EVIDENCE}
        earlier = None
        if baseline:
            beside[BASELINE] = stage / BASELINE
            earlier = _evidence([baseline], stage / BASELINE, secrets, None, (), progress)
            if gaps is not None:
                gaps += earlier.gaps
        if waivers:
            beside[WAIVERS] = waivers

        def tables() -> dict[str, Path]:
            with using(decisions):
                _annex(evidence, accepted, stage / "tables", earlier)
            return {"tables": stage / "tables"}

        progress("tables", 0, None)
        annex = aside(tables)
        values: Mapping[str, Any] = {
            "evidence": EVIDENCE,
            "title": title,
            "waivers": WAIVERS if waivers else "",
            "decisions": _differing(decisions),
            "frameworks": chosen,
            "baseline": BASELINE,
        }
        formats = ("html", "pdf") if pdf else ("html",)
        given = {
            name: value
            for name, value in values.items()
            if name in known and (value or name != "title")  # a notebook may have its own
        }
        try:
            rendered = render(
                path,
                given,
                out,
                beside=beside,
                later=annex,
                formats=formats,
                kernel=ready,
                progress=progress,
            )
        except BaseException:
            with suppress(Exception):
                annex()  # its folder must not go while it is written
            raise
    shown = (rendered.notebook, rendered.html, rendered.pdf, rendered.folder / "tables")
    return [path for path in shown if path is not None]


def _differing(decisions: Parameters) -> dict[str, Any]:
    plain, default = msgspec.to_builtins(decisions), msgspec.to_builtins(Parameters())
    return {name: value for name, value in plain.items() if value != default[name]}


def _evidence(
    sources: Sequence[str],
    at: Path,
    secrets: str,
    as_of: datetime | None,
    outputs: Sequence[tuple[str, Path]],
    progress: Progress,
) -> Evidence:
    """Put sealed evidence at a path: a copy of a bundle, or what is collected."""
    from kaudit.errors import InputError
    from kaudit.evidence.bundle import Evidence
    from kaudit.evidence.seal import packed
    from kaudit.opening import evidence_of
    from kaudit.source.open import is_bundle

    if any(is_bundle(name) for name in sources):
        if len(sources) > 1 or outputs:
            raise InputError("sealed evidence cannot be mixed with other sources", where=sources[0])
        bundle = Path(sources[0])
        if bundle.is_dir():
            packed(bundle, at)
        else:
            shutil.copyfile(bundle, at)
        return Evidence.open(at)
    return evidence_of(
        sources, out=at, secrets=secrets, as_of=as_of, outputs=outputs, progress=progress
    )


def _annex(
    evidence: Evidence, waivers: Sequence[Any], folder: Path, earlier: Evidence | None
) -> None:
    """Write the tables of a report as CSV and Parquet, and the results as JSON."""
    from kaudit import pss, registry
    from kaudit.assess import assess
    from kaudit.compare import compare
    from kaudit.correlate import correlate

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    assessment = assess(evidence, waivers=waivers)
    frames = {
        "findings": assessment.findings,
        "not_assessed": assessment.unassessed,
        "controls": _controls(assessment),
        "layers": assessment.conclusions,
        "gaps": assessment.gaps,
        "readiness": pss.readiness(evidence),
        "risks": correlate(assessment).frame,
        "requirements": _requirements(assessment),
        "origins": _origins(evidence),
    }
    if earlier is not None:
        frames["changes"] = compare(assess(earlier, waivers=waivers), assessment).frame
    beside = {name: evidence.frames.get(table) for name, table in _BESIDE.items()}
    frames |= {name: found for name, found in beside.items() if len(found)}
    for name, frame in frames.items():
        _write(frame, folder / name)
    with (folder / "results.json").open("wb") as stream:
        for chunk in registry.EXPORTERS["json"].function(assessment):
            stream.write(chunk)


def _controls(assessment: Assessment) -> pd.DataFrame:
    """One row a control: what it expects, its counts, and every requirement it speaks on."""
    import pandas as pd

    from kaudit.catalogue import references

    frame = assessment.summary.copy()
    expected = [control.expected for control in assessment.controls]
    cited = [
        [f"{name} {item}" for name, items in references(control).items() for item in items]
        for control in assessment.controls
    ]
    frame.insert(2, "expected", expected)
    frame["references"] = pd.Series(cited, dtype=object)
    return frame


def _requirements(assessment: Assessment) -> pd.DataFrame:
    import pandas as pd

    from kaudit.coverage import coverage

    rows = [
        {
            "framework": name,
            "requirement": item.requirement.id,
            "title": item.requirement.title,
            "verdict": item.verdict.value,
            "controls": list(item.controls),
            "failing": list(item.failing),
        }
        for name, items in coverage(assessment).items()
        for item in items
    ]
    return pd.DataFrame(rows)


def _origins(evidence: Evidence) -> pd.DataFrame:
    import pandas as pd

    columns = ["name", "verb", "bytes", "sha256", "resource_version", "pages", "items"]
    rows = [{c: getattr(o, c) for c in columns} for o in evidence.manifest.origins]
    return pd.DataFrame(rows, columns=columns)


def _write(frame: pd.DataFrame, stem: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from kaudit.text import defused

    plain = frame.astype({c: "object" for c in frame.columns if frame[c].dtype == "category"})
    with pa.OSFile(os.fsencode(stem.with_suffix(".parquet")), "wb") as sink:
        pq.write_table(pa.Table.from_pandas(plain, preserve_index=False), sink)
    shown = plain.astype("object").map(
        lambda v: defused(", ".join(map(str, v)) if isinstance(v, list) else v)
    )
    shown.to_csv(stem.with_suffix(".csv"), index=False, lineterminator="\r\n", encoding="utf-8")


def demo_evidence(at: Path) -> None:
    """Seal the evidence of the demo cluster."""
    from kaudit.collect import collect
    from kaudit.demo import write
    from kaudit.demo.source import DemoSource

    with tempfile.TemporaryDirectory(prefix="kaudit-") as private:
        folder = Path(private) / "northwind-parcel"
        write(folder)
        collect(DemoSource(folder), out=at)


def demo_report(out: Path, *, pdf: bool = True, progress: Progress = silent) -> list[Path]:
    """Write the report of the demo cluster."""
    with Kernel() as kernel, tempfile.TemporaryDirectory(prefix="kaudit-") as private:
        bundle = Path(private) / EVIDENCE
        demo_evidence(bundle)
        waivers = Path(private) / WAIVERS
        waivers.write_bytes((files("kaudit.demo") / WAIVERS).read_bytes())
        decisions = Parameters(
            allowed_registries=(
                "registry.northwind.example",
                "registry.example.com",
                "registry.k8s.io",
                "quay.io",
                "ghcr.io",
            ),
            accepted_signers=("https://git.northwind.example/platform/*",),
        )
        return audit_report(
            [str(bundle)],
            out,
            waivers=waivers,
            parameters=decisions,
            title="Northwind Parcel: Kubernetes security audit",
            pdf=pdf,
            kernel=kernel,
            progress=progress,
        )
