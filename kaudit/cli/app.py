"""The application: how help looks, how errors are told, what exit codes mean."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Callable, Sequence
from itertools import groupby
from traceback import format_exception
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.models import TyperPath

from kaudit import __version__
from kaudit.cli.grouped import spread
from kaudit.errors import EMPTY, InputError, KauditError
from kaudit.text import meant

F = TypeVar("F", bound=Callable[..., None])

_ABOUT = """Audit the security of Kubernetes clusters and manifests, from evidence to report."""
_EPILOG = """
\b
SOURCE is one of
  context:NAME     a cluster of your kubeconfig; context: is the current one
  FILE or FOLDER   manifests, output of kubectl get or cluster-info dump
  -                the same on standard input
  BUNDLE           evidence that kaudit collect has sealed

\b
Exit codes
  0   done; nothing at or above --fail-on
  1   findings at or above --fail-on, what pss --fail or gate refuses, or a
      report that rerun does not reproduce
  2   wrong usage, input that cannot be read, or no room to write
  3   incomplete, with --require-complete, for the gate, or for --fail of pss
      and admission; or who-can found nobody, and not all was read
  70  a bug in kaudit
  130 interrupted; 143 ended; 129 the terminal was closed; 141 whoever read the
      output has closed it
"""
_BUG, _CLOSED = 70, 141
#: What a system says that has no room, or does not allow to write.
_REFUSED = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
#: What it says of a place that was named: not allowed, or no name.
_UNUSABLE = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP)


class _Place(TyperPath):
    """A file or folder; an empty name is not taken for the folder here."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Refuse an empty name."""
        if value == "":
            name = param.opts[0] if param.param_type_name == "option" else param.metavar
            raise InputError(f"{name} has no name", hint=EMPTY)
        return super().convert(value, param, ctx)


class Help(TyperCommand):
    """A command whose help names arguments without their Python type."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for parameter in self.params:
            if isinstance(parameter.type, TyperPath):
                parameter.type = _Place(path_type=parameter.type.type)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options."""
        _write_parameters(self, ctx, formatter)


class Commands(TyperGroup):
    """All commands: listed in groups, errors told in one sentence."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands by group, then the options."""
        self.format_commands(ctx, formatter)
        _write_parameters(self, ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands by group, each with the first sentence of its help."""
        found = [self.get_command(ctx, name) for name in self.list_commands(ctx)]
        shown: list[Any] = [command for command in found if command and not command.hidden]
        for group, commands in groupby(shown, key=lambda command: str(command.rich_help_panel)):
            with formatter.section(group):
                formatter.write_dl([(c.name, _first_sentence(c.help)) for c in commands], 11)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command, or say which one may be meant."""
        if args and self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            hint = meant(args[0], self.list_commands(ctx))
            raise InputError(f"there is no command {args[0]!r}", hint=hint)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run a command; a reader that has gone ends it."""
        try:
            done = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # Python flushes once more at exit; nobody is there to read it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(_CLOSED) from None
        return done

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002  errors are always told here
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Parse, run and leave with the exit code."""
        given = list(sys.argv[1:] if args is None else args)
        try:
            code = super().main(given, prog_name, complete_var, False, windows_expand_args, **extra)
        except (KauditError, typer.TyperException) as fault:
            _leave(2, _told(fault), fault, given)
        except Exception as fault:  # noqa: BLE001  a bug is told as one, with its own exit code
            if isinstance(fault, OSError) and fault.errno in _REFUSED:
                _leave(2, f"cannot be written: {os.strerror(fault.errno)}", fault, given)
            if isinstance(fault, OSError) and fault.errno in _UNUSABLE and fault.filename:
                _leave(2, f"{fault.filename}: {os.strerror(fault.errno)}", fault, given)
            if isinstance(fault, FileNotFoundError) and fault.filename is None and _lost():
                _leave(2, "the current folder is not there any more (go to another)", fault, given)
            what = f"{type(fault).__name__}: {fault}"
            _leave(_BUG, f"this is a bug in kaudit ({what}); --debug shows where", fault, given)
        sys.exit(code if isinstance(code, int) else 0)


def _lost() -> bool:
    """Tell whether the current folder was removed."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _leave(code: int, text: str, fault: Exception, given: Sequence[str]) -> NoReturn:
    from kaudit.console import say

    if "--debug" in given:
        say("".join(format_exception(fault)).rstrip(), lines=True)
    say(f"kaudit: {text}")
    sys.exit(code)


def _told(fault: Exception) -> str:
    """Say what is wrong in one sentence, with the way out."""
    if isinstance(fault, KauditError):
        return str(fault)
    context = getattr(fault, "ctx", None)
    help_ = f"{context.command_path} --help" if context else "kaudit --help"
    option = getattr(fault, "option_name", "")
    if context and option and str(fault).startswith("No such option"):
        known = [name for p in context.command.get_params(context) for name in p.opts]
        near = meant(option, [name for name in known if name[:2] == "--"], otherwise=help_)
        return f"there is no option {option} ({near})"
    text = str(fault.format_message() if hasattr(fault, "format_message") else fault).rstrip(".")
    return f"{text[:1].lower()}{text[1:]} ({help_})"


def _write_parameters(command: Any, ctx: Any, formatter: Any) -> None:
    titles = {"argument": "Arguments", "option": "Options"}
    sections: dict[str, list[Any]] = {title: [] for title in titles.values()}
    for parameter in command.get_params(ctx):
        panel = getattr(parameter, "rich_help_panel", None)
        title = panel or titles[parameter.param_type_name]
        sections.setdefault(title, []).append(parameter.get_help_record(ctx))
    for title, records in sections.items():
        rows = [(re.sub(r" <[^>]*>$", "", name), text) for name, text in filter(None, records)]
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


def _first_sentence(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split()).rstrip(".")


app = typer.Typer(
    name="kaudit",
    cls=Commands,
    help=_ABOUT,
    epilog=_EPILOG,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def command(group: str, *examples: str, kind: type[Help] = Help) -> Callable[[F], F]:
    """Register a command under a heading of the help, with examples of its use."""
    lines = "\n".join(f"  kaudit {example}" for example in examples)

    def register(function: F) -> F:
        app.command(cls=kind, rich_help_panel=group, epilog=f"\b\nExamples\n{lines}")(
            spread(function)
        )
        return function

    return register


def _version(wanted: bool) -> None:
    if wanted:
        from kaudit.console import say

        say(f"kaudit {__version__}", error=False)
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _all(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        from kaudit.console import say

        say(context.get_help(), lines=True)
        raise typer.Exit(2)
