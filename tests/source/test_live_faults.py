"""What a cluster, a kubeconfig or a credential plugin can do wrong: a gap, or one clear error."""

import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kaudit.collect import collect
from kaudit.errors import InputError, SourceError
from kaudit.model.words import Reason
from kaudit.source import live_http
from kaudit.source.live import LiveSource
from kaudit.source.live_http import Patience
from tests.source.api_server import Answer, ApiServer

QUICK = Patience(
    connect=0.5,
    read=0.5,
    tries=3,
    pause=0.01,
    longest_pause=0.05,
    per_second=5000,
    burst=5000,
    command=1.0,
)
POD: dict[str, Any] = {
    "metadata": {"name": "p", "namespace": "shop", "uid": "u"},
    "spec": {"containers": [{"name": "c", "image": "i:1"}]},
}


@pytest.fixture
def server() -> Iterator[ApiServer]:
    api = ApiServer()
    api.add("/api/v1/pods", "Pod", [POD])
    yield api
    api.close()


def kubeconfig(folder: Path, server: ApiServer, user: str) -> Path:
    path = folder / "config"
    path.write_text(
        f"""apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "{server.url}"}}}}]
users: [{{name: u, user: {user}}}]
contexts: [{{name: prod, context: {{cluster: c, user: u}}}}]
current-context: prod
"""
    )
    return path


def plugin(folder: Path, script: str) -> str:
    path = folder / "plugin.sh"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return (
        f"{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: {path}, "
        "interactiveMode: Never}}"
    )


def connected(folder: Path, server: ApiServer, user: str) -> LiveSource:
    return LiveSource.from_context(
        "prod", kubeconfig=kubeconfig(folder, server, user), patience=QUICK
    )


def gaps(evidence: Any) -> dict[str, tuple[Reason, str]]:
    failed = [g for g in evidence.gaps if g.failed and g.reason is not Reason.NOT_COLLECTED]
    return {g.what: (g.reason, g.detail) for g in failed}


def test_redirects_are_not_followed(tmp_path: Path, server: ApiServer) -> None:
    other = ApiServer()
    try:
        place = {"Location": f"{other.url}/api/v1/pods"}
        server.rules["/api/v1/pods"] = lambda q, n: (302, {}, place)
        evidence = collect(connected(tmp_path, server, "{token: SECRET-TOKEN}"), raw=False)
        reason, detail = gaps(evidence)["list pods"]
        assert reason is Reason.BROKEN
        assert "redirects are not followed" in detail
        assert other.requests == []
    finally:
        other.close()


def test_an_api_behind_an_aggregator_that_does_not_answer_is_a_gap(
    tmp_path: Path, server: ApiServer
) -> None:
    server.rules["/apis/gateway.networking.k8s.io/v1"] = lambda q, n: (
        503,
        {"message": "no endpoints"},
        {},
    )
    evidence = collect(connected(tmp_path, server, "{token: t}"), raw=False)
    assert gaps(evidence)["list httproutes.gateway.networking.k8s.io"][0] is Reason.UNREACHABLE


@pytest.mark.parametrize(
    "body", [b'{"kind":"PodList","items":[{"metadata"', b"\xff\xfe", b"[]", b'{"kind":"Pod"}', b""]
)
def test_bodies_that_are_no_list(tmp_path: Path, server: ApiServer, body: bytes) -> None:
    server.rules["/api/v1/pods"] = lambda q, n: (200, body, {})
    evidence = collect(connected(tmp_path, server, "{token: t}"), raw=False)
    assert gaps(evidence)["list pods"][0] is Reason.BROKEN


DEEP = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/version", 200, b'{"gitVersion":"\xff"}'),
        ("/version", 200, b'{"x":' + DEEP + b"}"),
        ("/apis/apps/v1", 200, b'{"x":' + DEEP + b"}"),
        (REVIEWS, 200, DEEP),
        ("/api/v1/services", 200, DEEP),
        ("/api/v1/services", 403, b'{"x":' + DEEP + b"}"),
    ],
)
def test_whatever_is_answered_costs_no_other_kind(
    tmp_path: Path, server: ApiServer, path: str, status: int, body: bytes
) -> None:
    server.add("/api/v1/services", "Service", [])
    server.rules[path] = lambda q, n: (status, body, {})
    evidence = collect(connected(tmp_path, server, "{token: t}"), raw=False)
    assert evidence["pods"]["pod"].tolist() == ["p"]


