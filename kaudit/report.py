"""Engine: a notebook and its inputs become a report that anybody can re-perform.

A report is a folder: the executed notebook (the working paper), its page and its PDF, the
inputs it was made from, and ``report.json`` with a hash of each file. It appears whole or
not at all. The notebook runs inside that folder and is given names relative to it, so the
bytes do not depend on where the folder lies.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import msgspec

from kaudit.beside import aside, possible
from kaudit.errors import InputError, ReportError
from kaudit.kernel import Kernel
from kaudit.source.events import Progress, silent
from kaudit.text import is_text, meant
from kaudit.workshop import Workshop, allowed, is_left, locked

if TYPE_CHECKING:
    from kaudit.template.ahead import Ahead

__all__ = ["MARK", "Rendered", "find_notebook", "hashes", "is_report", "render"]

#: The file that makes a folder a report.
MARK = "report.json"
_SCHEMA = "kaudit/report/v1"
_FAILED = "failed.ipynb"
_FORMATS = ("html", "pdf")
#: What exports need.
_EXPORTING = ("mistune", "jinja2", "typst", "kaudit.template.page", "kaudit.template.pdf")


class Rendered(msgspec.Struct, frozen=True):
    """Where a report lies.

    Attributes
    ----------
    folder
        Holds all of it.
    notebook
        The executed notebook.
    html, pdf
        Its exports, None where not asked for.
    files
        SHA-256 of every file but ``report.json``, by name relative to the folder.
    """

    folder: Path
    notebook: Path
    html: Path | None
    pdf: Path | None
    files: dict[str, str]


def find_notebook(name: str) -> Path:
    """Find a notebook: a path, or the name of one that comes with kaudit.

    Raises
    ------
    InputError
        There is none; the message lists those that exist.
    """
    given = Path(name)
    if given.suffix == ".ipynb" and given.is_file():
        return given
    package = Path(__file__).parent
    folders = (package / "notebooks", package.parent / "notebooks")
    for folder in folders:
        found = folder / f"{given.name.removesuffix('.ipynb')}.ipynb"
        if given.name == name and found.is_file():
            return found
    known = sorted({path.stem for folder in folders for path in folder.glob("*.ipynb")})
    raise InputError(f"there is no notebook {name!r}", hint=meant(name, known))


def render(
    notebook: Path,
    parameters: Mapping[str, Any],
    out: Path,
    *,
    beside: Mapping[str, Path] | None = None,
    later: Callable[[], Mapping[str, Path]] = dict,
    formats: Sequence[str] = _FORMATS,
    kernel: Kernel | None = None,
    progress: Progress = silent,
) -> Rendered:
    """Make a report.

    Parameters
    ----------
    notebook
        The notebook to run; see :func:`find_notebook`.
    parameters
        Values of its parameters, of the types that JSON has.
    out
        Folder of the report. It must not exist, be empty, or hold a report, which is then
        replaced.
    beside
        Files and folders that become part of the report, by their names in it: the inputs
        that the parameters name.
    later
        Waits for more of them, which the notebook links to and does not read.
    formats
        ``html``, ``pdf``; the executed notebook is always written.
    kernel
        One that was started before and not used; by default, one is started now.
    progress
        Told which cell runs, and what is exported.

    Returns
    -------
    Rendered

    Raises
    ------
    InputError
        The notebook, a parameter or the folder cannot be used.
    ReportError
        A cell failed; the notebook so far is kept as ``failed.ipynb``.
    """
    notebook, out = Path(notebook), Path(os.path.abspath(out))
    _check_formats(formats)
    _check_folder(out)
    from kaudit.template.ahead import Ahead
    from kaudit.template.run import known_parameters, run

    _check_parameters(notebook, parameters, known_parameters(notebook))
    values = json.loads(json.dumps(parameters))  # papermill writes only JSON's types as they are
    name = notebook.stem
    with _workshop(out) as folder:
        _take(beside or {}, folder)
        # Imported while the kernel works and this process has nothing to do.
        export = Thread(target=lambda: [*map(import_module, _EXPORTING)])
        export.start()
        with Ahead(idle="pdf" not in formats or not possible()) as ahead:
            try:
                node = run(
                    notebook,
                    values,
                    folder,
                    kernel=kernel,
                    progress=progress,
                    begun=ahead.begun,
                )
            except ReportError as error:
                raise _kept(error, folder, out) from None
            finally:
                export.join()
            _take(later(), folder)
            _export(node, folder, name, formats, progress, ahead)
        files = _seal(folder, notebook.name)
        _publish(folder, out)
    return Rendered(
        folder=out,
        notebook=out / f"{name}.ipynb",
        html=out / f"{name}.html" if "html" in formats else None,
        pdf=out / f"{name}.pdf" if "pdf" in formats else None,
        files=files,
    )


def _check_formats(formats: Sequence[str]) -> None:
    unknown = sorted(set(formats) - set(_FORMATS))
    if unknown:
        raise InputError(f"unknown format {unknown[0]!r}", hint=f"known: {', '.join(_FORMATS)}")


def _check_parameters(notebook: Path, given: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise InputError(
                f"the notebook has no parameter {name!r}", where=notebook, hint=meant(name, known)
            )


def _check_folder(out: Path) -> None:
    if not is_text(out):
        raise InputError("the name is no UTF-8, which notebooks need", where=out)
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise InputError("the report needs a folder, and this is none", where=out)
    if out.is_dir() and not is_report(out) and not all(is_left(p, out.name) for p in out.iterdir()):
        hint = "choose another folder, or empty it"
        raise InputError("the folder holds something that is no report", where=out, hint=hint)


def is_report(folder: Path) -> bool:
    """Tell whether a folder is a report, or what a failed run left: nobody else's is lost."""
    try:
        mark = json.loads((folder / MARK).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(mark, dict) and mark.get("schema") == _SCHEMA


@contextmanager
def _workshop(out: Path) -> Iterator[Path]:
    """Give a new folder beside the report's; whatever happens, none is left behind."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        shop = Workshop(out.parent, out.name)
    except PermissionError:
        if not out.is_dir():
            raise InputError("the folder cannot be written", where=out.parent) from None
        shop = Workshop(out, out.name)
    except OSError as fault:
        what = f"the folder cannot be made: {fault.strerror}"
        raise InputError(what, where=out.parent) from None
    try:
        with locked(out.parent):
            _put_back(out)
        yield shop.folder
    finally:
        shop.release()


def _take(sources: Mapping[str, Path], folder: Path) -> None:
    """Make files and folders part of the report, by their names in it."""
    for name, source in sources.items():
        _copy(source, folder / name, _link)


def _copy(source: Path, target: Path, copy: Callable[[Path, Path], object]) -> None:
    """Copy a file or folder; what goes wrong first ends it, and is raised as it is."""
    if not source.is_dir():
        copy(source, target)
        return
    target.mkdir(exist_ok=True)
    for path in sorted(source.iterdir()):
        _copy(path, target / path.name, copy)


def _link(source: Path, target: Path) -> None:
    """Link a file that never changes; copy it where a link is not possible."""
    try:
        os.link(source, target, follow_symlinks=True)
    except OSError:
        shutil.copyfile(source, target)


def _write_notebook(node: Any, path: Path) -> None:
    import nbformat

    path.write_text(nbformat.writes(node) + "\n", "utf-8", newline="\n")


def _export(
    node: Any,
    folder: Path,
    name: str,
    formats: Sequence[str],
    progress: Progress,
    ahead: Ahead,
) -> None:
    """Write the notebook, and what else is asked for."""
    from kaudit.template.document import read
    from kaudit.template.page import page_html
    from kaudit.template.pdf import paper

    ahead.over()
    document = read(node)
    data = paper(document) if "pdf" in formats else None
    ahead.end()  # no process is forked while it works

    def page() -> bool:
        _write_notebook(node, folder / f"{name}.ipynb")
        if "html" in formats:
            (folder / f"{name}.html").write_text(page_html(document), "utf-8", newline="\n")
        return True

    progress("HTML", 0, None)
    wait = aside(page)
    if data:
        progress("PDF", 0, None)
        (folder / f"{name}.pdf").write_bytes(ahead.typesetter().pdf(data))
    wait()


def _seal(folder: Path, notebook: str) -> dict[str, str]:
    """Hash every file and write the mark that makes the folder a report."""
    files = hashes(folder)
    mark = {"schema": _SCHEMA, "notebook": notebook, "files": files}
    text = json.dumps(mark, indent=1, ensure_ascii=False)
    (folder / MARK).write_text(f"{text}\n", "utf-8", newline="\n")
    return files


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of a report but its mark, by name, in the order of the names."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MARK:
            with path.open("rb") as stream:
                found[name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return dict(sorted(found.items()))


def _publish(folder: Path, out: Path) -> None:
    """Put the finished folder in its place; a report that was there goes only then."""
    folder.chmod(allowed(0o777))
    with locked(out.parent):
        _check_folder(out)  # much may have come since
        if folder.parent != out and _exchanged(folder, out):
            return
        _publish_inside(folder, out)


def _exchanged(folder: Path, out: Path) -> bool:
    """Give the folder the report's name; False where that is a mount, which cannot be renamed."""
    old = _replaced(out)
    try:
        if out.is_dir() and any(out.iterdir()):
            out.rename(old)
        folder.rename(out)
    except OSError as fault:
        if fault.errno not in (errno.EBUSY, errno.EXDEV):
            raise
        return False
    finally:
        _put_back(out)
    return True


def _replaced(out: Path) -> Path:
    """Name of a report for the moment in which another takes its place."""
    return out.with_name(f".{out.name}.old")


def _put_back(out: Path) -> None:
    """Give a report its name back if nothing took its place, or let it go."""
    old = _replaced(out)
    if not is_report(old):
        return
    if os.path.lexists(out):
        shutil.rmtree(old, ignore_errors=True)
    else:
        old.rename(out)


def _publish_inside(folder: Path, out: Path) -> None:
    """Fill a folder that cannot be replaced, such as a mount; the mark comes last."""
    if folder.parent != out:
        with _workshop_in(out) as inside:
            _copy(folder, inside, shutil.copyfile)
            _publish_inside(inside, out)
        return
    for path in list(out.iterdir()):
        if path != folder:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in sorted(folder.iterdir(), key=lambda path: path.name == MARK):
        path.rename(out / path.name)


@contextmanager
def _workshop_in(out: Path) -> Iterator[Path]:
    shop = Workshop(out, out.name)
    try:
        yield shop.folder
    finally:
        shop.release()


def _kept(error: ReportError, folder: Path, out: Path) -> ReportError:
    """Keep what a failed run leaves, without touching a report that is there already."""
    if error.notebook is None or not error.notebook.exists():
        return error
    has_report = out.is_dir() and any(out.iterdir()) and not (out / _FAILED).exists()
    place = out.with_name(f"{out.name}.failed") if has_report else out
    _check_folder(place)
    _seal(folder, _FAILED)
    _publish(folder, place)
    return ReportError(error.what, notebook=place / _FAILED)
