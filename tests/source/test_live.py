"""A live cluster: paging, refusals, faults; nothing but reads is ever sent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kaudit.collect import collect
from kaudit.errors import InputError, SourceError
from kaudit.model.words import Reason
from kaudit.source.files import FileSource
from kaudit.source.live import LiveSource
from kaudit.source.live_http import Patience
from tests.source.api_server import Answer, ApiServer

QUICK = Patience(
    connect=0.5, read=0.5, tries=3, pause=0.01, longest_pause=0.05, per_second=5000, burst=5000
)


def pod(number: int, namespace: str = "shop") -> dict[str, Any]:
    return {
        "metadata": {"name": f"p{number:04}", "namespace": namespace, "uid": f"u{number}"},
        "spec": {"containers": [{"name": "c", "image": "i:1"}]},
    }


@pytest.fixture
def server() -> Iterator[ApiServer]:
    api = ApiServer()
    api.add("/api/v1/pods", "Pod", [pod(n) for n in range(1203)])
    api.add("/api/v1/namespaces", "Namespace", [{"metadata": {"name": "shop", "uid": "n1"}}])
    api.add("/apis/apps/v1/deployments", "Deployment", [])
    yield api
    api.close()


def source(server: ApiServer, **more: Any) -> LiveSource:
    from kubernetes import client

    settings = client.Configuration()
    settings.host = server.url
    return LiveSource(settings, label="test", **{"patience": QUICK, **more})


def gaps(evidence: Any) -> list[tuple[str, Reason, str]]:
    return [
        (g.what, g.reason, g.namespace)
        for g in evidence.gaps
        if g.failed and g.reason is not Reason.NOT_COLLECTED
    ]


def test_pages_are_one_list(server: ApiServer) -> None:
    evidence = collect(source(server), raw=False)
    assert evidence["pods"]["pod"].tolist() == [f"p{n:04}" for n in range(1203)]
    pages = [q for m, p, q, _ in server.requests if p == "/api/v1/pods"]
    assert [q.get("continue") for q in pages] == [None, "500", "1000"]
    assert gaps(evidence) == []
    assert evidence.manifest.server is not None
    assert evidence.manifest.server.git_version == "v1.34.1"
    assert evidence.as_of is not None
    origin = next(o for o in evidence.manifest.origins if o.name == "/api/v1/pods")
    assert (origin.pages, origin.items, origin.resource_version) == (3, 1203, "7")


def test_only_reads_and_reviews_are_sent(server: ApiServer) -> None:
    collect(source(server, secrets="metadata"), raw=False)
    assert server.requests
    for method, path, _, _ in server.requests:
        assert method == "GET" or path.endswith("/selfsubjectaccessreviews")


def test_tables_equal_those_of_a_file(server: ApiServer) -> None:
    import json

    objects = [{"apiVersion": "v1", "kind": "Pod", **pod(n)} for n in range(1203)]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    live, filed = collect(source(server), raw=False), collect(FileSource.of_text(text), raw=False)
    for name in ("pods", "containers", "volumes", "env"):
        assert live[name].equals(filed[name]), name


def test_records_say_what_they_are(server: ApiServer) -> None:
    evidence = collect(source(server))
    record = evidence.record("pods", 1)  # its server says so once, of the whole list
    assert (record["apiVersion"], record["kind"]) == ("v1", "Pod")


def test_kinds_not_served_are_told_apart_by_group(server: ApiServer) -> None:
    (gap,) = (g for g in collect(source(server)).gaps if "does not serve" in g.what)
    assert {"NetworkPolicy.networking.k8s.io", "NetworkPolicy.crd.projectcalico.org"} <= {
        *gap.detail.split(", ")
    }


def test_refused_everywhere_is_one_gap(server: ApiServer) -> None:
    server.rules["/api/v1/pods"] = lambda q, n: (403, {"message": "no"}, {})
    evidence = collect(source(server), raw=False)
    assert gaps(evidence) == [("list pods", Reason.FORBIDDEN, "")]


def test_refused_for_the_cluster_but_not_for_a_namespace(server: ApiServer) -> None:
    names = ("shop", "dark")
    server.lists["/api/v1/namespaces"] = [{"metadata": {"name": n, "uid": n}} for n in names]
    server.rules["/api/v1/pods"] = lambda q, n: (403, {"message": "no"}, {})
    server.lists["/api/v1/namespaces/shop/pods"] = [pod(1)]
    server.rules["/api/v1/namespaces/dark/pods"] = lambda q, n: (403, {"message": "no"}, {})
    evidence = collect(source(server), raw=False)
    assert evidence["pods"]["pod"].tolist() == ["p0001"]
    assert gaps(evidence) == [("list pods in dark", Reason.FORBIDDEN, "dark")]


def test_too_many_requests_and_faults_are_retried(server: ApiServer) -> None:
    answers: dict[int, Answer] = {1: (429, {}, {"Retry-After": "0"}), 2: (500, {}, {})}
    server.rules["/api/v1/pods"] = lambda q, n: answers.get(n)
    evidence = collect(source(server), raw=False)
    assert len(evidence["pods"]) == 1203
    assert gaps(evidence) == []


def test_a_fault_that_stays_is_a_gap(server: ApiServer) -> None:
    server.rules["/api/v1/pods"] = lambda q, n: (500, {"message": "etcd"}, {})
    assert gaps(collect(source(server), raw=False)) == [("list pods", Reason.UNREACHABLE, "")]


def test_an_expired_token_starts_the_list_again(server: ApiServer) -> None:
    gone: list[int] = []

    def rule(query: dict[str, str], call: int) -> Any:
        if query.get("continue") == "1000" and not gone:
            gone.append(call)
            return 410, {"message": "expired"}, {}
        return None

    server.rules["/api/v1/pods"] = rule
    evidence = collect(source(server), raw=False)
    assert len(evidence["pods"]) == 1203
    assert evidence["pods"]["pod"].is_unique
    assert gaps(evidence) == [("list pods", Reason.PARTIAL, "")]


def test_a_hang_is_a_gap_and_costs_only_its_kind(server: ApiServer) -> None:
    server.rules["/api/v1/pods"] = lambda q, n: (200, "hang", {})
    patient = Patience(connect=0.2, read=0.2, tries=1, pause=0.01, per_second=5000, burst=5000)
    evidence = collect(source(server, patience=patient), raw=False)
    assert gaps(evidence) == [("list pods", Reason.TIMEOUT, "")]
    assert len(evidence["namespaces"]) == 1


def test_garbage_is_a_gap(server: ApiServer) -> None:
    server.rules["/api/v1/pods"] = lambda q, n: (200, b"<html>login</html>", {})
    assert gaps(collect(source(server), raw=False)) == [("list pods", Reason.BROKEN, "")]


def test_unauthenticated_is_one_clear_error(server: ApiServer) -> None:
    server.rules["/version"] = lambda q, n: (401, {"message": "Unauthorized"}, {})
    with pytest.raises(SourceError, match="unauthenticated"):
        collect(source(server))


def test_unreachable_is_one_clear_error(server: ApiServer) -> None:
    live = source(server)
    server.close()
    with pytest.raises(SourceError, match="unreachable"):
        collect(live)
    ApiServer.__init__(server)  # the fixture closes it again


def test_secrets_are_asked_for_as_metadata_only(server: ApiServer) -> None:
    secret = {
        "metadata": {
            "name": "s",
            "namespace": "shop",
            "uid": "s1",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "CANARY-VALUE"},
        },
        "data": {"password": "CANARY-VALUE"},
    }
    server.add("/api/v1/secrets", "Secret", [secret])
    assert not [r for r in server.requests if "secrets" in r[1]]
    evidence = collect(source(server, secrets="metadata"))
    assert evidence["secrets"]["last_applied"].tolist() == [True]
    assert "CANARY" not in str(evidence.record("secrets", 1))
    accept = [a for _, p, _, a in server.requests if p == "/api/v1/secrets"]
    assert accept == ["application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"]


def test_a_server_that_sends_values_all_the_same_is_not_listened_to(server: ApiServer) -> None:
    server.add("/api/v1/secrets", "Secret", [])
    body = {"kind": "SecretList", "items": [{"metadata": {"name": "s"}, "data": {"k": "CANARY"}}]}
    server.rules["/api/v1/secrets"] = lambda q, n: (200, body, {})
    evidence = collect(source(server, secrets="metadata"))
    assert len(evidence["secrets"]) == 0
    assert ("list secrets", Reason.BROKEN, "") in gaps(evidence)


def test_secrets_are_not_read_unless_asked(server: ApiServer) -> None:
    server.add("/api/v1/secrets", "Secret", [])
    collect(source(server), raw=False)
    assert not [p for _, p, _, _ in server.requests if p.endswith("/secrets")]


ACTING = """contexts: [{name: prod, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: u, user: {"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("contexts: []\n", "there is no context 'prod'"),
        (": : :\n\t- x", "the YAML breaks at line 1"),
        (None, "there is no kubeconfig"),
        ("a: " + "[" * 3000, "is no kubeconfig: it is nested too deeply"),
        (f"{ACTING}as-user-extra: [1]}}}}]\n", "whom its user acts as is not understood"),
        (f'{ACTING}as: "a\\nb"}}}}]\n', "whom its user acts as holds control characters"),
    ],
)
def test_kubeconfigs_that_cannot_be_used(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "config"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=said):
        LiveSource.from_context("prod", kubeconfig=path)


def test_a_context_of_a_kubeconfig(tmp_path: Path, server: ApiServer) -> None:
    path = tmp_path / "config"
    path.write_text(
        f"""apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "{server.url}"}}}}]
users: [{{name: u, user: {{token: t}}}}]
contexts: [{{name: prod, context: {{cluster: c, user: u}}}}]
current-context: prod
"""
    )
    live = LiveSource.from_context("prod", kubeconfig=path, patience=QUICK)
    assert live.label == "prod"
    assert len(collect(live, raw=False)["pods"]) == 1203
    with pytest.raises(InputError, match="it has: prod"):
        LiveSource.from_context("dev", kubeconfig=path)


def test_every_kind_of_an_open_group_is_listed(server: ApiServer) -> None:
    base = "/apis/constraints.gatekeeper.sh/v1beta1"
    for kind in ("NoRoot", "Owner", "Repos"):
        made = {"metadata": {"name": "a", "uid": kind}}
        server.add(f"{base}/{kind.lower()}", kind, [made] if kind != "Owner" else [])
    server.rules[f"{base}/repos"] = lambda query, call: (403, {"message": "no"}, {})
    evidence = collect(source(server))
    assert evidence["constraints"]["kind"].tolist() == ["NoRoot"]
    assert gaps(evidence) == [("list repos.constraints.gatekeeper.sh", Reason.FORBIDDEN, "")]
    (refused,) = [g for g in evidence.gaps if g.reason is Reason.FORBIDDEN]
    assert (refused.kind, refused.tables) == ("Repos", ("constraint_violations", "constraints"))
