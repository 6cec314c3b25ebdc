"""What gator and kyverno are run on: the policies of a cluster, or proposed ones.

Each is run as things are, and once more without what excepts from its policies: the difference
is what exceptions hide. Neither sees a cluster or a network: policies that ask for more (images'
signatures, data of other systems) are left out, and are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec

from kaudit.errors import InputError
from kaudit.model.tool_run import CLUSTER, PROPOSED, WITHOUT
from kaudit.model.words import Gap, Reason
from kaudit.source.run.objects import POLICY_GROUPS, Object, Objects, made_by
from kaudit.source.run.tool import Target

_OUTSIDE = ("verifyImages", "mutate", "generate")
_SECRETS = "Secrets are never given to engines: what it says of them is not known"
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
    gaps = [*_repeated(objects)]
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
    made = {made_by(one).lower() for one in templates}
    excluded = _excludes(all_of, process) if process else []
    constraints = []
    for one in _of_group(all_of, "constraints.gatekeeper.sh"):
        if only is not None and _id(one) not in only:
            continue
        if one["kind"].lower() not in made:
            why = "no template that Gatekeeper serves makes its kind, so it was not evaluated"
            gaps.append(_left_out(one, why))
            continue
        if _on_secrets(_mapping(_mapping(one, "spec"), "match").get("kinds")):
            gaps.append(_left_out(one, _SECRETS))
        constraints.append(_scoped(one, excluded if process else None))
    if not constraints:
        return []
    _write(objects, "gator", name, "policies.yaml", [*templates, *constraints])
    return [Target("Constraints", name, path=_place(objects, "gator", name))]


def _for_kyverno(
    objects: Objects, found: Iterable[Object], name: str, gaps: list[Gap]
) -> list[Target]:
    all_of, policies, without = [*found], [], name == WITHOUT
    for one in all_of:
        if one["kind"] not in _VALIDATING or not _group(one).endswith("kyverno.io"):
            if one["kind"] in ("ImageValidatingPolicy", "NamespacedImageValidatingPolicy"):
                gaps.append(_left_out(one, "it asks registries, and no network is given"))
            continue
        kept = _validating(one, gaps, without=without)
        if kept is None:
            continue
        policies.append(kept)
        if any(_on_secrets(match) for match in _matches(kept)):
            gaps.append(_left_out(one, _SECRETS))
    if not policies:
        return []
    _write(objects, "kyverno", name, "policies.yaml", policies)
    excepting = [one for one in all_of if one["kind"] == "PolicyException"]
    if excepting and not without:
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
    rules = _listed(policy, "spec", "rules")
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


def _matches(policy: Object) -> list[Any]:
    """What says which kinds a policy of Kyverno is for."""
    spec = _mapping(policy, "spec")
    return [rule.get("match") for rule in _listed(policy, "spec", "rules")] + [
        spec.get("matchConstraints")
    ]


def _on_secrets(match: Any) -> bool:
    """Tell whether kinds, or resources, that are matched include Secrets by name."""
    if isinstance(match, dict):
        return any(map(_on_secrets, match.values()))
    if isinstance(match, list):
        return any(map(_on_secrets, match))
    return match in ("Secret", "v1/Secret", "secrets")


def _scoped(constraint: Object, excluded: Sequence[str] | None) -> Object:
    """Add the namespaces that Config leaves out to those of a constraint; None drops all."""
    spec = dict(_mapping(constraint, "spec"))
    match = dict(_mapping(spec, "match"))
    own = match.pop("excludedNamespaces", None) or []
    if excluded is not None and (both := sorted({*map(str, own), *excluded})):
        match["excludedNamespaces"] = both
    return {**constraint, "spec": {**spec, "match": match}}


def _excludes(found: Iterable[Object], process: str) -> list[str]:
    """Namespaces that Gatekeeper's Config leaves out of a process."""
    spaces: set[str] = set()
    for one in found:
        if _group(one) == "config.gatekeeper.sh" and one["kind"] == "Config":
            for entry in _listed(one, "spec", "match"):
                if {"*", process} & {str(word) for word in entry.get("processes") or ()}:
                    spaces |= {str(name) for name in entry.get("excludedNamespaces") or ()}
    return sorted(spaces)


def _excluded(one: Object) -> bool:
    return _group(one) == "constraints.gatekeeper.sh" and bool(
        _mapping(_mapping(one, "spec"), "match").get("excludedNamespaces")
    )


def _excluding(one: Object) -> bool:
    return one["kind"] in _VALIDATING and any(
        "exclude" in rule for rule in _listed(one, "spec", "rules")
    )


def _in_error(template: Object, gaps: list[Gap]) -> bool:
    """Tell of a template that Gatekeeper itself could not compile."""
    pods = _listed(template, "status", "byPod")
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


def _mapping(one: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = one.get(name)
    return value if isinstance(value, dict) else {}


def _listed(one: Object, part: str, name: str) -> list[Object]:
    value = _mapping(one, part).get(name)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _place(objects: Objects, tool: str, name: str) -> Path:
    return objects.folder / f"{tool}-{name.replace(' ', '-')}"


def _write(objects: Objects, tool: str, name: str, file: str, found: Iterable[Object]) -> None:
    path = _place(objects, tool, name) / file
    path.parent.mkdir(exist_ok=True)
    text = "".join(f"---\n{msgspec.json.encode(one).decode()}\n" for one in found)
    path.write_text(text, encoding="utf-8")
