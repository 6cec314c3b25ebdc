"""Ways to a cluster that are barred, roundabout or wrong: a way in, or one clear sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import certifi
import pytest

from kaudit.errors import InputError
from kaudit.evidence.bundle import Evidence
from kaudit.model.words import Reason
from kaudit.source.live import LiveSource
from kaudit.source.live_http import Patience
from tests.integration.cluster import Cluster, running_cluster
from tests.integration.middle import PODS, QUICK, Interrupted, crowd, lost, reader, sealed
from tests.integration.relay import Relay
from tests.integration.test_process import alive

pytestmark = pytest.mark.timeout(90)

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of this module's own, with a crowd of pods."""
    with running_cluster(tmp_path_factory.mktemp("guarded")) as cluster:
        crowd(cluster)
        yield cluster


@pytest.fixture(scope="module")
def token(guarded: Cluster) -> str:
    """A token of an account that may list everything."""
    return reader(guarded, "auditor")


class Way:
    """A kubeconfig that a test changes, and a kaudit that uses it."""

    def __init__(self, cluster: Cluster, token: str, folder: Path) -> None:
        self.token, self.folder = token, folder
        (folder / "out").mkdir()
        self.path = folder / "kubeconfig"
        self.config = json.loads(cluster.kubeconfig("way", token).read_text(encoding="utf-8"))

    @property
    def cluster(self) -> dict[str, Any]:
        """How the server is reached."""
        found: dict[str, Any] = self.config["clusters"][0]["cluster"]
        return found

    def write(self) -> Path:
        """Write the kubeconfig as it is now."""
        self.path.write_text(json.dumps(self.config), encoding="utf-8")
        return self.path

    def leads(self) -> Evidence:
        """Collect; all pods are found."""
        source = LiveSource.from_context("way", kubeconfig=self.write(), patience=QUICK)
        evidence = sealed(source, self.folder / "out", within=30, secret=self.token)
        assert len(evidence["pods"]) == PODS
        return evidence

    def refused(self) -> str:
        """Run the command; return its one sentence, which holds no token."""
        bundle = self.folder / "bundle.kaudit"
        command = [sys.executable, "-m", "kaudit", "collect", "context:way", "-o", str(bundle)]
        ended = subprocess.run(
            command,
            env=os.environ | {"PYTHONPATH": str(ROOT), "KUBECONFIG": str(self.write())},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
        )
        said = ended.stdout + ended.stderr
        assert (ended.returncode, len(said.splitlines())) == (2, 1), said
        assert self.token not in said
        assert not bundle.exists()
        return said

    def plugin(self, script: str) -> None:
        """Get the credential from a program."""
        path = self.folder / "helper"
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o700)
        self.config["users"][0]["user"] = {
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": str(path),
                "interactiveMode": "Never",
            }
        }


@pytest.fixture
def way(guarded: Cluster, token: str, tmp_path: Path) -> Way:
    """A way that works as it is."""
    return Way(guarded, token, tmp_path)


def credential(token: str) -> str:
    """Print what a credential plugin prints."""
    answer = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": token},
    }
    return f"echo '{json.dumps(answer)}'"


def test_an_account_that_is_revoked_in_the_middle(guarded: Cluster, tmp_path: Path) -> None:
    token = reader(guarded, "leaver")
    path = guarded.kubeconfig("leaver", token)

    def revoke() -> None:
        """Remove the account, and wait until the server no longer remembers its token."""
        guarded.request("DELETE", "/api/v1/namespaces/crowd/serviceaccounts/leaver")
        end = time.monotonic() + 30
        while guarded.request("GET", "/api", token=token).status != HTTPStatus.UNAUTHORIZED:
            assert time.monotonic() < end
            time.sleep(0.2)

    source = LiveSource.from_context("leaver", kubeconfig=path, patience=QUICK)
    evidence = sealed(Interrupted(source, revoke), tmp_path, within=60, secret=token)
    gaps = {gap.kind: gap for gap in lost(evidence)}
    assert {gap.reason for gap in gaps.values()} == {Reason.UNAUTHENTICATED}
    assert gaps["Pod"].detail.startswith("only a part was read: 401 Unauthorized")
    assert gaps["Role"].tables
    assert 0 < len(evidence["pods"]) < PODS


