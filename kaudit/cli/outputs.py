"""Options for what tools wrote: one for each format, found with its collectors."""

from __future__ import annotations

from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import typer

from kaudit.cli.app import Help
from kaudit.errors import EMPTY, InputError

_GIVEN, _WORDS = "kaudit.outputs", "kaudit.words"


class WithOutputs(Help):
    """A command that takes what tools wrote."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the command line, and know meanwhile what it says."""
        ctx.meta[_WORDS] = list(args)
        return super().parse_args(ctx, args)

    def get_params(self, ctx: Any) -> Any:
        """Add the options of the formats that are known, unless all that is given is known."""
        own = super().get_params(ctx)
        names = {name for parameter in own for name in parameter.opts}
        words = ctx.meta.get(_WORDS, ())
        given = {word.partition("=")[0] for word in words if word[:1] == "-"} - {"-"}
        if words and given <= names - {*ctx.help_option_names}:
            return own
        return [*own, *(one for one in _options() if not names & {*one.opts})]


def outputs_of(context: typer.Context) -> list[tuple[str, Path]]:
    """Format and path of what tools wrote, as the options of the command name them."""
    return list(context.meta.get(_GIVEN, ()))


def _keep(context: typer.Context, param: typer.CallbackParam, given: list[str] | None) -> None:
    kept = context.meta.setdefault(_GIVEN, [])
    if "" in (given or ()):
        raise InputError(f"{param.opts[0]} has no name", hint=EMPTY)
    kept += [(str(param.name).replace("_", "-"), Path(path)) for path in given or ()]


def _options() -> list[Any]:
    """Let Typer make the options of a function that has one parameter a format."""
    from kaudit import registry

    registry.load_catalogue("collectors")

    def reading(**_: Any) -> None: ...

    parameters = []
    for name, format in sorted(registry.FORMATS.items()):
        option = typer.Option(
            f"--{name}",
            metavar="FILE",
            help=format.help,
            callback=_keep,
            rich_help_panel="Outputs of tools",
        )
        kind = Annotated[list[str] | None, option]
        name = name.replace("-", "_")
        parameters.append(Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=kind))
    reading.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    reading.__annotations__ = {one.name: one.annotation for one in parameters}
    app = typer.Typer(add_completion=False)
    app.command()(reading)
    made = [p for p in typer.main.get_command(app).params if p.name in reading.__annotations__]
    for one in made:
        one.expose_value = False
    return made
