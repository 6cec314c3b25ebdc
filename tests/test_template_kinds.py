"""Templates of Argo Rollouts and of Knative: judged once, under the topmost owner."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

import kaudit as ka
from kaudit.collect import collect
from kaudit.columns import plain_rows
from kaudit.model.words import Reason, Status
from kaudit.source.files import FileSource
from tests.memory_source import MemorySource, Object

RUNS: Object = {
    "containers": [{"name": "c", "image": "i", "securityContext": {"privileged": True}}]
}
ARGO, KNATIVE = "argoproj.io/v1alpha1", "serving.knative.dev/v1"
WEB = "Service.serving.knative.dev"


def made(api: str, kind: str, name: str, owner: Any = None, **spec: Any) -> Object:
    metadata: Object = {"name": name, "namespace": "n", "uid": f"uid-{kind}-{name}"}
    if owner is not None:
        reference = {k: owner[k] for k in ("apiVersion", "kind")}
        reference |= {k: owner["metadata"][k] for k in ("name", "uid")}
        metadata["ownerReferences"] = [{**reference, "controller": True}]
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}


def holding(api: str, kind: str, name: str, owner: Object | None = None) -> Object:
    return made(api, kind, name, owner, template={"spec": RUNS})


def of_knative() -> list[Object]:
    """All that Knative makes of a Service, which has a Service of Kubernetes beside it."""
    service = holding(KNATIVE, "Service", "web")
    configuration = holding(KNATIVE, "Configuration", "web", service)
    revision = made(KNATIVE, "Revision", "web-00001", configuration, **RUNS)
    deployment = holding("apps/v1", "Deployment", "web-00001-deployment", revision)
    replicas = holding("apps/v1", "ReplicaSet", "web-00001-deployment-5d", deployment)
    pod = made("v1", "Pod", "web-00001-deployment-5d-x", replicas, **RUNS)
    route = made("v1", "Service", "web", service, type="ExternalName", externalName="gateway")
    return [service, configuration, revision, deployment, replicas, pod, route]


def of_argo() -> list[Object]:
    rollout = holding(ARGO, "Rollout", "web")
    replicas = holding("apps/v1", "ReplicaSet", "web-5d", rollout)
    return [rollout, replicas, made("v1", "Pod", "web-5d-x", replicas, **RUNS)]


def of_argo_by_reference() -> list[Object]:
    deployment = holding("apps/v1", "Deployment", "plan")
    deployment["spec"]["replicas"] = 0
    taken = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "plan"}
    rollout = made(ARGO, "Rollout", "web", replicas=3, workloadRef=taken)
    replicas = holding("apps/v1", "ReplicaSet", "web-5d", rollout)
    return [deployment, rollout, replicas, made("v1", "Pod", "web-5d-x", replicas, **RUNS)]


def failing(evidence: ka.Evidence, control: str = "KA-DEP-001") -> set[tuple[str, str, int]]:
    found = ka.assess(evidence, control=control).by_control[control].results(Status.FAIL)
    return {(one.kind, one.name, one.rows) for one in found}


@pytest.mark.parametrize(
    ("objects", "templates", "expected"),
    [
        (of_knative, ["web"], (WEB, "web", 2)),
        (of_argo, ["web"], ("Rollout", "web", 2)),
        (of_argo_by_reference, ["plan"], ("Rollout", "web", 2)),
    ],
)
@pytest.mark.parametrize("late", [True, False])
def test_a_chain_is_one_workload(
    objects: Any, templates: list[str], expected: tuple[str, str, int], late: bool
) -> None:
    found = objects()
    evidence = collect(MemorySource(*(reversed(found) if late else found)))
    pods = evidence["pods"]
    assert pods[pods["origin"] == "template"]["pod"].tolist() == templates
    assert failing(evidence) == {expected}


@pytest.mark.parametrize("missing", range(1, 5))
def test_what_stands_below_a_lost_owner_of_knative_is_judged(missing: int) -> None:
    evidence = collect(MemorySource(*of_knative()[missing:5]))
    assert len(evidence["pods"]) == 1
    owner = of_knative()[missing - 1]
    kind = owner["kind"] if missing == 4 else f"{owner['kind']}.serving.knative.dev"
    assert failing(evidence) == {(kind, owner["metadata"]["name"], 1)}
    assert not any(gap.what == "Service" and gap.failed for gap in evidence.gaps)
    assert any(gap.reason is Reason.PARTIAL for gap in evidence.gaps), "the owner is missed"


def test_a_service_of_knative_is_no_service_of_kubernetes() -> None:
    evidence = collect(MemorySource(*of_knative()))
    assert list(plain_rows(evidence["services"], "name", "type")) == [("web", "ExternalName")]
    results = ka.assess(evidence, control="KA-NET-012a").by_control["KA-NET-012a"].results()
    assert [(one.kind, one.name) for one in results] == [("Service", "web")]


def test_owners_of_the_same_name_of_other_groups_stand_for_nothing() -> None:
    service = holding("serving.example.com/v1", "Service", "web")
    deployment = holding("apps/v1", "Deployment", "web-d", service)
    known = holding(KNATIVE, "Service", "web")
    evidence = collect(MemorySource(known, deployment))
    assert failing(evidence) == {(WEB, "web", 1), ("Service", "web", 1)}


def test_defaults_of_knative() -> None:
    """Containers have names, no Services are linked, and Knative asks whether they are ready."""
    unnamed = {"containers": [{"image": "a"}, {"image": "b", "name": "own"}, {"image": "c"}]}
    one = made(KNATIVE, "Service", "one", template={"spec": {"containers": [{"image": "a"}]}})
    several = made(KNATIVE, "Configuration", "several", template={"spec": unnamed})
    linked = made(KNATIVE, "Revision", "linked", **RUNS, enableServiceLinks=True)
    plain = holding("apps/v1", "Deployment", "plain")
    evidence = collect(MemorySource(one, several, linked, plain))
    assert sorted(plain_rows(evidence["containers"], "pod", "container")) == [
        ("linked", "c"),
        ("one", "user-container"),
        ("plain", "c"),
        ("several", "own"),
        ("several", "user-container-0"),
        ("several", "user-container-2"),
    ]
    assert "user-container" not in json.dumps(evidence.record("services.serving.knative.dev", 1))
    context = evidence["pod_context"]
    assert sorted(context[context["service_links"]]["pod"]) == ["linked", "plain"]
    assert {name for _, name, _ in failing(evidence, "KA-DEP-035b")} == {"plain"}


@pytest.mark.parametrize("template", [None, {}, {"spec": None}, {"spec": {"containers": None}}])
@pytest.mark.parametrize(
    ("api", "kind"), [(ARGO, "Rollout"), (KNATIVE, "Service"), (KNATIVE, "Configuration")]
)
def test_templates_that_say_nothing(api: str, kind: str, template: Any) -> None:
    evidence = collect(MemorySource(made(api, kind, "web", template=template)))
    assert len(evidence["workloads"]) == 1
    assert not [gap for gap in evidence.gaps if gap.failed]
    assert not len(evidence["containers"])


def test_what_cannot_be_decoded_is_told_and_costs_its_passes(tmp_path: Path) -> None:
    broken = made(KNATIVE, "Service", "web", template={"spec": {"containers": "all"}})
    other = holding(KNATIVE, "Service", "other")
    other["spec"]["template"]["spec"] = {"containers": [{"image": "i"}]}
    path = tmp_path / "all.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [broken, other]}))
    evidence = collect(FileSource(path))
    (gap,) = (gap for gap in evidence.gaps if gap.failed)
    assert (gap.what, gap.kind) == (f"{WEB} n/web", WEB)
    results = ka.assess(evidence, control="KA-DEP-001").by_control["KA-DEP-001"].results()
    assert {(r.kind, r.name, r.status) for r in results} == {
        (WEB, "web", Status.NOT_ASSESSED),
        (WEB, "other", Status.PASS),
    }


@pytest.mark.parametrize(
    "taken",
    [
        {"kind": "Deployment", "name": "gone"},
        {"kind": "Deployment"},
        {"name": "plan"},
        {"kind": "Rollout", "name": "web"},
        None,
    ],
)
def test_references_that_lead_nowhere(taken: Any) -> None:
    plan = holding("apps/v1", "Deployment", "plan")
    evidence = collect(MemorySource(plan, made(ARGO, "Rollout", "web", workloadRef=taken)))
    assert failing(evidence) == {("Deployment", "plan", 1)}


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("lost", ["Deployment", "template"])
def test_what_a_rollout_without_a_template_made_is_judged(late: bool, lost: str) -> None:
    found = of_argo_by_reference()[:3]
    if lost == "template":
        del found[0]["spec"]["template"]
    else:
        found = found[1:]
    evidence = collect(MemorySource(*(reversed(found) if late else found)))
    assert [name for name, _ in plain_rows(evidence["pods"], "pod", "kind")] == ["web-5d"]
    assert failing(evidence) == {("Rollout", "web", 1)}


def test_two_rollouts_of_one_deployment_are_no_fault() -> None:
    taken = {"kind": "Deployment", "name": "plan"}
    plan = holding("apps/v1", "Deployment", "plan")
    both = [made(ARGO, "Rollout", name, workloadRef=taken) for name in ("a", "b")]
    for objects in itertools.permutations([plan, *both]):
        (found,) = failing(collect(MemorySource(*objects)))
        assert found == ("Rollout", "a", 1)


def test_a_template_of_its_own_is_that_of_a_rollout() -> None:
    plan, rollout = holding("apps/v1", "Deployment", "plan"), holding(ARGO, "Rollout", "web")
    rollout["spec"]["workloadRef"] = {"kind": "Deployment", "name": "plan"}
    evidence = collect(MemorySource(plan, rollout))
    assert failing(evidence) == {("Deployment", "plan", 1), ("Rollout", "web", 1)}


def test_a_budget_counts_the_replicas_of_a_rollout_by_reference() -> None:
    objects = of_argo_by_reference()
    objects[0]["spec"]["template"]["metadata"] = {"labels": {"app": "web"}}
    selector = {"matchLabels": {"app": "web"}}
    budget = made("policy/v1", "PodDisruptionBudget", "web", minAvailable=3, selector=selector)
    room = collect(MemorySource(*objects, budget))["disruption_room"]
    assert list(plain_rows(room, "pods", "blocked")) == [(3, True)]
