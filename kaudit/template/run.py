"""Running a notebook so that the same notebook and parameters give the same bytes.

papermill runs it in a kernel of this very interpreter, whatever kernels are installed,
over sockets in a private folder. What then still tells time or place is taken out of the
notebook.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from pathlib import Path
from queue import Empty
from typing import Any, ClassVar

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from nbclient.exceptions import DeadKernelError
from nbformat import ValidationError
from papermill import PapermillExecutionError, execute_notebook
from papermill.inspection import inspect_notebook
from traitlets import default
from traitlets.config import Config

from kaudit.errors import InputError, ReportError
from kaudit.kernel import Kernel
from kaudit.source.events import Progress, silent
from kaudit.text import shorten, visible

__all__ = ["known_parameters", "normalise", "run"]

#: What goes wrong is told once, and by us.
logging.getLogger("papermill").addHandler(logging.NullHandler())
_KERNEL = "kaudit"
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b")


class _OwnKernels(KernelSpecManager):
    """Knows one kernel only: this interpreter."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:  # noqa: ARG002  jupyter's signature
        return KernelSpec(argv=[], display_name=_KERNEL, language="python")


class _Started(LocalProvisioner):
    """Takes the interpreter that was started before."""

    kernel: Kernel

    async def launch_kernel(
        self,
        cmd: list[str],  # noqa: ARG002  jupyter's signature
        **kw: Any,
    ) -> KernelConnectionInfo:
        self.kernel.run(kw.get("cwd") or os.getcwd())
        self.process = self.kernel.process
        self.pid = self.pgid = self.process.pid
        return self.connection_info


