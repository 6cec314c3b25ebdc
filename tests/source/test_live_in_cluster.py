"""A pod's own account: found without a kubeconfig, read again as it is rotated."""

from pathlib import Path

import pytest

from kaudit.errors import InputError
from kaudit.source import live_config
from kaudit.source.live import LiveSource
from kaudit.source.live_config import in_cluster
from kaudit.source.live_http import Patience

HERE = {"KUBERNETES_SERVICE_HOST": "192.0.2.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture
def account(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("first")
    (tmp_path / "ca.crt").write_text("an authority")
    (tmp_path / "namespace").write_text("audit\n")
    return tmp_path


def token(connection: live_config.Connection) -> str:
    given = connection.configuration.auth_settings()["BearerToken"]["value"]
    return str(given).split()[1]


def test_server_namespace_and_token(account: Path) -> None:
    found = in_cluster(account, HERE)
    assert found.configuration.host == "https://192.0.2.1:443"
    assert found.configuration.ssl_ca_cert == str(account / "ca.crt")
    assert found.verified
    assert (found.label, found.namespace, token(found)) == ("in-cluster", "audit", "first")


def test_an_address_of_ipv6(account: Path) -> None:
    host = {**HERE, "KUBERNETES_SERVICE_HOST": "2001:db8::1"}
    assert in_cluster(account, host).configuration.host == "https://[2001:db8::1]:443"


def test_a_rotated_token_is_read_again(account: Path) -> None:
    from datetime import datetime, timedelta

    found = in_cluster(account, HERE)
    (account / "token").write_text("second")
    assert token(found) == "first"
    loader = found.configuration.refresh_api_key_hook.__closure__[0].cell_contents
    loader.token_expires_at = datetime.now() - timedelta(seconds=1)
    assert token(found) == "second"


@pytest.mark.parametrize("missing", ["token", "ca.crt"])
def test_an_account_that_is_not_whole(account: Path, missing: str) -> None:
    (account / missing).unlink()
    with pytest.raises(InputError, match="the pod's own account cannot be used"):
        in_cluster(account, HERE)


def test_outside_of_a_pod(account: Path) -> None:
    with pytest.raises(InputError, match="Service host/port is not set"):
        in_cluster(account, {})


def test_the_current_context_is_the_pod_where_there_is_no_kubeconfig(
    account: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_config, "ACCOUNT", account)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in HERE.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match="there is no kubeconfig"):
        LiveSource.from_context("production")
    assert live_config.connection(None, None, Patience()).label == "in-cluster"
