"""Whether policies read of Secrets only what was kept of them.

Source: open-policy-agent/gatekeeper, ``website/docs/input.md``, and kyverno/kyverno, ``api``.
Policies are as they were read, of any version. A part that is not known may read anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from kaudit.model import kinds
from kaudit.model.kept_reads import JMESPath, Kept, cel_holds, lookups_hold, rego_holds
from kaudit.model.kyverno_reads import anchored, expressions
from kaudit.model.values import EACH, SOME, Path, Unreadable

Object = Mapping[str, Any]
#: Parts of a rule, and of its way to validate, that are known.
_OF_RULE = frozenset(
    [
        *("name", "match", "exclude", "preconditions", "context", "validate"),
        *("celPreconditions", "skipBackgroundRequests", "reportProperties"),
    ]
)
_OF_VALIDATE = frozenset(
    [
        *("pattern", "anyPattern", "deny", "foreach", "cel", "message"),
        *("failureAction", "failureActionOverrides", "allowExistingViolations"),
    ]
)
#: How Secrets are written where something matches them.
_WRITTEN = ("Secret", "secrets")
#: Members that hold CEL.
CEL = frozenset(["expression", "messageExpression", "valueExpression"])


def template_holds(template: Object, kept: Kept) -> bool:
    """Tell whether a ConstraintTemplate reads only what was kept of the Secret it judges."""
    regos, cels, known = code_of(template)
    return known and rego_holds(regos, kept) and cel_holds(cels, kept)


def lookups_of(template: Object, kept: Kept | None) -> bool:
    """Tell whether it reads only what was kept of the Secrets that it looks up; None: of none."""
    regos, _, _ = code_of(template)
    told = [code for code in regos if "inventory" in code]
    return not told or lookups_hold(regos, kept)


def code_of(template: Object) -> tuple[list[str], list[str], bool]:
    """Return its Rego, its CEL, and whether that is all."""
    regos: list[str] = []
    cels: list[str] = []
    engines = set[str]()
    for target in listed(member(template, "spec").get("targets")):
        sources = [("Rego", target)] if target.get("rego") else []
        sources += [
            (str(one.get("engine")), member(one, "source")) for one in listed(target.get("code"))
        ]
        for engine, source in sources:
            engines.add(engine)
            if engine == "Rego":
                regos += [str(source.get("rego") or ""), *map(str, plain(source.get("libs")))]
            else:
                cels += _texts(source, CEL)
    return regos, cels, bool(engines) and engines <= {"Rego", "K8sNativeValidation"}


def constraint_holds(constraint: Object, kept: Kept) -> bool:
    """Tell whether its match asks only for what was kept."""
    match = member(member(constraint, "spec"), "match")
    return kept.labels or not match.get("labelSelector")


def policy_holds(policy: Object, kept: Kept) -> bool:
    """Tell whether a policy of Kyverno reads only what was kept of the Secret it judges."""
    spec = member(policy, "spec")
    if "rules" not in spec:
        selected = member(spec, "matchConstraints").get("objectSelector")
        return (kept.labels or not selected) and cel_holds(_texts(spec, CEL), kept)
    return all(_Rule(kept).holds(rule) for rule in listed(spec.get("rules")))


def exception_holds(exception: Object, kept: Kept) -> bool:
    """Tell whether a PolicyException does."""
    spec = member(exception, "spec")
    rule = {name: spec[name] for name in ("match",) if name in spec}
    asked = {"preconditions": spec["conditions"]} if "conditions" in spec else {}
    return _Rule(kept).holds(rule | asked) and cel_holds(_texts(spec, CEL), kept)


def excepts(exception: Object, policy: Object) -> bool:
    """Tell whether a PolicyException may be of a policy."""
    name = str(member(policy, "metadata").get("name") or "")
    spec = member(exception, "spec")
    named = [str(one.get("policyName")) for one in listed(spec.get("exceptions"))]
    named += [str(one.get("name")) for one in listed(spec.get("policyRefs"))]
    return any(fnmatchcase(name, one.rpartition("/")[2]) for one in named)


class _Rule:
    """One rule, whose parts are asked one after the other."""

    def __init__(self, kept: Kept) -> None:
        self.kept, self.asked, self.all = kept, JMESPath(kept), True

    def holds(self, rule: Object) -> bool:
        """Ask it of a rule."""
        try:
            self.parts(rule)
        except (Unreadable, RecursionError):
            return False
        return self.all and self.asked.all

    def parts(self, rule: Object) -> None:
        validate = member(rule, "validate")
        known = rule.keys() <= _OF_RULE and validate.keys() <= _OF_VALIDATE
        cels = _texts([rule.get("celPreconditions"), validate.get("cel")], CEL)
        self.all = self.all and known and cel_holds(cels, self.kept)
        self.matched([rule.get("match"), rule.get("exclude")])
        self.anything([rule.get("preconditions"), validate.get("deny")])
        self.anything(validate.get("message"))
        self.context(rule.get("context"))
        if "pattern" in validate:
            self.pattern(validate["pattern"], ())
        for one in plain(validate.get("anyPattern")):
            self.pattern(one, ())
        for one in listed(validate.get("foreach")):
            self.loop(one)
        for name in ("anyPattern", "foreach"):
            self.all = self.all and isinstance(validate.get(name), list | None)
        self.all = self.all and isinstance(rule.get("validate"), dict | None)

    def matched(self, node: Any) -> None:
        """Ask it of what selects by labels or annotations."""
        for name, value in members(node):
            if name == "selector":
                self.all = self.all and self.kept.labels
            elif name == "annotations":
                keys = value if isinstance(value, dict) else {SOME: None}
                self.all = self.all and all(map(self.annotated, keys))
            self.anything(value if isinstance(value, str) else None)

    def annotated(self, key: str) -> bool:
        return self.kept.holds(("metadata", "annotations", _part(key)))

    def anything(self, node: Any, *, placed: bool = False) -> None:
        """Ask it of the expressions anywhere in JSON; ``placed`` in a pattern."""
        if isinstance(node, dict):
            for name, value in node.items():
                self.anything(name, placed=placed)
                self.anything(value, placed=placed)
        elif isinstance(node, list):
            for one in node:
                self.anything(one, placed=placed)
        elif isinstance(node, str):
            for code in expressions(node)[0]:
                self.asked.expression(code, placed=placed)

    def context(self, node: Any) -> None:
        """Ask it of variables; code of one is of its value, or of all that rules know."""
        for entry in listed(node):
            for name, source in entry.items():
                self.anything(source)
                if isinstance(source, dict) and isinstance(code := source.get("jmesPath"), str):
                    of_all = name == "variable" and "value" not in source
                    if not expressions(code)[0]:
                        self.asked.expression(code, of_all=of_all)

    def loop(self, node: Object) -> None:
        """Ask it of a list; what its elements are asked is asked of what was kept."""
        found = node.get("list")
        if isinstance(found, str) and not expressions(found)[0]:
            self.asked.expression(found)
        self.context(node.get("context"))
        for name in node.keys() - {"context", "foreach"}:
            self.anything(node[name], placed=name in ("pattern", "anyPattern"))
        for one in listed(node.get("foreach")):
            self.loop(one)

    def pattern(self, node: Any, path: Path) -> None:
        """Ask it of the places that a pattern names."""
        if isinstance(node, dict) and node:
            for key, value in node.items():
                self.anything(key, placed=True)
                self.pattern(value, (*path, _part(anchored(key)[1])))
        elif isinstance(node, list) and node:
            for one in node:
                self.pattern(one, (*path, EACH))
        else:
            self.anything(node, placed=True)
            other = isinstance(node, str) and "$(" in node
            self.all = self.all and not other and self.kept.holds(path)


def _part(name: str) -> str:
    """Return a name of a member; SOME where it may be one of several."""
    return SOME if any(sign in name for sign in ("*", "?", "{{", "$(")) else name


def _texts(node: Any, names: frozenset[str]) -> list[str]:
    return [value for name, value in members(node) if name in names and isinstance(value, str)]


def members(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield all members at any depth."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield name, value
            yield from members(value)
    elif isinstance(node, list):
        for one in node:
            yield from members(one)


def member(one: Object, name: str) -> Object:
    """Return a member that holds others; empty where it does not."""
    value = one.get(name)
    return value if isinstance(value, dict) else {}


def listed(node: Any) -> list[Object]:
    """Return the objects of a list."""
    return [one for one in node if isinstance(one, dict)] if isinstance(node, list) else []


def plain(node: Any) -> list[Any]:
    """Return a list; an empty one where it is none."""
    return node if isinstance(node, list) else []


def on_secrets(policy: Object) -> tuple[bool, bool]:
    """Tell whether Secrets may be among what a policy matches, and whether it names them."""
    spec = member(policy, "spec")
    if "matchConstraints" in spec:
        rules = listed(member(spec, "matchConstraints").get("resourceRules"))
        named = _of_core(rules, "resources")
    elif "rules" in spec:
        matched = members([rule.get("match") for rule in listed(spec["rules"])])
        texts = [str(one) for name, value in matched if name == "kinds" for one in plain(value)]
        named = {_of_core_kind(kinds.of_text(text)) for text in texts}
    else:
        named = _of_core(listed(member(spec, "match").get("kinds")) or [{}], "kinds")
    told = not named.isdisjoint(_WRITTEN)
    return told or any(fnmatchcase(one, name) for name in named for one in _WRITTEN), told


def _of_core(entries: Iterable[Object], name: str) -> set[str]:
    """What entries name of the core group; ``*`` where they name nothing."""
    return {
        str(one)
        for entry in entries
        if not {"", "*"}.isdisjoint(map(str, plain(entry.get("apiGroups")) or ["*"]))
        for one in plain(entry.get(name)) or ["*"]
    }


def _of_core_kind(kind: str) -> str:
    name, _, group = kind.partition("/")[0].partition(".")
    return name if group in ("", "*") else ""
