"""Results as JSON: ``kaudit/results/v1``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from kaudit import __version__
from kaudit.assessment import Assessment
from kaudit.exporters.json_rows import Rows
from kaudit.registry import Control, exporter

SCHEMA = "kaudit/results/v1"
_CHUNK = 20_000


@exporter("json", suffix=".json")
def results_json(assessment: Assessment) -> Iterator[bytes]:
    """Write evidence, decisions, gaps, conclusions, controls and every result; streamed."""
    encode = msgspec.json.Encoder().encode
    head = {
        "schema": SCHEMA,
        "kaudit": __version__,
        "evidence": _evidence(assessment),
        "parameters": assessment.parameters,
        "waivers": assessment.waivers,
        "gaps": assessment.evidence.gaps,
        "conclusions": assessment.layers,
        "controls": [
            described(control) | _tally(assessment, control) for control in assessment.controls
        ],
    }
    yield encode(head)[:-1] + b',"results":['
    rows = Rows(assessment, _CHUNK)
    held = b""
    for by in assessment.by_control.values():
        for text in rows.of(by):
            yield held
            held = text
    yield held[:-1] + b"]}\n"


def _evidence(assessment: Assessment) -> dict[str, Any]:
    manifest = assessment.evidence.manifest
    return {
        "id": manifest.id or None,
        "seal": manifest.seal or None,
        "label": manifest.label,
        "sealed": assessment.evidence.sealed,
        "live": manifest.live,
        "as_of": manifest.as_of,
        "server": manifest.server.git_version if manifest.server else None,
        "origins": [
            {"name": o.name, "sha256": o.sha256, "bytes": o.bytes} for o in manifest.origins
        ],
    }


def _tally(assessment: Assessment, control: Control) -> dict[str, Any]:
    tally = assessment.tallies[control.id]
    conclusion = assessment.operation[control.id]
    return {
        "counts": {k.rstrip("_"): v for k, v in msgspec.structs.asdict(tally).items()},
        "population": tally.population,
        "operation": conclusion.opinion,
        "because": conclusion.because,
    }


def described(control: Control) -> dict[str, Any]:
    """Describe a control as the catalogue does."""
    from kaudit import registry
    from kaudit.catalogue import references

    return {
        "id": control.id,
        "title": control.title,
        "layer": control.layer,
        "severity": control.severity,
        "rationale": control.rationale,
        "remedy": control.remedy.strip(),
        "expected": control.expected,
        "tables": registry.base_tables(control.subject, *control.needs),
        "references": references(control),
    }
