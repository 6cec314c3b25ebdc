"""What Dockerfiles make of an image: its user, and what they leave in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import filled, where_known
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-BLD-027a",
    layer="build",
    severity="medium",
    expected="a USER that is not root, best a number",
    shows=("final_user", "base"),
    null="its user is an argument without a default",
)
def final_user_is_root(dockerfile_posture: pd.DataFrame) -> pd.Series[Any]:
    """The last stage of a Dockerfile sets a user that is not root.

    Whatever breaks out of the program is then not root in the container. A pod can set a user
    too, but an image that needs root makes that hard. A number lets runAsNonRoot judge the
    image without a look into it. Of several stages the last one and those it builds on count.

    Remedy:
        End the last stage with a user.

        USER 1001

    Cases:
        kaudit-file: bad-root.Dockerfile
        content: |
          FROM a:1
          USER 1001
          USER root
        ---
        kaudit-file: bad-number.Dockerfile
        content: |
          FROM a:1
          USER 0:1001
        ---
        kaudit-file: bad-none.Dockerfile
        content: |
          FROM a:1 AS build
          USER 1001
          FROM b:1
        ---
        kaudit-file: ok-number.Dockerfile
        content: |
          FROM a:1
          USER 1001:1001
        ---
        kaudit-file: ok-of-an-earlier-stage.Dockerfile
        content: |
          FROM a:1 AS base
          USER app
          FROM base
          RUN true
        ---
        kaudit-file: ok-base-with-a-user.Dockerfile
        content: |
          FROM gcr.io/distroless/static-debian12:nonroot
        ---
        kaudit-file: ok-cannot-be-told.Dockerfile
        content: |
          FROM a:1
          ARG APP_USER
          USER $APP_USER
    """
    d = dockerfile_posture
    return d["runs_as_root"].where(d["user_known"])


@control(
    "KA-BLD-027d",
    layer="build",
    severity="high",
    expected="no credential; RUN --mount=type=secret",
    shows=("credentials",),
)
def credential_in_dockerfile(dockerfile_posture: pd.DataFrame) -> pd.Series[Any]:
    """Dockerfiles hold no credentials.

    ENV, ARG and LABEL stay in the image or in its history, where everybody who may pull it can
    read them; an ARG that is named so invites a secret on the command line. A secret mount
    leaves nothing behind.

    Remedy:
        Mount the secret for the one command that needs it.

        RUN --mount=type=secret,id=npm,env=NPM_TOKEN npm ci

    Cases:
        kaudit-file: bad-env.Dockerfile
        content: |
          FROM a:1
          ENV DB_PASSWORD=made-up-9
        ---
        kaudit-file: bad-argument.Dockerfile
        content: |
          FROM a:1 AS build
          ARG GITHUB_TOKEN
          RUN ./fetch
          FROM b:1
        ---
        kaudit-file: bad-before-the-first-stage.Dockerfile
        content: |
          ARG API_KEY=made-up-9
          FROM a:1
        ---
        kaudit-file: ok-mount.Dockerfile
        content: |
          FROM a:1
          RUN --mount=type=secret,id=npm npm ci
        ---
        kaudit-file: ok-place.Dockerfile
        content: |
          FROM a:1
          ENV DB_PASSWORD_FILE=/run/secrets/db PORT=8080
    """
    return filled(dockerfile_posture["credentials"])


@control(
    "KA-BLD-027g",
    layer="build",
    severity="low",
    expected="no sudo",
    shows=("sudo",),
)
def sudo_in_dockerfile(dockerfile_posture: pd.DataFrame) -> pd.Series[Any]:
    """What a Dockerfile ships has no sudo.

    A user that may become root is root for whoever breaks in. What runs as root in a build can
    run before USER.

    Remedy:
        Run what needs root before USER.

        RUN apt-get install -y --no-install-recommends make

    Cases:
        kaudit-file: bad-run.Dockerfile
        content: |
          FROM a:1
          USER app
          RUN sudo -E make install
        ---
        kaudit-file: bad-installed.Dockerfile
        content: |
          FROM a:1
          RUN apt-get update && apt-get install -y sudo=1.9.13 make=4.3
        ---
        kaudit-file: ok-in-a-stage-that-does-not-ship.Dockerfile
        content: |
          FROM a:1 AS build
          RUN sudo make
          FROM b:1
          COPY --from=build /app /app
    """
    return filled(dockerfile_posture["sudo"])


@control(
    "KA-BLD-027h",
    layer="build",
    severity="low",
    expected="files that only their owner may write",
    shows=("open_modes",),
)
def files_all_may_write(dockerfile_posture: pd.DataFrame) -> pd.Series[Any]:
    """What a Dockerfile ships has no files that everybody may write.

    Whoever gets into the container as anybody can then change the program.

    Remedy:
        Give files to their user instead.

        COPY --chown=1001:1001 app /app

    Cases:
        kaudit-file: bad-chmod.Dockerfile
        content: |
          FROM a:1
          RUN mkdir /data && chmod -R 777 /data
        ---
        kaudit-file: bad-copied.Dockerfile
        content: |
          FROM a:1
          COPY --chmod=0777 run.sh /run.sh
        ---
        kaudit-file: ok-owner.Dockerfile
        content: |
          FROM a:1
          COPY --chown=1001:1001 --chmod=0755 run.sh /run.sh
    """
    return filled(dockerfile_posture["open_modes"])


@control(
    "KA-BLD-027j",
    layer="build",
    severity="medium",
    expected="no rule of medium severity or worse is broken",
    shows=("rules", "tools", "lesser"),
    null="the evidence holds no report of a linter of Dockerfiles",
)
def lint_fails(dockerfile_lint: pd.DataFrame) -> pd.Series[Any]:
    """Dockerfiles pass their linter.

    Hadolint knows what kaudit does not look for: shells without pipefail, caches left behind,
    instructions that do not do what they seem to. Warnings and errors count.

    Remedy:
        Mend it, or give the reason beside the line.

        # hadolint ignore=DL3008

    Cases:
        # cluster: bad-warned-of
        {kaudit-file: hadolint.json, content: [{file: web/Dockerfile, line: 1, column: 1, code: DL3007, level: warning, message: latest}]}
        ---
        # cluster: ok-a-matter-of-style
        {kaudit-file: hadolint.json, content: [{file: web/Dockerfile, line: 1, column: 1, code: DL3059, level: info, message: several RUN}]}
        ---
        # cluster: ok-nobody-has-looked
        {kaudit-file: Dockerfile, content: "FROM scratch"}
    """
    return where_known(dockerfile_lint["grave"] > 0, dockerfile_lint["linted"])
