"""The workspace of JupyterLab, and the tour run in a real server."""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from kaudit.errors import InputError
from kaudit.lab import command, environment, workspace

needs_lab = pytest.mark.skipif(
    find_spec("jupyterlab") is None,
    reason="JupyterLab is not installed (pip install 'kaudit[lab]')",
)
POD = "{apiVersion: v1, kind: Pod, metadata: {name: <script>alert(1)</script>}, spec: {containers: [{name: c, image: i}]}}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("lab") / "work"
    workspace("", found)
    return found


def test_a_workspace_has_the_notebooks_and_evidence(folder: Path) -> None:
    assert sorted(p.name for p in folder.iterdir()) == [
        "audit.ipynb",
        "evidence.kaudit",
        "explore.ipynb",
    ]


@pytest.mark.parametrize("name", ["file", "file/in", os.fsdecode(b"\xff")])
def test_places_where_no_workspace_can_be(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot be made|no UTF-8"):
        workspace("", tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_workspace_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(POD)
    start = workspace(str(tmp_path / "pod.yaml"), tmp_path / "work")
    start.write_text("mine")
    assert workspace("", tmp_path / "work").read_text() == "mine"
    with pytest.raises(InputError, match="has evidence already"):
        workspace(str(tmp_path / "pod.yaml"), tmp_path / "work")


def test_the_server_listens_on_this_machine_only(tmp_path: Path) -> None:
    made = command(tmp_path / "explore.ipynb", browser=False, port=8888)
    assert made[0] == sys.executable
    assert "--ServerApp.ip=127.0.0.1" in made
    assert not [part for part in made if "token" in part or "password" in part]


def test_an_empty_token_is_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_TOKEN", "")
    assert "JUPYTER_TOKEN" not in environment()
    monkeypatch.setenv("JUPYTER_TOKEN", "mine")
    assert environment()["JUPYTER_TOKEN"] == "mine"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Server:
    """A JupyterLab server of its own, spoken to as a browser would."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.port, self.token = free_port(), secrets.token_hex(16)
        waived = {
            "IdentityProvider": {"token": ""},
            "PasswordIdentityProvider": {"hashed_password": ""},
        }
        (home / "config").mkdir()
        (home / "config" / "jupyter_server_config.json").write_text(json.dumps(waived))
        impostor = home / "data" / "kernels" / "python3"
        impostor.mkdir(parents=True)
        kernel = {"argv": ["/bin/false"], "display_name": "Python 3", "language": "python"}
        (impostor / "kernel.json").write_text(json.dumps(kernel))
        variables = {
            **environment(),
            "JUPYTER_TOKEN": self.token,
            "HOME": str(home),
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
            "IPYTHONDIR": str(home / "ipython"),
        }
        made = command((folder / "explore.ipynb").resolve(), browser=False, port=self.port)
        made += ["--allow-root"]
        with (home / "log").open("wb") as log:
            self.process = subprocess.Popen(
                made, env=variables, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + 60
        while True:
            try:
                self.ask("GET", "api/status")
                break
            except OSError:
                if time.monotonic() > until or self.process.poll() is not None:
                    self.stop()
                    raise AssertionError((home / "log").read_text()) from None
                time.sleep(0.2)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def stop(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(20)


class Kernel:
    """A kernel of the server, through its websocket."""

    def __init__(self, server: Server) -> None:
        import websocket

        self.id = server.ask("POST", "api/kernels", {"name": "python3", "path": "explore.ipynb"})[
            "id"
        ]
        url = f"ws://127.0.0.1:{server.port}/api/kernels/{self.id}/channels?token={server.token}"
        self.socket = websocket.create_connection(url, timeout=120)
        self.number = 0

    def ask(self, kind: str, content: dict[str, Any]) -> list[dict[str, Any]]:
        """Send a request; return all messages that answer it."""
        self.number += 1
        id_ = f"m{self.number}"
        header = {
            "msg_id": id_,
            "msg_type": kind,
            "username": "",
            "session": "s",
            "version": "5.3",
            "date": "",
        }
        message = {
            "header": header,
            "parent_header": {},
            "metadata": {},
            "content": content,
            "channel": "shell",
            "buffers": [],
        }
        self.socket.send(json.dumps(message))
        found: list[dict[str, Any]] = []
        while True:
            answer = json.loads(self.socket.recv())
            if answer["parent_header"].get("msg_id") != id_:
                continue
            found.append(answer)
            idle = answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle"
            kinds = {one["msg_type"] for one in found}
            if (
                (idle or answer["msg_type"].endswith("_reply"))
                and kind.replace("request", "reply") in kinds
                and (
                    kind != "execute_request"
                    or any(
                        m["msg_type"] == "status" and m["content"]["execution_state"] == "idle"
                        for m in found
                    )
                )
            ):
                return found

    def close(self) -> None:
        self.socket.close()

    def run(self, code: str) -> list[dict[str, Any]]:
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        found = self.ask("execute_request", content)
        errors = [m["content"] for m in found if m["msg_type"] == "error"]
        assert not errors, f"{errors[0]['ename']}: {errors[0]['evalue']}"
        return [
            m["content"]["data"]
            for m in found
            if m["msg_type"] in ("execute_result", "display_data")
        ]

    def complete(self, code: str) -> list[str]:
        answer = self.ask("complete_request", {"code": code, "cursor_pos": len(code)})
        (reply,) = [m for m in answer if m["msg_type"] == "complete_reply"]
        return list(reply["content"]["matches"])


@pytest.fixture(scope="module")
def server(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = Server(folder, tmp_path_factory.mktemp("home"))
    yield found
    found.stop()


@pytest.mark.lab
@needs_lab
def test_the_tour_runs_in_a_real_server(server: Server) -> None:
    tour = server.ask("GET", "api/contents/explore.ipynb")["content"]
    with closing(Kernel(server)) as kernel:
        shown = 0
        for cell in tour["cells"]:
            if cell["cell_type"] == "code":
                for data in kernel.run(cell["source"]):
                    page = data.get("text/html", "")
                    assert "<script" not in page
                    assert not re.search(r"\son\w+=", re.sub(r">[^<]*<", "><", page))
                    shown += 1
        assert shown >= 10
        assert 'e["pods"]' not in kernel.complete('e["po')
        assert any("pod_security" in match for match in kernel.complete('e["pod_s'))
        assert {"security_context"} & {
            match.rpartition(".")[2] for match in kernel.complete("e.security_c")
        }
        assert any("KA-DEP-001" in match for match in kernel.complete('a["KA-DEP-00'))
        assert {"assess", "Assessment"} & {
            match.rpartition(".")[2] for match in kernel.complete("ka.asses")
        }


@pytest.mark.lab
@needs_lab
def test_nobody_without_the_token_gets_in(server: Server) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{server.port}/api/contents", timeout=10)
    assert refused.value.code == 403
    refused.value.close()


@pytest.mark.parametrize(
    "text",
    [POD, "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}}"],
    ids=["one hostile pod", "no pod"],
)
def test_the_tour_runs_on_any_evidence(tmp_path: Path, text: str) -> None:
    from kaudit.collect import collect
    from kaudit.report import find_notebook, render
    from kaudit.source.files import FileSource

    collect(FileSource.of_text(text), out=tmp_path / "e.kaudit")
    shutil.copy(find_notebook("explore"), tmp_path / "explore.ipynb")
    made = render(
        tmp_path / "explore.ipynb",
        {"evidence": "evidence.kaudit"},
        tmp_path / "out",
        beside={"evidence.kaudit": tmp_path / "e.kaudit"},
        formats=["html"],
    )
    assert made.html is not None
    assert "<script>alert" not in made.html.read_text()
