"""What Dockerfiles make of an image: its user, its bases, and what they put into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import arrow, filled, series
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
    "KA-BLD-027b",
    layer="build",
    severity="medium",
    applies="external",
    expected="a version that stays",
    shows=("image",),
    null="its tag is an argument without a default",
)
def floating_base(base_images: pd.DataFrame) -> pd.Series[Any]:
    """Dockerfiles name the version of the images that they build on.

    Behind latest, or no tag, the next build is another one, and nobody can say which flaws
    came with it. Images that are copied from count as well.

    Remedy:
        Name a version, best with its digest.

        FROM registry.example.com/node:20.19-alpine

    Cases:
        kaudit-file: bad-latest.Dockerfile
        content: |
          FROM node:latest
        ---
        kaudit-file: bad-no-tag.Dockerfile
        content: |
          FROM node
        ---
        kaudit-file: bad-copied.Dockerfile
        content: |
          FROM node:20
          COPY --from=busybox /bin/sh /bin/sh
        ---
        kaudit-file: bad-default.Dockerfile
        content: |
          ARG TAG=latest
          FROM node:${TAG}
        ---
        kaudit-file: ok-tag.Dockerfile
        content: |
          FROM node:20 AS build
          FROM scratch
          COPY --from=build /app /app
        ---
        kaudit-file: ok-digest.Dockerfile
        content: |
          FROM node@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        ---
        kaudit-file: ok-cannot-be-told.Dockerfile
        content: |
          ARG TAG
          FROM node:${TAG}
    """
    b = base_images
    return b["floating"].where(b["known"])


@control(
    "KA-BLD-027c",
    layer="build",
    severity="low",
    applies="external",
    expected="an image with its digest",
    shows=("image",),
    null="its reference is an argument without a default",
)
def base_without_digest(base_images: pd.DataFrame) -> pd.Series[Any]:
    """Dockerfiles pin the images that they build on by digest.

    A tag can be moved by whoever may push it; then the same Dockerfile builds another image.
    A bot that proposes new digests keeps them from growing old.

    Remedy:
        Put the digest behind the tag.

        FROM node:20-alpine@sha256:<digest>

    Cases:
        kaudit-file: bad-tag.Dockerfile
        content: |
          FROM node:20-alpine AS builder
          FROM gcr.io/distroless/nodejs20-debian12@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        ---
        kaudit-file: bad-mounted.Dockerfile
        content: |
          FROM scratch
          RUN --mount=type=bind,from=tools:1,target=/t /t/run
        ---
        kaudit-file: ok-digest.Dockerfile
        content: |
          FROM node:20-alpine@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef AS builder
          FROM scratch
          COPY --from=builder /app /app
    """
    b = base_images
    return (~b["pinned"]).where(b["known"])


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
    "KA-BLD-027e",
    layer="build",
    severity="medium",
    expected="COPY, or ADD with --checksum",
    shows=("added_urls",),
)
def added_from_url(dockerfile_posture: pd.DataFrame) -> pd.Series[Any]:
    """Dockerfiles add nothing from a URL without its checksum.

    What stands behind a URL today need not stand there tomorrow, and nobody sees the change.

    Remedy:
        State the checksum.

        ADD --checksum=sha256:<digest> https://example.com/tool.tgz /opt/tool.tgz

    Cases:
        kaudit-file: bad-url.Dockerfile
        content: |
          FROM a:1
          ADD https://example.com/tool.tgz /opt/
        ---
        kaudit-file: ok-checksum.Dockerfile
        content: |
          FROM a:1
          ADD --checksum=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef https://example.com/tool.tgz /opt/
        ---
        kaudit-file: ok-file.Dockerfile
        content: |
          FROM a:1
          ADD tool.tgz /opt/
    """
    return filled(dockerfile_posture["added_urls"])


@control(
    "KA-BLD-027f",
    layer="build",
    severity="medium",
    expected="a download that is checked before it runs",
    shows=("pipes",),
)
def fetched_and_run(dockerfile_posture: pd.DataFrame) -> pd.Series[Any]:
    """Dockerfiles run nothing that they have just fetched and not checked.

    curl into a shell gives the build, and with it every image, to whoever answers.

    Remedy:
        Fetch, compare with a checksum, then run.

        RUN curl -sSfo i.sh https://example.com/install.sh && echo "<digest>  i.sh" | sha256sum -c && sh i.sh

    Cases:
        kaudit-file: bad-pipe.Dockerfile
        content: |
          FROM a:1
          RUN curl -sSf https://example.com/install.sh | sh
        ---
        kaudit-file: bad-here-document.Dockerfile
        content: |
          FROM a:1
          RUN <<EOF
          wget -qO- https://example.com/install.sh | bash -e
          EOF
        ---
        kaudit-file: ok-checked.Dockerfile
        content: |
          FROM a:1
          RUN curl -sSfo i.sh https://example.com/install.sh && sha256sum -c sums && sh i.sh
        ---
        kaudit-file: ok-unpacked.Dockerfile
        content: |
          FROM a:1
          RUN curl -sSf https://example.com/tool.tgz | tar xz
    """
    return filled(dockerfile_posture["pipes"])


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
    "KA-BLD-027i",
    layer="build",
    severity="low",
    expected="packages with their versions",
    shows=("unpinned_packages",),
)
def packages_without_version(dockerfile_posture: pd.DataFrame) -> pd.Series[Any]:
    """What a Dockerfile ships has packages with stated versions.

    Without a version, or a lock file, the same Dockerfile builds another image tomorrow, and
    what was scanned is not what is built.

    Remedy:
        State the version, or install from a lock file.

        RUN apk add --no-cache curl=8.12.1-r0

    Cases:
        kaudit-file: bad-apk.Dockerfile
        content: |
          FROM a:1
          RUN apk add --no-cache curl
        ---
        kaudit-file: bad-pip.Dockerfile
        content: |
          FROM a:1
          RUN pip install flask
        ---
        kaudit-file: ok-version.Dockerfile
        content: |
          FROM a:1
          RUN apk add --no-cache curl=8.12.1-r0 && pip install -r requirements.txt && npm ci
        ---
        kaudit-file: ok-in-a-stage-that-does-not-ship.Dockerfile
        content: |
          FROM a:1 AS build
          RUN apt-get install -y make
          FROM b:1
          COPY --from=build /app /app
    """
    return filled(dockerfile_posture["unpinned_packages"])


@control(
    "KA-BLD-027j",
    layer="build",
    severity="medium",
    weak=("dockerfiles",),
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
    import pyarrow as pa
    import pyarrow.compute as pc

    d = dockerfile_lint
    broken = pc.greater(arrow(d["grave"]), 0)
    return series(pc.if_else(arrow(d["linted"]), broken, pa.scalar(None, pa.bool_())), d)
