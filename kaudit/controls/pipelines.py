"""Whether pipelines scan what they build, and stop on what is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-BLD-028a",
    layer="build",
    severity="medium",
    applies="builds",
    expected="a scan of the image before it is pushed",
    shows=("scanners", "pushes"),
    null="it calls other workflows, which may scan",
)
def built_and_not_scanned(pipeline_gates: pd.DataFrame) -> pd.Series[Any]:
    """Pipelines that build an image scan it.

    A flaw that is found in the pipeline costs a commit; one that is found in the cluster costs
    an incident.

    Remedy:
        Scan the image before it is pushed, and stop on what is found.

        run: kaudit gate --image "$IMAGE"

    Cases:
        kaudit-file: bad-builds.yml
        content: |
          on: push
          jobs:
            a: {steps: [{run: docker build -t a . && docker push a}, {run: hadolint Dockerfile}]}
        ---
        kaudit-file: bad-action.yml
        content: |
          on: push
          jobs:
            a: {steps: [{uses: docker/build-push-action@v6, with: {push: true}}, {uses: github/codeql-action/analyze@v3}]}
        ---
        kaudit-file: ok-scans.yml
        content: |
          on: push
          jobs:
            a: {steps: [{run: docker build -t a .}, {run: trivy image a}]}
        ---
        kaudit-file: ok-builds-nothing.yml
        content: |
          on: push
          jobs:
            a: {steps: [{run: make test}]}
        ---
        kaudit-file: ok-calls-another.yml
        content: |
          on: push
          jobs:
            a: {steps: [{run: docker build -t a .}]}
            b: {uses: ./.github/workflows/scan.yml}
    """
    p = pipeline_gates
    missing = ~p["scans_image"]
    return missing.where(~(missing & p["calls_others"]))


@control(
    "KA-BLD-028b",
    layer="build",
    severity="medium",
    applies="stopping",
    expected="findings that stop the pipeline",
    shows=("tool", "purpose", "why_not"),
)
def scanner_does_not_stop(pipeline_tools: pd.DataFrame) -> pd.Series[Any]:
    """What scanners find stops the pipeline.

    A scan whose result nobody must look at is a log line: exit code 0, continue-on-error, a
    soft failure, or || true behind it let every flaw through.

    Remedy:
        Let findings at or above a severity fail the step.

        with: {image-ref: "${{ env.IMAGE }}", severity: "CRITICAL,HIGH", exit-code: "1"}

    Cases:
        kaudit-file: bad-no-exit-code.yml
        content: |
          on: push
          jobs:
            a: {steps: [{run: trivy image --severity CRITICAL a}]}
        ---
        kaudit-file: bad-or-true.yml
        content: |
          on: push
          jobs:
            a: {steps: [{run: grype a --fail-on high || true}]}
        ---
        kaudit-file: bad-continue.yml
        content: |
          on: push
          jobs:
            a: {steps: [{uses: hadolint/hadolint-action@v3.1.0, continue-on-error: true}]}
        ---
        kaudit-file: bad-soft.yml
        content: |
          on: push
          jobs:
            a: {steps: [{uses: bridgecrewio/checkov-action@v12, with: {soft_fail: true}}]}
        ---
        kaudit-file: bad-not-built.yml
        content: |
          on: push
          jobs:
            a: {steps: [{uses: anchore/scan-action@v3, with: {image: a, fail-build: false}}]}
        ---
        kaudit-file: ok-stops.yml
        content: |
          on: push
          jobs:
            a:
              steps:
                - {uses: aquasecurity/trivy-action@v1, with: {image-ref: a, exit-code: '1'}}
                - {uses: anchore/scan-action@v3, with: {image: a}}
                - {run: cosign verify --key cosign.pub a}
                - {run: trivy image --format sarif --exit-code 1 a}
    """
    return ~pipeline_tools["blocks"]


@control(
    "KA-BLD-028e",
    layer="build",
    severity="low",
    applies="writes_sarif",
    expected="a step that uploads the SARIF",
    shows=("scanners",),
)
def sarif_not_uploaded(pipeline_gates: pd.DataFrame) -> pd.Series[Any]:
    """SARIF that a pipeline writes is uploaded.

    A file that ends with the job is seen by nobody; as alerts, findings keep their history.

    Remedy:
        Upload it, also where the scan failed.

        {uses: github/codeql-action/upload-sarif@<commit>, if: always(), with: {sarif_file: results.sarif}}

    Cases:
        kaudit-file: bad-written.yml
        content: |
          on: push
          jobs:
            a: {steps: [{run: trivy image --exit-code 1 --format sarif -o a.sarif a}]}
        ---
        kaudit-file: ok-uploaded.yml
        content: |
          on: push
          jobs:
            a: {steps: [{run: trivy image --exit-code 1 --format sarif -o a.sarif a}, {uses: github/codeql-action/upload-sarif@v3, if: always()}]}
        ---
        kaudit-file: ok-none.yml
        content: |
          on: push
          jobs:
            a: {steps: [{run: trivy image --exit-code 1 a}]}
    """
    return ~pipeline_gates["uploads_sarif"]
