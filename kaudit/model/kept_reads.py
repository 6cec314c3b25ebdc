"""Whether code of policies reads of an object only what was kept of it.

Code is not run. Wherever it names the object, the members that are written behind the name must
lead to something that was kept. Code that takes the object, or a part of it that was cut, for
something else, or that cannot be read, may read anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from kaudit.model import cel, jmespath, rego
from kaudit.model.jmespath_reads import ANY
from kaudit.model.meta import keeps_annotation
from kaudit.model.values import SOME, Path, Unreadable

Node = tuple[object, ...]
#: A hash of values is no secret, but it proves a guess.
_HASH = "reconcile.external-secrets.io/data-hash"
#: Parts of a request, or of a review, that hold the object.
_HELD = ("object", "oldObject")


class Kept(msgspec.Struct, frozen=True):
    """What was kept of an object beside its kind and its name.

    Attributes
    ----------
    labels, annotations, type
        All of its labels; the annotations that say something about security; its type.
    """

    labels: bool = True
    annotations: bool = True
    type: bool = True

    def __and__(self, other: Kept) -> Kept:
        return Kept(
            self.labels and other.labels,
            self.annotations and other.annotations,
            self.type and other.type,
        )

    def holds(self, path: Path) -> bool:
        """Tell whether all that a path of the object leads to was kept.

        >>> Kept().holds(("metadata", "labels", "team")), Kept().holds(("data",))
        (True, False)
        """
        if path[:1] != ("metadata",):
            return path in (("apiVersion",), ("kind",)) or (self.type and path == ("type",))
        if path[1:2] == ("labels",):
            return self.labels
        if path[1:2] == ("annotations",):
            return self.annotations and len(path) > 2 and is_given(path[2])
        return path[1:] in (("name",), ("namespace",))

    def of_request(self, path: Path) -> bool:
        """Tell it of a path of a request."""
        return self.holds(path[1:]) if path[:1] and path[0] in _HELD else known(path)


def is_given(annotation: str) -> bool:
    """Tell whether the value of an annotation is kept."""
    return keeps_annotation(annotation) and annotation != _HASH


def known(path: Path) -> bool:
    """Tell whether a path begins with a member whose name is known."""
    return bool(path) and path[0] != SOME and ANY not in path[0]


def cel_holds(codes: Iterable[str], kept: Kept) -> bool:
    """Tell it of CEL, variables and all."""

    def named(name: str, path: Path) -> bool:
        if name in ("object", "anyObject", "oldObject"):
            return kept.holds(path)
        if name == "variables" and path[:1] == ("anyObject",):
            return kept.holds(path[1:])
        return kept.of_request(path) if name == "request" else True

    try:
        return all(_all_named(cel.parsed(code), named) for code in codes)
    except (Unreadable, RecursionError):
        return False


def rego_holds(codes: Iterable[str], kept: Kept) -> bool:
    """Tell it of the modules of a template."""

    def named(name: str, path: Path) -> bool:
        if name == "data":
            return known(path)
        if name != "input":
            return True
        return kept.of_request(path[1:]) if path[:1] == ("review",) else known(path)

    return _of_modules(codes, named)


def lookups_hold(codes: Iterable[str], kept: Kept | None) -> bool:
    """Tell it of the Secrets that the modules of a template look up; None: nothing was kept."""

    def named(name: str, path: Path) -> bool:
        if name != "data" or path[:1] != ("inventory",):
            return name != "data" or known(path)
        if path[1:2] == ("cluster",):
            return True
        version, kind = (*path[3:5], SOME, SOME)[:2]
        if version not in ("v1", SOME) or kind not in ("Secret", SOME):
            return True
        return kind == SOME if kept is None else kept.holds(path[6:])

    return _of_modules(codes, named)


def _of_modules(codes: Iterable[str], named: Callable[[str, Path], bool]) -> bool:
    try:
        return all(_of_module(rego.parsed(code), named) for code in codes)
    except (Unreadable, RecursionError):
        return False


def _of_module(module: rego.Module, named: Callable[[str, Path], bool]) -> bool:
    own = all(
        _all_named((rule.arguments, rule.key, rule.value, rule.bodies), named)
        for rule in module.rules
    )
    return own and all(named(path[0], path[1:]) for path in module.imports.values() if path)


def _all_named(node: object, named: Callable[[str, Path], bool], path: Path = ()) -> bool:
    """Ask of each name in a tree, with the members that are written behind it."""
    if not isinstance(node, tuple) or not node:
        return True
    kind = node[0]
    if kind == "name":
        return named(str(node[1]), path)
    if kind == "text":
        return True
    if kind == "member":
        return _all_named(node[1], named, (str(node[2]), *path))
    if kind in ("index", "at"):
        return _all_named(node[1], named, (_step(node[2]), *path)) and _all_named(node[2], named)
    if kind == "not":  # whether an object is there, its name tells
        return _all_named(node[1], named, ("metadata", "name"))
    if node[:3] == ("call", None, "has") and _of_metadata(node[3]):
        return _all_named(_node(node[3])[0], named, ("name",))
    if kind == "call" and (got := _got(node)):
        of, steps, other = got
        return _all_named(of, named, (*steps, *path)) and _all_named(other, named)
    return all(_all_named(one, named) for one in node)


def _of_metadata(given: object) -> bool:
    """Tell whether ``has`` asks for metadata themselves, which everything has."""
    (one,) = given if isinstance(given, tuple) and len(given) == 1 else ((),)
    return isinstance(one, tuple) and one[0::2] == ("member", "metadata")


def _step(node: object) -> str:
    return str(node[1]) if isinstance(node, tuple) and node[0] == "text" else SOME


def _got(node: Node) -> tuple[object, Path, object] | None:
    """Return what ``object.get`` of Rego takes a member of, which one, and what else stands."""
    if node[1] != ("at", ("name", "object"), ("text", "get")):
        return None
    of, key, other = node[2] if isinstance(node[2], tuple) and len(node[2]) == 3 else (0, 0, 0)
    if not isinstance(key, tuple):
        return None
    keys = key[1] if key[0] == "list" else (key,)
    return of, tuple(map(_step, keys)), (keys, other)


class JMESPath:
    """Asks it of expressions of JMESPath in rules of Kyverno.

    A value is the path that it is of what rules know, or None where it was asked before.
    """

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self.all = True
        self.this: Path | None = ()

    def expression(self, code: str, *, of_all: bool = True, placed: bool = False) -> None:
        """Ask it of an expression.

        Parameters
        ----------
        of_all
            Names in it are of all that rules know, else of what was asked before.
        placed
            ``@`` by itself stands for the place of a pattern, which was asked before.
        """
        tree = jmespath.parsed(code)
        self.this = None if placed else ()
        self.used(self.value(tree, () if of_all else None))

    def used(self, path: Path | None) -> None:
        """Ask it of a value that something is made of."""
        if path is None:
            return
        of_request = path[:1] == ("request",)
        found = self.kept.of_request(path[1:]) if of_request else known(path)
        self.all = self.all and found

    def value(self, node: Node, here: Path | None) -> Path | None:
        """Return the path that a node stands for."""
        kind = node[0]
        if kind == "here":
            return self.this if here == () else here
        if kind == "root":
            return ()
        if kind == "member":
            of = self.base(_node(node[1]), here)
            return None if of is None else (*of, str(node[2]))
        if kind == "pipe":
            return self.value(_node(node[2]), self.value(_node(node[1]), here))
        if kind in ("many", "hash"):
            of = self.base(_node(node[1]), here)
            parts = _node(node[2])
            for one in parts if kind == "many" else [_node(pair)[1] for pair in parts]:
                self.used(self.value(_node(one), of))
        elif kind == "filter":
            self.used(self.base(_node(node[1]), here))
            self.used(self.value(_node(node[2]), None))
        elif kind == "call":
            for one in _node(node[2]):
                self.used(self.value(_node(one), here))
        elif kind == "later":
            self.used(self.value(_node(node[1]), None))
        elif kind in ("index", "flat", "values"):
            self.used(self.base(_node(node[1]), here))
        elif kind == "op":
            for one in node[1:]:
                if isinstance(one, tuple):
                    self.used(self.value(one, here))
        return None

    def base(self, node: Node, here: Path | None) -> Path | None:
        """Return the path of what a step is taken from: a name by itself is one from here."""
        return here if node == ("here",) else self.value(node, here)


def _node(found: object) -> Node:
    return found if isinstance(found, tuple) else ()
