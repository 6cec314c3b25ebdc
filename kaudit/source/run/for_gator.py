"""What gator is run on: templates, and constraints as a process of Gatekeeper sees them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kaudit.model import kept_policies
from kaudit.model.kept_policies import member, plain
from kaudit.model.words import Gap
from kaudit.source.run.lay_out import (
    ASKS,
    entries,
    group_of,
    id_of,
    left_out,
    of_group,
    place_of,
    told_of_secrets,
    write,
)
from kaudit.source.run.objects import Object, Objects, made_by
from kaudit.source.run.outside import template_asks
from kaudit.source.run.secrets import LOOKED_UP, UNJUDGED
from kaudit.source.run.tool import Target


def for_gator(
    objects: Objects,
    found: Iterable[Object],
    name: str,
    gaps: list[Gap],
    process: str,
    only: set[tuple[str, str, str]] | None = None,
) -> list[Target]:
    """Lay down templates and constraints; one without the other would stop the whole run."""
    all_of = [*found]
    templates = [
        one for one in of_group(all_of, "templates.gatekeeper.sh") if not _in_error(one, gaps)
    ]
    made = {made_by(one).lower(): one for one in templates}
    seen, unjudged = objects.secrets, []
    excluded = excludes(all_of, process) if process else []
    constraints = []
    for one in of_group(all_of, "constraints.gatekeeper.sh"):
        if only is not None and id_of(one) not in only:
            continue
        if one["kind"].lower() not in made:
            why = "no template that Gatekeeper serves makes its kind, so it was not evaluated"
            gaps.append(left_out(one, why))
            continue
        template = made[one["kind"].lower()]
        if asked := template_asks(template):
            gaps.append(left_out(one, ASKS.format("its template", asked)))
            continue
        if not kept_policies.lookups_of(template, seen.looked_up):
            gaps.append(left_out(one, LOOKED_UP))
            continue
        holds = kept_policies.template_holds(template, seen.kept)
        holds = holds and kept_policies.constraint_holds(one, seen.kept)
        gaps += told_of_secrets(objects, one, holds=holds)
        if not holds:
            unjudged.append({"kind": one["kind"], "name": str(one["metadata"].get("name"))})
        constraints.append(_scoped(one, excluded if process else None))
    if not constraints:
        return []
    write(objects, "gator", name, "policies.yaml", [*templates, *constraints])
    write(objects, "gator", name, UNJUDGED, unjudged)
    return [Target("Constraints", name, path=place_of(objects, "gator", name))]


def _scoped(constraint: Object, excluded: Sequence[str] | None) -> Object:
    """Add the namespaces that Config leaves out to those of a constraint; None drops all."""
    spec = dict(member(constraint, "spec"))
    match = dict(member(spec, "match"))
    if not isinstance(match.get("excludedNamespaces"), list | None):
        return constraint  # gator says what is wrong with it
    own = match.pop("excludedNamespaces", None) or []
    if excluded is not None and (both := sorted({*map(str, own), *excluded})):
        match["excludedNamespaces"] = both
    return {**constraint, "spec": {**spec, "match": match}}


def excludes(found: Iterable[Object], process: str) -> list[str]:
    """Namespaces that Gatekeeper's Config leaves out of a process."""
    spaces: set[str] = set()
    for one in found:
        if group_of(one) == "config.gatekeeper.sh" and one["kind"] == "Config":
            for entry in entries(one, "spec", "match"):
                if {"*", process} & {str(word) for word in plain(entry.get("processes"))}:
                    spaces |= {str(name) for name in plain(entry.get("excludedNamespaces"))}
    return sorted(spaces)


def excluded(one: Object) -> bool:
    """Tell whether a constraint leaves out namespaces."""
    return group_of(one) == "constraints.gatekeeper.sh" and bool(
        member(member(one, "spec"), "match").get("excludedNamespaces")
    )


def _in_error(template: Object, gaps: list[Gap]) -> bool:
    """Tell of a template that Gatekeeper itself could not compile."""
    pods = entries(template, "status", "byPod")
    if any(pod.get("errors") for pod in pods):
        gaps.append(left_out(template, "Gatekeeper reports errors of it, so it was not evaluated"))
        return True
    return False
