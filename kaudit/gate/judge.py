"""Hold what scans found against limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kaudit.evidence.bundle import Evidence
from kaudit.gate.found import rows
from kaudit.gate.verdict import Check, Limits, Outcome
from kaudit.tables.scans import SEVERITIES

if TYPE_CHECKING:
    import pandas as pd

    from kaudit.columns import Flags

#: What kubesec has rules for.
_SCORED = ("Pod", "Deployment", "StatefulSet", "DaemonSet")
_UNPARSED = "DL1000"


class Scans:
    """The tables of one body of evidence, with the names that whoever asked gave to targets."""

    def __init__(self, evidence: Evidence, limits: Limits) -> None:
        self.limits = limits
        self._tables = evidence.table
        runs = evidence.table("tool_runs")
        done = runs[runs["outcome"] == "done"]
        self.targets: dict[str, str] = dict(zip(done["report"], done["target"], strict=True))

    def checks(self) -> Iterator[Check]:
        """Yield what the scans say, scan by scan."""
        yield from self._of_images()
        yield from self._of_tools()
        yield from self._of_signatures()
        yield from self._of_scores()

    def _rows(self, name: str, *columns: str) -> list[dict[str, Any]]:
        return rows(self._tables(name), *columns)

    def _of_images(self) -> Iterator[Check]:
        found = self._tables("vulnerabilities")
        cleared = named(self._tables("cleared_findings"), found)
        left = found["suppressed"].to_numpy(dtype=bool) | cleared
        excused = found[cleared].groupby("report").size()
        unfixed = (found["fix"] != "fixed").to_numpy(dtype=bool) & ~left
        counted = ~left & ~unfixed if self.limits.fixed_only else ~left
        counts = _counts(found[counted])
        missed = found[unfixed & self.limits.fixed_only].groupby("report").size()
        secrets = _counts(self._tables("image_secrets"))
        columns = ("report", "tool", "artifact", "artifact_type", "covered", "packages")
        for scan in self._rows("image_scans", *columns, "suppressed"):
            report, tool = scan["report"], scan["tool"]
            target = self.targets.get(report, scan["artifact"])
            if scan["packages"]:
                yield self._check(
                    Check(
                        what="vulnerabilities",
                        tool=tool,
                        target=target,
                        outcome=Outcome.PASS,
                        counts=counts.get(report, {}),
                        suppressed=scan["suppressed"] + int(excused.get(report, 0)),
                        unfixed=int(missed.get(report, 0)),
                    )
                )
            elif scan["artifact_type"] in ("image", "unknown", "sbom"):
                yield Check(
                    what="vulnerabilities",
                    tool=tool,
                    target=target,
                    outcome=Outcome.INCOMPLETE,
                    why="the scan saw no packages: there may be none, or it cannot read them",
                )
            if "secret" in scan["covered"] or report in secrets:
                yield self._check(
                    Check(
                        what="credentials",
                        tool=tool,
                        target=target,
                        outcome=Outcome.PASS,
                        counts=secrets.get(report, {}),
                    )
                )

    def _of_tools(self) -> Iterator[Check]:
        found = self._tables("tool_findings")
        counts = _counts(found[found["status"] == "fail"])
        unparsed = {*found.loc[found["rule"] == _UNPARSED, "report"]}
        for report in self._rows("tool_reports", "report", "tool", "subject"):
            if report["tool"] == "kubesec":
                continue
            check = Check(
                what="findings",
                tool=report["tool"],
                target=self.targets.get(report["report"], report["subject"] or report["tool"]),
                outcome=Outcome.PASS,
                counts=counts.get(report["report"], {}),
            )
            if report["report"] in unparsed:
                check.outcome, check.why = Outcome.INCOMPLETE, "Hadolint cannot parse it"
                yield check
            else:
                yield self._check(check)

    def _of_signatures(self) -> Iterator[Check]:
        accepted: dict[str, bool] = {}
        reasons: dict[str, str] = {}
        for row in self._rows("signatures", "report", "image", "verified", "reason"):
            target = self.targets.get(row["report"], row["image"])
            accepted[target] = accepted.get(target, False) or bool(row["verified"])
            reasons[target] = row["reason"] or "its signature was not verified"
        for target, good in sorted(accepted.items()):
            yield Check(
                what="signature",
                tool="cosign",
                target=target,
                outcome=Outcome.PASS if good else Outcome.FAIL,
                why="" if good else reasons[target],
            )

    def _of_scores(self) -> Iterator[Check]:
        found = self._tables("tool_findings")
        critical = found[(found["tool"] == "kubesec") & (found["status"] == "fail")]
        counts = critical.groupby(["report", "kind", "name"], dropna=False).size().to_dict()
        scores = self._rows(
            "kubesec_scores", "report", "kind", "name", "judged", "score", "message"
        )
        for report in dict.fromkeys(row["report"] for row in scores):
            mine = [row for row in scores if row["report"] == report]
            target = self.targets.get(report, "kubesec")
            if not any(row["judged"] or row["kind"] in _SCORED for row in mine):
                why = "it holds nothing that kubesec has rules for"
                yield _scored(target, Outcome.INCOMPLETE, why)
            for row in mine:
                name = f"{target}: {row['kind']}/{row['name']}"
                number = int(counts.get((report, row["kind"], row["name"]), 0))
                if row["judged"]:
                    yield self._score(name, row["score"], number)
                elif row["kind"] in _SCORED:
                    yield _scored(name, Outcome.INCOMPLETE, row["message"] or "was not scored")

    def _score(self, name: str, score: int, critical: int) -> Check:
        counts = {"critical": critical} if critical else {}
        over = [self.limits.broken(counts)] if self.limits.broken(counts) else []
        if score < self.limits.min_score:
            over.append(f"a score of {score}, at least {self.limits.min_score} is asked for")
        outcome = Outcome.FAIL if over else Outcome.PASS
        return _scored(name, outcome, "; ".join(over), counts)

    def _check(self, check: Check) -> Check:
        check.why = self.limits.broken(check.counts)
        check.outcome = Outcome.FAIL if check.why else Outcome.PASS
        return check


def named(some: pd.DataFrame, findings: pd.DataFrame) -> Flags:
    """Tell of each finding whether another table names it."""
    keys = ["tool", "report", "position"]
    known = some[keys].drop_duplicates().assign(known=True)
    found: Flags = findings[keys].merge(known, on=keys, how="left")["known"].notna().to_numpy()
    return found


def _scored(
    target: str, outcome: Outcome, why: str = "", counts: dict[str, int] | None = None
) -> Check:
    return Check(
        what="score", tool="kubesec", target=target, outcome=outcome, counts=counts or {}, why=why
    )


def _counts(found: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Findings by report and severity, worst first."""
    sizes = found.groupby(["report", "severity"]).size().rename("number").reset_index()
    counts: dict[str, dict[str, int]] = {}
    for row in rows(sizes, "report", "severity", "number"):
        counts.setdefault(row["report"], {})[row["severity"]] = row["number"]
    return {
        report: {severity: by[severity] for severity in SEVERITIES if severity in by}
        for report, by in counts.items()
    }
