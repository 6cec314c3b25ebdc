"""Secrets and credentials in environments and command lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import over_lists
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-SEC-003",
    layer="secrets",
    severity="low",
    expected="secrets mounted as files",
    shows=("container_type", "variable", "reference"),
)
def secret_in_environment(environment: pd.DataFrame) -> pd.Series[Any]:
    """Secrets reach containers as files, not as environment variables.

    An environment is inherited by every child process, shown by debuggers and written to
    crash reports; a file can be replaced when the secret is rotated.

    Remedy:
        Mount the Secret.

        volumes:
          - {name: credentials, secret: {secretName: app-secrets}}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-env}, spec: {containers: [{name: c, image: i, env: [
          {name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-env-from}, spec: {containers: [{name: c, image: i}],
          initContainers: [{name: i, image: i, envFrom: [{secretRef: {name: s}}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-config}, spec: {containers: [{name: c, image: i, env: [
          {name: A, valueFrom: {configMapKeyRef: {name: s, key: k}}}, {name: B, value: plain}]}]}}
    """
    return environment["of_secret"]


@control(
    "KA-SEC-003a",
    layer="secrets",
    severity="low",
    expected="only the keys in use",
    shows=("container_type", "variable", "reference"),
)
def whole_secret_in_environment(environment: pd.DataFrame) -> pd.Series[Any]:
    """No container takes every key of a Secret into its environment.

    A key that is added to the Secret later reaches programs that never needed it.

    Remedy:
        Name the keys, or mount the Secret.

        env:
          - name: DATABASE_URL
            valueFrom: {secretKeyRef: {name: app-secrets, key: database-url}}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-all}, spec: {containers: [{name: c, image: i,
          envFrom: [{secretRef: {name: s}}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-key}, spec: {containers: [{name: c, image: i, env: [
          {name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}], envFrom: [{configMapRef: {name: m}}]}]}}
    """
    return environment["of_secret"] & environment["whole"]


@control(
    "KA-SEC-004",
    layer="secrets",
    severity="high",
    expected="no credential written in the manifest",
    shows=("container_type", "variable", "verdict"),
)
def credential_in_environment(environment: pd.DataFrame) -> pd.Series[Any]:
    """No environment variable holds a credential as literal text.

    Whoever may read pods, manifests or their repository has it, and it cannot be rotated
    without a rollout. The value itself is not kept here, only what it looks like.

    Remedy:
        Move it to a Secret that an external store manages, and rotate it.

        env:
          - name: DB_PASSWORD
            valueFrom: {secretKeyRef: {name: db, key: password}}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-name}, spec: {containers: [{name: c, image: i, env: [
          {name: DB_PASSWORD, value: correct-horse}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-shape}, spec: {containers: [{name: c, image: i, env: [
          {name: UPSTREAM, value: "postgres://app:battery-staple@db/app"}]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-reference}, spec: {containers: [{name: c, image: i, env: [
          {name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: db, key: p}}}, {name: PASSWORD_FILE, value: /run/p},
          {name: TOKEN, value: ""}, {name: API_KEY, value: "$(OTHER)"}]}]}}
    """
    return environment["suspect"]


@control(
    "KA-SEC-006",
    layer="secrets",
    severity="high",
    expected="no credential in command or args",
    shows=("container_type", "command", "args"),
)
def credential_in_arguments(security_context: pd.DataFrame) -> pd.Series[Any]:
    """No command line carries a credential.

    Command lines are visible in manifests, process lists and runtime events. The text itself
    is masked here.

    Remedy:
        Read it from a file or a Secret.

        args: ["--password-file=/run/secrets/password"]

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-option}, spec: {containers: [{name: c, image: i,
          args: ["--db-password=correct-horse"]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-two-words}, spec: {containers: [{name: c, image: i,
          command: [run, --token, abcdefgh12345678]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-file}, spec: {containers: [{name: c, image: i,
          args: ["--password-file=/run/p", "--token=$(TOKEN)"]}]}}
    """
    return over_lists(security_context["command"], _masked) | over_lists(
        security_context["args"], _masked
    )


@control(
    "KA-SEC-006b",
    layer="secrets",
    severity="medium",
    expected="no credential in the command of a probe or hook",
    shows=("container_type", "probe", "command"),
)
def credential_in_probe(probe_hosts: pd.DataFrame) -> pd.Series[Any]:
    """No probe and no lifecycle hook carries a credential in its command.

    It stands in the manifest, and in the process list each time that the probe runs.

    Remedy:
        Let the program read it from its environment or a file, not from its arguments.

        livenessProbe:
          exec: {command: [sh, -c, 'REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli ping']}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-probe}, spec: {containers: [{name: c, image: i,
          livenessProbe: {exec: {command: [mysqladmin, ping, --password=correct-horse]}}}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: bad-hook}, spec: {initContainers: [{name: s, image: i, restartPolicy: Always,
          lifecycle: {preStop: {exec: {command: [sh, -c, "curl -H 'Authorization: Bearer abcdefghijklmnop1234' localhost"]}}}}],
          containers: [{name: c, image: i}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-variable}, spec: {containers: [{name: c, image: i,
          livenessProbe: {exec: {command: [mysqladmin, ping, "--password=$(PASSWORD)"]}}}]}}
    """
    return over_lists(probe_hosts["command"], _masked)


def _masked(words: list[str]) -> bool:
    return any("[masked" in word for word in words)
