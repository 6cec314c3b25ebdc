"""Notes of runs of tools."""

from pathlib import Path

from kaudit.collect import collect
from kaudit.source.tools import ToolSource
from tests.memory_source import rows

NOTES = Path(__file__).parent / "outputs/runs/runs.json"


def test_runs() -> None:
    evidence = collect(ToolSource("runs", NOTES))
    assert rows(evidence, "tool_runs", "tool", "outcome", "reason", "database_version") == [
        {"tool": "grype", "outcome": "failed", "reason": "tool_missing", "database_version": None},
        {"tool": "trivy", "outcome": "done", "reason": None, "database_version": "2"},
    ]


def test_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "runs.json"
    path.write_text('{"schema": "kaudit/runs/v9", "runs": []}')
    (gap,) = (g for g in collect(ToolSource("runs", path)).gaps if g.failed)
    assert "has the schema 'kaudit/runs/v9'; kaudit/runs/v1 is read" in gap.detail
