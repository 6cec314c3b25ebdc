"""Exceptions as each engine writes them, before anybody measures what they touch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from kaudit.columns import records
from kaudit.model.exemption import Cover, Subject, matches
from kaudit.model.meta import pairs_of

if TYPE_CHECKING:
    import pandas as pd

_IGNORED = "admission.gatekeeper.sh/ignore"
Covers = Callable[[Subject], bool]


class Found(msgspec.Struct):
    """One exception before it is measured."""

    row: dict[str, Any]
    covers: Covers | None = None
    tool: str = ""
    of_policy: Callable[[str, str], bool] | None = None


class InSpaces:
    """Covers all in namespaces whose names match patterns."""

    def __init__(self, patterns: list[str]) -> None:
        wild = [text for text in patterns if "*" in text or "?" in text]
        self._names = {*patterns} - {*wild}
        self._wild = cache(lambda name: matches(name, wild)) if wild else None

    def __call__(self, one: Subject) -> bool:
        """Whether a thing stands in one of them; of a namespace, whether it is one."""
        name = one.namespace or one.name
        return name in self._names or (self._wild is not None and self._wild(name))

    def among(self, spaces: Collection[str]) -> set[str]:
        """Namespaces that it covers: those that it names are not looked for in all others."""
        found = {name for name in self._names if name in spaces}
        return found if self._wild is None else found.union(filter(self._wild, spaces))


def of_kyverno(excepted: pd.DataFrame, rules: pd.DataFrame) -> Iterator[Found]:
    """Exceptions of Kyverno, and what its rules exclude."""
    for it in records(excepted):
        cover = Cover(it["match"])
        names = it["rules"] or ["*"]
        row = _row(it, "Kyverno", "policy_exception", "PolicyException", it["name"])
        row |= {
            "namespace": it["namespace"],
            "excepts_from": [f"{it['policy']}/{rule}" for rule in names],
            "scope": [
                *_words(it["kinds"], "kinds"),
                *_words(it["namespaces"], "namespaces"),
                *_words(it["images"], "images"),
            ],
            "bounded": cover.bounded or bool(it["images"]),
            "conditional": it["conditions"] or cover.personal or it["pod_security"] > 0,
        }
        for name in ("owner", "reason", "created_at", "expires_at"):
            row[name] = it[name]
        told = not cover.personal and not it["images"] and (it["match"] or not it["conditions"])
        of_policy = _of_rules(it["policy"], names)
        yield Found(row, _templates(cover) if told else None, "kyverno", of_policy)
    for it in records(rules):
        if it["exclude"] is None or it["type"] not in ("validate", "verifyImages"):
            continue
        cover = Cover(it["exclude"])
        row = _row(it, "Kyverno", "exclude", it["kind"], it["policy"])
        row |= {
            "namespace": it["namespace"],
            "excepts_from": [f"{it['policy']}/{it['rule']}"],
            "scope": [
                *_words(it["excluded_kinds"], "kinds"),
                *_words(it["excluded_namespaces"], "namespaces"),
            ],
            "bounded": cover.bounded or cover.personal,
            "conditional": cover.personal,
        }
        covers = None if cover.personal else _templates(cover)
        yield Found(row, covers, "kyverno", _of_rules(it["policy"], [it["rule"]]))


def _of_rules(policy: str, rules: list[str]) -> Callable[[str, str], bool]:
    """Tell whether verdicts are of a policy; rules of autogen are of the rule that makes them."""
    made = [f"{start}{rule}" for rule in rules for start in ("", "autogen-", "autogen-cronjob-")]
    return lambda name, rule: matches(name, [policy]) and matches(rule, made)


def _templates(cover: Cover) -> Covers:
    """Let what is for pods hold for the workloads that make them, as autogen does."""
    return lambda one: cover(one) or cover(msgspec.structs.replace(one, kind="Pod"))


def of_gatekeeper(excluded: pd.DataFrame, constraints: pd.DataFrame) -> Iterator[Found]:
    """Namespaces that Gatekeeper, or one of its constraints, leaves out."""
    for it in records(excluded):
        row = _row(it, "Gatekeeper", "exempt_namespaces", "Config", it["name"])
        row |= {
            "namespace": it["namespace"],
            "excepts_from": ["*"],
            "scope": _words(it["excluded_namespaces"], "namespaces")
            + _words(it["processes"], "processes"),
            "bounded": "*" not in it["excluded_namespaces"],
        }
        yield Found(row, InSpaces(it["excluded_namespaces"]), "gator", lambda *_: True)
    for it in records(constraints):
        if it["excluded_namespaces"]:
            name = it["name"]
            row = _row(it, "Gatekeeper", "excluded_namespaces", it["kind"], name)
            row |= {
                "position": 1,
                "excepts_from": [f"{it['kind']}/{name}"],
                "scope": _words(it["excluded_namespaces"], "namespaces"),
                "bounded": "*" not in it["excluded_namespaces"],
            }
            of_policy = _named(it["kind"], name)
            yield Found(row, InSpaces(it["excluded_namespaces"]), "gator", of_policy)


def _named(kind: str, name: str) -> Callable[[str, str], bool]:
    return lambda policy, _: policy == f"{kind}/{name}"


def of_namespaces(namespaces: pd.DataFrame, levels: pd.DataFrame) -> Iterator[Found]:
    """Labels of namespaces by which an engine, or a level, passes over them."""
    for it in records(namespaces[["name", "labels", "created_at", "raw", "raw_line"]]):
        if any(text.partition("=")[0] == _IGNORED for text in it["labels"]):
            row = _row(it, "Gatekeeper", "ignore_label", "Namespace", it["name"])
            row |= {"excepts_from": ["*"], "created_at": it["created_at"]}
            yield _of_namespace(row, it)
    explicit = levels[levels["labelled"] & (levels["enforces"] == "privileged")]
    owners = {one["name"]: one for one in records(namespaces[["name", "labels", "created_at"]])}
    for it in records(explicit[["name", "raw", "raw_line"]]):
        row = _row(it, "Pod Security", "privileged_label", "Namespace", it["name"])
        known = owners.get(it["name"], {"labels": [], "created_at": None})
        row |= {"excepts_from": ["baseline", "restricted"], "created_at": known["created_at"]}
        yield _of_namespace(row, known | {"name": it["name"]})


def _of_namespace(row: dict[str, Any], it: dict[str, Any]) -> Found:
    labels = pairs_of(it["labels"])
    row |= {
        "position": 1,
        "scope": _words([it["name"]], "namespaces"),
        "bounded": True,
        "owner": labels.get("owner") or labels.get("team"),
    }
    return Found(row, InSpaces([it["name"]]))


def of_pod_security(settings: pd.DataFrame) -> Iterator[Found]:
    """Exemptions in the settings of PodSecurity."""
    for it in records(settings):
        names = ("exempt_namespaces", "exempt_usernames", "exempt_runtime_classes")
        for position, name in enumerate(names, start=1):
            if not it[name]:
                continue
            row = _row(it, "Pod Security", "exemption", "File", it["file"])
            row |= {
                "position": position,
                "excepts_from": ["baseline", "restricted"],
                "scope": _words(it[name], name.removeprefix("exempt_").replace("_", " ")),
                "bounded": True,
                "conditional": name != "exempt_namespaces",
            }
            of_spaces = name == "exempt_namespaces"
            yield Found(row, InSpaces(it[name]) if of_spaces else None)


def of_webhooks(webhooks: pd.DataFrame) -> Iterator[Found]:
    """Namespaces about which webhooks that guard pods are not asked."""
    for it in records(webhooks[webhooks["guards_pods"]]):
        if it["left_out"]:
            row = _row(it, "webhook", "not_asked", it["kind"], it["name"])
            row |= {
                "position": it["position"] + 1,
                "excepts_from": [it["engine"] or it["webhook"]],
                "scope": _words(it["left_out"], "namespaces"),
                "bounded": True,
            }
            yield Found(row, InSpaces(it["left_out"]))


def of_scanners(terms: pd.DataFrame) -> Iterator[Found]:
    """What scanners are told to let pass."""
    passing = terms[terms["lets_pass"]].reset_index(drop=True)
    for position, it in enumerate(records(passing), start=1):
        of_vex = it["format"] in ("openvex", "cyclonedx")
        row = _row(it, "scanner", "vex" if of_vex else "ignored", "File", it["file"])
        row |= {
            "position": position,
            "excepts_from": [it["id"]],
            "scope": list(it["scope"]),
            "bounded": not it["everywhere"],
            **{name: it[name] for name in ("owner", "reason", "expires_at")},
        }
        yield Found(row)


def _row(it: dict[str, Any], engine: str, mechanism: str, kind: str, name: str) -> dict[str, Any]:
    return {
        "raw": it["raw"],
        "raw_line": it["raw_line"],
        "engine": engine,
        "mechanism": mechanism,
        "kind": kind,
        "namespace": "",
        "name": name,
        "position": it.get("position") or 1,
        "conditional": False,
        "from_policy": engine in ("Gatekeeper", "Kyverno") and mechanism != "ignore_label",
    }


def _words(values: list[str], what: str) -> list[str]:
    return [f"{what}: {', '.join(values)}"] if values else []
