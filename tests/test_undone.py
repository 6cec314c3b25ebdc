"""What an engine denies may be undone by what nobody could read: then it is no pass."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kaudit import registry
from kaudit.assess import assess
from kaudit.assessment import Assessment
from kaudit.collect import collect
from kaudit.model.words import Gap, Opinion, Reason, Status
from kaudit.registry import tables_of
from kaudit.source.files import FileSource
from tests.memory_source import MemorySource, objects

registry.load()

MADE = 'creationTimestamp: "2025-01-01T00:00:00Z"'
WORLD = f"""
{{apiVersion: v1, kind: Namespace, metadata: {{name: shop, labels: {{team: a}}, {MADE}}}}}
---
{{apiVersion: v1, kind: Pod, metadata: {{name: p, namespace: shop, creationTimestamp: "2025-03-01T00:00:00Z"}}, spec: {{hostPID: true, containers: [{{name: c, image: i}}]}}}}
---
"""
LABELLED = WORLD.replace("{team: a}", "{pod-security.kubernetes.io/enforce: restricted}")
POLICY = f"""
{{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {{name: p, {MADE}}}, spec: {{rules: [{{name: r, match: {{any: [{{resources: {{kinds: [Pod]}}}}]}},
  validate: {{failureAction: Enforce, podSecurity: {{level: restricted, version: latest}}}}}}]}}}}
---
"""
TEMPLATE = """
{apiVersion: templates.gatekeeper.sh/v1, kind: ConstraintTemplate, metadata: {name: k8sa}, spec: {crd: {spec: {names: {kind: K8sA}}}, targets: [{target: admission.k8s.gatekeeper.sh, rego: "package k8sa\\n\\nviolation[{\\"msg\\": \\"no\\"}] { input.review.object.spec.hostPID }"}]}, status: {created: true}}
---
{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sA, metadata: {name: a}, spec: {enforcementAction: deny, match: {kinds: [{apiGroups: [""], kinds: [Pod]}]}}}
---
"""
HOOK = """
{{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {{name: {name}}}, webhooks: [
  {{name: validate.{name}.svc, clientConfig: {{service: {{name: {name}-svc, namespace: {name}}}}}, failurePolicy: Fail, sideEffects: None, admissionReviewVersions: [v1],
   rules: [{{apiGroups: ["*"], apiVersions: ["*"], operations: [CREATE], resources: ["*"]}}]}}]}}
