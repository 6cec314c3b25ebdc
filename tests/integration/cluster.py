"""A cluster without nodes: etcd, the API server and, where asked for, the controllers."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import urllib3

from tests.integration.engine import engine
from tests.integration.process import free_port, running

_ADMIN = "token-of-admin"

#: Every request is one event, written when it is answered; bodies are left out but for
#: Secrets, where the answer shows what was given away.
_AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - {level: RequestResponse, resources: [{group: "", resources: [secrets]}]}
  - {level: Metadata}
"""


class Answer(msgspec.Struct, frozen=True):
    """What the API server answered."""

    status: int
    body: Any


class Cluster:
    """A running API server, and how to speak with it.

    Attributes
    ----------
    folder
        Everything it writes; removed when it stops.
    port, url
        Where the API server listens.
    etcd_url
        Where etcd listens.
    etcd, server
        The processes of etcd and of the API server.
    authority
        Certificate of who vouches for the API server.
    admin
        Kubeconfig of an account that may do everything; its context is ``admin``.
    """

    etcd: subprocess.Popen[bytes]
    server: subprocess.Popen[bytes]

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.etcd_url = f"http://127.0.0.1:{free_port()}"
        self.authority = folder / "apiserver" / "apiserver.crt"
        self.admin = folder / "admin.kubeconfig"

    @cached_property
    def _pool(self) -> urllib3.PoolManager:
        return urllib3.PoolManager(ca_certs=str(self.authority), retries=False, maxsize=8)

    def close(self) -> None:
        """Give up the connections."""
        self._pool.clear()

    def request(self, method: str, path: str, body: object = None, token: str = _ADMIN) -> Answer:
        """Send one request; refusals are answers."""
        headers = {"Authorization": f"Bearer {token}"}
        given = self._pool.request(method, self.url + path, json=body, headers=headers)
        plain = given.headers.get("Content-Type", "").startswith("text/plain")
        return Answer(given.status, given.data.decode() if plain else json.loads(given.data))

    def kubectl(self, *arguments: str | Path, given: str | None = None) -> str:
        """Run kubectl as the admin and return what it prints.

        Raises
        ------
        subprocess.CalledProcessError
            It failed; pytest shows what it said, as a note.
        """
        command = [engine("kubectl"), "--kubeconfig", self.admin, *arguments]
        ended = subprocess.run(
            [*map(str, command)],
            input=given,
            capture_output=True,
            text=True,
            env={"HOME": str(self.folder)},  # its cache of the API
        )
        if ended.returncode:
            fault = subprocess.CalledProcessError(ended.returncode, ended.args)
            fault.add_note(ended.stderr)
            raise fault
        return ended.stdout

    def token(self, namespace: str, account: str) -> str:
        """Return a token of a service account, which is made where there is none."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        self.request("POST", path, {"metadata": {"name": account}})
        answer = self.request("POST", f"{path}/{account}/token", {"spec": {}})
        token: str = answer.body["status"]["token"]
        return token

    def kubeconfig(self, name: str, token: str) -> Path:
        """Write a kubeconfig; its context has the name."""
        path = self.folder / f"{name}.kubeconfig"
        authority = base64.b64encode(self.authority.read_bytes()).decode()
        server = {"server": self.url, "certificate-authority-data": authority}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": server}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}}],
            "current-context": name,
        }
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def audited(self) -> list[dict[str, Any]]:
        """Events of the audit log so far: one for each request that was answered."""
        log = (self.folder / "audit.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in log.splitlines()]


@contextmanager
def running_cluster(folder: Path, *, controllers: bool = False) -> Iterator[Cluster]:
    """Start a cluster in an empty folder, and stop and remove it at the end.

    Parameters
    ----------
    controllers
        Run the controller manager too: workloads then make pods, namespaces get their
        default service account, and pods need one as they do everywhere.
    """
    cluster = Cluster(folder)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        stack.callback(cluster.close)
        cluster.etcd = stack.enter_context(_etcd(cluster))
        cluster.server = stack.enter_context(apiserver(cluster, service_accounts=controllers))
        cluster.kubeconfig("admin", _ADMIN)
        if controllers:
            stack.enter_context(_controllers(cluster))
        yield cluster


def _etcd(cluster: Cluster) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """Start etcd.

    The key that it makes for its peers, of which there are none, signs the tokens of
    service accounts: nothing else here makes keys.
    """
    url, peers = cluster.etcd_url, "https://127.0.0.1:0"
    command: list[str | Path] = [
        engine("etcd"),
        f"--data-dir={cluster.folder / 'etcd'}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=default={peers}",
        "--peer-auto-tls",
        "--unsafe-no-fsync",
        "--log-level=error",
    ]

    def ready() -> bool:
        with urllib.request.urlopen(f"{url}/readyz", timeout=1) as answer:
            return bool(answer.status == 200)

    return running(command, log=cluster.folder / "etcd.log", ready=ready)


def apiserver(
    cluster: Cluster, *, service_accounts: bool = False
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """Start the API server of a cluster, for the first time or again."""
    folder = cluster.folder
    (folder / "tokens.csv").write_text(f"{_ADMIN},admin,admin,system:masters\n", encoding="utf-8")
    (folder / "audit.yaml").write_text(_AUDIT_POLICY, encoding="utf-8")
    key = _signing_key(cluster)
    command: list[str | Path] = [
        engine("kube-apiserver"),
        f"--etcd-servers={cluster.etcd_url}",
        "--bind-address=127.0.0.1",
        f"--secure-port={cluster.port}",
        f"--cert-dir={cluster.authority.parent}",
        "--advertise-address=192.0.2.1",  # of documentation: loopback is refused
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--authorization-mode=RBAC",
        f"--service-account-issuer={cluster.url}",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--allow-privileged=true",  # what Pod Security refuses must be possible at all
        f"--audit-policy-file={folder / 'audit.yaml'}",
        f"--audit-log-path={folder / 'audit.jsonl'}",
    ]
    if not service_accounts:
        command.append("--disable-admission-plugins=ServiceAccount")

    def ready() -> bool:
        return cluster.authority.is_file() and cluster.request("GET", "/readyz").status == 200

    return running(command, log=folder / "apiserver.log", ready=ready)


def _controllers(cluster: Cluster) -> AbstractContextManager[object]:
    port = free_port()
    command: list[str | Path] = [
        engine("kube-controller-manager"),
        f"--kubeconfig={cluster.admin}",
        f"--authentication-kubeconfig={cluster.admin}",
        f"--authorization-kubeconfig={cluster.admin}",
        f"--cert-dir={cluster.folder / 'controllers'}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        "--leader-elect=false",
        f"--service-account-private-key-file={_signing_key(cluster)}",
        f"--root-ca-file={cluster.authority}",
    ]

    def ready() -> bool:
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        return cluster.request("GET", account).status == 200

    return running(command, log=cluster.folder / "controllers.log", ready=ready)


def _signing_key(cluster: Cluster) -> Path:
    return cluster.folder / "etcd" / "fixtures" / "peer" / "key.pem"
