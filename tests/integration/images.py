"""A registry on loopback with small images, made without a container engine."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.integration.engine import engine
from tests.integration.process import free_port, running

_RELEASE = b'ID=alpine\nVERSION_ID=3.20.1\nPRETTY_NAME="Alpine Linux v3.20"\n'
_MENDED = {"openssl": ("libssl3", "3.3.9-r0")}
_OLD = {"openssl": ("libssl3", "3.3.1-r0"), "busybox": ("busybox", "1.36.1-r29")}

#: Image to the packages that its database lists, by source package, and its user.
_MADE: Mapping[str, tuple[Mapping[str, tuple[str, str]], str]] = {
    "good": (_MENDED, "65532:65532"),
    "vulnerable": (_OLD, "65532:65532"),
    "root": (_MENDED, "0"),
    "unsigned": (_MENDED, "65532:65532"),
    "signed": (_MENDED, "65532:65532"),
    "wrongly-signed": (_MENDED, "65532:65532"),
    "moved": (_MENDED, "65532:65532"),
}


class Images(msgspec.Struct, frozen=True):
    """Images of a registry.

    Attributes
    ----------
    registry
        ``127.0.0.1:PORT``, spoken to without TLS.
    digests
        Image to digest of its manifest; ``moved`` is what its tag names now.
    signed_before
        Digest that the tag of ``moved`` named when it was signed.
    key
        Public key of the signatures that count.
    """

    registry: str
    digests: Mapping[str, str]
    signed_before: str
    key: Path

    def tagged(self, name: str) -> str:
        """Return the reference by tag."""
        return f"{self.registry}/{name}:1"

    def pinned(self, name: str) -> str:
        """Return the reference by digest."""
        return f"{self.registry}/{name}@{self.digests[name]}"


@contextmanager
def serving_images(folder: Path) -> Iterator[Images]:
    """Start a registry, fill it, and stop it at the end."""
    port = free_port()
    registry = f"127.0.0.1:{port}"
    command: list[str | Path] = [engine("crane"), "registry", "serve", "--address", registry]

    def ready() -> bool:
        with urllib.request.urlopen(f"http://{registry}/v2/", timeout=1) as answer:
            return bool(answer.status == 200)

    with running(command, log=folder / "registry.log", ready=ready):
        yield _filled(folder, registry)


def _filled(folder: Path, registry: str) -> Images:
    digests = {name: _pushed(folder, registry, name, *made) for name, made in _MADE.items()}
    ours, theirs = _keys(folder / "ours"), _keys(folder / "theirs")
    for name, keys in (("signed", ours), ("moved", ours), ("wrongly-signed", theirs)):
        _sign(f"{registry}/{name}@{digests[name]}", keys)
    before = digests["moved"]
    digests["moved"] = _pushed(folder, registry, "moved", _OLD, "0")
    return Images(registry, digests, before, ours / "cosign.pub")


def _pushed(
    folder: Path, registry: str, name: str, packages: Mapping[str, tuple[str, str]], user: str
) -> str:
    """Push an image of one layer; return its digest."""
    layer, tag = folder / f"{name}.tar", f"{registry}/{name}:1"
    layer.write_bytes(_layer(name, packages))
    crane = engine("crane")
    _run(crane, "append", "--insecure", "--oci-empty-base", "-f", layer, "-t", tag)
    _run(crane, "mutate", "--insecure", "--user", user, "--entrypoint", "/app", "-t", tag, tag)
    return _run(crane, "digest", "--insecure", tag).strip()


def _layer(name: str, packages: Mapping[str, tuple[str, str]]) -> bytes:
    """Return a layer with a release file, a database of packages and one program."""
    listed = "".join(
        f"P:{package}\nV:{version}\nA:x86_64\no:{source}\nL:Apache-2.0\n\n"
        for source, (package, version) in packages.items()
    )
    files = {
        "app": f"the program {name}\n".encode(),
        "etc/alpine-release": b"3.20.1\n",
        "etc/os-release": _RELEASE,
        "lib/apk/db/installed": listed.encode(),
    }
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as layer:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o755
            layer.addfile(entry, io.BytesIO(content))
    return written.getvalue()


def _keys(folder: Path) -> Path:
    folder.mkdir()
    _run(engine("cosign"), "generate-key-pair", within=folder)
    return folder


def _sign(reference: str, keys: Path) -> None:
    """Sign offline: no certificate, no transparency log."""
    options = ("--use-signing-config=false", "--tlog-upload=false", "--allow-http-registry", "-y")
    _run(engine("cosign"), "sign", "--key", keys / "cosign.key", *options, reference)


def verified(images: Images, reference: str) -> list[dict[str, object]]:
    """Return the signatures of an image that cosign accepts; none where it refuses it."""
    options = ("--insecure-ignore-tlog=true", "--allow-http-registry", "--output", "json")
    try:
        said = _run(engine("cosign"), "verify", "--key", images.key, *options, reference)
    except subprocess.CalledProcessError as fault:
        if not any(words in fault.stderr for words in ("no signatures", "no matching")):
            raise
        return []
    found: list[dict[str, object]] = json.loads(said)
    return found


def _run(*command: str | Path, within: Path | None = None) -> str:
    settings = {"COSIGN_PASSWORD": "", "HOME": os.devnull}
    ended = subprocess.run(
        [*map(str, command)],
        cwd=within,
        env=settings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if ended.returncode:
        fault = subprocess.CalledProcessError(
            ended.returncode, ended.args, ended.stdout, ended.stderr
        )
        fault.add_note(ended.stderr)
        raise fault
    return ended.stdout
