"""What Dockerfiles build on, and what they fetch: bases, URLs and packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import filled
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


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
