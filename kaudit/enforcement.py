"""Enforcement points: what each policy would have done with an object, and what it covers.

A point is the Pod Security label of a namespace or a rule of an admission policy. For an
object on which a control fails each point gives an outcome; the one that came nearest to a
denial is the reason why the object was admitted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from kaudit.columns import records
from kaudit.engine_webhooks import Hook, engine_webhooks
from kaudit.model import platform
from kaudit.model.admission_causes import DENIED, NO_POLICY, OF_PODS, RANK
from kaudit.model.meta import pairs_of
from kaudit.policy_scope import Asked, Verdict, decide, filtered, matched, mode_in, unheard
from kaudit.views.kyverno_anatomy import excepts

if TYPE_CHECKING:
    import pandas as pd

#: Container kinds at fault, as bits, and the column that says whether a rule looks at them.
REGULAR, INIT, EPHEMERAL = 1, 2, 4
LISTS = {
    REGULAR: ("reads_containers", "containers"),
    INIT: ("reads_init", "initContainers"),
    EPHEMERAL: ("reads_ephemeral", "ephemeralContainers"),
}
_Rule = dict[str, Any]
_NAME = "kubernetes.io/metadata.name"
#: The auditor says which registries are allowed, a policy may say otherwise.
_REGISTRIES = "KA-BLD-009"


class Outcome(NamedTuple):
    """What one point did: a cause, which policy, and the field that decided."""

    cause: str
    engine: str = ""
    policy: str = ""
    clause: str = ""


NOTHING = Outcome(NO_POLICY)


class Case(msgspec.Struct, frozen=True):
    """Objects that no point can tell apart, on which one control fails.

    ``lists`` are the container kinds at fault as bits, 0 where the pod itself is; ``made_at``
    and ``owner_made_at`` are the times of the pod and of its controller, ``runtime`` its runtime
    class where the Pod Security configuration exempts any.
    """

    control: str
    pod: Asked
    owner: Asked | None
    lists: int = 0
    static: bool = False
    made_at: datetime | None = None
    owner_made_at: datetime | None = None
    runtime: str = ""


class AdmissionTables(NamedTuple):
    """Tables that tell what admission policies there are, and whether they are asked.

    Attributes
    ----------
    policy_anatomy
        Rules of every engine.
    constraints, constraint_templates, kyverno_policies, admission_policies, admission_bindings
        Tables that tell when a policy was made and changed.
    policy_exceptions
        Exceptions of Kyverno.
    kyverno_filters
        What Kyverno looks at for no policy; empty: its settings are not in the evidence.
    webhook_posture
        Webhooks through which engines are asked.
    reads
        What was read: tells a cluster without webhooks from a source that does not speak of them.
    """

    policy_anatomy: pd.DataFrame
    constraints: pd.DataFrame
    constraint_templates: pd.DataFrame
    kyverno_policies: pd.DataFrame
    admission_policies: pd.DataFrame
    admission_bindings: pd.DataFrame
    policy_exceptions: pd.DataFrame
    kyverno_filters: pd.DataFrame
    webhook_posture: pd.DataFrame
    reads: pd.DataFrame


class Policies:
    """Rules of admission policies, ready to be asked about objects in some namespaces."""

    def __init__(self, tables: AdmissionTables, namespaces: pd.DataFrame) -> None:
        self.spaces = spaces_of(namespaces)
        self.exceptions = records(tables.policy_exceptions)
        self.filters = records(tables.kyverno_filters)
        self.users = [(one["setting"], one["user"]) for one in self.filters if one["user"]]
        self.hooks = engine_webhooks(tables.webhook_posture, tables.reads)
        of = {
            "Gatekeeper": _by_trace(tables.constraints),
            "Kyverno": _by_trace(tables.kyverno_policies),
            "ValidatingAdmissionPolicy": _by_trace(tables.admission_policies),
        }
        templates = {row["name"]: row for row in records(tables.constraint_templates)}
        bindings = {row["name"]: row for row in records(tables.admission_bindings)}
        self.rules: list[_Rule] = []
        for rule in records(tables.policy_anatomy):
            if rule["purpose"] not in ("validate", "verifyImages") or rule["mode"] == "off":
                continue
            own = of[rule["engine"]].get((rule["raw"], rule["raw_line"]))
            parts = [own, templates.get(rule["template"]), bindings.get(rule["binding"])]
            rule["made_at"] = _latest([p["created_at"] for p in parts if p])
            rule["changed_at"] = _latest([p["changed_at"] for p in parts if p])
            rule["title"] = _title(rule)
            if self._fails_open(rule["engine"]):
                rule["failure_policy"] = "Ignore"
            self.rules.append(rule)
        self.times = sorted(
            {t for r in self.rules for t in (r["made_at"], r["changed_at"]) if t is not None}
        )
        self._by_control: dict[str, list[_Rule]] = {}

    @property
    def label_keys(self) -> frozenset[str]:
        """Keys of labels of objects that rules and exceptions may speak of."""
        texts = [rule["object_selector"] for rule in self.rules]
        texts += [one for rule in self.rules for one in (rule["match"], rule["exclude"])]
        texts += [one["match"] for one in self.exceptions]
        texts += [hook.object_selector for some in self.hooks.values() for hook in some or ()]
        return frozenset(key for text in texts if text for key in _keys(msgspec.json.decode(text)))

    @property
    def names_objects(self) -> bool:
        """Whether any rule or exception is for objects of some names."""
        texts = [one for rule in self.rules for one in (rule["match"], rule["exclude"]) if one]
        texts += [one["match"] for one in self.exceptions if one["match"]]
        return (
            any(r["names"] for r in self.rules)
            or any(one["object"] not in ("", "*") for one in self.filters)
            or any('"name":' in text or '"names":' in text for text in texts)
        )

    def demanding(self, control: str) -> list[_Rule]:
        """Rules that demand what a control does, and those of which nobody knows."""
        if control not in self._by_control:
            self._by_control[control] = [
                rule
                for rule in self.rules
                if control in rule["controls"]
                or control in rule["possible_controls"]
                or unread(rule)
            ]
        return self._by_control[control]

    def outcomes(self, case: Case) -> Iterator[Outcome]:
        """What each rule did with the objects of a case."""
        for rule in self.demanding(case.control):
            found = self._outcome(rule, case)
            if found.cause == "unknown" or not unread(rule):  # else it may be of other matters
                yield found

    def _outcome(self, rule: _Rule, case: Case) -> Outcome:
        def found(cause: str, clause: str) -> Outcome:
            return Outcome(cause, rule["engine"], rule["title"], clause)

        asked, made, verdict = self._way(rule, case)
        if verdict.applies is False:
            return found(_REFUSED[verdict.why], verdict.clause)
        if rule["ready"] is False:
            said = "; ".join(rule["errors"]) or "status: not ready"
            return found("not_ready", said)
        mode, clause = mode_in(rule, asked)
        if mode not in ("enforce", None):
            return found("audit_only", clause)
        if unread(rule):
            return found("unknown", "its code or pattern could not be read")
        if why := self.unasked(rule["engine"], asked):
            return found(*why)
        lists, told = _read(rule, case)
        if told is False:
            names = " and ".join(LISTS[bit][1] for bit in lists)
            return found("containers_not_read", f"{names} not read")
        excepted = self.excepted(rule, asked)
        certain = [name for name, sure in excepted.items() if sure]
        if certain:
            return found("exception", f"PolicyException {certain[0]}")
        for doubt in (
            excepted and f"whether PolicyException {next(iter(excepted))} is for it",
            verdict.applies is None and verdict.clause,
            mode is None and clause,
            "".join(self.unheard_of(rule["engine"], asked)[:1]),
            told is None and "which containers it looks at could not be read",
            rule["conditions"] and "preconditions, match conditions or missing parameters",
            case.control not in rule["controls"] and "whether it refuses what is not set",
            case.control == _REGISTRIES and "whether it allows the registries of the allow-list",
        ):
            if doubt:
                return found("unknown", str(doubt))
        if case.static:
            return found("static_pod", "metadata.annotations kubernetes.io/config.mirror")
        return found(*_aged(rule, made))

    def _way(self, rule: _Rule, case: Case) -> tuple[Asked, datetime | None, Verdict]:
        """Whether a rule meets the pod, or else its controller: which, when made, and how."""
        pod, engine = (
            self.decided(rule, case.pod, controlled=case.owner is not None),
            rule["engine"],
        )
        sure = pod.applies is True
        if case.owner is None or (sure and not self.unasked(engine, case.pod)):
            return case.pod, case.made_at, pod
        owner = self.decided(rule, case.owner)
        if sure:
            nearer = owner.applies is not False and not self.unasked(engine, case.owner)
        else:
            nearer = bool(owner.applies) or (owner.applies is None and pod.applies is False)
        return (case.owner, case.owner_made_at, owner) if nearer else (case.pod, case.made_at, pod)

    def decided(self, rule: _Rule, asked: Asked, *, controlled: bool = False) -> Verdict:
        """Whether a rule is for an object that its engine looks at.

        ``controlled`` tells that a controller of Kubernetes made it: who else did is not known.
        """
        found = decide(rule, asked)
        if rule["engine"] != "Kyverno" or found.applies is False:
            return found
        unseen = filtered(self.filters, asked)
        if unseen is None or unseen.applies is None:
            unseen = unheard(self.users, controlled=controlled) or unseen
        return unseen or found

    def excepted(self, rule: _Rule, asked: Asked) -> dict[str, bool]:
        """Exceptions that may take an object out of a rule, and whether they do for sure."""
        if rule["engine"] != "Kyverno" or not rule["exceptions"]:
            return {}
        group = "policies.kyverno.io" if rule["kind"].endswith("ingPolicy") else "kyverno.io"
        named = {**rule, "group": group}
        found: dict[str, bool] = {}
        for one in self.exceptions:
            if not excepts(one, named):
                continue
            told = matched(one["match"], asked)
            if told is False:
                continue
            told = told or (group == "policies.kyverno.io" and one["match"] is None)
            narrowed = one["conditions"] or len(one["images"]) > 0 or one["pod_security"] > 0
            name = f"{one['namespace']}/{one['name']}"
            found[name] = found.get(name, False) or (told is True and not narrowed)
        return dict(sorted(found.items()))

    def unasked(self, engine: str, asked: Asked) -> tuple[str, str] | None:
        """Why the webhooks of an engine are not asked about an object, if they are not."""
        if engine == "ValidatingAdmissionPolicy":
            return None
        by_default = (*platform.NAMESPACES, "kyverno")
        if engine == "Kyverno" and not self.filters and asked.namespace in by_default:
            said = "assumed: resourceFilters of Kyverno leave it out by default"
            return "unknown", f"{said}; its ConfigMap is not in the evidence"
        hooks = self.hooks.get(engine)
        if hooks is None:  # the evidence does not speak of webhooks
            return None
        if not any(asked.kind in hook.kinds for hook in hooks):
            what = "pods" if asked.kind == "Pod" else asked.kind.partition(".")[0]
            return "not_asked", f"no webhook of the engine is asked about {what}"
        here = self._here(engine, asked)
        if not here:
            name = next(hook.webhook for hook in hooks if asked.kind in hook.kinds)
            return "not_asked", f"namespaceSelector of webhook {name}"
        if all(hook.selects(asked.labels) is False for hook in here):
            return "not_asked", f"objectSelector of webhook {here[0].webhook}"
        return None

    def unheard_of(self, engine: str, asked: Asked) -> list[str]:
        """What may keep the webhooks of an engine from being asked about an object."""
        here = [one for one in self._here(engine, asked) if one.selects(asked.labels) is not False]
        doubts = [hook.doubts(asked.labels) for hook in here]
        return min(doubts, key=len, default=[])

    def _here(self, engine: str, asked: Asked) -> list[Hook]:
        """Webhooks of an engine that are asked about some objects of a kind and namespace."""
        labels = self.spaces.get(asked.namespace)
        hooks = [hook for hook in self.hooks.get(engine) or () if asked.kind in hook.kinds]
        return [hook for hook in hooks if hook.is_in(labels)]

    def _fails_open(self, engine: str) -> bool:
        """Whether every webhook of an engine lets in what it cannot be asked about."""
        hooks = self.hooks.get(engine)
        return bool(hooks) and all(hook.failure_policy == "Ignore" for hook in hooks or ())


#: Why a rule does not apply to the cause that it is.
_REFUSED = {
    "kind": "kind_not_matched",
    "exempt": "exempt_namespace",
    "excluded": "excluded_namespace",
    "labels": "not_selected",
}


def nearest(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the outcome that came nearest to a denial."""
    return min(outcomes, key=lambda o: (RANK[o.cause], o.engine, o.policy), default=NOTHING)