class _Client(AsyncKernelClient):
    """Waits until a kernel answers on both channels, and not for a silence after that."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        until = time.monotonic() + (timeout or 60)
        while time.monotonic() < until:
            self.kernel_info()
            with suppress(Empty):
                await self.shell_channel.get_msg(timeout=1)
                await self.iopub_channel.get_msg(timeout=1)
                return
            if not await self._async_is_alive():
                break
        raise RuntimeError("Kernel died, or does not answer")


class _OwnKernel(AsyncKernelManager):
    """Takes that kernel."""

    kernel: ClassVar[Kernel]
    client_factory = _Client

    @default("kernel_spec_manager")
    def _own_kernels(self) -> KernelSpecManager:
        return _OwnKernels()

    async def start_kernel(  # type: ignore[override]  # as in the class it extends
        self, **kw: Any
    ) -> None:
        self.provisioner = _Started(kernel_id=_KERNEL, kernel_spec=self.kernel_spec, parent=self)
        self.provisioner.kernel = self.kernel
        self.load_connection_file(str(self.kernel.connection))
        await super().start_kernel(**kw)


def known_parameters(notebook: Path) -> list[str]:
    """Return the names assigned in the cell tagged ``parameters``.

    Raises
    ------
    InputError
        The file is no notebook.
    """
    try:
        return list(inspect_notebook(str(notebook)))
    except (ValueError, KeyError, AttributeError, TypeError, ValidationError) as error:
        what = f"this is no Jupyter notebook: {shorten(visible(str(error)), 200)}"
        raise InputError(what, where=notebook) from None


def run(
    notebook: Path,
    parameters: Mapping[str, Any],
    folder: Path,
    *,
    kernel: Kernel | None = None,
    progress: Progress = silent,
    begun: Callable[[Any, float], None] = lambda *_: None,
) -> Any:
    """Execute a notebook with a folder as its working directory.

    Parameters
    ----------
    notebook
        Path of the notebook; it is not changed.
    parameters
        Values for its parameters.
    folder
        Working directory of the kernel.
    kernel
        One that was started before and not used; by default, one is started now.
    progress
        Told the first line of each cell as it starts.
    begun
        Given each cell as it starts, and the share of cells that are done.

    Returns
    -------
    NotebookNode
        The executed notebook, normalised.

    Raises
    ------
    ReportError
        A cell failed, or the kernel died. The notebook so far is ``failed.ipynb`` in the
        folder.
    """
    failed = folder / "failed.ipynb"
    last: list[str] = []
    with nullcontext(kernel) if kernel else Kernel() as used:
        config = Config()
        config.KernelManager.transport = "ipc"
        config.KernelManager.ip = str(used.private / "k")
        config.KernelManager.connection_file = str(used.private / "manager.json")
        taken = type("_Taken", (_OwnKernel,), {"kernel": used})
        try:
            node = execute_notebook(
                str(notebook),
                str(failed),
                parameters=dict(parameters),
                kernel_name=_KERNEL,
                language="python",
                cwd=str(folder),
                progress_bar=False,
                request_save_on_cell_execute=False,
                autosave_cell_every=0,
                record_timing=False,
                coalesce_streams=True,
                iopub_timeout=120,
                shutdown_kernel="immediate",
                config=config,
                on_cell_start=_telling(notebook, bool(parameters), progress, begun, last),
                kernel_manager_class=taken,
            )
        except PapermillExecutionError as error:
            cell = f"In [{error.exec_count}] `{_first_line(error.source)}`"
            fault = shorten(visible(f"{error.ename}: {error.evalue}"), 600)
            raise ReportError(f"cell {cell} failed: {fault}", notebook=failed) from None
        except (DeadKernelError, RuntimeError) as error:
            if not isinstance(error, DeadKernelError) and "Kernel" not in str(error):
                raise
            said = used.log.read_text("utf-8", "replace").strip()[-400:]
            what = f"the kernel died in cell `{last[-1]}`" if last else "the kernel died at once"
            if used.process.poll() == -signal.SIGKILL:
                what += ", killed as a system does that has no memory left"
            raise ReportError(f"{what}: {visible(said)}" if said else what) from None
    return _sound(node, failed)


def _telling(
    notebook: Path,
    injected: bool,
    progress: Progress,
    begun: Callable[[Any, float], None],
    last: list[str],
) -> Callable[..., None]:
    total = len(json.loads(notebook.read_text("utf-8"))["cells"]) + injected

    def tell(cell: Any, cell_index: int) -> None:
        last.append(_first_line(cell.source))
        progress(last[-1], cell_index, total)
        begun(cell, cell_index / total)

    return tell


def _first_line(source: str) -> str:
    lines = [line for line in source.splitlines() if line.strip()]
    return shorten(visible(lines[0].strip()), 80) if lines else ""


def _sound(node: Any, failed: Path) -> Any:
    """Return the notebook if it ran to its end; a cell that leaves early is a failure too."""
    for cell in node.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                what = f"cell `{_first_line(cell.source)}` ended the run: {output.ename}"
                raise ReportError(what, notebook=failed)
    failed.unlink(missing_ok=True)
    return normalise(node)


def normalise(node: Any) -> Any:
    """Take out of an executed notebook what tells time, place or chance.

    What stays: cells, outputs, tags, and the parameters of the run.
    """
    given = node.metadata.get("papermill", {}).get("parameters", {})
    node.metadata = type(node.metadata)(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={"name": "python"},
        papermill={"parameters": given},
    )
    for number, cell in enumerate(node.cells):
        cell.id = f"cell-{number:03d}"
        for name in ("papermill", "execution", "trusted"):
            cell.metadata.pop(name, None)
        if cell.cell_type == "code":
            cell.execution_count = None
            for output in cell.outputs:
                _normalise_output(output)
    return node


def _normalise_output(output: Any) -> None:
    if "execution_count" in output:
        output.execution_count = None
    if "text" in output:
        output.text = _ADDRESS.sub("0x…", output.text)
    data = output.get("data", {})
    if isinstance(data.get("text/plain"), str):
        data["text/plain"] = _ADDRESS.sub("0x…", data["text/plain"])
