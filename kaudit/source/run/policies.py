"""What gator and kyverno are run on: the policies of a cluster, or proposed ones.

Each is run as things are, and once more without what excepts from its policies: the difference
is what exceptions hide. Neither sees a cluster or a network: policies that ask for more (images'
signatures, data of other systems) are left out, and are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec

from kaudit.errors import InputError
from kaudit.model import kept_policies
from kaudit.model.kept_policies import listed, member
from kaudit.model.tool_run import CLUSTER, PROPOSED, WITHOUT
from kaudit.model.words import Gap, Reason
from kaudit.source.run.objects import POLICY_GROUPS, Object, Objects, made_by
from kaudit.source.run.secrets import BEYOND, LIKE_ONE, LOOKED_UP, UNJUDGED, UNREAD
from kaudit.source.run.tool import Target
from kaudit.source.run.versions import asked_for

_OUTSIDE = ("verifyImages", "mutate", "generate")
_VALIDATING = ("ClusterPolicy", "Policy", "ValidatingPolicy", "NamespacedValidatingPolicy")


def policies_in(paths: Iterable[Path]) -> list[Object]:
    """Policies in files of YAML or JSON, in the order of the files.

    Raises
    ------
    InputError
        A file cannot be read, or none holds a policy.
    """
    from kaudit.model.yaml_stream import Fault, documents  # YAML is slow to import

    found: list[Object] = []
    given = [*paths]
    for path in given:
        for file in sorted(path.rglob("*.y*ml")) if path.is_dir() else [path]:
            try:
                text = file.read_bytes()
            except OSError as fault:
                raise InputError(f"cannot be read: {fault.strerror}", where=file) from None
            for _, document in documents(text):
                if isinstance(document, Fault):
                    raise InputError(document.what, where=f"{file}:{document.line}")
                found += [one for one in _objects(document) if _group(one) in POLICY_GROUPS]
    if not found:
        hint = "give constraints and their templates, or policies of Kyverno"
        raise InputError("holds no policy", where=", ".join(map(str, given)), hint=hint)
    return found


def _objects(document: Any) -> Iterator[Object]:
    if isinstance(document, dict):
        items = document.get("items")
        for one in items if isinstance(items, list) else [document]:
            if isinstance(one, dict) and one.get("kind") and isinstance(one.get("metadata"), dict):
                yield one


def laid_out(objects: Objects, proposed: Sequence[Object] | None) -> tuple[list[Target], list[Gap]]:
    """Write policies beside the objects; return what engines are run on, and what was left out.

    Parameters
    ----------
    proposed
        Policies to judge by in the place of the cluster's own; None takes those.
    """
    objects.done()
    gaps = [*_repeated(objects), *_unlike(objects)]
    if not objects.count:
        return [], gaps
    if proposed is not None:
        own = [one for one in objects.policies if one["kind"] in ("ConstraintTemplate", "Config")]
        given = {_id(one) for one in proposed}
        held = [one for one in own if _id(one) not in given]
        held += [one for one in objects.policies if one["kind"] == "PolicyException"]
        found = [*proposed, *held]
        targets = [*_for_gator(objects, found, PROPOSED, gaps, "webhook", only=given)]
        targets += _for_kyverno(objects, found, PROPOSED, gaps)
        return targets, gaps
    found = objects.policies
    targets = [*_for_gator(objects, found, CLUSTER, gaps, "audit")]
    if targets and (_excludes(found, "audit") or any(map(_excluded, found))):
        targets += _for_gator(objects, found, WITHOUT, [], "")
    of_kyverno = _for_kyverno(objects, found, CLUSTER, gaps)
    if of_kyverno and (
        any(one["kind"] == "PolicyException" for one in found) or any(map(_excluding, found))
    ):
        of_kyverno += _for_kyverno(objects, found, WITHOUT, [])
    return [*targets, *of_kyverno], gaps


def _repeated(objects: Objects) -> Iterator[Gap]:
    for kind, namespace, name in sorted(set(objects.repeated)):
        yield Gap(
            what=f"{kind} {namespace + '/' if namespace else ''}{name}",
            reason=Reason.AMBIGUOUS,
            kind=kind,
            namespace=namespace,
            name=name,
            tables=("policy_verdicts",),
            detail="defined several times; engines of policies were given the first definition",
        )


def _unlike(objects: Objects) -> Iterator[Gap]:
    for namespace, name in sorted(set(objects.secrets.left_out)):
        yield Gap(
            what=f"Secret {namespace}/{name}",
            reason=Reason.PARTIAL,
            kind="Secret",
            namespace=namespace,
            name=name,
            tables=("policy_verdicts",),
            detail=LIKE_ONE,
        )


def _told_of_secrets(objects: Objects, one: Object, *, holds: bool) -> Iterator[Gap]:
    """Tell of a policy whose verdicts on Secrets are not known."""
    may, named = kept_policies.on_secrets(one)
    if may and objects.secrets.given and not holds:
        yield _left_out(one, BEYOND)
    elif named and objects.secrets.unread:
        yield _left_out(one, UNREAD)


def _for_gator(
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
        one for one in _of_group(all_of, "templates.gatekeeper.sh") if not _in_error(one, gaps)
    ]
    made = {made_by(one).lower(): one for one in templates}
    seen, unjudged = objects.secrets, []
    excluded = _excludes(all_of, process) if process else []
    constraints = []
    for one in _of_group(all_of, "constraints.gatekeeper.sh"):
        if only is not None and _id(one) not in only:
            continue
        if one["kind"].lower() not in made:
            why = "no template that Gatekeeper serves makes its kind, so it was not evaluated"
            gaps.append(_left_out(one, why))
            continue
        template = made[one["kind"].lower()]
        if not kept_policies.lookups_of(template, seen.looked_up):
            gaps.append(_left_out(one, LOOKED_UP))
            continue
        holds = kept_policies.template_holds(template, seen.kept)
        holds = holds and kept_policies.constraint_holds(one, seen.kept)
        gaps += _told_of_secrets(objects, one, holds=holds)
        if not holds:
            unjudged.append({"kind": one["kind"], "name": str(one["metadata"].get("name"))})
        constraints.append(_scoped(one, excluded if process else None))
    if not constraints:
        return []
    _write(objects, "gator", name, "policies.yaml", [*templates, *constraints])
    _write(objects, "gator", name, UNJUDGED, unjudged)
    return [Target("Constraints", name, path=_place(objects, "gator", name))]


def _for_kyverno(
    objects: Objects, found: Iterable[Object], name: str, gaps: list[Gap]
) -> list[Target]:
    all_of, policies, without = [*found], [], name == WITHOUT
    excepting = [one for one in all_of if one["kind"] == "PolicyException" and not without]
    kept, unjudged = objects.secrets.kept, []
    unsure = [one for one in excepting if not kept_policies.exception_holds(one, kept)]
    for one in all_of:
        if one["kind"] not in _VALIDATING or not _group(one).endswith("kyverno.io"):
            if one["kind"] in ("ImageValidatingPolicy", "NamespacedImageValidatingPolicy"):
                gaps.append(_left_out(one, "it asks registries, and no network is given"))
            continue
        judging = _validating(one, gaps, without=without)
        if judging is None:
            continue
        policies.append(judging)
        holds = kept_policies.policy_holds(judging, kept) and not any(
            kept_policies.excepts(exception, one) for exception in unsure
        )
        gaps += _told_of_secrets(objects, judging, holds=holds)
        if not holds:
            unjudged.append({"name": str(one["metadata"].get("name"))})
    if not policies:
        return []
    _write(objects, "kyverno", name, "policies.yaml", policies)
    _write(objects, "kyverno", name, UNJUDGED, unjudged)
    if objects.older and not asked_for(policies):
        objects.write_followed(_place(objects, "kyverno", name) / "objects.yaml")
    if excepting:
        _write(objects, "kyverno", name, "exceptions.yaml", excepting)
    spaces = [{"name": k, "labels": v} for k, v in sorted(objects.namespaces.items())]
    values = {
        "apiVersion": "cli.kyverno.io/v1alpha1",
        "kind": "Values",
        "metadata": {"name": "namespaces"},
        "namespaceSelector": spaces,
    }
    _write(objects, "kyverno", name, "values.yaml", [values])
    return [Target("Policies", name, path=_place(objects, "kyverno", name))]


def _validating(policy: Object, gaps: list[Gap], *, without: bool) -> Object | None:
    """Return a policy with the rules that judge; those that ask registries are told."""
    if _group(policy) != "kyverno.io":
        return policy
    rules = _entries(policy, "spec", "rules")
    if any("verifyImages" in rule for rule in rules):
        gaps.append(_left_out(policy, "rules that verify images ask registries: they were not run"))
    kept = [rule for rule in rules if "validate" in rule and not any(k in rule for k in _OUTSIDE)]
    if not kept:
        return None
    policy = {**policy, "spec": {**policy["spec"], "rules": deepcopy(kept)}}
    if without:
        for rule in policy["spec"]["rules"]:
            rule.pop("exclude", None)
    return policy


def _scoped(constraint: Object, excluded: Sequence[str] | None) -> Object:
    """Add the namespaces that Config leaves out to those of a constraint; None drops all."""
    spec = dict(member(constraint, "spec"))
    match = dict(member(spec, "match"))
    own = match.pop("excludedNamespaces", None) or []
    if excluded is not None and (both := sorted({*map(str, own), *excluded})):
        match["excludedNamespaces"] = both
    return {**constraint, "spec": {**spec, "match": match}}


def _excludes(found: Iterable[Object], process: str) -> list[str]:
    """Namespaces that Gatekeeper's Config leaves out of a process."""
    spaces: set[str] = set()
    for one in found:
        if _group(one) == "config.gatekeeper.sh" and one["kind"] == "Config":
            for entry in _entries(one, "spec", "match"):
                if {"*", process} & {str(word) for word in entry.get("processes") or ()}:
                    spaces |= {str(name) for name in entry.get("excludedNamespaces") or ()}
    return sorted(spaces)


