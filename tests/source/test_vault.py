"""A Vault is asked for its health and its seal, and for nothing else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from kaudit.collect import collect
from kaudit.errors import InputError
from kaudit.model.words import Reason
from kaudit.source.vault import VaultSource

SEALED = {"initialized": True, "sealed": True, "standby": True, "version": "1.20.3"}
SEAL = {
    "type": "shamir",
    "initialized": True,
    "sealed": True,
    "t": 3,
    "n": 5,
    "storage_type": "raft",
}


class Vault(HTTPServer):
    """Answers as a sealed one does, and notes what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str, str | None]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Vault

    def do_GET(self) -> None:
        self.server.asked.append((self.command, self.path, self.headers.get("X-Vault-Token")))
        health = self.path.startswith("/v1/sys/health")
        body = json.dumps(SEALED if health else SEAL).encode()
        self.send_response(503 if health else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


@pytest.fixture
def vault() -> Iterator[Vault]:
    with Vault() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_it_tells_how_it_stands(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "hvs.CANARY-of-the-environment")
    address = f"http://127.0.0.1:{vault.server_port}"
    evidence = collect(VaultSource(f"{address}/"))
    (row,) = evidence["vaults"].to_dict("records")
    assert (row["name"], row["sealed"], row["seal"]) == (address, True, "shamir")
    assert (row["threshold"], row["shares"], row["storage"]) == (3, 5, "raft")
    paths = {path.partition("?")[0] for _, path, _ in vault.asked}
    assert paths == {"/v1/sys/health", "/v1/sys/seal-status"}
    assert {token for _, _, token in vault.asked} == {None}


def test_one_that_does_not_answer_is_a_gap(vault: Vault) -> None:
    port = vault.server_port
    vault.server_close()
    evidence = collect(VaultSource(f"http://127.0.0.1:{port}"))
    (gap,) = [gap for gap in evidence.gaps if "vaults" in gap.tables and gap.failed]
    assert gap.reason is Reason.UNREACHABLE
    assert len(evidence["vaults"]) == 0


@pytest.mark.parametrize(
    "address",
    [
        "vault:8200",
        "ftp://vault",
        "https://u:p@vault:8200",
        "https://vault/?token=x",
        "http://[x",
        "",
    ],
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(InputError):
        VaultSource(address)
