"""Commands that let kaudit run by itself: schedule, prune."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kaudit.cli.app import command
from kaudit.cli.options import (
    Debug,
    Decisions,
    Kinds,
    Quiet,
    Secrets,
    listed,
)
from kaudit.cli.sources import decided

_GROUP = "Operation"
_IMAGE = "registry.example.com/kaudit@sha256:..."


@command(
    _GROUP,
    f"schedule --image {_IMAGE} | kubectl apply -f -",
    f"schedule --image {_IMAGE} --schedule '0 3 * * mon' --keep 12",
    f"schedule --image {_IMAGE} --api-server 203.0.113.7 -P owner_labels=team",
)
def schedule(
    *,
    image: Annotated[
        str,
        typer.Option("--image", metavar="IMAGE", help="Image of kaudit, with its digest."),
    ],
    when: Annotated[
        str,
        typer.Option("--schedule", metavar="CRON", help="When to run, in UTC, as cron has it."),
    ] = "0 3 * * *",
    namespace: Annotated[
        str,
        typer.Option("--namespace", metavar="NAMESPACE", help="Namespace to make, for it alone."),
    ] = "kaudit",
    kinds: Kinds = "",
    secrets: Secrets = "none",
    size: Annotated[
        str, typer.Option("--pvc-size", metavar="SIZE", help="Room for evidence and reports.")
    ] = "10Gi",
    storage: Annotated[
        str,
        typer.Option(
            "--storage",
            metavar="CLASS",
            help="Storage class of the volume claim; the cluster's default if not given. "
            "An object store needs the class of a driver that mounts it.",
        ),
    ] = "",
    keep: Annotated[
        int, typer.Option("--keep", metavar="N", help="Earlier runs to keep beside the new one.")
    ] = 30,
    owner: Annotated[
        str, typer.Option("--owner", metavar="NAME", help="Who answers for it, as a label.")
    ] = "security",
    api_server: Annotated[
        list[str] | None,
        typer.Option(
            "--api-server",
            metavar="ADDRESS",
            help="Address or network of the API server, for the network policy; repeatable. "
            "Any address on its ports if not given.",
        ),
    ] = None,
    version: Annotated[
        str,
        typer.Option(
            "--pod-security-version",
            metavar="VERSION",
            help="Version of the cluster, such as v1.34, that the Pod Security level is pinned "
            "to; the newest known if not given.",
        ),
    ] = "",
    decisions: Decisions,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Print what runs kaudit regularly inside a cluster: a CronJob and all that it needs.

    It reads the cluster with an account of its own, and leaves evidence and reports on a
    volume. kaudit itself changes nothing: review what is printed, and apply it.
    """
    from kaudit.console import say
    from kaudit.schedule.manifest import manifest
    from kaudit.schedule.plan import Plan
    from kaudit.waivers import load_waivers

    plan = Plan(
        image=image,
        schedule=when,
        namespace=namespace,
        kinds=listed(kinds),
        secrets=secrets,
        size=size,
        storage=storage,
        keep=keep,
        owner=owner,
        api_server=tuple(api_server or ()),
        parameters=decided(decisions),
        waivers=load_waivers(decisions.waivers) if decisions.waivers else (),
        **({"version": version} if version else {}),
    )
    say(manifest(plan).rstrip("\n"), error=False, lines=True)
    if not api_server and not quiet:
        say("the network policy lets it reach any address on ports 443 and 6443; see --api-server")


@command(_GROUP, "prune /var/lib/kaudit --keep 30")
def prune(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where runs lie side by side.")],
    keep: Annotated[
        int, typer.Option("--keep", metavar="N", help="How many of the newest runs stay.")
    ],
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Remove the oldest runs of a folder: NAME.kaudit and the report NAME beside it."""
    from kaudit.console import say
    from kaudit.prune import prune as removed

    for path in removed(folder, keep):
        if not quiet:
            say(f"removed {path}")
