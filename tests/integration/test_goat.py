"""What is said of kubernetes-goat in a cluster is what its manifests let expect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kaudit.assess import assess
from kaudit.assessment import Assessment
from kaudit.collect import collect
from kaudit.source.files import FileSource
from kaudit.source.live import LiveSource
from tests.integration.cluster import running_cluster
from tests.integration.test_apps import ONLY_LIVE
from tests.shared import needs_shared, shared

_ROLES = "what a binding grants rests on ClusterRoles, of which the manifests hold none"
_AGES = "manifests do not tell when their Secrets were made"
_APPLIED = "kubectl apply notes the whole Secret in an annotation of it"
_SLICES = "what is behind a Service is in its EndpointSlices, which the controllers make"
_ENGINES = "policies of other engines may exist elsewhere; the cluster serves none of their kinds"
_STARTED = (
    "the cluster has a pod, which holds the Secret's value from its start; no node started it"
)
_READ = "how whole a collection is can be said of a cluster, not of files"
_NONE = "a kind that manifests lack may exist elsewhere; a cluster that lists none has none"

_UNKNOWN, _PASS, _FAIL = "not_assessed", "pass", "fail"
#: Control, status by the manifests and status in the cluster, and why.
DIFFERENT = {
    ("KA-DEP-058", _UNKNOWN, _PASS): _ROLES,
    ("KA-DEP-061a", _UNKNOWN, _PASS): _ROLES,
    ("KA-DEP-062a", _UNKNOWN, _PASS): _ROLES,
    ("KA-DEP-063", _UNKNOWN, _PASS): _ROLES,
    ("KA-DEP-064", _UNKNOWN, _PASS): _ROLES,
    ("KA-DEP-065", _UNKNOWN, _PASS): _ROLES,
    ("KA-DEP-066", _UNKNOWN, _PASS): _ROLES,
    ("KA-DEP-067", _UNKNOWN, _PASS): _ROLES,
    ("KA-DEP-068", _UNKNOWN, _PASS): _ROLES,
    ("KA-DEP-069", _UNKNOWN, _PASS): _ROLES,
    ("KA-DEP-070", _UNKNOWN, _PASS): _ROLES,
    ("KA-DEP-072", _UNKNOWN, _PASS): _ROLES,
    ("KA-DEP-075", _UNKNOWN, _PASS): _ROLES,
    ("KA-DEP-077", _UNKNOWN, _PASS): _ROLES,
    ("KA-DEP-078", _UNKNOWN, _PASS): _ROLES,
    ("KA-DEP-078a", _UNKNOWN, _PASS): _ROLES,
    ("KA-SEC-015a", _UNKNOWN, _PASS): _ROLES,
    ("KA-SEC-016", _UNKNOWN, _PASS): _ROLES,
    ("KA-NET-006", _UNKNOWN, _PASS): _ENGINES,
    ("KA-NET-008", _UNKNOWN, _PASS): _ROLES,
    ("KA-NET-016", _UNKNOWN, _PASS): _SLICES,
    ("KA-SEC-012", "not_applicable", _UNKNOWN): _STARTED,
    ("KA-SEC-013", _UNKNOWN, _PASS): _AGES,
    ("KA-SEC-006a", _PASS, _FAIL): _APPLIED,
    ("KA-RUN-021", "not_applicable", _PASS): _READ,
    ("KA-RUN-021", "not_applicable", _FAIL): _READ,
}
#: The same of results that are about no single resource.
DIFFERENT_AT_LARGE = {(_UNKNOWN, "not_applicable"): _NONE}
#: Nothing to apply to in manifests, and something outside of their namespaces or about them.
SUBJECT_LIVE = {
    "KA-DEP-076": "a cluster has the roles admin, edit and view, which others add rules to",
    "KA-RUN-006a": "there are pods, whose namespaces a sensor may watch or not",
}

Statuses = dict[tuple[str, ...], str]


def scenarios() -> list[Path]:
    """Folders of the application; a policy of Kyverno, which is not served, is left out."""
    folder = shared("apps", "kubernetes-goat", "manifests", "scenarios")
    return [path for path in sorted(folder.iterdir()) if not path.name.startswith("kyverno")]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assessment]:
    """Results in a cluster of its own, which holds nothing else."""
    with running_cluster(tmp_path_factory.mktemp("goat"), controllers=True) as cluster:
        cluster.kubectl("create", "namespace", "secure-middleware")
        files = [word for path in scenarios() for word in ("-f", path)]
        cluster.kubectl("apply", "-R", *files)
        for kind, made in ("deployments", "unavailableReplicas"), ("jobs", "active"):
            wanted = f"--for=jsonpath={{.status.{made}}}=1"
            cluster.kubectl("wait", kind, "-A", "--all", wanted, "--timeout=60s")
        source = LiveSource.from_context(kubeconfig=cluster.admin, secrets="metadata")
        yield assess(collect(source, raw=False), strict=True)


@pytest.fixture(scope="module")
def filed() -> Assessment:
    sources = [FileSource(path) for path in scenarios()]
    return assess(collect(*sources, raw=False), strict=True)


def named(assessment: Assessment) -> Statuses:
    """Statuses of results that are about one resource."""
    return {
        (r.control, r.kind, r.namespace, r.name, r.container): r.status.value
        for r in assessment.iter_results()
        if r.name
    }


def at_large(assessment: Assessment) -> dict[str, str]:
    """Statuses of results that are about no single resource, by control."""
    return {r.control: r.status.value for r in assessment.iter_results() if not r.name}


@needs_shared
def test_every_result_of_the_manifests_is_one_of_the_cluster(
    live: Assessment, filed: Assessment
) -> None:
    ours, theirs = named(filed), named(live)
    assert ours.keys() - theirs.keys() == set()
    different = {(key[0], s, theirs[key]) for key, s in ours.items() if theirs[key] != s}
    # An image that no pod runs is judged from manifests alone: there nothing runs.
    idle = {(c, s, t) for c, s, t in different if t == "not_applicable"}
    assert {c[:6] for c, _, _ in idle} == {"KA-BLD"}
    assert {(s, t) for _, s, t in idle} == {(_UNKNOWN, "not_applicable")}
    assert different - idle == DIFFERENT.keys()
    assert len(ours) > 800
    assert {_PASS, _FAIL, _UNKNOWN, "not_applicable"} == {*ours.values()}


@needs_shared
def test_what_only_the_cluster_shows_is_known(live: Assessment, filed: Assessment) -> None:
    ours, theirs = named(filed), named(live)
    places = {key[2] for key in ours} - {"", "kube-system"}  # the server's own objects are there
    more = {key[0] for key in theirs.keys() - ours.keys() if key[2] in places}
    assert more == {control for control, _ in ONLY_LIVE}


@needs_shared
def test_what_is_about_no_resource_is_the_same_too(live: Assessment, filed: Assessment) -> None:
    ours, theirs = at_large(filed), at_large(live)
    shared_ = ours.keys() & theirs.keys()
    different = {(ours[c], theirs[c]) for c in shared_ if ours[c] != theirs[c]}
    assert different == DIFFERENT_AT_LARGE.keys()
    assert theirs.keys() <= ours.keys()
    gone = ours.keys() - theirs.keys()
    assert gone <= {control for control, _ in ONLY_LIVE} | SUBJECT_LIVE.keys()
    assert gone >= SUBJECT_LIVE.keys()