def test_a_token_that_nobody_knows(way: Way) -> None:
    way.token = way.config["users"][0]["user"]["token"] = "wrong-" + "x" * 40
    assert "read the version: unauthenticated (401 Unauthorized" in way.refused()


def test_a_plugin_that_works(way: Way) -> None:
    way.plugin(credential(way.token))
    assert lost(way.leads()) == []


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'log in first' >&2; exit 1", "ended with code 1: log in first"),
        ("echo TOKEN; echo TOKEN >&2", "did not print an ExecCredential"),
        ("head -c 100000 /dev/urandom", "did not print an ExecCredential"),
        ("kill -9 $$", "ended with code -9"),
        ("exit 0", "did not print an ExecCredential"),
    ],
)
def test_a_plugin_that_does_not(way: Way, script: str, said: str) -> None:
    way.plugin(script.replace("TOKEN", way.token))
    assert said in way.refused()


def test_a_plugin_that_hangs(way: Way) -> None:
    way.plugin(f"sleep 600 & echo $! > {way.folder}/pid; wait")
    with pytest.raises(InputError, match="helper did not end within 1 s"):
        LiveSource.from_context("way", kubeconfig=way.write(), patience=Patience(command=1))
    child, end = int((way.folder / "pid").read_text(encoding="utf-8")), time.monotonic() + 5
    while alive(child) and time.monotonic() < end:
        time.sleep(0.02)
    assert not alive(child)


def test_through_a_proxy(way: Way) -> None:
    with Relay() as proxy:
        way.cluster["proxy-url"] = f"http://127.0.0.1:{proxy.port}"
        way.leads()
        assert proxy.connections


def test_through_a_proxy_of_the_environment(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    with Relay() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "")
        way.leads()
        assert proxy.connections


def test_past_a_proxy_of_the_environment(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    with Relay() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        way.leads()
        assert not proxy.connections


def test_through_a_proxy_that_speaks_tls(guarded: Cluster, way: Way) -> None:
    pair = (str(guarded.authority), str(guarded.authority.with_suffix(".key")))
    with Relay(tls=pair) as proxy:
        way.cluster["proxy-url"] = f"https://127.0.0.1:{proxy.port}"
        way.leads()
        assert proxy.connections


def test_a_proxy_that_is_not_there(way: Way) -> None:
    with Relay() as proxy:
        way.cluster["proxy-url"] = f"http://user:{way.token}@127.0.0.1:{proxy.port}"
    assert "unreachable (the proxy did not connect)" in way.refused()


def test_without_the_authority(way: Way) -> None:
    del way.cluster["certificate-authority-data"]
    said = way.refused()
    assert "TLS failed" in said
    assert "check certificate-authority" in said


def test_with_the_wrong_authority(way: Way) -> None:
    del way.cluster["certificate-authority-data"]
    way.cluster["certificate-authority"] = certifi.where()
    assert "TLS failed" in way.refused()


def test_with_an_authority_that_is_none(way: Way) -> None:
    way.cluster["certificate-authority-data"] = "bm90IGEgY2VydGlmaWNhdGU="
    assert "TLS failed" in way.refused()


def test_with_a_waived_authority(way: Way) -> None:
    del way.cluster["certificate-authority-data"]
    way.cluster["insecure-skip-tls-verify"] = True
    (gap,) = lost(way.leads())
    assert gap.what == "the certificate of the server was not checked"


def test_by_another_name(guarded: Cluster, way: Way) -> None:
    with Relay(guarded.port, host="127.0.0.2") as relay:
        way.cluster["server"] = f"https://127.0.0.2:{relay.port}"
        assert "TLS failed" in way.refused()
        way.cluster["tls-server-name"] = "kubernetes.default.svc"
        way.leads()


def test_by_ipv6(guarded: Cluster, way: Way) -> None:
    try:
        relay = Relay(guarded.port, host="::1")
    except OSError as fault:
        pytest.skip(f"no IPv6 on loopback here: {fault.strerror}")
    with relay:
        way.cluster["server"] = f"https://[::1]:{relay.port}"
        way.cluster["tls-server-name"] = "kubernetes.default.svc"
        way.leads()
        assert relay.connections