def _excluded(one: Object) -> bool:
    return _group(one) == "constraints.gatekeeper.sh" and bool(
        member(member(one, "spec"), "match").get("excludedNamespaces")
    )


def _excluding(one: Object) -> bool:
    return one["kind"] in _VALIDATING and any(
        "exclude" in rule for rule in _entries(one, "spec", "rules")
    )


def _in_error(template: Object, gaps: list[Gap]) -> bool:
    """Tell of a template that Gatekeeper itself could not compile."""
    pods = _entries(template, "status", "byPod")
    if any(pod.get("errors") for pod in pods):
        gaps.append(_left_out(template, "Gatekeeper reports errors of it, so it was not evaluated"))
        return True
    return False


def _left_out(one: Object, why: str) -> Gap:
    name = str(one["metadata"].get("name") or "")
    return Gap(
        what=f"{one['kind']} {name}",
        reason=Reason.PARTIAL,
        kind=one["kind"],
        namespace=str(one["metadata"].get("namespace") or ""),
        name=name,
        tables=("policy_verdicts",),
        detail=why,
    )


def _id(one: Object) -> tuple[str, str, str]:
    meta = one["metadata"]
    space = str(meta.get("namespace") or "")
    return f"{_group(one)}/{one['kind']}", space, str(meta.get("name") or "")


def _group(one: Object) -> str:
    return str(one.get("apiVersion") or "").rpartition("/")[0]


def _of_group(found: Iterable[Object], group: str) -> list[Object]:
    return [one for one in found if _group(one) == group]


def _entries(one: Object, part: str, name: str) -> list[Object]:
    return [*map(dict, listed(member(one, part).get(name)))]


def _place(objects: Objects, tool: str, name: str) -> Path:
    return objects.folder / f"{tool}-{name.replace(' ', '-')}"


def _write(objects: Objects, tool: str, name: str, file: str, found: Iterable[Object]) -> None:
    path = _place(objects, tool, name) / file
    path.parent.mkdir(exist_ok=True)
    text = "".join(f"---\n{msgspec.json.encode(one).decode()}\n" for one in found)
    path.write_text(text, encoding="utf-8")
