"""Real scanners as kaudit finds them: on a PATH, with databases of made-up flaws."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.integration.engine import engine
from tests.integration.images import Images

NAMES = ("good", "moved", "root", "signed", "unsigned", "vulnerable", "wrongly-signed")
_POD = """---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: shop}}
spec: {{containers: [{{name: c, image: "{tag}"}}]}}
status: {{containerStatuses: [{{name: c, imageID: "{pinned}"}}]}}
"""


def environment(
    home: Path, trivy_cache: Path, grype_settings: Mapping[str, str], *tools: str
) -> dict[str, str]:
    """Environment in which kaudit finds the tools, and they their databases."""
    folders = {str(engine(name).parent) for name in tools or ("trivy", "grype", "cosign")}
    return {
        "PATH": os.pathsep.join([*sorted(folders), "/usr/bin", "/bin"]),
        "HOME": str(home),
        "TRIVY_CACHE_DIR": str(trivy_cache),
        "TRIVY_SKIP_DB_UPDATE": "true",
        **grype_settings,
    }


def pods(images: Images, *names: str) -> str:
    """Pods that run images, by the digest that their status tells."""
    return "".join(
        _POD.format(name=name, tag=images.tagged(name), pinned=images.pinned(name))
        for name in names or NAMES
    )


def printed(settings: Mapping[str, str], *command: str | Path) -> str:
    """What a tool prints by itself, on the same databases."""
    ended = subprocess.run(
        [*map(str, command)],
        env=os.environ | dict(settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout
