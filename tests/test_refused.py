"""What was refused is missed: nothing is *not applicable* for want of it, or gone without a word."""

from typing import Any

import pytest

from kaudit import registry
from kaudit.assess import assess
from kaudit.cases import Case, cases, collected
from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Gap, Reason, Status
from kaudit.model.yaml_stream import documents
from kaudit.parameters import parse, using
from kaudit.registry import Control, tables_of
from tests.memory_source import MemorySource, objects
from tests.test_cases_broken import document

registry.load()

Key = tuple[str, str]
Found = dict[tuple[str, ...], Status]
#: An empty list: a cluster of which all was read, and that holds nothing.
NOTHING = "{apiVersion: v1, kind: PodList, items: []}"


def feeding(*tables: str) -> set[Key]:
    """Kinds that feed tables."""
    return {r.id for c in registry.COLLECTORS.values() for r in c.reads} & {
        read.id
        for c in registry.COLLECTORS.values()
        if any(table.name in tables for table in c.tables)
        for read in c.reads
    }


def others(control: Control) -> set[Key]:
    """Kinds that a control's subject rests on beside those of its first table."""
    first = registry.subject_table(control.subject)
    return feeding(*registry.base_tables(control.subject)) - feeding(first)


def forbidden(key: Key, namespace: str = "") -> Gap:
    return Gap(
        what=f"list {key[1]}",
        reason=Reason.FORBIDDEN,
        tables=tables_of(key),
        kind=key[1],
        namespace=namespace,
    )


def kind_of(content: Any) -> Key:
    group, _, _ = content.get("apiVersion", "").rpartition("/")
    return group, content.get("kind", "")


def judged(evidence: Evidence, control: Control, *gaps: Gap) -> Found:
    """Statuses, as if all was read but what the gaps say."""
    evidence.manifest.gaps = gaps
    results = assess(evidence, [control], strict=True).iter_results()
    return {(r.kind, r.namespace, r.name, r.container): r.status for r in results}


@pytest.mark.parametrize(
    "control", [c for c in registry.CONTROLS.values() if others(c)], ids=lambda c: c.id
)
def test_nothing_is_not_applicable_for_want_of_a_kind(control: Control) -> None:
    for case in cases(control.cases):
        found = [content for _, content in documents(case.manifests.encode())]
        with using(parse({})):
            before = judged(collected(case), control)
            kinds = {kind_of(content) for content in found if isinstance(content, dict)}
            for key in sorted(kinds & feeding(*registry.base_tables(control.subject))):
                left = [c for c in found if not isinstance(c, dict) or kind_of(c) != key]
                text = "\n---\n".join([NOTHING, *map(document, left)])
                after = judged(collected(Case("", text + "\n")), control, forbidden(key))
                lost = {k for k, s in before.items() if k not in after and s is not Status.PASS}
                hidden = [
                    k
                    for k, s in after.items()
                    if s is Status.NOT_APPLICABLE and before.get(k) is not Status.NOT_APPLICABLE
                ]
                told = Status.NOT_ASSESSED in after.values()
                assert (hidden, told or not lost) == ([], True), f"{case.name} without {key}"


def looking(control: Control) -> dict[str, tuple[str, ...]]:
    view = registry.VIEWS.get(control.subject)
    return view.missing if view else {}


@pytest.mark.parametrize(
    "control", [c for c in registry.CONTROLS.values() if looking(c)], ids=lambda c: c.id
)
def test_nothing_is_known_of_what_looks_for_something_where_a_source_is_silent(
    control: Control,
) -> None:
    silent = {key for tables in looking(control).values() for key in feeding(*tables)}
    for case in cases(control.cases):
        left = [c for _, c in documents(case.manifests.encode()) if kind_of(c) not in silent]
        text = "\n---\n".join([NOTHING, *map(document, left)]) + "\n"
        evidence = collected(Case("", text))
        (column,) = looking(control)
        rows = evidence[control.subject]
        unknown = rows[rows[column].map(len) > 0]
        lost = {*zip(unknown["namespace"], unknown["binding"], strict=True)}
        known_too = rows[rows[column].map(len) == 0]
        lost -= {*zip(known_too["namespace"], known_too["binding"], strict=True)}
        results = assess(evidence, [control], strict=True).iter_results()
        found = {(r.namespace, r.name): r.status for r in results}
        if "roles" in control.weak:  # it judges by whom is bound
            assert Status.NOT_APPLICABLE not in {found[key] for key in lost}, case.name
        else:
            assert {found[key] for key in lost} <= {Status.NOT_ASSESSED}, case.name


BOUND = """
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b, namespace: shop}, roleRef: {kind: ClusterRole, name: ours}, subjects: [{kind: User, name: ann}]}
"""
ROLE = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: %s}}\n---\n"


@pytest.mark.parametrize(
    ("id_", "silent", "other"),
    [
        ("KA-DEP-058", Status.NOT_ASSESSED, Status.NOT_APPLICABLE),
        ("KA-DEP-064", Status.NOT_ASSESSED, Status.NOT_APPLICABLE),
        ("KA-DEP-072", Status.NOT_ASSESSED, Status.FAIL),
        ("KA-DEP-059", Status.PASS, Status.PASS),
    ],
)
def test_a_role_is_missed_where_there_are_others(id_: str, silent: Status, other: Status) -> None:
    control = registry.find_control(id_)
    for text, status in ((BOUND, silent), (ROLE % "another" + BOUND, other)):
        results = assess(collected(Case("", text)), [control], strict=True).iter_results()
        assert {r.status for r in results} == {status}


