"""Whether pipelines trust nobody else: with their code, their text, their token or a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import filled
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-BLD-028c",
    layer="build",
    severity="medium",
    applies="third_party",
    expected="a commit of 40 digits",
    shows=("action", "ref"),
)
def action_not_pinned(pipeline_steps: pd.DataFrame) -> pd.Series[Any]:
    """Actions of others are pinned to a commit.

    A tag or branch of somebody else's repository can be moved to code that reads every secret
    of the pipeline; that has happened to scanners too (aquasecurity/trivy-action, advisory
    GHSA-69fq-xp46-6x23).

    Remedy:
        Name the commit, and the version in a comment; a bot can keep both up to date.

        uses: aquasecurity/trivy-action@<commit>  # v0.28.0

    Cases:
        kaudit-file: bad-branch.yml
        content: |
          on: push
          jobs:
            a: {steps: [{uses: aquasecurity/trivy-action@master}]}
        ---
        kaudit-file: bad-tag.yml
        content: |
          on: push
          jobs:
            a: {steps: [{uses: anchore/scan-action@v3}]}
        ---
        kaudit-file: bad-called.yml
        content: |
          on: push
          jobs:
            a: {uses: example/b/.github/workflows/c.yml@v1}
        ---
        kaudit-file: bad-image.yml
        content: |
          on: push
          jobs:
            a: {steps: [{uses: "docker://example/b:1"}]}
        ---
        kaudit-file: ok-commit.yml
        content: |
          on: push
          jobs:
            a: {steps: [{uses: anchore/scan-action@0123456789abcdef0123456789abcdef01234567}, {uses: actions/checkout@v4}, {uses: ./b}]}
    """
    return ~pipeline_steps["pinned"]


@control(
    "KA-BLD-028d",
    layer="build",
    severity="low",
    applies="of_github",
    expected="a commit of 40 digits",
    shows=("action", "ref"),
)
def action_of_github_not_pinned(pipeline_steps: pd.DataFrame) -> pd.Series[Any]:
    """GitHub's own actions are pinned to a commit.

    Whoever runs the pipeline is trusted with it anyway, so a moved tag is less of a risk; but
    the same build should be the same tomorrow.

    Remedy:
        Name the commit, and the version in a comment.

        uses: actions/checkout@<commit>  # v4.2.2

    Cases:
        kaudit-file: bad-tag.yml
        content: |
          on: push
          jobs:
            a: {steps: [{uses: actions/checkout@v4}]}
        ---
        kaudit-file: bad-upload.yml
        content: |
          on: push
          jobs:
            a: {steps: [{uses: github/codeql-action/upload-sarif@v2}]}
        ---
        kaudit-file: ok-commit.yml
        content: |
          on: push
          jobs:
            a: {steps: [{uses: actions/checkout@0123456789abcdef0123456789abcdef01234567}, {uses: anchore/scan-action@v3}]}
    """
    return ~pipeline_steps["pinned"]


@control(
    "KA-BLD-028f",
    layer="build",
    severity="high",
    expected="pull_request for what strangers propose",
    shows=("triggers", "foreign_code"),
)
def code_of_strangers(pipeline_gates: pd.DataFrame) -> pd.Series[Any]:
    """No pipeline runs what strangers propose with the rights of the repository.

    pull_request_target and workflow_run run with secrets and a token that may write; with the
    proposed code checked out, whoever opens a pull request has both.

    Remedy:
        Build what is proposed under pull_request, which has neither.

        on: pull_request

    Cases:
        kaudit-file: bad-target.yml
        content: |
          on: [pull_request_target]
          jobs:
            a: {steps: [{uses: actions/checkout@v4, with: {ref: "${{ github.event.pull_request.head.sha }}"}}, {run: make}]}
        ---
        kaudit-file: bad-fetched.yml
        content: |
          on: {pull_request_target: {types: [opened]}}
          jobs:
            a: {steps: [{run: "git fetch origin refs/pull/${{ github.event.number }}/merge && make"}]}
        ---
        kaudit-file: ok-pull-request.yml
        content: |
          on: pull_request
          jobs:
            a: {steps: [{uses: actions/checkout@v4, with: {ref: "${{ github.event.pull_request.head.sha }}"}}, {run: make}]}
        ---
        kaudit-file: ok-only-labels.yml
        content: |
          on: pull_request_target
          jobs:
            a: {steps: [{uses: actions/checkout@v4}, {uses: actions/labeler@v5}]}
    """
    return filled(pipeline_gates["foreign_code"])


@control(
    "KA-BLD-028g",
    layer="build",
    severity="high",
    expected="text of strangers through env",
    shows=("triggers", "injectable"),
)
def text_of_strangers(pipeline_gates: pd.DataFrame) -> pd.Series[Any]:
    """No pipeline puts text that strangers write into its commands.

    The title of a pull request is put into the script before a shell reads it; a title with
    a quote in it is a command.

    Remedy:
        Hand the text over in a variable, which the shell does not read as commands.

        {env: {TITLE: "${{ github.event.pull_request.title }}"}, run: 'echo "$TITLE"'}

    Cases:
        kaudit-file: bad-title.yml
        content: |
          on: pull_request
          jobs:
            a: {steps: [{run: 'echo "${{ github.event.pull_request.title }}"'}]}
        ---
        kaudit-file: bad-branch.yml
        content: |
          on: pull_request
          jobs:
            a: {steps: [{run: "docker build -t a:${{ github.head_ref }} ."}]}
        ---
        kaudit-file: ok-variable.yml
        content: |
          on: pull_request
          jobs:
            a: {steps: [{env: {TITLE: "${{ github.event.pull_request.title }}"}, run: 'echo "$TITLE" ${{ github.sha }}'}]}
    """
    return filled(pipeline_gates["injectable"])


@control(
    "KA-BLD-028h",
    layer="build",
    severity="low",
    expected="permissions that name what is needed",
    shows=("wide_tokens",),
)
def wide_token(pipeline_gates: pd.DataFrame) -> pd.Series[Any]:
    """Pipelines say what their token may do.

    Without permissions the token may do what the repository's setting says, which may be to
    write everything; a broken step can then push code and images.

    Remedy:
        Grant reading on the top, and more to the job that needs it.

        permissions: {contents: read}

    Cases:
        kaudit-file: bad-unset.yml
        content: |
          on: push
          jobs:
            a: {steps: [{run: make}]}
        ---
        kaudit-file: bad-all.yml
        content: |
          on: push
          permissions: write-all
          jobs:
            a: {steps: [{run: make}]}
        ---
        kaudit-file: ok-read.yml
        content: |
          on: push
          permissions: {contents: read}
          jobs:
            a: {permissions: {packages: write}, steps: [{run: make}]}
        ---
        kaudit-file: ok-of-each-job.yml
        content: |
          on: push
          jobs:
            a: {permissions: {}, steps: [{run: make}]}
    """
    return filled(pipeline_gates["wide_tokens"])


@control(
    "KA-BLD-028i",
    layer="build",
    severity="high",
    expected="secrets of the repository",
    shows=("credentials",),
)
def credential_in_pipeline(pipeline_gates: pd.DataFrame) -> pd.Series[Any]:
    """Workflow files hold no credentials.

    Whoever can read the repository can read them, and its history keeps them.

    Remedy:
        Put it into the secrets of the repository, better: let the cloud trust the workflow.

        env: {REGISTRY_TOKEN: "${{ secrets.REGISTRY_TOKEN }}"}

    Cases:
        kaudit-file: bad-literal.yml
        content: |
          on: push
          jobs:
            a: {steps: [{run: ./push, env: {REGISTRY_PASSWORD: made-up-9}}]}
        ---
        kaudit-file: bad-input.yml
        content: |
          on: push
          jobs:
            a: {steps: [{uses: docker/login-action@v3, with: {username: a, password: made-up-9}}]}
        ---
        kaudit-file: ok-secret.yml
        content: |
          on: push
          jobs:
            a: {steps: [{run: ./push, env: {REGISTRY_PASSWORD: "${{ secrets.REGISTRY_PASSWORD }}"}}]}
    """
    return filled(pipeline_gates["credentials"])