@pytest.mark.parametrize(
    ("item", "detail"),
    [
        (b'"metadata":{"name":"odd"},"x":' + DEEP, "nested too deeply, and refused"),
        (b'"metadata":{"uid":"\xff"}', "'utf-8' codec can't decode"),
    ],
)
def test_an_item_that_cannot_be_decoded_costs_itself_alone(
    tmp_path: Path, server: ApiServer, item: bytes, detail: str
) -> None:
    good = msgspec.json.encode(POD)
    body = b'{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"c"},"items":[%b,{%b}]}'
    server.rules["/api/v1/pods"] = lambda q, n: (
        (200, {"kind": "PodList", "items": [{"metadata": {"name": "q", "uid": "q"}}]}, {})
        if q.get("continue")
        else (200, body % (good, item), {})
    )
    evidence = collect(connected(tmp_path, server, "{token: t}"))
    assert sorted(evidence["pods"]["pod"]) == ["p", "q"]
    (reason, said) = next(g for what, g in gaps(evidence).items() if "Pod" in what)
    assert reason is Reason.BROKEN
    assert detail in said


@pytest.mark.parametrize("again", [lambda n: "c", lambda n: f"c{n}"])
def test_a_list_that_does_not_end_is_a_part(
    tmp_path: Path, server: ApiServer, again: Callable[[int], str]
) -> None:
    def page(query: dict[str, str], call: int) -> Answer:
        items = [] if query.get("continue") else [POD]
        return 200, {"kind": "PodList", "metadata": {"continue": again(call)}, "items": items}, {}

    server.rules["/api/v1/pods"] = page
    evidence = collect(connected(tmp_path, server, "{token: t}"), raw=False)
    assert len(evidence["pods"]) == 1
    reason, detail = gaps(evidence)["list pods"]
    assert reason is Reason.PARTIAL
    assert detail == "only a part was read: the server leads from page to page without end"


@pytest.mark.parametrize(
    "date", ["Fri, 31 Dec 9999 23:59:59 -1200", "Thu, 01 Jan 99999999999999999999 00:00:00 GMT"]
)
def test_a_date_of_no_calendar_is_none(date: str) -> None:
    assert live_http._moment(date) is None


def test_a_later_page_that_fails_keeps_the_first_and_says_so(
    tmp_path: Path, server: ApiServer
) -> None:
    pods = [
        {**POD, "metadata": {**POD["metadata"], "name": f"p{n}", "uid": f"u{n}"}}
        for n in range(700)
    ]
    server.lists["/api/v1/pods"] = pods
    server.rules["/api/v1/pods"] = lambda q, n: (500, {}, {}) if q.get("continue") else None
    evidence = collect(connected(tmp_path, server, "{token: t}"), raw=False)
    assert len(evidence["pods"]) == 500
    reason, detail = gaps(evidence)["list pods"]
    assert reason is Reason.UNREACHABLE
    assert detail.startswith("only a part was read")


def test_a_plugin_gives_the_token(tmp_path: Path, server: ApiServer) -> None:
    answer = '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t"}}'
    evidence = collect(connected(tmp_path, server, plugin(tmp_path, f"echo '{answer}'")), raw=False)
    assert evidence["pods"]["pod"].tolist() == ["p"]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("sleep 30", "did not end within 1 s"),
        ("echo 'no session' >&2; exit 3", "ended with code 3: no session"),
        ("echo token SECRET-TOKEN", "did not print an ExecCredential"),
        (
            'echo \'{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{}}\'',
            "gave neither a token nor",
        ),
    ],
)
def test_plugins_that_fail_are_one_error_without_their_output(
    tmp_path: Path, server: ApiServer, script: str, said: str
) -> None:
    begun = time.monotonic()
    with pytest.raises(InputError, match=said) as fault:
        connected(tmp_path, server, plugin(tmp_path, script))
    assert "SECRET-TOKEN" not in str(fault.value)
    assert time.monotonic() - begun < 10


def test_what_a_kubeconfig_holds_is_not_repeated_in_errors(
    tmp_path: Path, server: ApiServer
) -> None:
    user = "{client-certificate-data: SECRE, client-key-data: SECRE}"
    path = kubeconfig(tmp_path, server, user)
    path.write_text(path.read_text().replace("http:", "https:"))
    with pytest.raises(InputError) as fault:
        LiveSource.from_context("prod", kubeconfig=path, patience=QUICK)
    assert "SECRE" not in str(fault.value)


def test_impersonation_reaches_the_server(tmp_path: Path, server: ApiServer) -> None:
    live = connected(tmp_path, server, "{token: t, as: auditor, as-groups: [readers]}")
    assert collect(live, raw=False)["pods"]["pod"].tolist() == ["p"]
    assert live.server._headers == (
        ("Impersonate-User", "auditor"),
        ("Impersonate-Group", "readers"),
    )


