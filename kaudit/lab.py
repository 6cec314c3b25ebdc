"""Open JupyterLab on a workspace with the notebooks and the evidence at hand."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from kaudit.errors import InputError
from kaudit.report import find_notebook
from kaudit.text import is_text

NOTEBOOKS = ("explore", "audit")


def workspace(bundle: str, folder: Path) -> Path:
    """Make or reuse a folder with notebooks and evidence; nothing in it is overwritten.

    Parameters
    ----------
    bundle
        Evidence, or a source to collect; empty takes the demo.
    folder
        Where to work.

    Returns
    -------
    Path
        The notebook to begin with.
    """
    if not is_text(folder):
        raise InputError("the name is no UTF-8, which notebooks need", where=folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        what = f"the workspace cannot be made: {fault.strerror}"
        raise InputError(what, where=folder) from None
    evidence = folder / "evidence.kaudit"
    if not evidence.exists():
        _provide(bundle, evidence)
    elif bundle:
        raise InputError("has evidence already", where=folder, hint="name another --folder")
    for name in NOTEBOOKS:
        target = folder / f"{name}.ipynb"
        if not target.exists():
            shutil.copyfile(find_notebook(name), target)
    return folder / "explore.ipynb"


def _provide(bundle: str, evidence: Path) -> None:
    from kaudit.opening import evidence_of
    from kaudit.source.open import is_bundle

    if bundle and is_bundle(bundle) and Path(bundle).is_file():
        shutil.copyfile(bundle, evidence)
    elif bundle and is_bundle(bundle):
        from kaudit.evidence.seal import packed

        packed(Path(bundle), evidence)
    elif bundle:
        evidence_of([bundle], out=evidence)
    else:
        from kaudit.dossier import demo_evidence

        demo_evidence(evidence)


def command(start: Path, *, browser: bool, port: int) -> list[str]:
    """Return the command that starts JupyterLab on the loopback address; it asks no outsider."""
    return [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--notebook-dir={start.parent}",
        f"--LabApp.default_url=/lab/tree/{start.name}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.news_url=None",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        *([] if browser else ["--no-browser"]),
    ]


def environment() -> dict[str, str]:
    """Return the environment of the server.

    Configuration that lies about, which may waive the token, plays no part; the kernel is
    that of this interpreter before any that the user has installed.
    """
    found = {**os.environ, "JUPYTER_NO_CONFIG": "1", "JUPYTER_PREFER_ENV_PATH": "1"}
    if not found.get("JUPYTER_TOKEN"):
        found.pop("JUPYTER_TOKEN", None)  # an empty one would open the server to everybody
    return found


def open_lab(bundle: str, folder: Path, *, browser: bool, port: int) -> None:
    """Make the workspace and run JupyterLab in it until it is stopped.

    Raises
    ------
    InputError
        JupyterLab is not installed, or the folder has other evidence.
    """
    if find_spec("jupyterlab") is None:
        raise InputError("JupyterLab is not installed", hint="pip install 'kaudit[lab]'")
    start = workspace(bundle, folder).resolve()
    made = command(start, browser=browser, port=port)
    subprocess.run(made, env=environment(), check=False)