NAMESPACE = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n---\n"
OFFERED = """
{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop, labels: {app: a}}, spec: {containers: [{name: c, image: a}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: a, namespace: shop}, spec: {type: LoadBalancer, selector: {app: a}, ports: [{port: 80}]}}
---
"""
INGRESS = ("networking.k8s.io", "Ingress")


def world(text: str) -> Evidence:
    return collect(MemorySource(*objects(text)), raw=False)


@pytest.mark.parametrize(
    ("id_", "key"),
    [
        ("KA-NET-016", INGRESS),
        ("KA-NET-016", ("gateway.networking.k8s.io", "HTTPRoute")),
        ("KA-NET-016", ("", "Pod")),
        ("KA-SEC-011d", ("rbac.authorization.k8s.io", "ClusterRole")),
        ("KA-RUN-016", ("", "Node")),
        ("KA-NET-011", ("", "Namespace")),
    ],
)
def test_none_is_not_that_there_is_nothing(id_: str, key: Key) -> None:
    control = registry.find_control(id_)
    evidence = world(NAMESPACE)
    assert set(judged(evidence, control).values()) == {Status.NOT_APPLICABLE}
    assert set(judged(evidence, control, forbidden(key)).values()) == {Status.NOT_ASSESSED}


def test_what_leads_in_is_missed_where_it_was_refused_and_judged_elsewhere() -> None:
    control = registry.find_control("KA-NET-016")
    here = ("Pod", "shop", "a", "")
    assert judged(world(OFFERED), control) == {here: Status.PASS}
    missed = ("Ingress", "bank", "", "")
    found = judged(world(OFFERED), control, forbidden(INGRESS, "bank"))
    assert found == {here: Status.PASS, missed: Status.NOT_ASSESSED}
    found = judged(world(OFFERED), control, forbidden(INGRESS, "shop"))
    assert set(found.values()) == {Status.NOT_ASSESSED}


@pytest.mark.parametrize(
    ("id_", "key"),
    [
        ("KA-DEP-028", ("", "LimitRange")),
        ("KA-NET-004", ("networking.k8s.io", "NetworkPolicy")),
        ("KA-DEP-034a", ("", "ResourceQuota")),
        ("KA-DEP-040", ("", "Namespace")),
        ("KA-BLD-001", ("trivy", "Result")),
    ],
)
def test_what_a_column_does_not_rest_on_leaves_what_a_control_does_not_apply_to(
    id_: str, key: Key
) -> None:
    text = """
{apiVersion: v1, kind: Namespace, metadata: {name: kube-system}}
---
{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop}, spec: {hostNetwork: true, containers: [{name: c, image: "a:1"}],
  ephemeralContainers: [{name: e, image: "b:1"}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: t, namespace: shop}, spec: {template: {spec: {containers: [{name: c, image: "t:1"}]}}}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: w}, webhooks: [{name: w.example.com, clientConfig: {url: "https://w.example.com"}, sideEffects: None, admissionReviewVersions: [v1]}]}
"""
    control = registry.find_control(id_)
    before = judged(world(text), control)
    none = {k for k, s in before.items() if s is Status.NOT_APPLICABLE}
    assert none
    after = judged(world(text), control, forbidden(key))
    assert {k for k, s in after.items() if s is Status.NOT_APPLICABLE} == none


SLICES = """
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: kyverno}, webhooks: [{name: validate.kyverno.svc,
  clientConfig: {service: {name: kyverno-svc, namespace: kyverno}}, sideEffects: None, admissionReviewVersions: [v1],
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}]}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: other, namespace: shop, labels: {kubernetes.io/service-name: other}},
  addressType: IPv4, endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}}]}
"""


def test_a_guard_whose_endpoints_were_refused_does_not_run_more_than_once() -> None:
    control = registry.find_control("KA-DEP-043a")
    refused = forbidden(("discovery.k8s.io", "EndpointSlice"), "kyverno")
    assert set(judged(world(SLICES), control, refused).values()) == {Status.NOT_ASSESSED}


CLOUD = """
{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop, labels: {app: a}}, spec: {containers: [{name: c, image: a}]}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: n, namespace: shop}, spec: {podSelector: {}, policyTypes: [Egress]}}
"""


def test_policies_that_nobody_may_enforce_keep_nothing_in_where_no_node_is_known() -> None:
    control = registry.find_control("KA-NET-007")
    node = (
        "\n---\n{apiVersion: v1, kind: Node, metadata: {name: n}, spec: {providerID: aws:///a/i-1}}"
    )
    for text in (CLOUD + node, CLOUD):
        assert set(judged(world(text), control).values()) == {Status.NOT_ASSESSED}


def test_half_of_a_right_is_no_pass_where_a_binding_was_not_read() -> None:
    for id_ in ("KA-DEP-067", "KA-DEP-068"):
        control = registry.find_control(id_)
        evidence = collected(cases(control.cases)[0])
        lost = forbidden(("rbac.authorization.k8s.io", "RoleBinding"), "elsewhere")
        found = set(judged(evidence, control, lost).values())
        assert (Status.PASS in found, Status.FAIL in found) == (False, True)


def test_rights_are_granted_from_other_namespaces() -> None:
    control = registry.find_control("KA-DEP-075")
    lost = forbidden(("rbac.authorization.k8s.io", "RoleBinding"), "elsewhere")
    evidence = collected(cases(control.cases)[0])
    assert Status.PASS in set(judged(evidence, control).values())
    assert Status.PASS not in set(judged(evidence, control, lost).values())