---
"""
EXCEPTION = """
{apiVersion: kyverno.io/v2, kind: PolicyException, metadata: {name: e, namespace: kyverno}, spec: {match: {any: [{resources: {kinds: [%s], namespaces: [shop]}}]}, exceptions: [{policyName: p, ruleNames: [r]}]}}
---
"""
COVERAGE = ("KA-DEP-039", "KA-DEP-057", "KA-DEP-057a")
HOOKS = ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration")
EXCEPTIONS = ("kyverno.io", "PolicyException")


def gap(key: tuple[str, str], reason: Reason, namespace: str = "", name: str = "") -> Gap:
    return Gap(
        what=f"list {key[1]}",
        reason=reason,
        tables=tables_of(key),
        kind=key[1],
        namespace=namespace,
        name=name,
    )


def judged(text: str, *gaps: Gap) -> Assessment:
    evidence = collect(MemorySource(*objects(text)), raw=False)
    evidence.manifest.gaps = (*evidence.manifest.gaps, *gaps)
    chosen = ("KA-DEP-002", "KA-DEP-036", "KA-DEP-037", "KA-DEP-052", "KA-DEP-052a", *COVERAGE)
    return assess(evidence, map(registry.find_control, chosen), strict=True)


def statuses(text: str, *gaps: Gap) -> set[Status]:
    found = judged(text, *gaps)
    return {r.status for id_ in COVERAGE for r in found.results_of(id_) if r.name == "shop"}


@pytest.mark.parametrize("key", [EXCEPTIONS, HOOKS, ("", "ConfigMap")], ids=lambda key: key[1])
@pytest.mark.parametrize(
    ("reason", "namespace", "name"),
    [
        (Reason.FORBIDDEN, "", ""),
        (Reason.FORBIDDEN, "kyverno", ""),
        (Reason.PARTIAL, "", ""),
        (Reason.BROKEN, "kyverno", "one"),
    ],
)
def test_a_pass_by_an_engine_that_may_be_undone_is_none(
    key: tuple[str, str], reason: Reason, namespace: str, name: str
) -> None:
    if key == HOOKS:
        namespace = ""  # they have none
    text, lost = WORLD + POLICY + HOOK.format(name="kyverno"), gap(key, reason, namespace, name)
    assert statuses(text) == {Status.PASS}
    assert statuses(text, lost) == {Status.NOT_ASSESSED}
    assert statuses(LABELLED + POLICY, lost) == {Status.PASS}, "no exception undoes a level"
    design = judged(text, lost).design
    assert design["KA-DEP-002"].opinion is Opinion.UNABLE
    assert judged(text).design["KA-DEP-002"].opinion is Opinion.EFFECTIVE


def test_what_manifests_do_not_speak_of_undoes_nothing() -> None:
    absent = [gap(key, Reason.NOT_IN_SOURCE) for key in (EXCEPTIONS, HOOKS, ("", "ConfigMap"))]
    assert statuses(WORLD + POLICY, *absent) == {Status.PASS}


def test_only_what_may_undo_an_engine_costs_its_passes() -> None:
    text = WORLD + TEMPLATE + HOOK.format(name="gatekeeper")
    config = ("config.gatekeeper.sh", "Config")
    for key, status in (
        (config, Status.NOT_ASSESSED),
        (HOOKS, Status.NOT_ASSESSED),
        (EXCEPTIONS, Status.PASS),
        (("", "ConfigMap"), Status.PASS),
    ):
        found = judged(text, gap(key, Reason.BROKEN, "" if key == HOOKS else "x", "y"))
        (result,) = (r for r in found.results_of("KA-DEP-039") if r.name == "shop")
        assert result.status is status, key


def test_a_broken_configuration_of_pod_security_leaves_no_level() -> None:
    lost = Gap(what="f", reason=Reason.BROKEN, tables=("pod_security_config",), kind="File")
    assert statuses(LABELLED) == {Status.PASS}
    assert statuses(LABELLED, lost) == statuses(WORLD, lost) == {Status.NOT_ASSESSED}
    found = judged(LABELLED.replace("hostPID: true, ", ""), lost)
    for id_ in ("KA-DEP-036", "KA-DEP-037"):
        assert Status.PASS not in {r.status for r in found.results_of(id_)}, id_
    assert found.design["KA-DEP-002"].opinion is Opinion.UNABLE


@pytest.mark.parametrize(
    ("kinds", "status"), [('"*"', Status.FAIL), ("Deployment", Status.PASS), ("Pod", Status.PASS)]
)
def test_an_exception_for_all_of_a_namespace_leaves_nothing_enforced(
    kinds: str, status: Status
) -> None:
    assert statuses(WORLD + POLICY + EXCEPTION % kinds) == {status}


def test_an_exception_that_cannot_be_read_may_explain_what_is_elsewhere() -> None:
    text, lost = WORLD + POLICY, gap(EXCEPTIONS, Reason.BROKEN, "kyverno", "e")
    (found,) = judged(text).results_of("KA-DEP-052", Status.FAIL)
    assert found.name == "p"
    assert {r.status for r in judged(text, lost).results_of("KA-DEP-052")} == {Status.NOT_ASSESSED}


@pytest.mark.parametrize("key", [("kyverno.io", "ClusterPolicy"), HOOKS], ids=lambda key: key[1])
def test_what_policies_are_for_is_not_known_without_them(key: tuple[str, str]) -> None:
    text = WORLD + HOOK.format(name="other") + (POLICY if key == HOOKS else "")
    for id_ in ("KA-DEP-052", "KA-DEP-052a"):
        found = judged(text, gap(key, Reason.BROKEN, "", "p")).results_of(id_)
        assert {r.status for r in found} == {Status.NOT_ASSESSED}, id_


def test_a_cluster_without_webhooks_asks_no_engine() -> None:
    none = "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfigurationList, items: []}"
    for text, status in ((WORLD + POLICY, Status.PASS), (WORLD + POLICY + none, Status.FAIL)):
        found = collect(FileSource.of_text(text), raw=False)
        results = assess(found, [registry.find_control("KA-DEP-057")]).iter_results()
        assert {r.status for r in results if r.name == "shop"} == {status}


@pytest.mark.parametrize(
    ("id_", "key"),
    [
        ("KA-DEP-050", ("constraints.gatekeeper.sh", "K8sA")),
        ("KA-DEP-050", HOOKS),
        ("KA-DEP-046", ("kyverno.io", "ClusterPolicy")),
        ("KA-DEP-051", ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy")),
        ("KA-NET-021", ("", "Secret")),
        ("KA-SEC-008d", ("external-secrets.io", "SecretStore")),
    ],
)
def test_a_table_that_a_view_gathers_is_missed_and_costs_no_fault_of_others(
    id_: str, key: tuple[str, str]
) -> None:
    control = registry.find_control(id_)
    evidence = collect(FileSource.of_text(control.cases), raw=False)
    first = tables_of(key)
    evidence.manifest.gaps = ()
    kept = {(r.kind, r.name): r.status for r in assess(evidence, [control]).iter_results()}
    evidence.manifest.gaps = (gap(key, Reason.FORBIDDEN),)
    found = {(r.kind, r.name): r.status for r in assess(evidence, [control]).iter_results()}
    assert first
    assert found == kept | {(key[1], ""): Status.NOT_ASSESSED}


@pytest.mark.parametrize(
    ("id_", "key"),
    [
        ("KA-DEP-050", ("kyverno.io", "PolicyException")),
        ("KA-DEP-050", ("constraints.gatekeeper.sh", "K8sOwner")),
        ("KA-DEP-050", ("kyverno.io", "ClusterPolicy")),
        ("KA-DEP-048", ("constraints.gatekeeper.sh", "K8sRequireNonRoot")),
        ("KA-SEC-008d", ("external-secrets.io", "ExternalSecret")),
    ],
)
def test_what_was_read_is_judged_as_it_is_without_what_a_view_gathers_beside_it(
    id_: str, key: tuple[str, str]
) -> None:
    control = registry.find_control(id_)
    found = {}
    for text in (control.cases, without(control.cases, key)):
        evidence = collect(FileSource.of_text(text), raw=False)
        evidence.manifest.gaps = () if text == control.cases else (gap(key, Reason.FORBIDDEN),)
        results = assess(evidence, [control], strict=True).iter_results()
        found[text] = {(r.kind, r.name): r.status for r in results}
    whole, part = found.values()
    others = {name: status for name, status in whole.items() if name[0] != key[1]}
    assert Status.FAIL in others.values()
    assert len(others) < len(whole)
    assert part == others | {(key[1], ""): Status.NOT_ASSESSED}


def without(text: str, key: tuple[str, str]) -> str:
    kept = [o for o in objects(text) if (o["apiVersion"].rpartition("/")[0], o["kind"]) != key]
    return "\n---\n".join(map(json.dumps, kept)) + "\n"


AS_OF = datetime(2025, 12, 1, tzinfo=UTC)
CERTIFICATES = """
{apiVersion: v1, kind: Secret, metadata: {name: %s, namespace: shop}, type: kubernetes.io/tls, data: {tls.crt: "%s"}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: w}, webhooks: [{name: w.example.com,
  clientConfig: {url: "https://w.example.com", caBundle: "%s"}, sideEffects: None, admissionReviewVersions: [v1]}]}
