"""A browser shows hostile text as text: it runs nothing and asks nobody."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from kaudit.dossier import audit_report

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


class Listener:
    """Notes who asks for what."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()
    yield found
    found.http.shutdown()
    found.http.server_close()


def opened(page: Path, profile: Path) -> str:
    """Document after a browser has opened the page."""
    command = [
        str(CHROMIUM),
        *["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"],
        *["--disable-background-networking", "--disable-component-update"],
        f"--user-data-dir={profile}",
        "--virtual-time-budget=3000",
        "--dump-dom",
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


class Elements(HTMLParser):
    """Elements with their attributes, the title and the text of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.text = self.title = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.all and self.all[-1][0] == "title":
            self.title += data


def attack(url: str) -> list[str]:
    return [
        f"<script>document.title='PWNED';fetch('{url}/script')</script>",
        f"<img src='{url}/img' onerror=\"document.title='PWNED'\">",
        f"\"><svg onload=\"document.title='PWNED'\"><image href='{url}/svg'/></svg>",
        f"[x](javascript:document.title='PWNED') ![x]({url}/markdown)",
        f"</td></table></script><iframe src='{url}/frame'></iframe><!--",
        f"<style>@import '{url}/style'</style><link rel=stylesheet href='{url}/link'>",
        "{{ 7*7 }} ${7*7} <% 7*7 %> $x^2$",
    ]


def test_the_listener_hears_a_page_that_asks(tmp_path: Path, listener: Listener) -> None:
    page = tmp_path / "page.html"
    page.write_text(f"<title>t</title>{attack(listener.url)[0]}{attack(listener.url)[1]}")
    assert "PWNED" in opened(page, tmp_path / "profile").partition("</title>")[0]
    assert {"/script", "/img"} & set(listener.asked)


def test_a_report_of_a_hostile_cluster(tmp_path: Path, listener: Listener) -> None:
    import json

    pods = []
    for number, text in enumerate(attack(listener.url)):
        pods.append(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": text,
                    "namespace": text,
                    "labels": {text: text},
                    "annotations": {text: text},
                    "uid": f"u{number}",
                },
                "spec": {
                    "hostNetwork": True,
                    "serviceAccountName": text,
                    "containers": [
                        {
                            "name": text,
                            "image": text,
                            "command": [text],
                            "env": [{"name": text, "value": text}],
                            "securityContext": {
                                "privileged": True,
                                "seLinuxOptions": {"type": text},
                            },
                        }
                    ],
                    "volumes": [{"name": text, "hostPath": {"path": text}}],
                },
            }
        )
    source = tmp_path / "dump.json"
    source.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}))
    title = attack(listener.url)[0]
    audit_report([str(source)], tmp_path / "out", title=title, pdf=False)
    document = opened(tmp_path / "out" / "audit.html", tmp_path / "profile")
    assert listener.asked == []
    found = Elements()
    found.feed(document)
    assert not {tag for tag, _ in found.all} & {"iframe", "object", "embed", "base", "form"}
    names = {name for _, attributes in found.all for name in attributes}
    assert not {name for name in names if name.startswith("on")}
    places = [a[n] or "" for _, a in found.all for n in ("href", "src", "xlink:href") if n in a]
    assert [p for p in places if listener.url in p or p.lower().startswith("javascript")] == []
    assert "PWNED" not in found.title.replace("document.title='PWNED'", "")
    assert f"{listener.url}/frame" in found.text
