"""Whatever random evidence is taken away, nothing turns into a pass, and totals add up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Literal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kaudit.assess import assess
from kaudit.assessment import Assessment
from kaudit.collect import collect
from kaudit.coverage import Verdict, coverage
from kaudit.demo import objects
from kaudit.model.words import Gap, Reason, Status
from kaudit.registry import Read
from kaudit.source.events import Event, KindId, Listed, Progress, silent
from tests.memory_source import MemorySource, Object
from tests.test_mutation import KINDS, READS, check

usual = settings(max_examples=15)

#: What becomes of a kind: not in the source, refused, refused in a namespace, or cut off.
Loss = Literal["gone", "refused", "namespace", "part"]
READ = [kind for kind in KINDS if kind in READS]
NAMESPACES = ("payments", "kube-system", "legacy", "data")
losses = st.dictionaries(
    st.sampled_from(READ),
    st.tuples(
        st.sampled_from(["gone", "refused", "namespace", "part"]), st.sampled_from(NAMESPACES)
    ),
    max_size=8,
)


class Weakened(MemorySource):
    """The demo with some evidence taken away, as a live cluster or a dump would tell it."""

    def __init__(self, lost: Mapping[str, tuple[Loss, str]], *, live: bool) -> None:
        self.lost = lost
        kept = [found for number, found in enumerate(demo()) if self._kept(number, found)]
        super().__init__(*kept, label="demo", live=live)

    def _kept(self, number: int, found: Object) -> bool:
        how, where = self.lost.get(found["kind"], ("", ""))
        if how == "namespace":
            return bool(found["metadata"].get("namespace") != where)
        return how == "" or (how == "part" and number % 2 == 0)

    def read(self, wanted: Mapping[KindId, Read], progress: Progress = silent) -> Iterator[Event]:
        yield from super().read(wanted, progress)
        if self.live:
            for key in wanted:
                if key[1] not in self.lost:
                    yield Listed(*key)
        for kind, (how, where) in self.lost.items():
            if how == "gone":
                continue
            reason = Reason.PARTIAL if how == "part" else Reason.FORBIDDEN
            namespace = where if how == "namespace" else ""
            yield Gap(what=f"list {kind}", reason=reason, kind=kind, namespace=namespace)


@cache
def demo() -> tuple[Object, ...]:
    return tuple(objects())


def judged(lost: Mapping[str, tuple[Loss, str]], *, live: bool) -> Assessment:
    return assess(collect(Weakened(lost, live=live), raw=False), strict=True)


@cache
def before(live: bool) -> Assessment:
    return judged({}, live=live)


@usual
@given(losses, st.booleans())
@example({"Namespace": ("part", "payments")}, True)
@example({"Secret": ("namespace", "payments")}, True)
@example({"ExternalSecret": ("namespace", "payments")}, True)
def test_nothing_turns_into_a_pass(lost: dict[str, tuple[Loss, str]], live: bool) -> None:
    was, now = before(live), judged(lost, live=live)
    refused = live or all(how != "gone" for how, _ in lost.values())
    check(was, now, refused=refused)
    assert not refused or passed(now) <= passed(was)


def passed(assessment: Assessment) -> set[tuple[str, str, Verdict]]:
    """Requirements of frameworks that are said to be met, or met as far as is tested."""
    return {
        (name, item.requirement.id, item.verdict)
        for name, items in coverage(assessment).items()
        for item in items
        if item.verdict in (Verdict.PASS, Verdict.SUPPORTED)
    }


def test_what_should_have_been_denied_is_told_though_its_namespace_was_not_read() -> None:
    rule = {
        "name": "r",
        "match": {"any": [{"resources": {"kinds": ["Pod"]}}]},
        "validate": {"failureAction": "Enforce", "pattern": {"spec": {"=(hostPID)": "false"}}},
    }
    policy = {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": "p", "creationTimestamp": "2025-02-01T00:00:00Z"},
        "spec": {"rules": [rule]},
    }
    made = {"name": "younger", "namespace": "shop", "creationTimestamp": "2025-03-01T00:00:00Z"}
    spec = {"hostPID": True, "containers": [{"name": "c", "image": "i"}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": made, "spec": spec}
    assessment = assess(collect(MemorySource(policy, pod)))
    assert [r.status for r in assessment.results_of("KA-DEP-052")] == [Status.FAIL]


class Refused(MemorySource):
    """Objects of a live cluster that refuses some kinds."""

    def __init__(self, *found: Object, kinds: tuple[str, ...] = ()) -> None:
        super().__init__(*(one for one in found if one["kind"] not in kinds), live=True)
        self.kinds = kinds

    def read(self, wanted: Mapping[KindId, Read], progress: Progress = silent) -> Iterator[Event]:
        yield from super().read(wanted, progress)
        yield from (Listed(*key) for key in wanted if key[1] not in self.kinds)
        for kind in self.kinds:
            yield Gap(what=f"list {kind}", reason=Reason.FORBIDDEN, kind=kind)


def test_what_was_not_read_of_policies_and_exceptions_excuses_nothing() -> None:
    def made(kind: str, group: str, name: str, when: str, **spec: object) -> Object:
        metadata = {"name": name, "creationTimestamp": f"2025-{when}-01T00:00:00Z"}
        if kind in ("Pod", "PolicyException"):
            metadata["namespace"] = "shop"
        return {"apiVersion": group, "kind": kind, "metadata": metadata, "spec": spec}

    def rule(name: str, when: str) -> Object:
        match = {"any": [{"resources": {"kinds": ["Pod"]}}]}
        asked = {"failureAction": "Enforce", "pattern": {"spec": {"=(hostPID)": "false"}}}
        one = {"name": "r", "match": match, "validate": asked}
        return made("ClusterPolicy", "kyverno.io/v1", name, when, rules=[one])

    of = "admissionregistration.k8s.io/v1"
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["*"]}
    older = (
        made(
            *("ValidatingAdmissionPolicy", of, "older", "02"),
            matchConstraints={"resourceRules": [pods]},
            validations=[{"expression": "!object.spec.?hostPID.orValue(false)"}],
        ),
        made(
            *("ValidatingAdmissionPolicyBinding", of, "older", "02"),
            policyName="older",
            validationActions=["Deny"],
        ),
    )
    containers = [{"name": "c", "image": "i"}]
    pod = made("Pod", "v1", "younger", "03", hostPID=True, containers=containers)
    asked = {
        "name": "v.kyverno.svc",
        "clientConfig": {"service": {"namespace": "kyverno", "name": "kyverno-svc"}},
        "rules": [pods],
    }
    asks = made("ValidatingWebhookConfiguration", of, "kyverno", "01") | {"webhooks": [asked]}

    def statuses(control: str, *objects: Object, refused: str = "") -> list[Status]:
        source = Refused(asks, *objects, kinds=(refused,) if refused else ())
        return [
            r.status for r in assess(collect(source)).results_of(control) if r.name == "younger"
        ]

    late = rule("late", "04")
    assert statuses("KA-DEP-052", late, pod) == [Status.PASS]
    assert statuses("KA-DEP-052", late, pod, *older) == [Status.FAIL]
    hidden = statuses("KA-DEP-052", late, pod, *older, refused="ValidatingAdmissionPolicy")
    assert hidden == [Status.NOT_ASSESSED]
    assert statuses("KA-DEP-052", pod, *older, refused="ClusterPolicy") == [Status.FAIL]
    excused = made(
        *("PolicyException", "kyverno.io/v2", "e", "02"),
        exceptions=[{"policyName": "early", "ruleNames": ["r"]}],
        match={"any": [{"resources": {"kinds": ["Pod"]}}]},
    )
    early = rule("early", "02")
    assert statuses("KA-DEP-052a", early, pod) == [Status.PASS]
    assert statuses("KA-DEP-052a", early, pod, excused) == [Status.FAIL]
    hidden = statuses("KA-DEP-052a", early, pod, excused, refused="PolicyException")
    assert hidden == [Status.NOT_ASSESSED]
