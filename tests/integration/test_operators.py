"""A real server holds what operators leave behind, status included, as later tests need it."""

import json
from collections.abc import Iterator

import pytest

from kaudit.collect import collect
from kaudit.model.words import Reason
from kaudit.source.open import open_source
from kaudit.source.tools import ToolSource
from tests.collectors.test_tools import EXAMPLES
from tests.integration.cluster import Cluster, running_cluster
from tests.integration.operators import RefusedError, define, objects, put
from tests.shared import needs_shared, shared

pytestmark = needs_shared

_HARMLESS = {Reason.NOT_IN_SOURCE, Reason.NOT_COLLECTED}

OPERATORS = {
    "external-secrets": 25,
    "gatekeeper": 17,
    "kyverno": 20,
    "tetragon": 3,
    "trivy-operator": 12,
}


@pytest.fixture(scope="module")
def holding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of its own: its definitions would be in the way of other tests."""
    with running_cluster(tmp_path_factory.mktemp("operators")) as found:
        for operator, number in OPERATORS.items():
            assert len(define(found, shared("crds", operator))) == number
        yield found


@pytest.mark.parametrize(
    ("file", "path"),
    [
        (
            "external-secrets/externalsecret-v1-openshift-docs.yaml",
            "external-secrets.io/v1/namespaces/{namespace}/externalsecrets/{name}",
        ),
        (
            "external-secrets/pushsecret-healthy.yaml",
            "external-secrets.io/v1alpha1/namespaces/{namespace}/pushsecrets/{name}",
        ),
        (
            "kyverno/clusterpolicies-list-with-status.yaml",
            "kyverno.io/v1/clusterpolicies/{name}",
        ),
        (
            "kyverno/policyreports-list-42-fails.yaml",
            "wgpolicyk8s.io/v1alpha2/namespaces/{namespace}/policyreports/{name}",
        ),
        (
            "gatekeeper/constrainttemplates-list.json",
            "templates.gatekeeper.sh/v1/constrainttemplates/{name}",
        ),
        (
            "trivy-operator/exposedsecretreport-2.json",
            "aquasecurity.github.io/v1alpha1/namespaces/{namespace}/exposedsecretreports/{name}",
        ),
    ],
)
def test_objects_are_held_with_their_status(holding: Cluster, file: str, path: str) -> None:
    found = list(objects(shared("corpus", *file.split("/"))))
    assert found
    put(holding, found)
    for one in found:
        metadata = {"namespace": "default"} | one["metadata"]
        answer = holding.request("GET", "/apis/" + path.format_map(metadata))
        assert answer.status == 200
        for part in ("status", "results", "report"):
            if part in one:
                assert answer.body[part]


@pytest.mark.parametrize(
    "kind",
    ["clustersecretstore-degraded", "secretstore-healthy", "clusterexternalsecret-progressing"],
)
def test_stores_of_v1beta1_are_not_served(holding: Cluster, kind: str) -> None:
    """So it is with the guide's stores too: whoever follows it today meets this refusal."""
    (found,) = objects(shared("corpus", "external-secrets", f"{kind}.yaml"))
    assert found["apiVersion"] == "external-secrets.io/v1beta1"
    with pytest.raises(RefusedError, match="does not serve"):
        put(holding, [found])


def test_collection_lists_the_definitions(
    holding: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(holding.admin))
    evidence = collect(open_source("context:admin"))
    groups = evidence["crds"].groupby("group").size()
    assert len(evidence["crds"]) == sum(OPERATORS.values())
    assert groups["aquasecurity.github.io"] == OPERATORS["trivy-operator"]
    assert not [gap for gap in evidence.gaps if gap.reason not in _HARMLESS]


def test_reports_of_trivy_operator_are_read_as_from_a_dump(
    holding: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = EXAMPLES / "trivy-operator" / "by-kind.json"
    reports = json.loads(dump.read_bytes()).values()
    put(holding, [one for found in reports for one in found])
    monkeypatch.setenv("KUBECONFIG", str(holding.admin))
    live = collect(open_source("context:admin"))
    assert not [gap for gap in live.gaps if gap.reason not in _HARMLESS]
    read = collect(ToolSource("trivy-operator", dump))
    for table, columns in {
        "image_scans": ["artifact", "other_digest", "findings", "namespace", "kind", "name"],
        "vulnerabilities": ["id", "package", "version", "severity", "cvss_score", "fix"],
        "image_secrets": ["rule", "file", "severity"],
        "tool_findings": ["rule", "status", "severity", "namespace", "kind", "name"],
        "sbom_components": ["name", "version", "type", "purl"],
        "tool_reports": ["subject", "standard", "findings"],
    }.items():
        rows = [e[table][columns].map(str).to_numpy().tolist() for e in (live, read)]
        assert all(row in rows[0] for row in rows[1]), table
        assert rows[1], table