def test_no_server_is_one_error_soon(tmp_path: Path, server: ApiServer) -> None:
    live = connected(tmp_path, server, "{token: t}")
    server.http.server_close()
    begun = time.monotonic()
    with pytest.raises(SourceError, match="read the version"):
        collect(live)
    assert time.monotonic() - begun < 15


def test_a_certificate_that_is_not_checked_is_a_gap(tmp_path: Path, server: ApiServer) -> None:
    path = kubeconfig(tmp_path, server, "{token: t}")
    path.write_text(path.read_text().replace("server:", "insecure-skip-tls-verify: true, server:"))
    live = LiveSource.from_context("prod", kubeconfig=path, patience=QUICK)
    assert "the certificate of the server was not checked" in gaps(collect(live, raw=False))


def test_a_server_that_is_away_for_a_moment_is_waited_for(
    tmp_path: Path, server: ApiServer
) -> None:
    server.rules["/api/v1/pods"] = lambda q, n: (0, "cut", {}) if n < 6 else None
    evidence = collect(connected(tmp_path, server, "{token: t}"), raw=False, kinds=["pods"])
    assert gaps(evidence) == {}
    assert evidence["pods"]["pod"].tolist() == ["p"]


def test_a_server_that_stays_away_is_given_up(tmp_path: Path, server: ApiServer) -> None:
    server.rules["/api/v1/pods"] = lambda q, n: (0, "cut", {})
    live = connected(tmp_path, server, "{token: t}")
    live.server.patience = msgspec.structs.replace(QUICK, silence=0.5)
    begun = time.monotonic()
    reason, _ = gaps(collect(live, raw=False, kinds=["pods"]))["list pods"]
    assert reason is Reason.UNREACHABLE
    assert time.monotonic() - begun < 10


def test_a_server_that_is_back_may_not_know_its_roles_yet(
    tmp_path: Path, server: ApiServer
) -> None:
    answers: dict[int, Answer] = {
        1: (0, "cut", {}),
        2: (403, {}, {}),
        3: (401, {}, {}),
        4: (403, {}, {}),
    }
    server.rules["/api/v1/pods"] = lambda q, n: answers.get(n)
    evidence = collect(connected(tmp_path, server, "{token: t}"), raw=False, kinds=["pods"])
    assert gaps(evidence) == {}
    assert server.calls["/api/v1/pods"] == 5


def test_a_server_that_answers_in_vain_is_asked_twice(tmp_path: Path, server: ApiServer) -> None:
    server.rules["/api/v1/pods"] = lambda q, n: (504, {"message": "too slow"}, {})
    evidence = collect(connected(tmp_path, server, "{token: t}"), raw=False, kinds=["pods"])
    assert gaps(evidence)["list pods"][0] is Reason.UNREACHABLE
    assert server.calls["/api/v1/pods"] == 2


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ((404, {"kind": "Status", "message": "no route"}, {}), "404 Not Found: no route"),
        ((200, b"<html>log in</html>", {"Content-Type": "text/html"}), "the answer is no JSON"),
        ((200, {}, {}), "it serves no namespaces"),
    ],
)
def test_whoever_knows_nothing_is_no_empty_cluster(
    tmp_path: Path, server: ApiServer, monkeypatch: pytest.MonkeyPatch, found: Answer, said: str
) -> None:
    monkeypatch.setattr(server, "_found", lambda *_: found)
    with pytest.raises(SourceError, match=f"no API server of Kubernetes: {said}"):
        collect(connected(tmp_path, server, "{token: t}"))


def test_a_cluster_that_serves_nothing_that_was_asked_for(
    tmp_path: Path, server: ApiServer
) -> None:
    server.add("/api/v1/namespaces", "Namespace", [])
    found = collect(connected(tmp_path, server, "{token: t}"), kinds=["certificates"])
    assert [gap.detail for gap in found.gaps if "does not serve" in gap.what] == ["Certificate"]


@pytest.mark.parametrize(
    ("items", "told"),
    [
        (b'"items": []', {}),
        (b'"items": null', {}),
        (b'"odd": 1', "the answer is a list without items"),
    ],
)
def test_an_answer_whose_items_are_gone_is_no_empty_list(
    items: bytes, told: Any, tmp_path: Path, server: ApiServer
) -> None:
    body = b'{"kind": "PodList", "apiVersion": "v1", "metadata": {}, %s}' % items
    server.rules["/api/v1/pods"] = lambda q, n: (200, body, {})
    found = gaps(collect(connected(tmp_path, server, "{token: t}"), raw=False))
    assert found == (told and {"list pods": (Reason.BROKEN, told)})
