"""Workflows of GitHub Actions: what they run, with which rights, and what stops them.

Sources: docs.github.com, workflow syntax and security hardening; GitHub Security Lab on
``pull_request_target`` and on text of strangers in ``run``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from kaudit.errors import InputError
from kaudit.model import workflow
from kaudit.model.gate import STOPPING
from kaudit.model.gates import gates
from kaudit.model.place import Place
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.pipelines import (
    PIPELINE_STEPS,
    PIPELINE_TOOLS,
    PIPELINES,
    PipelineRow,
    PipelineStepRow,
    PipelineToolRow,
)

_JOBS = re.compile(rb"^jobs[ \t]*:", re.MULTILINE)
_ON = re.compile(rb"^(?:on|\"on\"|'on')[ \t]*:", re.MULTILINE)
_API_VERSION = re.compile(rb"^apiVersion[ \t]*:", re.MULTILINE)
#: Accounts whose actions are GitHub's own.
_GITHUB = ("actions", "github")
_COMMIT = re.compile(r"^[0-9a-f]{40}$|^[0-9a-f]{64}$")
#: Events that run with the rights of the repository on what strangers propose.
_TRUSTING = frozenset(("pull_request_target", "workflow_run"))
_PROPOSED = re.compile(
    r"github\.event\.pull_request\.head|github\.head_ref|refs/pull/|"
    r"github\.event\.workflow_run\.head|github\.event\.number"
)
_STRANGERS = re.compile(
    r"\$\{\{[^}]{0,400}(?:github\.head_ref|github\.event\.(?:issue|pull_request|discussion)\.(?:title|body)"
    r"|github\.event\.pull_request\.head\.(?:ref|label|repo\.default_branch)"
    r"|github\.event\.(?:comment|review|review_comment)\.body|github\.event\.pages"
    r"|github\.event\.(?:head_commit|commits[^}]{0,100})\.(?:message|author))"
)
_encode = msgspec.json.Encoder().encode


def _recognise(content: Content) -> bool:
    if content.shape != "text":
        return False
    start = content.data[: 1 << 16]
    return bool(_JOBS.search(start) and _ON.search(start)) and not _API_VERSION.search(start)


@tool(
    "workflow",
    title="workflow",
    help="Workflows of GitHub Actions (.github/workflows/*.yml).",
    recognise=_recognise,
)
def take_workflow(content: Content) -> Iterator[Taken | Lost]:
    """Take out the workflow, and each of its steps."""
    from kaudit.model.yaml_stream import one  # YAML is slow to import

    found = one(content.whole, content.name)
    jobs = found.get("jobs") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(jobs, dict):
        raise InputError("is no workflow: it has no jobs")
    on = found.get("on", found.get("true"))  # the truth value that YAML 1.1 makes of it
    head = {name: found.get(name) for name in ("name", "permissions", "env")}
    head["triggers"] = workflow.triggers(on)
    about = {"report": content.report, "file": content.name, "head": head}
    lists = [job.get("steps") for job in jobs.values() if isinstance(job, dict)]
    count = sum(len(steps) for steps in lists if isinstance(steps, list))
    yield Taken("Workflow", _encode({**about, "jobs": len(jobs), "steps": count}))
    position = 0
    for id, job in jobs.items():
        for number, step in _steps(job):
            position += 1
            if isinstance(step, Lost):
                yield Lost("Step", f"job {id}: {step.detail}", position)
                continue
            kept = ("name", "uses", "permissions", "env", "continue-on-error")
            said = {name: job[name] for name in kept if name in job}
            place = {"job-id": id, "job": said, "position": position, "number": number}
            yield Taken("Step", _encode({**about, **place, "step": step}), position)


def _steps(job: Any) -> Iterator[tuple[int, Any]]:
    if not isinstance(job, dict):
        yield 0, Lost("Step", "it is no mapping")
        return
    if "uses" in job:
        yield 0, {name: job[name] for name in ("name", "uses", "with") if name in job}
    steps = job.get("steps") or []
    if not isinstance(steps, list):
        yield 0, Lost("Step", "its steps are no list")
        return
    yield from enumerate(steps, start=1)


@collector(Read.of("workflow", "Workflow", "workflows", workflow.Workflow), tables=(PIPELINES,))
def pipelines(found: workflow.Workflow, at: Place) -> Iterator[Row]:
    """Yield one workflow."""
    yield PipelineRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        file=found.file,
        name=found.head.name,
        triggers=found.head.triggers,
        permissions_set=found.head.permissions is not None,
        writes=workflow.writes(found.head.permissions),
        jobs=found.jobs,
        steps=found.steps,
    )


@collector(Read.of("workflow", "Step", "steps", workflow.FoundStep), tables=(PIPELINE_STEPS,))
def pipeline_steps(found: workflow.FoundStep, at: Place) -> Iterator[Row]:
    """Yield one step."""
    step, head, job = found.step, found.head, found.job
    permissions = head.permissions if job.permissions is None else job.permissions
    action, owner, ref = _action(step.uses)
    local = action is not None and action.startswith(("./", "../"))
    trusting = bool(_TRUSTING & {*head.triggers})
    source = f"{step.given('ref') or ''} {step.given('repository') or ''} {step.run or ''}"
    checks_out = "git " in source or (action or "").lower() == "actions/checkout"
    pairs = {**(step.with_ or {}), **(step.env or {}), **(job.env or {}), **(head.env or {})}
    secret = (str(value).startswith(workflow.MASKED) for value in pairs.values())
    yield PipelineStepRow(
        raw=at.raw,
        raw_line=at.line,
        report=found.report,
        file=found.file,
        position=found.position,
        job=found.job_id,
        step=found.number,
        place=f"{found.job_id}/{found.number}",
        name=step.name,
        action=action,
        owner=owner,
        ref=ref,
        pinned=action is None or local or bool(_COMMIT.match((ref or "").rpartition(":")[2])),
        of_github=(owner or "").lower() in _GITHUB,
        third_party=owner is not None and owner.lower() not in _GITHUB,
        writes=workflow.writes(permissions),
        permissions_set=permissions is not None,
        continues=_true(step.continue_on_error) or _true(job.continue_on_error),
        foreign_code=trusting and checks_out and bool(_PROPOSED.search(source)),
        injectable=bool(_STRANGERS.search(step.run or "")),
        credentials=sorted(name for name, yes in zip(pairs, secret, strict=True) if yes),
    )


def _action(uses: str | None) -> tuple[str | None, str | None, str | None]:
    """Name, owner and ref of ``uses``: an action, one of the repository, or an image."""
    if not uses:
        return None, None, None
    name, _, ref = uses.partition("@")
    if name.startswith(("./", "../")):
        return name, None, None
    if name.startswith("docker://"):
        image = name.removeprefix("docker://")
        tag = image.rpartition(":")[2] if ":" in image.rpartition("/")[2] else None
        return name, image.partition("/")[0], ref or tag
    return name, name.partition("/")[0], ref or None


def _true(value: workflow.Scalar) -> bool:
    """Whether it is switched on; an expression may be."""
    return value is True or (isinstance(value, str) and value.strip().lower() != "false")


@collector(Read.of("workflow", "Step", "steps", workflow.FoundStep), tables=(PIPELINE_TOOLS,))
def pipeline_tools(found: workflow.FoundStep, at: Place) -> Iterator[Row]:
    """Yield each use of a tool."""
    step, job = found.step, found.job
    env = {**(found.head.env or {}), **(job.env or {}), **(step.env or {})}
    continues = _true(step.continue_on_error) or _true(job.continue_on_error)
    for part, gate in enumerate(gates(step, env), start=1):
        stopping = gate.purpose in STOPPING
        why = gate.why_not or ("continue-on-error" if continues and stopping else "")
        yield PipelineToolRow(
            raw=at.raw,
            raw_line=at.line,
            report=found.report,
            file=found.file,
            position=found.position,
            part=part,
            job=found.job_id,
            place=f"{found.job_id}/{found.number} {gate.tool}",
            tool=gate.tool,
            purpose=gate.purpose,
            stopping=stopping,
            blocks=stopping and not why,
            why_not=why or None,
            threshold=gate.threshold,
            sarif=gate.sarif,
        )
