"""Pipelines that build images: workflows, their steps, and the tools that the steps run."""

from __future__ import annotations

from typing import Annotated

from kaudit.table import Resource, Table, Trace, doc


class PipelineRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the file in every table")]
    file: Annotated[str, doc("file")]
    name: Annotated[str | None, doc("name of the workflow")] = None
    triggers: Annotated[list[str], doc("events that start it, sorted")]
    permissions_set: Annotated[bool, doc("says on its top what its token may do")]
    writes: Annotated[list[str], doc("scopes that its token may write, as its top says; * is all")]
    jobs: Annotated[int, doc("jobs")]
    steps: Annotated[int, doc("steps")]


class PipelineStepRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the file in every table")]
    file: Annotated[str, doc("file")]
    position: Annotated[int, doc("place in the file, from 1")]
    job: Annotated[str, doc("id of the job")]
    step: Annotated[int, doc("place in the job, from 1; 0: the job calls another workflow")]
    place: Annotated[str, doc("job and step, as job/step")]
    name: Annotated[str | None, doc("name of the step")] = None
    action: Annotated[str | None, doc("action, without what pins it; null: it runs commands")] = (
        None
    )
    owner: Annotated[str | None, doc("whose action it is; null: of the repository itself")] = None
    ref: Annotated[str | None, doc("commit, tag or branch of the action")] = None
    pinned: Annotated[
        bool, doc("the action is pinned: to a commit, or to a digest; or it is local")
    ]
    of_github: Annotated[bool, doc("an action of GitHub's own")]
    third_party: Annotated[bool, doc("an action that neither the repository nor GitHub owns")]
    writes: Annotated[list[str], doc("scopes that the job's token may write; * is all")]
    permissions_set: Annotated[bool, doc("the job or the workflow says what the token may do")]
    continues: Annotated[bool, doc("continue-on-error, of the step or of its job")]
    foreign_code: Annotated[
        bool, doc("checks out what a stranger proposes, with the rights of the repository")
    ]
    injectable: Annotated[
        bool, doc("puts text that strangers write into the commands that it runs")
    ]
    credentials: Annotated[list[str], doc("inputs and variables whose value is a credential")]


class PipelineToolRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the file in every table")]
    file: Annotated[str, doc("file")]
    position: Annotated[int, doc("place of the step in the file, from 1")]
    part: Annotated[int, doc("place among the tools of the step, from 1")]
    job: Annotated[str, doc("id of the job")]
    place: Annotated[str, doc("job, step and tool, as job/step tool")]
    tool: Annotated[str, doc("trivy, grype, hadolint, cosign, docker, …")]
    purpose: Annotated[
        str,
        doc(
            "scan_image, scan_files, scan_code, scan_manifests, scan_secrets, lint_dockerfile, "
            "sign, verify, attest, sbom, build, push or upload_sarif"
        ),
    ]
    stopping: Annotated[bool, doc("a tool whose findings should stop the pipeline")]
    blocks: Annotated[bool, doc("what it finds stops the pipeline")]
    why_not: Annotated[str | None, doc("why what it finds does not stop the pipeline")] = None
    threshold: Annotated[str | None, doc("severities, or the least one, that it looks at")] = None
    sarif: Annotated[bool, doc("writes SARIF")]


_FILE = Resource("=File", namespace="", name="file")
_PLACE = Resource("=File", namespace="", name="file", container="place")
PIPELINES = Table(
    "pipelines", PipelineRow, grain="one workflow", key=("file", "report"), resource=_FILE
)
PIPELINE_STEPS = Table(
    "pipeline_steps",
    PipelineStepRow,
    grain="one step of a workflow",
    key=("file", "report", "position"),
    resource=_PLACE,
)
PIPELINE_TOOLS = Table(
    "pipeline_tools",
    PipelineToolRow,
    grain="one use of a tool in a step",
    key=("file", "report", "position", "part"),
    resource=_PLACE,
)
