"""Commands on rights: who-can, rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kaudit.cli.app import command
from kaudit.cli.options import Debug, Format, Quiet, Sources
from kaudit.cli.sources import read, unread
from kaudit.text import count

if TYPE_CHECKING:
    from kaudit.model.words import Gap
    from kaudit.who_can import Answer, Grant, Subject

_GROUP = "Judgement"
#: Workloads that a table names of each subject.
_NAMED = 3


@command(
    _GROUP,
    "who-can get secrets manifests",
    "who-can create pods/exec evidence.kaudit --namespace shop",
    "who-can delete deployments.apps evidence.kaudit --all-namespaces --format json",
    "who-can get /metrics evidence.kaudit",
    "who-can get secrets evidence.kaudit --as system:serviceaccount:shop:web --name db",
)
def who_can(
    verb: Annotated[str, typer.Argument(metavar="VERB", help="Such as get, list, create, bind.")],
    resource: Annotated[
        str,
        typer.Argument(
            metavar="RESOURCE",
            help="Such as pods, pods/exec, deployments.apps, a short name, or a URL as /metrics.",
        ),
    ],
    sources: Sources,
    namespace: Annotated[
        str,
        typer.Option(
            "--namespace", "-n", metavar="NAMESPACE", help="In this namespace; by default in any."
        ),
    ] = "",
    all_namespaces: Annotated[
        bool,
        typer.Option("--all-namespaces", "-A", help="Only who may in all namespaces at once."),
    ] = False,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="To the object of this name.")
    ] = "",
    any_name: Annotated[
        bool, typer.Option("--any-name", help="Rights that are narrowed to names too.")
    ] = False,
    subresource: Annotated[
        str, typer.Option("--subresource", metavar="PART", help="Such as exec, scale or status.")
    ] = "",
    as_user: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="USER",
            help="Only by what this user has, such as system:serviceaccount:NAMESPACE:NAME.",
        ),
    ] = "",
    as_group: Annotated[
        list[str] | None,
        typer.Option("--as-group", metavar="GROUP", help="A group of that user; repeatable."),
    ] = None,
    format: Format = "table",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Tell who may do something, by which binding, and what runs as them.

    Exits with 3 where nobody is found, but not all roles and bindings could be read.
    """
    from kaudit import who_can as engine
    from kaudit.console import show_json, show_table
    from kaudit.errors import InputError

    if namespace and all_namespaces:
        raise InputError("--namespace and --all-namespaces exclude each other", hint="give one")
    subject = _subject(as_user, as_group)
    evidence = read(sources, quiet=quiet)
    asked = engine.request(
        evidence, verb, resource, namespace=namespace, name=name, subresource=subresource
    )
    found = engine.who_can(
        evidence, asked, everywhere=all_namespaces, any_name=any_name, subject=subject
    )
    if format == "json":
        show_json(found)
    else:
        show_table(
            (_row(grant, format) for grant in found.grants),
            ["subject_kind", "subject", "scope", "names", "binding", "role", "rules", "workloads"],
            title=_title(found, everywhere=all_namespaces),
            format=format,
            unread=unread(found.gaps),
        )
    _remark(found, any_name=any_name, quiet=quiet)
    _incomplete(found.gaps, empty=not found.grants, quiet=quiet)


@command(
    _GROUP,
    "rights system:serviceaccount:shop:web manifests",
    "rights ann@example.com evidence.kaudit --group developers --format csv",
)
def rights(
    user: Annotated[
        str,
        typer.Argument(
            metavar="USER",
            help="Name as the API server knows it, such as system:serviceaccount:NAMESPACE:NAME.",
        ),
    ],
    sources: Sources,
    group: Annotated[
        list[str] | None,
        typer.Option("--group", metavar="GROUP", help="A group of the user; repeatable."),
    ] = None,
    format: Format = "table",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """List what a user or service account may do, itself and by its groups.

    Exits with 3 where nothing is found, but not all roles and bindings could be read.
    """
    from kaudit import who_can as engine
    from kaudit.console import show_table

    evidence = read(sources, quiet=quiet)
    found, gaps = (
        engine.grants_of(evidence, engine.Subject.of(user, group or ())),
        engine.gaps_of(evidence),
    )
    show_table(
        (
            (_scope(g), "; ".join(g.rules), f"{g.subject_kind} {g.subject}", _binding(g), g.role)
            for g in found
        ),
        ["scope", "rule", "given_to", "binding", "role"],
        title=f"{user}: {count(len(found), 'rule')}",
        format=format,
        unread=unread(gaps),
    )
    _incomplete(gaps, empty=not found, quiet=quiet)


def _subject(user: str, groups: list[str] | None) -> Subject | None:
    from kaudit.errors import InputError
    from kaudit.who_can import Subject

    if groups and not user:
        raise InputError("--as-group needs a user", hint="add --as USER")
    return Subject.of(user, groups or ()) if user else None


def _row(grant: Grant, format: str) -> tuple[object, ...]:
    names = [f"{w.kind} {w.namespace}/{w.name}" for w in grant.workloads]
    more = len(names) - _NAMED
    if format == "table" and more > 0:
        names = [*names[:_NAMED], f"{more} more"]
    return (
        grant.subject_kind,
        grant.subject,
        _scope(grant),
        grant.names,
        _binding(grant),
        grant.role,
        "; ".join(grant.rules),
        names,
    )


def _scope(grant: Grant) -> str:
    return grant.scope or "cluster"


def _binding(grant: Grant) -> str:
    return f"{grant.binding_kind}/{grant.binding}"


def _title(found: Answer, *, everywhere: bool) -> str:
    asked = found.question
    what = asked.url or f"{asked.resource}{'.' if asked.group else ''}{asked.group}"
    what += f"/{asked.subresource}" if asked.subresource else ""
    named = f" {asked.name}" if asked.name else ""
    place = f" in {asked.namespace}" if asked.namespace else ""
    place = " in all namespaces" if everywhere else place
    count = len(found.grants) or "nobody found"
    return f"{asked.verb} {what}{named}{place}: {count}"


def _remark(found: Answer, *, any_name: bool, quiet: bool) -> None:
    from kaudit.console import say

    if quiet:
        return
    if found.narrowed and not any_name:
        text = count(found.narrowed, "rule is", "rules are")
        say(f"{text} narrowed to names; --any-name shows them")
    if any(grant.assumed for grant in found.grants):
        say("the source lacks the default roles of Kubernetes; those of v1.36 are taken for them")


def _incomplete(gaps: tuple[Gap, ...], *, empty: bool, quiet: bool) -> None:
    from kaudit.console import say

    if not gaps:
        return
    missing = ", ".join(dict.fromkeys(f"{gap.what} ({gap.reason})" for gap in gaps))
    if empty:
        say(f"nobody found, but that proves nothing: what could grant it was not read: {missing}")
        raise typer.Exit(3)
    if not quiet:
        say(f"there may be more, for not all was read: {missing}")
