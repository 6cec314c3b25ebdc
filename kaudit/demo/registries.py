"""The demo's registry: how nodes reach it, who may write to it, and scans for malware."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from kaudit.demo.objects import Json, digest
from kaudit.demo.scans import IMAGES

_NORTHWIND = """\
server = "https://registry.northwind.example"

[host."https://registry.northwind.example"]
  capabilities = ["pull", "resolve"]
  ca = "/etc/containerd/certs.d/northwind.crt"
"""
_HUB = """\
server = "https://registry-1.docker.io"

[host."http://mirror.northwind.example:5000"]
  capabilities = ["pull", "resolve"]
"""
#: Images that were scanned for malware, and what was found in the one that is not clean.
_CLEAN = ("tracker", "cart", "ledger")
_FOUND = ("importer", "Unix.Malware.Coinminer-9")


def files() -> Iterator[tuple[str, bytes]]:
    """Yield each file with its name."""
    for registry, text in (("registry.northwind.example", _NORTHWIND), ("docker.io", _HUB)):
        yield f"nodes/worker-1/certs.d/{registry}/hosts.toml", text.encode()
    yield "registry/robots.json", msgspec.json.encode(_robots()) + b"\n"
    yield "registry/projects.json", msgspec.json.encode(_projects()) + b"\n"
    for image in _CLEAN:
        yield f"malware/clamscan-{image}.log", _scanned(image, "").encode()
    yield f"malware/clamscan-{_FOUND[0]}.log", _scanned(*_FOUND).encode()


def _robots() -> list[Json]:
    def robot(number: int, name: str, project: str, *actions: str) -> Json:
        access = [{"resource": "repository", "action": action} for action in actions]
        return {
            "id": number,
            "name": f"robot${name}",
            "level": "system",
            "disable": False,
            "expires_at": -1,
            "permissions": [{"kind": "project", "namespace": project, "access": access}],
        }

    return [
        robot(1, "build", "*", "push", "pull"),
        robot(2, "tracker", "tracker", "push", "pull"),
        robot(3, "cluster", "*", "pull"),
    ]


def _projects() -> list[Json]:
    public = {"tracker": "false", "storefront": "true"}
    return [
        {"project_id": number, "name": name, "metadata": {"public": flag}}
        for number, (name, flag) in enumerate(public.items(), start=1)
    ]


def _scanned(short: str, signature: str) -> str:
    image = next(i for i in IMAGES if i.name.endswith(f"/{short}"))
    manifest = digest(image.written or f"{image.name}:{image.tag}").replace(":", "/")
    layer = digest(f"layer of {image.name}").replace(":", "/")
    told = f"{signature} FOUND" if signature else "OK"
    return (
        f"/scan/{short}/blobs/{manifest}: OK\n"
        f"/scan/{short}/blobs/{layer}: {told}\n"
        "\n----------- SCAN SUMMARY -----------\n"
        "Known viruses: 8708688\n"
        "Engine version: 1.4.2\n"
        "Scanned directories: 3\n"
        "Scanned files: 2\n"
        f"Infected files: {int(bool(signature))}\n"
        "Start Date: 2026:05:31 03:00:00\n"
        "End Date:   2026:05:31 03:00:40\n"
    )