"""


def test_a_certificate_that_was_refused_may_renew_what_a_secret_holds() -> None:
    control = registry.find_control("KA-NET-021")
    (old,) = {
        o["data"]["tls.crt"] for o in objects(control.cases) if o["metadata"]["name"] == "bad-old"
    }
    evidence = collect(FileSource.of_text(CERTIFICATES % ("s", old, old)), raw=False, as_of=AS_OF)
    statuses = []
    for lost in ((), (gap(("cert-manager.io", "Certificate"), Reason.FORBIDDEN),)):
        evidence.manifest.gaps = lost
        results = assess(evidence, [control], strict=True).iter_results()
        statuses.append({(r.kind, r.name): r.status for r in results})
    hook = {("ValidatingWebhookConfiguration", "w"): Status.FAIL}
    assert statuses[0] == hook | {("Secret", "s"): Status.FAIL}
    assert statuses[1] == hook | {
        ("Secret", "s"): Status.NOT_ASSESSED,
        ("Certificate", ""): Status.NOT_ASSESSED,
    }


ESO = """
{apiVersion: external-secrets.io/%s, kind: ExternalSecret, metadata: {name: e, namespace: shop}, spec: {secretStoreRef: {name: s}}}
---
{apiVersion: external-secrets.io/%s, kind: SecretStore, metadata: {name: s, namespace: shop}, spec: {provider: {vault: {}}}}
---
"""
CRD = """
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: %s.external-secrets.io%s},
  spec: {group: external-secrets.io, names: {kind: %s, plural: %s}, scope: Namespaced, versions: [{name: v1beta1, served: true, storage: true}]}}