def unread(rule: Mapping[str, Any]) -> bool:
    """Whether nobody knows what a rule demands: it may be anything."""
    return not rule["reads_known"] and not (rule["controls"] or rule["possible_controls"])


def spaces_of(namespaces: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Labels of namespaces by name; the one that Kubernetes sets is always there."""
    return {
        name: {_NAME: name} | pairs_of(texts)
        for name, texts in zip(
            namespaces["name"].tolist(), namespaces["labels"].tolist(), strict=True
        )
    }


def unlooked(rule: Mapping[str, Any], control: str) -> list[str]:
    """Container kinds that a rule on containers does not look at."""
    if control in OF_PODS or not any(rule[column] for column, _ in LISTS.values()):
        return []
    return [name for column, name in LISTS.values() if rule[column] is False]


def _read(rule: _Rule, case: Case) -> tuple[list[int], bool | None]:
    """Container kinds at fault that a rule looks at, and whether it looks at any.

    A rule that looks at no list at all is of the pod itself.
    """
    lists = [bit for bit in LISTS if case.lists & bit]
    if not lists or case.control in OF_PODS:
        return lists, True
    every = [rule[column] for column, _ in LISTS.values()]
    if not any(every) and None not in every:
        return lists, True
    told = [rule[LISTS[bit][0]] for bit in lists]
    return lists, True if True in told else (None if None in told else False)


def _aged(rule: _Rule, made: datetime | None) -> tuple[str, str]:
    """What is left to explain it: times, and a webhook that fails open."""
    if rule["made_at"] and made and rule["made_at"] > made:
        return "older_than_policy", f"policy made {rule['made_at']:%Y-%m-%d %H:%M} UTC"
    if rule["changed_at"] and made and rule["changed_at"] > made:
        return "policy_changed", f"policy changed {rule['changed_at']:%Y-%m-%d %H:%M} UTC"
    if rule["failure_policy"] == "Ignore":
        return "fails_open", "failurePolicy: Ignore"
    if made is None or rule["made_at"] is None:
        return "unknown", "metadata.creationTimestamp is not told"
    return DENIED, rule["mode_text"]


def _title(rule: _Rule) -> str:
    place = f"{rule['namespace']}/" if rule["namespace"] else ""
    return f"{rule['kind']} {place}{rule['policy']}" + (f", {rule['rule']}" if rule["rule"] else "")


def _by_trace(frame: pd.DataFrame) -> dict[tuple[str, int], _Rule]:
    return {(row["raw"], row["raw_line"]): row for row in records(frame)}


def _latest(times: list[datetime | None]) -> datetime | None:
    return max((t for t in times if t), default=None)


def _keys(value: Any) -> Iterator[str]:
    """Keys of labels that a selector, or match and exclude of Kyverno, may speak of."""
    if isinstance(value, list):
        for one in value:
            yield from _keys(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name == "matchLabels" and isinstance(one, dict):
                yield from one
            elif name == "key" and isinstance(one, str):
                yield one
            else:
                yield from _keys(one)