---
"""


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_definition_that_cannot_be_read_decides_on_its_own_kind_alone(version: str) -> None:
    text = ESO % (version, version)
    judge = Status.PASS if version == "v1" else Status.FAIL
    assert served(text) == {"e": judge, "s": judge}
    broken = CRD % ("externalsecrets", ", labels: odd", "ExternalSecret", "externalsecrets")
    assert served(text + broken) == {"e": Status.NOT_ASSESSED, "s": judge}
    other = CRD % ("widgets", ", labels: odd", "Widget", "widgets")
    assert served(text + other) == {"e": judge, "s": judge}
    crds = ("apiextensions.k8s.io", "CustomResourceDefinition")
    refused = gap(crds, Reason.FORBIDDEN)
    assert served(text, refused) == {"e": Status.NOT_ASSESSED, "s": Status.NOT_ASSESSED}
    known = CRD % ("externalsecrets", "", "ExternalSecret", "externalsecrets")
    told = Status.FAIL if version == "v1" else Status.PASS
    partial = gap(crds, Reason.PARTIAL)
    assert served(text + known, partial) == {"e": told, "s": Status.NOT_ASSESSED}


def served(text: str, *gaps: Gap) -> dict[str, Status]:
    evidence = collect(FileSource.of_text(text), raw=False)
    evidence.manifest.gaps = (*evidence.manifest.gaps, *gaps)
    results = assess(evidence, [registry.find_control("KA-SEC-008d")]).iter_results()
    return {r.name: r.status for r in results if r.name}


def test_nothing_of_what_a_view_gathers_is_not_that_it_applies_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(WORLD)
    evidence = collect(FileSource(tmp_path), raw=False)
    evidence.manifest.gaps = (gap(("kyverno.io", "ClusterPolicy"), Reason.FORBIDDEN),)
    (found,) = assess(evidence, [registry.find_control("KA-DEP-045")]).iter_results()
    assert (found.status, found.reason) == (Status.NOT_ASSESSED, "list ClusterPolicy: forbidden")
